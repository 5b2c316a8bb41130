import test from 'ava'
import { HOUR, MB, MINUTE } from '#server/units.ts'
import { DATA, PRICE, ada, openBed, phone1 } from './till-bed.ts'

const earned = PRICE / 100

test('a refund takes back what was sold on the day of the sale, whatever the package has become since', async (t) => {
  const bed = await openBed(t)
  const [hour, small] = [await bed.sell(), await bed.sell({ name: 'Small', dataLimit: 50 * MB, durationSeconds: 600 })]
  const kept = await bed.buy(bed.asker(ada, phone1), hour.id)
  const topUp = await bed.buy(bed.asker(ada, phone1), small.id, { topUp: true })
  await bed.packages.update(small.id, { dataLimit: 5000 * MB, durationSeconds: 86_400 })
  await bed.refund(topUp)
  await bed.step(topUp)
  const session = await bed.sessionOf(kept)
  t.like(session, { status: 'active', dataLimit: DATA, durationMs: HOUR })
  t.is(session.expiresAt, session.startTime! + HOUR)
  t.deepEqual(await bed.online(), [phone1])
})

test('the refund of a top-up does not end a session that goes on slowly: the rest of its time is paid', async (t) => {
  const bed = await openBed(t)
  const slow = await bed.sell({ dataLimit: MB, afterData: 'slow', slowBps: 128_000, durationSeconds: 86_400 })
  const kept = await bed.buy(bed.asker(ada, phone1), slow.id)
  const topUp = await bed.buy(bed.asker(ada, phone1), slow.id, { topUp: true })
  await bed.use(phone1, 1_200_000)
  await bed.poll()
  await bed.refund(topUp)
  await bed.step(topUp)
  t.is((await bed.find(topUp)).refund, 'done')
  const session = await bed.sessionOf(kept)
  t.like(session, { status: 'connected', endReason: null })
  t.is(session.expiresAt, session.startTime! + 24 * HOUR)
  t.deepEqual(
    bed.gateway.grants().map(({ downBps, limitBytes }) => ({ downBps, limitBytes })),
    [{ downBps: 128_000, limitBytes: null }],
  )
})

test('data and points go when the money is back, not when it is asked for', async (t) => {
  const bed = await openBed(t)
  const sold = await bed.sell()
  const kept = await bed.buy(bed.asker(ada, phone1), sold.id)
  const topUp = await bed.buy(bed.asker(ada, phone1), sold.id, { topUp: true })
  t.is(await bed.points(ada), 2 * earned)

  await bed.refund(topUp)
  t.like(await bed.sessionOf(kept), { dataLimit: 2 * DATA })
  bed.momo.refundAnswer = { state: 'pending', refundReference: 'r1' }
  await bed.step(topUp)
  t.like(await bed.sessionOf(kept), { dataLimit: 2 * DATA })

  bed.momo.refundAnswer = { state: 'failed', detail: 'no balance' }
  bed.forward(MINUTE)
  await bed.step()
  t.like(await bed.find(topUp), { refund: 'failed', refundDetail: 'no balance', nextAt: null })
  t.like(await bed.sessionOf(kept), { status: 'active', dataLimit: 2 * DATA })
  t.is(await bed.points(ada), 2 * earned)
  t.deepEqual(
    (await bed.payments.needingSomebody()).map(({ id }) => id),
    [topUp.id],
  )

  bed.momo.refundAnswer = undefined
  await bed.refund(topUp)
  await bed.step(topUp)
  t.like(await bed.find(topUp), { refund: 'done', refundDetail: null })
  t.like(await bed.sessionOf(kept), { status: 'active', dataLimit: DATA })
  t.is(await bed.points(ada), earned)
  await bed.step(topUp)
  await bed.step(topUp)
  t.like(await bed.sessionOf(kept), { dataLimit: DATA }, 'it goes once')
  t.is(await bed.points(ada), earned)
})

test('the refund of all that was paid ends the session, and the kernel lets nobody in', async (t) => {
  const bed = await openBed(t)
  const sold = await bed.sell()
  const payment = await bed.buy(bed.asker(ada, phone1), sold.id)
  await bed.refund(payment)
  t.deepEqual(await bed.online(), [phone1])
  await bed.step(payment)
  t.like(await bed.sessionOf(payment), { status: 'expired', endReason: 'refunded' })
  t.deepEqual(bed.gateway.grants(), [])
  t.is(await bed.points(ada), 0)
  await t.throwsAsync(bed.refund(payment), { code: 'conflict' })
})

test('a refund with goodwill leaves the session as it is; the points go', async (t) => {
  const bed = await openBed(t)
  const sold = await bed.sell()
  const payment = await bed.buy(bed.asker(ada, phone1), sold.id)
  await bed.refund(payment, false)
  await bed.step(payment)
  t.like(await bed.sessionOf(payment), { status: 'active', dataLimit: DATA })
  t.is(await bed.points(ada), 0)
})

test('both purchases of a session given back leave nothing of it', async (t) => {
  const bed = await openBed(t)
  const sold = await bed.sell()
  const first = await bed.buy(bed.asker(ada, phone1), sold.id)
  const second = await bed.buy(bed.asker(ada, phone1), sold.id, { topUp: true })
  for (const payment of [first, second]) {
    await bed.refund(payment)
    await bed.step(payment)
  }
  t.like(await bed.sessionOf(first), { status: 'expired', endReason: 'refunded' })
  t.is(await bed.points(ada), 0)
  t.false(await bed.isAlive(ada))
})
