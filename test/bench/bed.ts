import { appendFileSync } from 'node:fs'
import { join } from 'node:path'
import { startLab, type Lab, type LabOptions } from '#lab/lab.ts'
import { until } from '#lab/run.ts'
import { makeKeyPair, type KeyPair } from '#server/connect/keys.ts'
import { addressAt } from '#server/connect/range.ts'
import { activate, type Session } from '#server/sessions/lifecycle.ts'
import { insertDevice, insertSession, saveSessions } from '#server/sessions/table.ts'
import { openStore } from '#server/store/store.ts'
import { DAY, GB } from '#server/units.ts'

/** A venue for a bench; the caller stops it. */
export async function openBed(prefix: string, phones: number, options: LabOptions = {}): Promise<Lab> {
  return startLab({ prefix: `kbe${prefix}`, phones, ...options })
}

export async function admin<T>(lab: Lab, method: string, path: string, body?: unknown): Promise<T> {
  const headers = { authorization: `Bearer ${lab.admin.apiKey}`, 'content-type': 'application/json' }
  const answer = await fetch(`${lab.url}/api/admin/${path}`, {
    method,
    headers,
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  const text = await answer.text()
  if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`)
  return (text ? JSON.parse(text) : undefined) as T
}

export async function vouchers(lab: Lab, terms: object, count: number): Promise<string[]> {
  const made = await admin<{ package: { id: number } }>(lab, 'POST', 'packages', {
    name: 'Bench',
    durationSeconds: 3600,
    priceMinor: 0,
    ...terms,
  })
  const { codes } = await admin<{ codes: string[] }>(lab, 'POST', 'vouchers', { packageId: made.package.id, count })
  return codes
}

/** Redeems on a phone. */
export async function redeem(lab: Lab, namespace: string, code: string): Promise<{ id: number; resumeCode: string; dataLimit: number }> {
  const args = [
    '-s',
    '-H',
    'content-type: application/json',
    '-d',
    JSON.stringify({ code }),
    `http://${lab.portalHost}/api/vouchers/redeem`,
  ]
  const { session } = JSON.parse((await lab.exec(namespace, ['curl', ...args])).stdout) as {
    session: { id: number; resumeCode: string; dataLimit: number }
  }
  return session
}

/** A session that was put there, and the keys of its Connect profile if it has one. */
export type Populated = { session: number; profile: (KeyPair & { address: string }) | null }

/**
 * Puts live sessions into the box as if they had been sold: rows in SQLite, leases of their own, and a start of the
 * box that brings them about. The first `profiles` of them have a Connect profile as well.
 * @returns when all are in the kernel
 */
export async function populate(
  lab: Lab,
  count: number,
  speeds: { downBps: number | null; upBps: number | null },
  profiles = 0,
): Promise<Populated[]> {
  await lab.box.units.stop('server', 'worker', 'dnsmasq')
  const store = await openStore(join(lab.dataDir, 'kswifi.db'))
  const now = Date.now()
  const leases: string[] = []
  const there: Populated[] = []
  await store.transaction(async (tx) => {
    for (let n = 0; n < count; n++) {
      const opened = activate(await insertSession(tx, soldSession(n, now, speeds)), now)
      await saveSessions(tx, [opened])
      const mac = `02:be:00:${hex(n >> 16)}:${hex(n >> 8)}:${hex(n)}`
      await insertDevice(tx, { sessionId: opened.id, mac, name: '', now })
      leases.push(`${Math.floor(now / 1000) + 43_200} ${mac} 10.64.${1 + Math.floor(n / 250)}.${1 + (n % 250)} * *`)
      const profile = n < profiles ? { ...makeKeyPair(), address: addressAt('10.8.', n + 1) } : null
      if (profile) await tx('profiles').insert(profileRow(opened.id, n + 1, profile, now))
      there.push({ session: opened.id, profile })
    }
  })
  await store.close()
  appendFileSync(join(lab.dataDir, 'dnsmasq.leases'), `${leases.join('\n')}\n`)
  lab.box.units.start()
  await lab.untilHealthy(60_000)
  await untilGranted(lab, count)
  await until(`${profiles} peers in the tunnel`, async () => (await peersOf(lab)).length >= profiles, 60_000)
  return there
}

/** Public keys of everybody who may open the tunnel; empty while there is no device. */
export async function peersOf(lab: Lab): Promise<string[]> {
  const { stdout } = await lab.exec('box', ['wg', 'show', 'wg0', 'peers'], { allowFailure: true })
  return stdout.split('\n').filter(Boolean)
}

/** Waits until so many sessions at least are in nft and, when they have speeds, in tc. */
export async function untilGranted(lab: Lab, count: number): Promise<void> {
  await until(`${count} sessions in the kernel`, async () => (await grantedCount(lab)) >= count, 120_000, 10)
}

export async function grantedCount(lab: Lab): Promise<number> {
  const { stdout } = await lab.exec(lab.box.namespace, ['/usr/sbin/nft', 'list', 'map', 'inet', 'kswifi', 'down_class'], {
    allowFailure: true,
  })
  return stdout.match(/ expires /g)?.length ?? 0
}

function soldSession(n: number, now: number, speeds: { downBps: number | null; upBps: number | null }): Omit<Session, 'id'> {
  return {
    userPhone: null,
    hotspotId: 'hotspot_1',
    hotspotName: 'Bench',
    packageId: 1,
    packageName: 'Bench',
    paymentMethod: 'voucher',
    paymentReference: 'bench',
    resumeCode: `B${n.toString(36).toUpperCase().padStart(7, '0')}`,
    status: 'ready',
    endReason: null,
    startTime: null,
    expiresAt: null,
    activateBy: now + DAY,
    lastConnected: null,
    disconnectedAt: null,
    endedAt: null,
    dataLimit: 5 * GB,
    dataUsed: 0,
    slowUsed: 0,
    uploaded: 0,
    tunnelled: 0,
    elsewhere: 0,
    reconnections: 0,
    durationMs: DAY,
    ...speeds,
    maxDevices: 1,
    afterData: 'stop',
    slowBps: null,
    follows: null,
    createdAt: now,
    updatedAt: now,
  }
}

function profileRow(session: number, place: number, { publicKey, address }: { publicKey: string; address: string }, now: number): object {
  return { session_id: session, name: 'Bench', public_key: publicKey, address, place, endpoint_id: 1, port: 51_820, created_at: now }
}

function hex(n: number): string {
  return (n & 255).toString(16).padStart(2, '0')
}
