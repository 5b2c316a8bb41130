/** The venue that the demo plays at: the one that runs already, or one of its own; and what its owner does there. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { askLab } from '../control.ts'
import { startLab } from '../lab.ts'
import type { Phone } from '../lab.ts'

/** As much of a venue as the demo needs, whoever started it. */
export type Venue = {
  url: string
  portalHost: string
  apiKey: string
  internetNamespace: string
  addPhone: () => Promise<Phone>
  removePhone: (namespace: string) => Promise<unknown>
  close: () => Promise<unknown>
}

/** The lab that runs in `dir`, or else a new one that goes with the demo. */
export async function openVenue(dir: string): Promise<Venue> {
  return (await runningVenue(dir)) ?? (await ownVenue())
}

/** Puts a package on sale, makes vouchers for it, and takes it off sale again: they stay good. */
export async function makeVouchers(
  venue: Venue,
  terms: { dataLimit: number | null; durationSeconds: number },
  count: number,
): Promise<string[]> {
  const sold = await admin<{ package: { id: number } }>(venue, 'POST', 'packages', { name: 'Demo', priceMinor: 0, ...terms })
  const { codes } = await admin<{ codes: string[] }>(venue, 'POST', 'vouchers', { packageId: sold.package.id, count, note: 'npm run demo' })
  await admin(venue, 'DELETE', `packages/${sold.package.id}`)
  return codes
}

/** An earlier demo that was broken off may have left one alive. */
export async function endSessionsOf(venue: Venue, phones: Phone[]): Promise<void> {
  for (const { mac } of phones) {
    const { sessions } = await admin<{ sessions: { id: number }[] }>(venue, 'GET', `sessions?status=live&search=${encodeURIComponent(mac)}`)
    for (const { id } of sessions) await admin(venue, 'POST', `sessions/${id}/end`, {})
  }
}

async function runningVenue(dir: string): Promise<Venue | null> {
  const control = join(dir, 'control.sock')
  const status = await askLab<{ prefix: string }>(control, 'status')
  if (!status) return null
  const { url, portalHost, admin: owner } = JSON.parse(readFileSync(join(dir, 'lab.json'), 'utf8')) as Described
  console.log(`One customer at the venue on ${url}`)
  return {
    url,
    portalHost,
    apiKey: owner.apiKey,
    internetNamespace: `${status.prefix}-internet`,
    addPhone: async () => (await askLab<Phone>(control, 'phone add')) ?? fault(),
    removePhone: (namespace) => askLab(control, 'phone remove', namespace),
    close: async () => {},
  }
}

type Described = { url: string; portalHost: string; admin: { apiKey: string } }

async function ownVenue(): Promise<Venue> {
  console.log('One customer at a venue of their own (no lab is running)')
  const lab = await startLab({ prefix: 'kswifi-demo', phones: 0, log: (line) => console.log(`  ${line}`) })
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void lab.stop().then(() => process.exit(1)))
  const { url, portalHost, admin: owner, internet, addPhone, removePhone, stop } = lab
  return {
    url,
    portalHost,
    apiKey: owner.apiKey,
    internetNamespace: internet.namespace,
    addPhone,
    removePhone,
    close: stop,
  }
}

function fault(): never {
  throw new Error('The lab went away')
}

async function admin<T>(venue: Venue, method: string, path: string, body?: unknown): Promise<T> {
  const headers = { authorization: `Bearer ${venue.apiKey}`, 'content-type': 'application/json' }
  const init = body === undefined ? { method, headers } : { method, headers, body: JSON.stringify(body) }
  const response = await fetch(`${venue.url}/api/admin/${path}`, init)
  const text = await response.text()
  if (!response.ok) throw new Error(`${method} /api/admin/${path} → ${response.status} ${text}`)
  return (text === '' ? undefined : JSON.parse(text)) as T
}
