import assert from 'node:assert/strict'
import test from 'ava'
import fc from 'fast-check'
import { Refusal } from '#server/errors.ts'
import { PAY_WINDOW_MARK } from '#server/gateway/grant.ts'
import type { Payment } from '#server/payments/payments.ts'
import { ProviderTrouble } from '#server/payments/provider.ts'
import type { Store } from '#server/store/store.ts'
import { HOUR, MB, MINUTE } from '#server/units.ts'
import { ada, ben, openBed, phone1, phone2, type Bed } from './till-bed.ts'
import { openTestStore } from './store.ts'

const numbers = [ada, ben, null]
const macs = [phone1, phone2]
const ways = ['mtn-momo', 'paystack', 'cash'] as const

/** Whoever has a phone in hand: numbers and phones are mixed, since phones are lent and numbers mistyped. */
const someone = { who: fc.constantFrom(0, 0, 1, 1, 2), mac: fc.nat(1) }
/** Which of the payments so far, counted back from the last. */
const which = { back: fc.constantFrom(0, 0, 0, 1, 2, 3) }
/** Whether the worker looks before the next thing happens. */
const seen = fc.constantFrom(true, true, true, false)
const topUp = fc.boolean()
const steps = fc.array(
  fc.oneof(
    { weight: 8, arbitrary: fc.record({ do: fc.constant('ask'), ...someone, pack: fc.nat(2), way: fc.nat(2), topUp, seen }) },
    { weight: 6, arbitrary: fc.record({ do: fc.constant('buy'), ...someone, pack: fc.nat(2), way: fc.nat(2), topUp, seen }) },
    { weight: 7, arbitrary: fc.record({ do: fc.constant('pay'), ...which, seen }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('pay-short'), ...which, seen }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('decline'), ...which, seen }) },
    { weight: 3, arbitrary: fc.record({ do: fc.constant('give-up'), ...which, seen }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constant('refund'), ...which, ends: fc.boolean(), seen }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constant('redeem'), ...someone, topUp, seen }) },
    { weight: 3, arbitrary: fc.record({ do: fc.constant('use'), mac: fc.nat(1), megabytes: fc.nat(150), seen }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constant('end'), ...which, seen }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('trouble'), way: fc.nat(1), seen: fc.constant(false) }) },
    { weight: 4, arbitrary: fc.record({ do: fc.constant('time'), minutes: fc.constantFrom(0, 1, 4, 10, 31, 90, 300), seen }) },
  ),
  { minLength: 1, maxLength: 30, size: 'max' },
)
type Step = typeof steps extends fc.Arbitrary<(infer S)[]> ? S : never
type Row = Record<string, number | string | null>

test('whatever happens in whatever order: money is credited once or given back, and nobody is charged for what is paid', async (t) => {
  const store = await openTestStore(t)
  t.timeout(5 * MINUTE)
  const always = fc.asyncProperty(steps, async (walk) => {
    await empty(store)
    await walkThrough(await openBed(t, store), walk)
  })
  // It fails with the walk and its seed.
  await t.notThrowsAsync(fc.assert(always, { numRuns: 60, interruptAfterTimeLimit: 2 * MINUTE, includeErrorInReport: true }))
})

async function walkThrough(bed: Bed, walk: Step[]): Promise<void> {
  const packs = [
    await bed.sell({ pointsPrice: 10 }),
    await bed.sell({ name: 'Unlimited', dataLimit: null, durationSeconds: 7200 }),
    await bed.sell({ name: 'Slow', dataLimit: 20 * MB, afterData: 'slow', slowBps: 128_000, priceMinor: 2000 }),
  ]
  const orders: Payment[] = []
  /** What the companies and the cashier have taken, by payment. */
  const taken = new Map<number, number>()
  const redeemed = new Map<string, number>()
  let serial = 0
  const books = ({ provider }: Payment) => (provider === 'paystack' ? bed.paystack : bed.momo)

  const look = async () => {
    await bed.step()
    await bed.poll()
  }

  /** Time goes by with somebody looking now and then. */
  const pass = async (ms: number, looks: number) => {
    for (let n = 0; n < looks; n++) {
      bed.forward(ms / looks)
      await look()
    }
  }

  /** Money moves at its company, which was asked, has not said no for good, and is still looked at. */
  const pay = async (order: Payment, share: number) => {
    if (order.provider === 'cash') {
      await bed.credit.credit(await bed.find(order), { cashier: 'Cleo' }).catch(mustBeRefusal)
      if ((await bed.find(order)).paidAt !== null) taken.set(order.id, order.amountMinor)
      return
    }
    if (taken.has(order.id)) return
    const { asked, says } = books(order)
    const isOver = says.get(order.reference)?.state === 'failed' && order.provider !== 'paystack'
    if (!asked.includes(order.reference) || isOver || bed.clock.at - order.createdAt > 20 * HOUR) return
    bed.confirm(order, { amountMinor: order.amountMinor * share })
    taken.set(order.id, order.amountMinor * share)
  }

  const ask = async (one: Step & { do: 'ask' | 'buy' }) => {
    const [phone, way, sold] = [numbers[one.who] ?? null, ways[one.way]!, packs[one.pack]!]
    const wasAlive = phone !== null && (await bed.isAlive(phone))
    try {
      const wish = { provider: way, topUp: one.topUp }
      const { outcome, payment, session } = await bed.ask(bed.asker(phone, macs[one.mac]!), sold.id, wish)
      if (outcome === 'asked') orders.push(payment!)
      if (wasAlive && !one.topUp) assert.equal(outcome, 'resumed', 'whoever has a paid session is charged for none')
      if (outcome === 'resumed' && phone !== null) assert.ok(session!.userPhone === phone || session!.userPhone === null)
    } catch (error) {
      assert.ok(['too-many-tries', 'not-signed-in'].includes(mustBeRefusal(error).code))
      if (wasAlive && !one.topUp) assert.fail('whoever has a paid session goes on with it')
    }
  }

  const redeem = async (one: Step & { do: 'redeem' }) => {
    const phone = numbers[one.who] ?? null
    if (phone === null) return
    const wish = { packageId: packs[0]!.id, topUp: one.topUp, key: `points-${++serial}` }
    const wasAlive = await bed.isAlive(phone)
    try {
      const { outcome } = await bed.till.redeemPoints(wish, bed.asker(phone, macs[one.mac]!))
      if (outcome !== 'resumed') redeemed.set(phone, (redeemed.get(phone) ?? 0) + 10)
      if (wasAlive && !one.topUp) assert.equal(outcome, 'resumed', 'nor for points')
    } catch (error) {
      assert.equal(mustBeRefusal(error).code, 'points-short')
    }
  }

  async function take(one: Step): Promise<void> {
    const order = 'back' in one ? orders.at(-1 - one.back) : undefined
    switch (one.do) {
      case 'ask':
        return ask(one)
      case 'buy': {
        const before = orders.length
        await ask(one)
        await look()
        return orders.length > before ? pay(orders.at(-1)!, 1) : undefined
      }
      case 'redeem':
        return redeem(one)
      case 'time':
        return pass(one.minutes * MINUTE, one.minutes > 30 ? 6 : 2)
      case 'use':
        bed.asker(null, macs[one.mac]!)
        await bed.use(macs[one.mac]!, one.megabytes * MB)
        return bed.poll()
      case 'trouble':
        ;(one.way === 0 ? bed.momo : bed.paystack).meanwhile = () => Promise.reject(new ProviderTrouble('the answer was lost'))
        return
    }
    if (order) await takeWith(order, one)
  }

  async function takeWith(order: Payment, one: Step): Promise<void> {
    const isAtDesk = order.provider === 'cash'
    const { sessionId } = await bed.find(order)
    if (one.do === 'pay') await pay(order, 1)
    if (one.do === 'pay-short' && !isAtDesk) await pay(order, 0.5)
    if (one.do === 'give-up') await bed.giveUp(order)
    if (one.do === 'refund') await bed.refund(order, one.ends).catch(mustBeRefusal)
    if (one.do === 'end' && sessionId !== null) await bed.sessions.end(sessionId, 'ended-by-staff').catch(mustBeRefusal)
    if (one.do === 'decline' && !isAtDesk && !taken.has(order.id))
      books(order).says.set(order.reference, { state: 'failed', reason: 'declined', detail: '' })
  }

  for (const one of walk) {
    await take(one)
    if (one.seen) await look()
    checkGateway(bed)
  }

  // A day and more goes by, and staff give back what came in a wrong amount.
  bed.momo.meanwhile = undefined
  bed.paystack.meanwhile = undefined
  await pass(26 * HOUR, 28)
  for (const odd of await bed.payments.needingSomebody()) if (odd.reason === 'wrong-amount') await bed.refund(odd)
  await pass(10 * MINUTE, 10)

  const payments = await Promise.all(orders.map(bed.find))
  const rows = (name: string): Promise<Row[]> => bed.store.db(name).orderBy('id')
  const [purchases, sessions] = [await rows('purchases'), await rows('sessions')]
  for (const payment of payments) {
    const bought = purchases.filter((purchase) => purchase['payment_id'] === payment.id)
    const givenBack = books(payment).refunds.filter(({ reference }) => reference === payment.reference)
    const what = `payment ${payment.id} by ${payment.provider}: ${payment.status} ${payment.reason ?? ''} refund ${payment.refund}`
    assert.ok(payment.status === 'paid' || payment.status === 'failed', `${what} is settled`)
    assert.equal(payment.nextAt, null, `${what} needs no more looks`)
    const came = taken.get(payment.id)
    if (came === undefined) {
      assert.deepEqual([payment.paidAt, bought.length, givenBack.length], [null, 0, 0], `${what}, never paid`)
    } else if (came < payment.amountMinor) {
      assert.deepEqual([payment.reason, bought.length, payment.refund], ['wrong-amount', 0, 'done'], what)
      assert.ok(givenBack.length > 0 && givenBack.every(({ amountMinor }) => amountMinor === came), what)
    } else {
      assert.deepEqual([payment.status, bought.length], ['paid', 1], `${what} was credited once`)
      assert.ok(payment.refund === null || payment.refund === 'done', what)
      assert.equal(givenBack.length > 0, payment.refund === 'done' && payment.provider !== 'cash', what)
    }
  }

  const isBack = (purchase: Row) => payments.find(({ id }) => id === purchase['payment_id'])?.refund === 'done'
  const takesBack = (purchase: Row) => isBack(purchase) && payments.find(({ id }) => id === purchase['payment_id'])!.refundEnds
  const durations = new Map(packs.map(({ id, durationSeconds }) => [id, durationSeconds * 1000]))
  for (const session of sessions) {
    const bought = purchases.filter((purchase) => purchase['session_id'] === session['id'])
    assert.ok(bought.length > 0, 'no session without a purchase')
    if (session['user_phone'] !== null)
      assert.ok(
        bought.every((purchase) => [session['user_phone'], null].includes(purchase['user_phone'] as string | null)),
        "nobody's money is in another's session",
      )
    const before = sessions.find(({ id }) => id === session['follows'])
    assert.ok(session['status'] !== 'ready' || before?.['status'] !== 'expired', 'nothing waits for a session that has ended')
    if (bought.every(takesBack)) assert.equal(session['status'], 'expired', 'what was given back is not used on')
    if (bought.some(takesBack)) continue
    const sum = (values: (number | null)[]) => values.reduce<number>((total, value) => total + (value ?? 0), 0)
    assert.equal(
      session['data_limit'] ?? 0,
      sum(bought.map((purchase) => purchase['data_limit'] as number | null)),
      'all data that was bought, once',
    )
    assert.equal(session['duration_ms'], sum(bought.map((purchase) => durations.get(purchase['package_id'] as number)!)), 'and all time')
  }

  for (const phone of [ada, ben]) {
    const earned = payments.filter(({ userPhone, paidAt, refund }) => userPhone === phone && paidAt !== null && refund !== 'done')
    const expected = earned.reduce((sum, { amountMinor }) => sum + Math.floor(amountMinor / 100), 0) - (redeemed.get(phone) ?? 0)
    assert.equal(await bed.points(phone), expected, 'points are what was bought, less what was redeemed')
    const ledger: Row[] = await bed.store.db('points').where({ user_phone: phone }).select('delta')
    assert.equal(
      ledger.reduce((sum, { delta }) => sum + Number(delta), 0),
      expected,
    )
  }
}

/** A device is let in once, and by a session only as long as that lives. */
function checkGateway(bed: Bed): void {
  const grants = bed.gateway.grants()
  const devices = grants.flatMap((grant) => grant.devices.map(({ mac }) => mac))
  assert.equal(new Set(devices).size, devices.length, 'a device is let in once')
  assert.ok(grants.every(({ session, limitBytes }) => session < PAY_WINDOW_MARK || limitBytes !== null))
}

function mustBeRefusal(error: unknown): Refusal {
  if (error instanceof Refusal) return error
  throw error
}

async function empty(store: Store): Promise<void> {
  for (const name of ['points', 'prevented', 'payment_inbox', 'purchases', 'usage', 'devices', 'payments']) await store.db(name).delete()
  await store.db('sessions').update({ follows: null })
  for (const name of ['sessions', 'customers']) await store.db(name).delete()
}
