import test from 'ava'
import { DAY, MB, MINUTE, SECOND } from '#server/units.ts'
import { DATA, PRICE, ada, ben, openBed, phone1, phone2, type Bed } from './till-bed.ts'

/** Ada is online by one purchase, and a second one, which cannot be added to it, waits for its end. */
async function withOneWaiting(bed: Bed) {
  const counted = await bed.sell()
  const unlimited = await bed.sell({ name: 'Unlimited', dataLimit: null, activateWithinSeconds: (10 * DAY) / SECOND })
  const first = await bed.buy(bed.asker(ada, phone1), counted.id)
  const second = await bed.buy(bed.asker(ada, phone1), unlimited.id, { topUp: true })
  return { first, second, unlimited }
}

const endings: [how: string, end: (bed: Bed, first: Awaited<ReturnType<Bed['buy']>>) => Promise<unknown>][] = [
  ['the staff', (bed, first) => bed.sessions.end(first.sessionId, 'ended-by-staff')],
  [
    'a refund',
    async (bed, first) => {
      await bed.refund(first)
      await bed.step(first)
    },
  ],
]
for (const [how, end] of endings)
  test(`a paid session that waits stays its customer's when the one before is ended by ${how}: nothing is charged again`, async (t) => {
    const bed = await openBed(t)
    const { first, second, unlimited } = await withOneWaiting(bed)
    t.is((await bed.sessionOf(second)).follows, first.sessionId)
    await end(bed, first)
    t.is((await bed.sessionOf(first)).status, 'expired')
    t.like(await bed.sessionOf(second), { status: 'ready', follows: null, expiresAt: null })
    t.true(await bed.isAlive(ada))
    const again = await bed.ask(bed.asker(ada, phone1), unlimited.id)
    t.is(again.outcome, 'resumed')
    t.is(again.session!.id, second.sessionId)
    t.deepEqual(await bed.online(), [phone1], 'it began where its customer is')
  })

test('a paid session that waits and is never begun ends in its time, like any other', async (t) => {
  const bed = await openBed(t)
  const { first, second } = await withOneWaiting(bed)
  await bed.sessions.end(first.sessionId, 'ended-by-staff')
  bed.forward(11 * DAY)
  await bed.poll()
  t.like(await bed.sessionOf(second), { status: 'expired', endReason: 'time' })
})

test('of several that wait, the next leads when the first is ended by hand, and the others wait for that one', async (t) => {
  const bed = await openBed(t)
  const { first, second, unlimited } = await withOneWaiting(bed)
  const third = await bed.buy(bed.asker(ada, phone1), unlimited.id, { topUp: true })
  await bed.sessions.end(first.sessionId, 'ended-by-staff')
  t.is((await bed.sessionOf(second)).follows, null)
  t.is((await bed.sessionOf(third)).follows, second.sessionId)
  t.is((await bed.ask(bed.asker(ada, phone1), unlimited.id)).session!.id, second.sessionId)
})

test("a router's report of the last byte begins the paid session that waits, on the same device", async (t) => {
  const bed = await openBed(t)
  const { first, second } = await withOneWaiting(bed)
  await bed.sessions.report(first.sessionId, 1000 * MB)
  t.like(await bed.sessionOf(first), { status: 'expired', endReason: 'data' })
  t.is((await bed.sessionOf(second)).status, 'active')
  t.deepEqual(await bed.online(), [phone1])
  t.is(bed.gateway.grants().find(({ devices }) => devices.length > 0)?.session, second.sessionId)
})

test('a paid session that waits begins no clock where nobody came for the one before', async (t) => {
  const bed = await openBed(t)
  const away = await bed.away()
  const day = await bed.sell({ activateWithinSeconds: DAY / SECOND })
  const later = await bed.sell({ dataLimit: null, activateWithinSeconds: (10 * DAY) / SECOND })
  await bed.buy(bed.asker(ada, null), day.id, away)
  const second = await bed.buy(bed.asker(ada, null), later.id, { ...away, topUp: true })
  t.is(second.outcome, 'waiting')
  bed.forward(DAY + SECOND)
  await bed.poll()
  t.like(await bed.sessionOf(second), { status: 'ready', startTime: null, expiresAt: null, follows: null })
  t.true(await bed.isAlive(ada))
})

test('a top-up from the Wi-Fi begins a session that was bought from elsewhere: its buyer is online', async (t) => {
  const bed = await openBed(t)
  const sold = await bed.sell()
  const bought = await bed.buy(bed.asker(ada, null), sold.id, await bed.away())
  t.is((await bed.sessionOf(bought)).status, 'ready')
  const more = await bed.buy(bed.asker(ada, phone1), sold.id, { topUp: true })
  t.is(more.outcome, 'topped-up')
  t.like(await bed.sessionOf(more), { id: bought.sessionId, status: 'active', dataLimit: 2 * DATA })
  t.deepEqual(await bed.online(), [phone1])
  t.not((await bed.find(more)).grantedAt, null)
})

test('what was bought from elsewhere is not "paid but not online", as long as nobody has come', async (t) => {
  const bed = await openBed(t)
  const sold = await bed.sell()
  await bed.buy(bed.asker(ada, null), sold.id, await bed.away())
  bed.forward(2 * MINUTE)
  t.deepEqual(await bed.payments.notOnline(), [])
})

test('whoever paid on the Wi-Fi and is not let in for a minute is "paid but not online"', async (t) => {
  const bed = await openBed(t)
  const sold = await bed.sell()
  const asker = bed.asker(ada, phone1)
  const payment = await bed.order(asker, sold.id)
  await bed.step(payment)
  bed.confirm(payment)
  bed.leave(phone1)
  await bed.step(payment)
  bed.forward(2 * MINUTE)
  t.deepEqual(
    (await bed.payments.notOnline()).map(({ id }) => id),
    [payment.id],
  )
})

test("late money is its own buyer's, though somebody else has the phone by now", async (t) => {
  const bed = await openBed(t)
  const sold = await bed.sell()
  const late = await bed.order(bed.asker(ada, phone1), sold.id)
  await bed.step(late)
  await bed.giveUp(late)
  const bens = await bed.buy(bed.asker(ben, phone1), sold.id)
  bed.confirm(late)
  await bed.step(late)
  const adas = await bed.sessionOf(late)
  t.is(adas.userPhone, ada)
  t.not(adas.id, bens.sessionId)
  t.is(adas.expiresAt, null, 'its clock does not run: its buyer is not there')
  t.like(await bed.sessionOf(bens), { userPhone: ben, dataLimit: DATA })
  t.deepEqual(
    bed.gateway.grants().map(({ session }) => session),
    [bens.sessionId],
    "the phone stays in Ben's session",
  )
  t.deepEqual([await bed.points(ada), await bed.points(ben)], [PRICE / 100, PRICE / 100])
  t.true(await bed.isAlive(ada))
  t.is((await bed.ask(bed.asker(ada, phone2), sold.id)).outcome, 'resumed', 'she goes on on another phone')
})

test('late money of whoever has the phone still is added to what they bought meanwhile', async (t) => {
  const bed = await openBed(t)
  const sold = await bed.sell()
  const late = await bed.order(bed.asker(ada, phone1), sold.id)
  await bed.step(late)
  await bed.giveUp(late)
  const meanwhile = await bed.buy(bed.asker(ada, phone1), sold.id)
  bed.confirm(late)
  await bed.step(late)
  t.like(await bed.find(late), { status: 'paid', outcome: 'topped-up', sessionId: meanwhile.sessionId })
  t.is((await bed.sessionOf(meanwhile)).dataLimit, 2 * DATA)
})

test('a number for the counter is of no use any more when its phone pays otherwise: nobody pays twice', async (t) => {
  const bed = await openBed(t)
  const sold = await bed.sell()
  const counter = await bed.order(bed.asker(null, phone1), sold.id, { provider: 'cash' })
  const paid = await bed.buy(bed.asker(ada, phone1), sold.id)
  t.like(await bed.find(counter), { status: 'failed', reason: 'given-up' })
  t.is((await bed.payments.page({ status: 'cash', page: 1, pageSize: 10 })).total, 0, 'the cashier does not see it any more')
  await bed.credit.credit(counter, { cashier: 'Cleo' }).catch(() => {})
  t.is((await bed.find(counter)).paidAt, null)
  t.is((await bed.sessionOf(paid)).dataLimit, DATA)
})

test('a number for the counter that ran out before its phone paid otherwise is not taken either', async (t) => {
  const bed = await openBed(t)
  const sold = await bed.sell()
  const counter = await bed.order(bed.asker(null, phone1), sold.id, { provider: 'cash' })
  bed.forward(61 * MINUTE)
  await bed.step()
  t.like(await bed.find(counter), { status: 'failed', reason: 'timeout' })
  const paid = await bed.buy(bed.asker(ada, phone1), sold.id)
  await bed.credit.credit(counter, { cashier: 'Cleo' }).catch(() => {})
  t.is((await bed.find(counter)).paidAt, null)
  t.is((await bed.sessionOf(paid)).dataLimit, DATA)
})

test('the cashier confirms in the moment in which the phone chooses another way: one of the two, not both', async (t) => {
  const bed = await openBed(t)
  const sold = await bed.sell()
  for (let n = 0; n < 5; n++) {
    const phone = `02:00:00:00:02:0${n}`
    const counter = await bed.order(bed.asker(null, phone), sold.id, { provider: 'cash' })
    const [answer] = await Promise.all([
      bed.ask(bed.asker(`25677000000${n}`, phone), sold.id),
      bed.credit.credit(counter, { cashier: 'Cleo' }).catch(() => {}),
    ])
    t.is((await bed.find(counter)).paidAt === null, answer.outcome === 'asked')
  }
})

test('cash that is taken at the counter opens the session of the phone that asked', async (t) => {
  const bed = await openBed(t)
  const sold = await bed.sell()
  const counter = await bed.order(bed.asker(null, phone1), sold.id, { provider: 'cash' })
  t.is(
    (await bed.ask(bed.asker(null, phone1), sold.id, { provider: 'cash' })).payment!.id,
    counter.id,
    'asked again, it is the same number',
  )
  await bed.credit.credit(counter, { cashier: 'Cleo' })
  await bed.credit.credit(counter, { cashier: 'Cleo' })
  t.like(await bed.find(counter), { status: 'paid', confirmedBy: 'Cleo', outcome: 'opened' })
  t.is((await bed.sessionOf(counter)).dataLimit, DATA)
  t.deepEqual(await bed.online(), [phone1])
})

test('a charge that was not made is counted once for what was paid and what was wanted, however often it was tried', async (t) => {
  const bed = await openBed(t)
  const [hour, day] = [await bed.sell(), await bed.sell({ name: 'Day', priceMinor: 3000 })]
  await bed.buy(bed.asker(ada, phone1), hour.id)
  for (let tap = 0; tap < 20; tap++) await bed.ask(bed.asker(ada, phone1), hour.id)
  for (let tap = 0; tap < 20; tap++) await bed.ask(bed.asker(ada, phone1), day.id)
  const open = await bed.order(bed.asker(ben, phone2), hour.id)
  for (let tap = 0; tap < 20; tap++) t.is((await bed.ask(bed.asker(ben, phone2), hour.id)).payment!.id, open.id)
  const counted: { payer: string; amount_minor: number }[] = await bed.store.db('prevented').orderBy('id').select('payer', 'amount_minor')
  t.deepEqual(counted, [
    { payer: ada, amount_minor: PRICE },
    { payer: ada, amount_minor: 3000 },
    { payer: ben, amount_minor: PRICE },
  ])
})

test('a router is refused that reports use of a session which waits for another', async (t) => {
  const bed = await openBed(t)
  const { second } = await withOneWaiting(bed)
  await t.throwsAsync(bed.sessions.report(second.sessionId, 5), { code: 'conflict' })
  t.like(await bed.sessionOf(second), { status: 'ready', expiresAt: null })
})

test("a router's report takes nothing from a top-up for what went through at the slow speed before", async (t) => {
  const bed = await openBed(t)
  const slow = await bed.sell({ dataLimit: MB, afterData: 'slow', slowBps: 128_000, durationSeconds: 86_400 })
  const { sessionId } = await bed.buy(bed.asker(ada, phone1), slow.id)
  await bed.use(phone1, MB)
  await bed.poll()
  await bed.use(phone1, 900_000)
  await bed.poll()
  const before = (await bed.sessions.find(sessionId))!
  t.is(before.slowUsed, 900_000)
  await bed.buy(bed.asker(ada, phone1), slow.id, { topUp: true })
  const after = await bed.sessions.report(sessionId, before.dataUsed + before.slowUsed)
  t.is(after.dataLimit! - after.dataUsed, MB)
  t.is((await bed.sessions.report(sessionId, before.dataUsed + before.slowUsed + 1000)).dataUsed, before.dataUsed + 1000)
})

test('what this box has counted and not yet read is not charged again by the report of a router behind which it stands', async (t) => {
  const bed = await openBed(t)
  const sold = await bed.sell()
  const { sessionId } = await bed.buy(bed.asker(ada, phone1), sold.id)
  t.is(await bed.use(phone1, 40 * MB), 40 * MB)
  await bed.sessions.report(sessionId, 40 * MB)
  await bed.poll()
  t.is((await bed.sessions.find(sessionId))!.dataUsed, 40 * MB)
})
