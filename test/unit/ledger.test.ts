import test from 'ava'
import fc from 'fast-check'
import { createBus } from '#server/events.ts'
import { createConnect } from '#server/connect/connect.ts'
import { createMemoryGateway } from '#server/gateway/memory.ts'
import { activate, topUp, type Terms } from '#server/sessions/lifecycle.ts'
import { ledgerOf } from '#server/sessions/ledger-table.ts'
import { createMeter } from '#server/sessions/meter.ts'
import { findSession, insertDevice, insertSession, saveSessions } from '#server/sessions/table.ts'
import { createSettings } from '#server/settings/settings.ts'
import { HOUR } from '#server/units.ts'
import { paidSession } from './session.ts'
import { openTestStore } from './store.ts'

const PACKET = 1000
const LIMIT = 100 * PACKET + 400
const macs = ['02:00:00:00:00:01', '02:00:00:00:00:02']
const terms: Terms = {
  packageId: 1,
  packageName: 'P',
  dataLimit: LIMIT,
  durationMs: HOUR,
  downBps: null,
  upBps: null,
  maxDevices: 2,
  afterData: 'stop',
  slowBps: null,
}

type Step = { kind: 'down' | 'up' | 'poll' | 'topUp' | 'forget'; way: 0 | 1 | 2; packets: number }
const steps = fc.array(
  fc.record<Step>({
    kind: fc.constantFrom('down', 'up', 'poll', 'topUp', 'forget'),
    /** Two phones, and a profile. */
    way: fc.constantFrom(0 as const, 1 as const, 2 as const),
    packets: fc.integer({ min: 1, max: 60 }),
  }),
  { maxLength: 25 },
)

test('the ledger is the sum of what the gateway let through; at the cap the rest of less than a packet is charged too', async (t) => {
  const store = await openTestStore(t)
  await store.db('packages').insert({
    id: 1,
    name: 'P',
    duration_ms: HOUR,
    activate_within_ms: HOUR,
    price_minor: 0,
    currency: 'NGN',
    created_at: 0,
    updated_at: 0,
  })
  let code = 0
  await fc.assert(
    fc.asyncProperty(steps, async (walk) => {
      const now = () => 1_800_000_000_000
      const lease = (mac: string) => ({ mac, ip: `10.64.0.${macs.indexOf(mac) + 1}`, name: '', until: Infinity })
      const bus = createBus()
      const config = {
        lan: { device: 'none0', address: '10.64.0.1', prefix: 16 },
        wan: { device: 'lo' },
        tunnel: { port: 51820 },
        portalHost: 'kswifi.internal',
      }
      const connect = createConnect({ store, now, secret: 's', settings: createSettings({ store, now, bus }), config })
      const plan = await connect.plan({ endpointId: undefined, port: undefined })
      const meter = createMeter({
        store,
        now,
        bus,
        connect,
        payments: { markUsed: async () => [], tell: () => {} },
        leases: { addresses: async () => (mac) => [lease(mac)], holder: async () => undefined, watch: () => () => {} },
      })
      const gateway = createMemoryGateway({ now, wanted: meter.grants, settle: async (readings) => void (await meter.settle(readings)) })
      const { id, peer } = await store.transaction(async (tx) => {
        await tx('devices').whereNull('detached_at').update({ detached_at: 1 })
        await tx('sessions').where('status', '!=', 'expired').update({ status: 'expired' })
        const made = await insertSession(tx, paidSession(terms, now(), { resumeCode: `C${++code}` }))
        await saveSessions(tx, [activate(made, now())])
        for (const mac of macs) await insertDevice(tx, { sessionId: made.id, mac, name: '', now: now() })
        const { profile } = await connect.make(tx, plan, { sessionId: made.id, places: 1, name: undefined })
        return { id: made.id, peer: profile.address }
      })
      const ways = [...macs.map(lease), { peer }]
      await gateway.enforce()
      let [passed, lost, tunnelled] = [0, 0, 0]
      for (const { kind, way, packets } of walk) {
        if (kind === 'down' || kind === 'up') {
          const bytes = await gateway.pass(ways[way]!, kind, packets * PACKET, PACKET)
          passed += bytes
          if (way === 2) tunnelled += bytes
        }
        if (kind === 'poll') await gateway.poll()
        if (kind === 'topUp') {
          await store.transaction(async (tx) => {
            const session = (await findSession(tx, id))!
            if (session.status !== 'expired') await saveSessions(tx, [topUp(session, { ...terms, dataLimit: 20 * PACKET }, now())])
          })
          await gateway.enforce([id])
        }
        if (kind === 'forget') {
          // A power cut: what was used since the last poll is the customer's gain, and no more than that.
          lost += passed - lost - (await ledgerOf(store.db, id))
          gateway.forget()
          await gateway.enforce()
        }
      }
      await gateway.poll()
      const session = (await findSession(store.db, id))!
      const ledger = await ledgerOf(store.db, id)
      const rest = ledger - (passed - lost)
      if (session.tunnelled > tunnelled || (lost === 0 && session.tunnelled !== tunnelled)) return false
      if (ledger !== session.dataUsed || session.dataUsed > session.dataLimit!) return false
      return session.endReason === 'data' ? rest >= 0 && rest < PACKET : rest === 0
    }),
    { numRuns: 60 },
  )
  t.pass()
})
