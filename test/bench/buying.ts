import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { fileURLToPath } from 'node:url'
import type { Lab } from '#lab/lab.ts'
import { until } from '#lab/run.ts'
import { momoDefaults } from '#test/emulators/momo-settings.ts'
import { talkTo, type Talk } from '#test/gateway/talk.ts'
import { admin, grantedCount, openBed } from './bed.ts'
import type * as confirming from './confirming.ts'
import type * as crowd from './crowd.ts'
import { plugCrowd } from './crowd-plugs.ts'
import { atLeast, atMost, quantile, type Figure } from './figure.ts'
import type * as firstSeen from './first-seen.ts'

const BUYERS = 100
const ROUNDS = 3
const ALONE_ROUNDS = 20
const PROBE_MS = 5
const PROBE_PORT = 9200
/** Of MTN's answers. */
const ANSWERS_AFTER_MS = 50
/** Whoever is not online by then does not count as online. */
const PATIENCE_MS = 30_000

type Bed = {
  lab: Lab
  packageId: number
  crowd: Talk<crowd.Ask>
  momo: Talk<confirming.Ask>
  ear: Talk<firstSeen.Ask>
  ledger: DatabaseSync
  /** So that no two rounds have the same name. */
  rounds: number
}

/** What became of one buyer; times in ms since MTN counted it as paid, null for what did not happen. */
type Bought = { charged: number; steps: Record<Step, number | null> }
type Step = (typeof steps)[number]
/** On the way from the confirmation to the first packet: callback sent, kept by the box, MTN asked, credited, seen to be let in. */
const steps = ['called', 'heard', 'verified', 'credited', 'granted', 'online'] as const

/** A hundred customers buy at once by MTN MoMo: from each confirmation to the first packet that passes. */
export async function buying(): Promise<Figure[]> {
  const lab = await openBed('buy', 1)
  const { namespace, address } = lab.internet
  const settings = { mode: 'production', delayMs: ANSWERS_AFTER_MS, deliverTo: 'http://203.0.113.2:8081' }
  const momo = talkTo<confirming.Ask>(namespace, program('confirming.ts'), address, JSON.stringify(settings))
  const ear = talkTo<firstSeen.Ask>(namespace, program('first-seen.ts'), String(PROBE_PORT))
  const crowd = talkTo<crowd.Ask>(lab.phones[0]!.namespace, program('crowd.ts'))
  const ledger = new DatabaseSync(join(lab.dataDir, 'kswifi.db'), { readOnly: true, timeout: 5000 })
  try {
    const bed = { lab, crowd, momo, ear, ledger, packageId: await openShop(lab), rounds: 0 }
    const members = await plugCrowd(lab, BUYERS)
    await crowd.ask({ signIn: members, portal: lab.box.lan })
    // The first ever has a token fetched and the shaper put in.
    const [first] = await round(bed, members.slice(0, 1), 0)
    if (first!.steps.online === null) throw new Error(`The first buyer did not get online.\n${lab.tail('worker')}\n${lab.tail('server')}`)
    return [
      ...crowdFigures('confirm within 1 s', await manyRounds(bed, members, 1000, ROUNDS), 'must'),
      // Nobody's thumbs are that alike: it shows what a burst costs.
      ...crowdFigures('confirm at the very same moment', await manyRounds(bed, members, 0, ROUNDS), 'aim'),
      ...aloneFigures(await manyRounds(bed, members.slice(0, 1), 0, ALONE_ROUNDS)),
      ...crowdFigures('confirm within 1 s, no callback ever comes', await withoutCallbacks(bed, members), 'none'),
    ]
  } finally {
    ledger.close()
    await Promise.all([crowd, momo, ear].map((one) => one.end()))
    await lab.stop()
  }
}

/** Sets up the account as an owner does it. @returns the number of a package with speeds */
async function openShop(lab: Lab): Promise<number> {
  const { apiUser, apiKey, subscriptionKey, targetEnvironment, callbackHost } = momoDefaults
  const values = { baseUrl: `http://${lab.internet.address}:9101`, targetEnvironment, apiUser, apiKey, subscriptionKey }
  await admin(lab, 'PATCH', 'accounts/mtn-momo', { enabled: true, values })
  await admin(lab, 'PATCH', 'settings', { publicUrl: `https://${callbackHost}`, currency: 'UGX', country: 'UG' })
  const terms = { name: 'Bench', durationSeconds: 3600, priceMinor: 1000, currency: 'UGX', dataLimit: 1_000_000_000 }
  const speeds = { downBps: 20_000_000, upBps: 20_000_000, maxDevices: 1 }
  const made = await admin<{ package: { id: number } }>(lab, 'POST', 'packages', { ...terms, ...speeds })
  return made.package.id
}

async function manyRounds(bed: Bed, members: crowd.Member[], confirmWithinMs: number, count: number): Promise<Bought[]> {
  const all: Bought[] = []
  for (let n = 0; n < count; n++) all.push(...(await round(bed, members, confirmWithinMs)))
  return all
}

async function withoutCallbacks(bed: Bed, members: crowd.Member[]): Promise<Bought[]> {
  await bed.momo.ask({ callbacks: 'drop' })
  return round(bed, members, 1000)
}

/** Everybody orders, confirms and gets online; then their sessions end. */
async function round(bed: Bed, members: crowd.Member[], confirmWithinMs: number): Promise<Bought[]> {
  const { crowd, momo, ear } = bed
  const name = `round-${++bed.rounds}`
  const references = await crowd.ask<string[]>({ order: members, packageId: bed.packageId, round: name })
  const mine = new Set(references)
  const charges = async () => (await momo.ask<confirming.Charge[]>({ charges: true })).filter(({ reference }) => mine.has(reference))
  await until('everybody was asked by MTN', async () => (await charges()).length === members.length, 30_000)
  await crowd.ask({ probe: members, round: name, to: { address: bed.lab.internet.address, port: PROBE_PORT }, everyMs: PROBE_MS })
  await momo.ask({ confirmWithinMs })
  const onlineAt = async () => {
    const seen = await ear.ask<firstSeen.Seen>('seen')
    return members.map(({ phone }) => seen[`${name} ${phone}`] ?? null)
  }
  await until('everybody is online', async () => !(await onlineAt()).includes(null), PATIENCE_MS, 100).catch(() => {})
  await crowd.ask({ rest: true })
  const [online, charged] = [await onlineAt(), await charges()]
  for (const [index, giveUp] of members.entries()) if (online[index] === null) await crowd.ask({ giveUp, reference: references[index]! })
  const bought = references.map((reference, index) => {
    const charge = charged.find((one) => one.reference === reference)!
    return boughtOf(bed, charge, online[index]!)
  })
  await endAll(bed.lab)
  return bought
}

function boughtOf({ ledger }: Bed, charge: confirming.Charge, onlineAt: number | null): Bought {
  const { decidedAt, calledAt, verifiedAt, charged, reference } = charge
  const row = ledger
    .prepare(
      `select paid_at, granted_at, (select min(received_at) from payment_inbox i where i.reference = p.reference) as heard_at
       from payments p where reference = ?`,
    )
    .get(reference) as { paid_at: number | null; granted_at: number | null; heard_at: number | null }
  const since = (at: number | null) => (at === null ? null : at - decidedAt!)
  return {
    charged,
    steps: {
      called: since(calledAt),
      heard: since(row.heard_at),
      verified: since(verifiedAt),
      credited: since(row.paid_at),
      granted: since(row.granted_at),
      online: since(onlineAt),
    },
  }
}

async function endAll(lab: Lab): Promise<void> {
  await until(
    'nobody is online any more',
    async () => {
      const { sessions } = await admin<{ sessions: { id: number }[] }>(lab, 'GET', 'sessions?status=live&pageSize=200')
      // One by one: a round begins with a box that is idle.
      for (const { id } of sessions) await admin(lab, 'POST', `sessions/${id}/end`, {})
      return sessions.length === 0 && (await grantedCount(lab)) === 0
    },
    60_000,
    100,
  )
}

function crowdFigures(how: string, all: Bought[], soon: 'must' | 'aim' | 'none'): Figure[] {
  const times = onlineTimes(all)
  const online = all.filter(({ steps: { online } }) => online !== null).length
  const once = all.filter(({ charged }) => charged === 1).length
  const what = `${BUYERS} buyers by MTN MoMo ${how}`
  return [
    { what: `${what}: confirmation to first packet, p50`, measured: quantile(times, 0.5), unit: 'ms', note: way(all) },
    {
      what: 'the same, p99',
      measured: quantile(times, 0.99),
      unit: 'ms',
      ...(soon === 'must' ? { must: atMost(500), mustWords: '≤ 500' } : {}),
      ...(soon === 'aim' ? { aim: atMost(500), aimWords: '≤ 500' } : {}),
      note: `${all.length} purchases; MTN answers in ${ANSWERS_AFTER_MS} ms; a datagram every ${PROBE_MS} ms from each`,
    },
    { what: 'the same, max', measured: Math.max(...times), unit: 'ms' },
    { what: 'the same, online', measured: (100 * online) / all.length, unit: '%', must: atLeast(100), mustWords: '100' },
    { what: 'the same, charged exactly once', measured: (100 * once) / all.length, unit: '%', must: atLeast(100), mustWords: '100' },
  ]
}

function aloneFigures(all: Bought[]): Figure[] {
  const times = onlineTimes(all)
  return [
    {
      what: 'one buyer alone: confirmation to first packet, p50',
      measured: quantile(times, 0.5),
      unit: 'ms',
      note: `${all.length} purchases, one after the other; ${way(all)}`,
    },
    { what: 'the same, max', measured: Math.max(...times), unit: 'ms' },
  ]
}

function onlineTimes(all: Bought[]): number[] {
  return all.map(({ steps: { online } }) => online ?? PATIENCE_MS)
}

/** Where the time goes. */
function way(all: Bought[]): string {
  const words = steps.map((step) => {
    const times = all.flatMap((one) => one.steps[step] ?? [])
    return times.length === 0 ? `${step} never` : `${step} ${quantile(times, 0.5)}, ${quantile(times, 0.99)}`
  })
  return `ms since the confirmation, p50 and p99: ${words.join('; ')}`
}

function program(name: string): string {
  return fileURLToPath(new URL(name, import.meta.url))
}
