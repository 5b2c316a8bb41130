import test from 'ava'
import fc from 'fast-check'
import * as life from '#server/sessions/lifecycle.ts'
import type { Session, Terms } from '#server/sessions/lifecycle.ts'
import { HOUR, MB, MINUTE } from '#server/units.ts'
import { paidSession } from './session.ts'

const now = 1_800_000_000_000
const ways = (phones: number, peers = 0) => ({
  devices: phones === 1 ? [phone] : [],
  peers: peers === 1 ? ['10.8.0.5'] : [],
})
const phone = { mac: '02:00:00:00:00:01', ip: '10.64.0.9' }
const terms: Terms = {
  packageId: 1,
  packageName: 'P',
  dataLimit: 10 * MB,
  durationMs: HOUR,
  downBps: 10e6,
  upBps: 5e6,
  maxDevices: 1,
  afterData: 'stop',
  slowBps: null,
}

const ready = (over: Partial<Session> = {}): Session => ({ id: 7, ...paidSession(terms, now, over) })
const active = (over: Partial<Session> = {}) => life.activate(ready(over), now)
const read = (session: Session, usedBytes: number, at = now + MINUTE) =>
  life.afterReading(session, { usedBytes, uploadedBytes: 0, tunnelledBytes: 0 }, at)

const cases: [title: string, got: () => Partial<Session>, wanted: Partial<Session>][] = [
  ['activation starts the clock', () => active(), { status: 'active', startTime: now, expiresAt: now + HOUR }],
  ['a second activation changes nothing', () => life.activate(active(), now + MINUTE), { expiresAt: now + HOUR }],
  ['use connects', () => read(active(), MB), { status: 'connected', dataUsed: MB, lastConnected: now + MINUTE }],
  ['a reading below what is known takes nothing back', () => read(read(active(), 2 * MB), MB), { dataUsed: 2 * MB }],
  ['the last byte ends it', () => read(active(), 10 * MB), { status: 'expired', endReason: 'data', dataUsed: 10 * MB }],
  ['more than the limit is charged to nobody', () => read(active(), 11 * MB), { dataUsed: 10 * MB, slowUsed: 0 }],
  [
    'a slow package goes on',
    () => read(active({ afterData: 'slow', slowBps: 256_000 }), 11 * MB),
    { status: 'connected', dataUsed: 10 * MB, slowUsed: MB },
  ],
  [
    'the last reading of an ended session counts',
    () => read(life.end(read(active(), MB), 'time', now), 2 * MB),
    { dataUsed: 2 * MB, status: 'expired', endReason: 'time' },
  ],
  ['time ends it', () => life.atTime(active(), now + HOUR), { status: 'expired', endReason: 'time', endedAt: now + HOUR }],
  ['a moment before, it lives', () => life.atTime(active(), now + HOUR - 1), { status: 'active' }],
  ['five idle minutes disconnect', () => life.atTime(read(active(), MB, now), now + 5 * MINUTE), { status: 'disconnected' }],
  ['use after that connects again', () => read(life.atTime(read(active(), MB, now), now + 5 * MINUTE), 2 * MB), { status: 'connected' }],
  ['never activated, it ends', () => life.atTime(ready(), now + 24 * HOUR), { status: 'expired', endReason: 'time' }],
  ['waiting for another, it does not', () => life.atTime(ready({ follows: 3 }), now + 24 * HOUR), { status: 'ready' }],
  [
    'a top-up adds data and time',
    () => life.topUp(read(active(), MB), terms, now),
    { dataLimit: 20 * MB, expiresAt: now + 2 * HOUR, dataUsed: MB },
  ],
  ['and the better speed', () => life.topUp(active(), { ...terms, downBps: null, upBps: 1e6 }, now), { downBps: null, upBps: 5e6 }],
  ['staff add time and data', () => life.extend(active(), { ms: HOUR, bytes: MB }, now), { dataLimit: 11 * MB, expiresAt: now + 2 * HOUR }],
  [
    'a refund takes back data and time that are not used',
    () => life.takeBack(read(life.topUp(active(), terms, now), 4 * MB), terms, now),
    { dataLimit: 10 * MB, expiresAt: now + HOUR, dataUsed: 4 * MB, status: 'connected' },
  ],
  [
    'what was used is not taken back, and a session without the rest ends',
    () => life.takeBack(read(life.topUp(active(), terms, now), 12 * MB), terms, now),
    { dataLimit: 12 * MB, status: 'expired', endReason: 'refunded' },
  ],
  [
    'what another router counted is charged',
    () => life.afterReport(read(active(), 2 * MB), 5 * MB, now),
    { dataUsed: 5 * MB, elsewhere: 3 * MB, status: 'connected' },
  ],
  ['a report only goes upwards', () => life.afterReport(read(active(), 2 * MB), MB, now), { dataUsed: 2 * MB, elsewhere: 0 }],
  [
    'a report of the last byte ends it, and charges no more than that',
    () => life.afterReport(read(active(), 2 * MB), 50 * MB, now),
    { dataUsed: 10 * MB, status: 'expired', endReason: 'data' },
  ],
  [
    'what the kernel counts comes on top of what was reported',
    () => read(life.afterReport(read(active(), 2 * MB), 5 * MB, now), 3 * MB),
    { dataUsed: 6 * MB, elsewhere: 3 * MB },
  ],
  ['going on after a break is counted', () => life.resume(life.disconnect(active(), now), now), { reconnections: 1 }],
  ['the first reason stays', () => life.end(life.end(active(), 'data', now), 'refunded', now + 1), { endReason: 'data' }],
  ['an ended session does not resume', () => life.resume(life.end(active(), 'data', now), now), { status: 'expired' }],
]
for (const [title, got, wanted] of cases) test(title, (t) => t.like(got(), wanted))

test('the kernel is left with what others did not use', (t) => {
  const session = life.afterReport(read(active(), 2 * MB), 5 * MB, now)
  t.like(life.grantOf(session, ways(1), now), { usedBytes: 2 * MB, limitBytes: 7 * MB })
})

test('a grant counts on from what was used, and slow use does not eat a top-up', (t) => {
  const slow = read(active({ afterData: 'slow', slowBps: 256_000 }), 12 * MB)
  t.like(life.grantOf(slow, ways(1), now), { limitBytes: null, usedBytes: 12 * MB, downBps: 256_000, upBps: 256_000 })
  const topped = life.topUp(slow, { ...terms, afterData: 'slow', slowBps: 256_000 }, now)
  t.like(life.grantOf(topped, ways(1), now), { limitBytes: 22 * MB, usedBytes: 12 * MB, downBps: 10e6 })
})

test('no grant without a device, before activation, or after the end', (t) => {
  t.is(life.grantOf(active(), ways(0), now), undefined)
  t.is(life.grantOf(ready(), ways(1), now), undefined)
  t.is(life.grantOf(active(), ways(1), now + HOUR), undefined)
})

test('a profile is enough for a grant, and its share of what was used is kept', (t) => {
  t.like(life.grantOf(active(), ways(0, 1), now), { devices: [], peers: ['10.8.0.5'], tunnelledBytes: 0 })
  const used = life.afterReading(active(), { usedBytes: 3 * MB, uploadedBytes: 0, tunnelledBytes: 2 * MB }, now)
  t.like(used, { dataUsed: 3 * MB, tunnelled: 2 * MB })
  // A count that begins anew takes nothing back, and nothing can be more than all.
  t.is(life.afterReading(used, { usedBytes: 4 * MB, uploadedBytes: 0, tunnelledBytes: 0 }, now).tunnelled, 2 * MB)
  t.is(life.afterReading(used, { usedBytes: 4 * MB, uploadedBytes: 0, tunnelledBytes: 9 * MB }, now).tunnelled, 4 * MB)
})

test('kinds do not mix', (t) => {
  t.false(life.canTopUp(active(), { ...terms, dataLimit: null }))
  t.false(life.canTopUp(active({ dataLimit: null }), terms))
  t.true(life.canTopUp(active({ dataLimit: null }), { ...terms, dataLimit: null }))
  t.throws(() => life.extend(life.end(active(), 'time', now), { ms: 1, bytes: 0 }, now), { instanceOf: RangeError })
})

type Step = { kind: 'read' | 'wait' | 'topUp' | 'extend' | 'disconnect' | 'resume' | 'end'; amount: number }
const steps = fc.array(
  fc.record<Step>({
    kind: fc.constantFrom('read', 'wait', 'topUp', 'extend', 'disconnect', 'resume', 'end'),
    amount: fc.integer({ min: 0, max: 5 * MB }),
  }),
  { maxLength: 40 },
)

test('whatever happens: use never falls nor passes the limit, and the end is the end', (t) => {
  fc.assert(
    fc.property(steps, fc.constantFrom('stop' as const, 'slow' as const), fc.boolean(), (walk, afterData, unlimited) => {
      let session = active({ afterData, slowBps: afterData === 'slow' ? 256_000 : null, dataLimit: unlimited ? null : 10 * MB })
      let [at, counted] = [now, 0]
      for (const { kind, amount } of walk) {
        const before = session
        if (kind === 'read')
          session = life.afterReading(
            session,
            { usedBytes: (counted += amount), uploadedBytes: counted / 4, tunnelledBytes: counted / 2 },
            at,
          )
        if (kind === 'wait') session = life.atTime(session, (at += amount))
        if (kind === 'topUp' && life.canTopUp(session, { ...terms, dataLimit: session.dataLimit === null ? null : MB }))
          session = life.topUp(session, { ...terms, dataLimit: session.dataLimit === null ? null : MB, afterData }, at)
        if (kind === 'extend' && !life.hasEnded(session)) session = life.extend(session, { ms: amount, bytes: amount }, at)
        if (kind === 'disconnect') session = life.disconnect(session, at)
        if (kind === 'resume') session = life.resume(session, at)
        if (kind === 'end' && amount % 7 === 0) session = life.end(session, 'ended-by-staff', at)

        const grant = life.grantOf(session, ways(1), at)
        if (session.dataUsed < before.dataUsed || session.slowUsed < before.slowUsed || session.uploaded < before.uploaded) return false
        if (session.tunnelled < before.tunnelled || session.tunnelled > session.dataUsed + session.slowUsed) return false
        if (session.dataLimit !== null && session.dataUsed > session.dataLimit) return false
        if (life.hasEnded(before) && (!life.hasEnded(session) || session.endReason !== before.endReason)) return false
        if (life.hasEnded(session) && grant) return false
        if (grant && grant.usedBytes !== session.dataUsed + session.slowUsed) return false
        if (grant && grant.limitBytes !== null && grant.usedBytes >= grant.limitBytes) return false
      }
      return true
    }),
    { numRuns: 1000 },
  )
  t.pass()
})
