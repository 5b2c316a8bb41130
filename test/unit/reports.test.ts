import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { Router } from '@koa/router'
import test, { type ExecutionContext } from 'ava'
import fc from 'fast-check'
import Koa from 'koa'
import { Refusal } from '#server/errors.ts'
import { mount } from '#server/http/api.ts'
import { csvOf } from '#server/reports/csv.ts'
import { dayOf, daysAfter, daysBetween, startOf } from '#server/reports/day.ts'
import { createReports } from '#server/reports/reports.ts'
import { reportRoutes } from '#server/reports/routes.ts'
import type { Report } from '#server/reports/schema.ts'
import { addUsage } from '#server/sessions/ledger-table.ts'
import { type Session, type Terms, activate, afterReading, disconnect, end, resume } from '#server/sessions/lifecycle.ts'
import { findSession, insertSession, saveSessions } from '#server/sessions/table.ts'
import { up } from '#server/store/migrations/004_reports.ts'
import type { Store } from '#server/store/store.ts'
import { DAY, GB, HOUR, MB, MINUTE, SECOND } from '#server/units.ts'
import { paidSession } from './session.ts'
import { openTestStore } from './store.ts'

process.env['TZ'] = 'Africa/Lagos'
const noon = Date.parse('2026-11-21T11:00:00Z') // in Lagos
const today = '2026-11-21'

const terms: Terms = {
  packageId: 1,
  packageName: 'Day',
  dataLimit: 5 * GB,
  durationMs: DAY,
  downBps: null,
  upBps: null,
  maxDevices: 1,
  afterData: 'stop',
  slowBps: null,
}
const rollUps = ['report_days', 'report_revenue', 'report_prevented', 'report_points']

/** A venue that can be told what happens in it. */
async function setUp(t: ExecutionContext) {
  const store = await openTestStore(t)
  return { store, ...(await venueIn(store)) }
}

async function venueIn(store: Store) {
  const clock = { at: noon }
  const reports = createReports({ store, now: () => clock.at })
  for (const [id, name] of [
    [1, 'Day'],
    [2, 'Week'],
  ] as const)
    await store
      .db('packages')
      .insert({ id, name, duration_ms: DAY, activate_within_ms: DAY, price_minor: 50_000, currency: 'NGN', created_at: 0, updated_at: 0 })
  let serial = 0

  const change = async (id: number, to: (session: Session) => Session) =>
    store.transaction(async (tx) => saveSessions(tx, [to((await findSession(tx, id))!)]))

  return {
    clock,
    reports,
    /** A session that was bought now and began at once. */
    async sell(
      over: { method?: string; packageId?: number; priceMinor?: number; currency?: string; hotspot?: string; begun?: boolean } = {},
    ) {
      const { method = 'Mobile Money', packageId = 1, priceMinor = 50_000, currency = 'NGN', hotspot = 'hotspot_1', begun = true } = over
      const { at } = clock
      serial++
      return store.transaction(async (tx) => {
        const paid = paidSession({ ...terms, packageId }, at, { hotspotId: hotspot, resumeCode: `R${serial}` })
        const session = await insertSession(tx, begun ? activate({ ...paid, id: 0 }, at) : paid)
        const [payment] = await tx('payments')
          .insert({
            reference: `ref-${serial}`,
            key: `key-${serial}`,
            payer: '2348031234567',
            provider: 'sandbox',
            hotspot_id: hotspot,
            package_id: packageId,
            package_name: 'Day',
            amount_minor: priceMinor,
            currency,
            status: 'paid',
            session_id: session.id,
            created_at: at,
            expires_at: at,
            paid_at: at,
          })
          .returning('id')
        await tx('purchases').insert({
          session_id: session.id,
          package_id: packageId,
          payment_method: method,
          payment_reference: `ref-${serial}`,
          payment_id: payment.id,
          hotspot_id: hotspot,
          price_minor: priceMinor,
          currency,
          at,
        })
        return { id: session.id, paymentId: payment.id as number }
      })
    },
    use: (id: number, bytes: number) =>
      store.transaction(async (tx) => {
        const session = (await findSession(tx, id))!
        const usedBytes = session.dataUsed + bytes
        await saveSessions(tx, [afterReading(session, { usedBytes, uploadedBytes: 0, tunnelledBytes: 0 }, clock.at)])
        await addUsage(tx, [{ sessionId: id, hour: Math.floor(clock.at / HOUR) * HOUR, bytes, uploaded: 0 }])
      }),
    endNow: (id: number) => change(id, (session) => end(session, 'time', clock.at)),
    goAway: (id: number) => change(id, (session) => disconnect(session, clock.at)),
    comeBack: (id: number) => change(id, (session) => resume(session, clock.at)),
    refund: (paymentId: number) => store.db('payments').where({ id: paymentId }).update({ refund: 'done', refunded_at: clock.at }),
    prevent: (amountMinor: number, currency = 'NGN', key = `prevented-${++serial}`) =>
      store
        .db('prevented')
        .insert({ at: clock.at, payer: 'p', key, package_id: 1, amount_minor: amountMinor, currency, hotspot_id: 'hotspot_1' })
        .onConflict(['payer', 'key'])
        .ignore(),
    points: (delta: number, kind: string, phone = '2348031234567') =>
      store.db('points').insert({ user_phone: phone, delta, kind, at: clock.at }),
    readToday: (): Promise<Report> => reports.read({ from: today, to: today }),
  }
}

async function dump(store: Store): Promise<Record<string, unknown[]>> {
  const rows = await Promise.all(rollUps.map(async (name) => [name, await store.db(name).orderBy(['day'])] as const))
  return Object.fromEntries(rows.map(([name, all]) => [name, all.map((row: unknown) => JSON.stringify(row)).toSorted()]))
}

test('a day tells sessions, their length and data, who came back, and the money by method', async (t) => {
  const { clock, reports, sell, use, goAway, comeBack, endNow, readToday } = await setUp(t)
  const one = await sell()
  const two = await sell({ method: 'cash', packageId: 2, priceMinor: 20_000 })
  await sell({ method: 'voucher', begun: false })
  await use(one.id, 300 * MB)
  await use(two.id, 100 * MB)
  await goAway(one.id)
  await comeBack(one.id)
  await goAway(one.id)
  await comeBack(one.id)
  clock.at += 2 * HOUR
  await use(one.id, 100 * MB)
  await endNow(one.id)
  t.is(await reports.roll(), 1)

  const { days, revenue, packages, totals } = await readToday()
  t.deepEqual(days, [
    { day: today, opened: 3, reconnected: 1, ended: 1, used: 1, lengthSeconds: 7200, usedBytes: 400 * MB, bytes: 500 * MB },
  ])
  t.like(totals, { opened: 3, ended: 1, bytes: 500 * MB, averageSeconds: 7200, averageBytes: 400 * MB, reconnectionRate: 1 / 3 })
  const money = (count: number, soldMinor: number) => ({
    currency: 'NGN',
    count,
    soldMinor,
    refunds: 0,
    refundedMinor: 0,
    amountMinor: soldMinor,
  })
  t.deepEqual(revenue, [
    { day: today, method: 'Mobile Money', ...money(1, 50_000) },
    { day: today, method: 'cash', ...money(1, 20_000) },
    { day: today, method: 'voucher', ...money(1, 50_000) },
  ])
  t.deepEqual(
    packages.map(({ packageName, method, amountMinor }) => [packageName, method, amountMinor]),
    [
      ['Day', 'Mobile Money', 50_000],
      ['Day', 'voucher', 50_000],
      ['Week', 'cash', 20_000],
    ],
  )
  t.deepEqual(totals.revenue, [money(3, 120_000)])
})

test('currencies are never added to each other', async (t) => {
  const { reports, sell, prevent, readToday } = await setUp(t)
  await sell()
  await sell({ currency: 'UGX', priceMinor: 2000 })
  await prevent(50_000)
  await prevent(2000, 'UGX')
  await reports.roll()
  const { totals } = await readToday()
  t.deepEqual(
    totals.revenue.map(({ currency, amountMinor }) => [currency, amountMinor]),
    [
      ['NGN', 50_000],
      ['UGX', 2000],
    ],
  )
  t.deepEqual(totals.prevented, [
    { currency: 'NGN', count: 1, amountMinor: 50_000 },
    { currency: 'UGX', count: 1, amountMinor: 2000 },
  ])
})

test('a late refund and a late end count on the day on which they happen, and the earlier day stays as it was', async (t) => {
  const { clock, reports, sell, refund, endNow } = await setUp(t)
  const { id, paymentId } = await sell()
  await reports.roll()
  clock.at += 40 * DAY
  await refund(paymentId)
  await endNow(id)
  t.is(await reports.roll(), 1)
  const { days, revenue, totals } = await reports.read({ from: today, to: dayOf(clock.at) })
  t.deepEqual(
    revenue.map(({ day, count, refunds, amountMinor }) => [day, count, refunds, amountMinor]),
    [
      [today, 1, 0, 50_000],
      [dayOf(clock.at), 0, 1, -50_000],
    ],
  )
  t.is(totals.revenue[0]!.amountMinor, 0)
  t.like(days.at(-1), { ended: 1, lengthSeconds: DAY / SECOND }, 'no longer than it was allowed to, however late it was ended')
})

test('a refund that was asked for or failed takes nothing away, nor does one of money that bought nothing', async (t) => {
  const { store, clock, reports, sell, readToday } = await setUp(t)
  const { paymentId } = await sell()
  await store.db('payments').where({ id: paymentId }).update({ refund: 'failed', refund_asked_at: clock.at })
  const other = await sell()
  await store.db('purchases').where({ payment_id: other.paymentId }).delete()
  await store.db('payments').where({ id: other.paymentId }).update({ refund: 'done', refunded_at: clock.at })
  await reports.rebuild()
  t.like((await readToday()).totals.revenue[0], { count: 1, refunds: 0, amountMinor: 50_000 })
})

test('a reading that comes after the end, even days after, is still counted', async (t) => {
  const { clock, reports, sell, use, endNow } = await setUp(t)
  const { id } = await sell()
  await use(id, 10 * MB)
  await endNow(id)
  await reports.roll()
  clock.at += 3 * DAY
  await use(id, 5 * MB)
  await reports.roll()
  const { days } = await reports.read({ from: today, to: dayOf(clock.at) })
  t.like(days[0], { usedBytes: 15 * MB, bytes: 10 * MB })
  t.like(days.at(-1), { usedBytes: 0, bytes: 5 * MB })
})

test('each prevented charge counts once, with its money', async (t) => {
  const { reports, prevent, readToday } = await setUp(t)
  for (let again = 0; again < 3; again++) await prevent(50_000, 'NGN', 'same-key')
  await prevent(50_000)
  await reports.roll()
  t.deepEqual((await readToday()).totals.prevented, [{ currency: 'NGN', count: 2, amountMinor: 100_000 }])
})

test('points outstanding are what is left of all that moved, also before the range', async (t) => {
  const { store, clock, reports, points } = await setUp(t)
  await points(100, 'earned')
  clock.at += DAY
  await points(50, 'earned', '256771234567')
  await points(-30, 'redeemed')
  await points(-20, 'taken-back')
  await points(5, 'corrected')
  await reports.roll()
  const second = dayOf(clock.at)
  const read = await reports.read({ from: second, to: second })
  t.deepEqual(read.points, [{ day: second, earned: 50, redeemed: 30, takenBack: 20, corrected: 5, outstanding: 105 }])
  t.is(read.totals.pointsOutstanding, 105)
  t.is((await reports.read({ from: daysAfter(second, 1), to: daysAfter(second, 9) })).totals.pointsOutstanding, 105)
  await store.db('points').where({ user_phone: '256771234567' }).delete()
  await reports.roll()
  t.is((await reports.read({ from: second, to: second })).totals.pointsOutstanding, 55)
})

test('a box that sold before it had these tables counts what it sold then', async (t) => {
  const store = await openTestStore(t)
  const { reports, sell } = await venueIn(store)
  for (const { name } of await store.db('sqlite_master').where({ type: 'trigger' }).whereLike('name', 'report_%').select('name'))
    await store.db.raw(`DROP TRIGGER ${name}`)
  await store.db.raw('DROP INDEX sessions_created_at_index')
  for (const index of ['ended_sessions', 'refunds_done', 'points_by_time']) await store.db.raw(`DROP INDEX ${index}`)
  for (const name of [...rollUps, 'report_changes', 'report_zone']) await store.db.schema.dropTable(name)
  await sell()
  await store.transaction(up)
  await reports.roll()
  t.is((await reports.read({})).totals.opened, 1)
})

test('when nothing changed there is nothing to count, and today alone when today changed', async (t) => {
  const { clock, reports, sell, use } = await setUp(t)
  for (let day = 0; day < 20; day++) {
    await sell()
    clock.at += DAY
  }
  t.is(await reports.roll(), 20)
  t.is(await reports.roll(), 0)
  const { id } = await sell()
  await use(id, MB)
  t.is(await reports.roll(), 1)
  await use(id, MB)
  t.is(await reports.roll(), 1, 'more in the same hour')
  t.is((await reports.read({ from: dayOf(clock.at), to: dayOf(clock.at) })).totals.bytes, 2 * MB)
})

test('every day of the range is there, and the usual range ends today', async (t) => {
  const { reports, sell } = await setUp(t)
  await sell()
  await reports.roll()
  const read = await reports.read({})
  t.is(read.days.length, 30)
  t.is(read.to, today)
  t.deepEqual(
    read.days.filter(({ opened }) => opened > 0).map(({ day }) => day),
    [today],
  )
  t.is((await reports.read({ from: '2026-11-01' })).days.length, 21)
})

test('an empty venue has no averages', async (t) => {
  const { readToday } = await setUp(t)
  t.like((await readToday()).totals, { averageSeconds: null, averageBytes: null, reconnectionRate: null, pointsOutstanding: 0 })
})

test('one hotspot can be read by itself', async (t) => {
  const { store, reports, sell } = await setUp(t)
  await store.db('hotspots').insert({ code: 'hotspot_2', name: 'Annexe', created_at: 0, updated_at: 0 })
  await sell()
  await sell({ hotspot: 'hotspot_2', priceMinor: 10_000 })
  await reports.roll()
  const read = await reports.read({ from: today, to: today, hotspot: 'hotspot_2' })
  t.is(read.totals.opened, 1)
  t.is(read.totals.revenue[0]!.amountMinor, 10_000)
  t.deepEqual(read.hotspots, [
    { id: 'hotspot_2', name: 'Annexe' },
    { id: 'hotspot_1', name: 'hotspot_1' },
  ])
})

test('what is counted as it happens is what a count from scratch finds', async (t) => {
  const store = await openTestStore(t)
  const venue = await venueIn(store)
  const { clock, reports } = venue
  const sold: { id: number; paymentId: number }[] = []
  const pick = (n: number) => sold[n % Math.max(1, sold.length)]
  const acts: Record<string, (n: number) => Promise<unknown> | undefined> = {
    sell: async (n) =>
      sold.push(
        await venue.sell({
          method: ['Mobile Money', 'cash', 'voucher'][n % 3]!,
          packageId: 1 + (n % 2),
          currency: n % 5 === 0 ? 'UGX' : 'NGN',
          hotspot: n % 7 === 0 ? 'hotspot_2' : 'hotspot_1',
          begun: n % 4 !== 0,
        }),
      ),
    use: (n) => (sold.length === 0 ? undefined : venue.use(pick(n)!.id, (n + 1) * MB)),
    end: (n) => (sold.length === 0 ? undefined : venue.endNow(pick(n)!.id)),
    away: (n) => (sold.length === 0 ? undefined : venue.goAway(pick(n)!.id)),
    back: (n) => (sold.length === 0 ? undefined : venue.comeBack(pick(n)!.id)),
    refund: (n) => (sold.length === 0 ? undefined : venue.refund(pick(n)!.paymentId)),
    prevent: (n) => venue.prevent(50_000, n % 2 ? 'NGN' : 'UGX', `key-${n % 9}`),
    points: (n) => venue.points(n - 20, ['earned', 'redeemed', 'taken-back', 'corrected'][n % 4]!, `phone-${n % 3}`),
    forget: (n) =>
      store
        .db('points')
        .where({ user_phone: `phone-${n % 3}` })
        .delete(),
    roll: () => reports.roll(),
  }
  const act = fc.record({
    what: fc.constantFrom(...Object.keys(acts)),
    n: fc.nat(60),
    laterMs: fc.constantFrom(0, MINUTE, 7 * HOUR, 30 * HOUR),
  })
  await fc.assert(
    fc.asyncProperty(fc.array(act, { minLength: 10, maxLength: 60 }), async (steps) => {
      for (const { what, n, laterMs } of steps) {
        clock.at += laterMs
        await acts[what]!(n)
      }
      await reports.roll()
      const rolled = await dump(store)
      for (const name of rollUps) await store.db(name).delete()
      await reports.rebuild()
      t.deepEqual(rolled, await dump(store))
    }),
    { numRuns: 25 },
  )
  const [{ count }] = (await store.db('report_days').count({ count: '*' })) as [{ count: number }]
  t.true(count > 20, 'there was something to count')
})

// Serial: the time zone is the process's.
test.serial("the venue's day is that of its time zone, also where an hour belongs to two days or a day has 23 hours", async (t) => {
  t.teardown(() => (process.env['TZ'] = 'Africa/Lagos'))
  const { clock, reports, sell } = await setUp(t)
  process.env['TZ'] = 'Asia/Kathmandu' // 5 h 45 min ahead
  clock.at = Date.parse('2026-11-21T18:10:00Z') // 23:55
  await sell()
  clock.at += 10 * MINUTE
  await sell()
  await reports.roll()
  const opened = async () => (await reports.read({ from: '2026-11-20', to: '2026-11-23' })).days.map(({ opened }) => opened)
  t.deepEqual(await opened(), [0, 1, 1, 0])

  process.env['TZ'] = 'America/New_York'
  t.true((await reports.roll()) > 0, 'in another time zone all days are counted anew')
  t.deepEqual(await opened(), [0, 2, 0, 0])
  t.is(await reports.roll(), 0)

  t.is(startOf('2026-03-09') - startOf('2026-03-08'), 23 * HOUR)
  t.is(dayOf(startOf('2026-03-09') - 1), '2026-03-08')
  t.deepEqual(daysBetween('2026-02-27', '2026-03-01'), ['2026-02-27', '2026-02-28', '2026-03-01'])
})

test('a table for a spreadsheet has a header, decimal money, and no formula', async (t) => {
  const { store, clock, reports, sell, refund, prevent, points } = await setUp(t)
  await store.db('packages').where({ id: 1 }).update({ name: '=HYPERLINK("http://x","Day")' })
  await store.db('packages').where({ id: 2 }).update({ name: ' +1, "best"' })
  const { paymentId } = await sell({ priceMinor: 5 })
  await sell({ packageId: 2, currency: 'UGX', priceMinor: 2000 })
  await prevent(600_000)
  await points(7, 'earned')
  clock.at += DAY
  await refund(paymentId)
  await reports.roll()
  const span = { from: today, to: daysAfter(today, 1), hotspot: null }
  t.is(
    await csvOf(reports, 'revenue', span),
    [
      '\uFEFF"day","hotspot","method","package","currency","sales","sold","refunds","refunded","revenue"',
      `"${today}","hotspot_1","Mobile Money","'=HYPERLINK(""http://x"",""Day"")","NGN",1,0.05,0,0.00,0.05`,
      `"${today}","hotspot_1","Mobile Money","' +1, ""best""","UGX",1,2000,0,0,2000`,
      `"2026-11-22","hotspot_1","Mobile Money","'=HYPERLINK(""http://x"",""Day"")","NGN",0,0.00,1,0.05,-0.05`,
      '',
    ].join('\r\n'),
  )
  t.is((await csvOf(reports, 'days', span)).split('\r\n')[1], `"${today}","hotspot_1",2,0,0,0,0,0,0`)
  t.is((await csvOf(reports, 'prevented', span)).split('\r\n')[1], `"${today}","NGN",1,6000.00`)
  t.is((await csvOf(reports, 'points', span)).split('\r\n')[1], `"${today}",7,0,0,0,7`)
})

test('over HTTP: for the owner, with refusals that say what to do', async (t) => {
  const { reports, sell } = await setUp(t)
  await sell()
  await reports.roll()
  const asked: string[] = []
  const router = new Router()
  mount(router, reportRoutes({ reports }), {
    admit: async (_ctx, guard) => {
      asked.push(guard)
      return { name: 'ada', role: 'owner', scopes: [] }
    },
    audit: async () => {},
  })
  const app = new Koa()
  app.use(async (ctx, next) =>
    next().catch((error: unknown) => {
      if (!(error instanceof Refusal)) throw error
      ctx.status = error.status
      ctx.body = error.message
    }),
  )
  const server = app.use(router.routes()).listen(0, '127.0.0.1')
  t.teardown(() => {
    server.close()
    server.closeAllConnections()
  })
  await once(server, 'listening')
  const ask = (path: string) => fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}/api/admin/${path}`)
  const refused = async (query: string) => {
    const answer = await ask(`reports?${query}`)
    return `${answer.status} ${await answer.text()}`
  }

  const read = (await (await ask(`reports?from=${today}&to=${today}`)).json()) as Report
  t.is(read.totals.opened, 1)
  const csv = await ask(`reports.csv?table=revenue&from=${today}&to=${today}`)
  t.is(csv.headers.get('content-type'), 'text/csv; charset=utf-8')
  t.is(csv.headers.get('content-disposition'), `attachment; filename="revenue-${today}-to-${today}.csv"`)
  t.regex(await csv.text(), /500\.00/)
  t.deepEqual([...new Set(asked)], ['owner'])

  t.regex(await refused('from=2026-02-30&to=2026-03-01'), /^400 .*a day such as/)
  t.regex(await refused('from=2026-03-02&to=2026-03-01'), /^400 .*ends before it begins/)
  t.regex(await refused('from=2024-01-01&to=2026-01-01'), /^400 .*731 days at most/)
  t.is((await ask('reports?from=2024-01-01&to=2025-12-31')).status, 200, 'two years, one of them a leap year')
  t.is((await ask('reports.csv?table=payments')).status, 400)
})
