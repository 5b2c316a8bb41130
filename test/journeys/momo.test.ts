import { randomUUID } from 'node:crypto'
import test, { type ExecutionContext } from 'ava'
import { until } from '#lab/run.ts'
import type { CallbackPlan } from '#test/emulators/callbacks.ts'
import type { Failing } from '#test/emulators/http.ts'
import { openShop, type Buyer, type Shop, type Wish } from './buyers.ts'

let shop: Shop
let pack: number

test.before(async () => {
  shop = await openShop('momo', { phones: 6 })
  pack = await shop.offer()
})
test.afterEach.always(() => shop?.clear())
test.after.always(() => shop?.stop())

const never: CallbackPlan = { way: 'drop', lateMs: 0, times: 1 }
const held: CallbackPlan = { way: 'hold', lateMs: 0, times: 1 }
const newcomers = (count: number): Promise<Buyer[]> => Promise.all(shop.lab.phones.slice(0, count).map((phone) => shop.newcomer(phone)))

/** How often the box has asked MTN for the truth about a payment. */
async function looks(reference: string): Promise<number> {
  const seen = await shop.momo.requests()
  return seen.filter((one) => one.call === 'status' && one.path.endsWith(reference)).length
}

/** Resolves when what the box knew before has surely been looked at: the second look from now has begun. */
async function lookedAtAgain(reference: string): Promise<void> {
  const before = await looks(reference)
  await until('the box has asked MTN again', async () => (await looks(reference)) >= before + 2, 20_000, 100)
}

/** What a number's purchases came to: money taken, sessions opened, purchases written down. */
async function accountOf(number: string): Promise<{ charged: number; sessions: number; purchases: number; earned: number }> {
  const charged = (await shop.chargesOf(number)).reduce((sum, charge) => sum + charge.charged, 0)
  const count = (table: string, more = '') =>
    shop.rows<{ n: number }>(`SELECT count(*) AS n FROM ${table} WHERE user_phone = ? ${more}`, number)[0]!.n
  return { charged, sessions: count('sessions'), purchases: count('purchases'), earned: count('points', "AND kind = 'earned'") }
}

const paidOnce = { charged: 1, sessions: 1, purchases: 1, earned: 1 }
const nothing = { charged: 0, sessions: 0, purchases: 0, earned: 0 }

/** A buyer has what was paid for, once, and packets pass. */
async function isOnline(t: ExecutionContext, buyer: Buyer, words?: string): Promise<void> {
  t.true(await buyer.passes(), words)
  t.deepEqual(await accountOf(buyer.number), paidOnce, words)
}

test.serial('a purchase by MTN MoMo: the question on the phone, the confirmation, the session, and packets that pass', async (t) => {
  const buyer = await shop.newcomer(shop.phone1)
  await shop.momo.behave(buyer.number, { does: 'wait' })
  t.false(await buyer.passes())
  const { reference, number } = await buyer.buy({ packageId: pack })
  const pending = await buyer.follow(reference, 'pending')
  t.regex(pending.words, /Confirm on your phone/)
  t.false(await buyer.passes(), 'nothing is opened by asking')
  const [asked] = await shop.chargesOf(buyer.number)
  t.like(asked, { reference, amount: '1000', currency: 'UGX', timesAsked: 1 })

  await shop.momo.approve(reference)
  const granted = await buyer.follow(reference, 'granted')
  t.like(granted, { status: 'paid', outcome: 'opened', amountMinor: 1000, pointsEarned: 10 })
  await isOnline(t, buyer)
  t.is(await buyer.points(), 10)
  const used = await buyer.follow(reference, 'used')
  const times = [used.createdAt, used.pendingAt, used.paidAt, used.openedAt, used.grantedAt, used.firstByteAt]
  t.deepEqual(times, times.toSorted(), 'each step comes after the one before')
  const [charge] = await shop.chargesOf(buyer.number)
  t.is((await shop.staffView(number)).payment.providerReference, charge!.financialTransactionId)
})

test.serial('a callback that comes late, twice or never: paid is paid, once', async (t) => {
  const buyers = await newcomers(3)
  const plans: CallbackPlan[] = [{ way: 'send', lateMs: 6000, times: 1 }, { way: 'send', lateMs: 0, times: 2 }, never]
  const bought = await Promise.all(
    buyers.map(async (buyer, index) => {
      await shop.momo.behave(buyer.number, { does: 'approve', afterMs: 200, callbacks: plans[index]! })
      const { reference, number } = await buyer.buy({ packageId: pack })
      await buyer.follow(reference, 'granted')
      return { reference, number }
    }),
  )
  await shop.momo.callbacksDone()
  const heard = await Promise.all(
    bought.map(async ({ number }) => (await shop.staffView(number)).inbox.map(({ times, trusted }) => ({ times, trusted }))),
  )
  t.deepEqual(heard, [[{ times: 1, trusted: false }], [{ times: 2, trusted: false }], []])
  for (const [index, buyer] of buyers.entries()) await isOnline(t, buyer, JSON.stringify(plans[index]))
})

test.serial('a forged callback opens nothing: MTN is asked, and says that nobody paid', async (t) => {
  const buyer = await shop.newcomer(shop.phone1)
  await shop.momo.behave(buyer.number, { does: 'wait' })
  const { reference, number } = await buyer.buy({ packageId: pack })
  await buyer.follow(reference, 'pending')
  await shop.momo.forge(reference)
  await shop.momo.forge(reference, { amount: '1', financialTransactionId: '7' })
  await lookedAtAgain(reference)
  const { payment, inbox } = await shop.staffView(number)
  t.is(payment.step, 'pending')
  t.is(inbox.length, 2, 'the lies are kept, to be looked at')
  t.false(await buyer.passes())
  t.deepEqual(await accountOf(buyer.number), nothing)

  const kept = () => shop.rows<{ n: number }>('SELECT count(*) AS n FROM payment_inbox')[0]!.n
  const before = kept()
  await shop.momo.forge(reference, {}, `https://pay.example.com/api/callbacks/mtn-momo/${randomUUID()}`)
  await shop.momo.forge(reference, {}, `https://pay.example.com/api/callbacks/paystack/${reference}`)
  const answered = (await shop.momo.callbacks()).filter(({ forged }) => forged).map(({ status }) => status)
  t.deepEqual(answered, [200, 200, 200, 200], 'nobody learns from the answer which payments exist')
  t.is(kept(), before, 'what names no payment of that company fills no disk')

  await shop.momo.decline(reference)
  t.is((await buyer.follow(reference, 'failed')).reason, 'declined')
  await shop.momo.forge(reference)
  await until(
    'the box has asked again',
    async () => shop.rows('SELECT 1 FROM payments WHERE id = ? AND next_at IS NULL', number).length > 0,
    10_000,
  )
  t.deepEqual(await accountOf(buyer.number), nothing)
})

test.serial('callbacks out of order: each speaks of its own payment alone', async (t) => {
  const buyer = await shop.newcomer(shop.lab.phones[3]!)
  await shop.momo.behave(buyer.number, { does: 'wait', callbacks: held })
  const first = await buyer.buy({ packageId: pack })
  await buyer.follow(first.reference, 'pending')
  await shop.momo.decline(first.reference)
  await buyer.follow(first.reference, 'failed')
  const second = await buyer.buy({ packageId: pack })
  await buyer.follow(second.reference, 'pending')
  await shop.momo.approve(second.reference)
  await buyer.follow(second.reference, 'granted')
  const before = await looks(first.reference)
  t.is(await shop.momo.release('reversed'), 2)
  await until('the news of the first is looked into', async () => (await looks(first.reference)) > before, 10_000)
  t.like(await buyer.payment(first.reference), { step: 'failed', reason: 'declined', sessionId: null })
  t.is((await buyer.payment(second.reference)).status, 'paid')
  await isOnline(t, buyer)
})

test.serial('a declined PIN and a question that nobody answers open nothing, are said plainly, and the next try works', async (t) => {
  const [decliner, sleeper] = await Promise.all([shop.newcomer(shop.phone2), shop.newcomer(shop.lab.phones[2]!)])
  await shop.momo.set({ promptMs: 1500 })
  await shop.momo.behave(decliner.number, { does: 'decline', reason: 'APPROVAL_REJECTED' })
  await shop.momo.behave(sleeper.number, { does: 'ignore' })
  for (const [buyer, reason, words] of [
    [decliner, 'declined', /declined on the phone\. Nothing was charged/],
    [sleeper, 'timeout', /Nobody confirmed the payment in time/],
  ] as const) {
    const { reference } = await buyer.buy({ packageId: pack })
    const failed = await buyer.follow(reference, 'failed')
    t.is(failed.reason, reason)
    t.regex(failed.words, words)
    t.false(await buyer.passes())
    t.deepEqual(await accountOf(buyer.number), nothing)
    await shop.momo.behave(buyer.number, null)
    const again = await buyer.buy({ packageId: pack })
    await buyer.follow(again.reference, 'granted')
    await isOnline(t, buyer, reason)
  }
})

test.serial('whoever starts over and confirms both has both, on one session', async (t) => {
  const buyer = await shop.newcomer(shop.lab.phones[4]!)
  await shop.momo.behave(buyer.number, { does: 'wait' })
  const first = await buyer.buy({ packageId: pack })
  await buyer.follow(first.reference, 'pending')
  await buyer.ask(`/api/payments/${first.reference}/give-up`, {})
  const second = await buyer.buy({ packageId: pack })
  await buyer.follow(second.reference, 'pending')
  await shop.momo.approve(first.reference)
  t.is((await buyer.follow(first.reference, 'granted')).outcome, 'opened')
  await shop.momo.approve(second.reference)
  t.is((await buyer.follow(second.reference, 'granted')).outcome, 'topped-up')
  t.deepEqual(await accountOf(buyer.number), { charged: 2, sessions: 1, purchases: 2, earned: 2 })
  t.true(await buyer.passes())
})

const failings: [call: string, hows: Failing['how'][]][] = [
  ['requesttopay', ['503', '503-after', '429', 'hang-up', 'hang-up-after', 'stall']],
  ['status', ['503', '503-after', '429', 'hang-up', 'hang-up-after']],
  // All wait for one token.
  ['token', ['503', 'hang-up-after']],
]
for (const [call, hows] of failings)
  test.serial(`MTN answers ${call} with ${hows.join(', ')}: the buyers wait a little longer, and pay once`, async (t) => {
    const buyers = await newcomers(hows.length)
    for (const buyer of buyers) await shop.momo.behave(buyer.number, { does: 'approve', callbacks: never })
    if (call === 'token') await shop.momo.expireTokens()
    for (const how of hows) await shop.momo.failNext({ how, call })
    await Promise.all(
      buyers.map(async (buyer) => {
        const { reference } = await buyer.buy({ packageId: pack })
        await buyer.follow(reference, 'granted')
      }),
    )
    for (const buyer of buyers) await isOnline(t, buyer)
    const failed = (await shop.momo.requests()).filter((one) => one.call === call && (one.status === null || one.status >= 429))
    t.true(failed.length >= hows.length, 'they did fail')
  })

test.serial('tokens that run out are renewed, in the middle of a payment too', async (t) => {
  const buyer = await shop.newcomer(shop.phone1)
  await shop.momo.behave(buyer.number, { does: 'wait', callbacks: never })
  await shop.momo.expireTokens()
  const { reference } = await buyer.buy({ packageId: pack })
  await buyer.follow(reference, 'pending')
  await shop.momo.approve(reference)
  await shop.momo.expireTokens()
  await buyer.follow(reference, 'granted')
  await isOnline(t, buyer)
})

test.serial('200 identical requests at once: one session and one charge, and what was prevented is counted with its money', async (t) => {
  const buyer = await shop.newcomer(shop.lab.phones[5]!)
  await shop.momo.behave(buyer.number, { does: 'wait' })
  const wishes = (name: string): Wish[] =>
    Array.from({ length: 200 }, (_, n) => ({ packageId: pack, key: n % 2 ? `${name}-the-same` : `${name}-number-${n}` }))
  const prevented = () =>
    shop.rows<{ session_id: number | null; payment_id: number | null; amount_minor: number; currency: string }>(
      'SELECT session_id, payment_id, amount_minor, currency FROM prevented WHERE payer = ?',
      buyer.number,
    )

  const first = await buyer.orderAtOnce(wishes('wish'))
  t.is(new Set(first.map(({ body }) => body.payment?.reference)).size, 1)
  t.deepEqual(first.map(({ status }) => status).toSorted(), [...Array.from({ length: 199 }, () => 200), 201])
  t.is(first.filter(({ body }) => body.outcome === 'asked').length, 1)
  const { reference, number } = first[0]!.body.payment!
  t.is(prevented().length, 1, 'taps of one impatient customer are one charge that was prevented')
  t.true(prevented().every((one) => one.payment_id === number && one.amount_minor === 1000 && one.currency === 'UGX'))

  await buyer.follow(reference, 'pending')
  await shop.momo.approve(reference)
  const { sessionId } = await buyer.follow(reference, 'granted')
  await isOnline(t, buyer)

  const again = await buyer.orderAtOnce(wishes('again'))
  t.true(again.every(({ status, body }) => status === 200 && body.outcome === 'resumed' && body.session?.id === sessionId))
  t.is(prevented().filter((one) => one.session_id === sessionId && one.payment_id === null).length, 1)
  await isOnline(t, buyer)
  const [charge] = await shop.chargesOf(buyer.number)
  t.is(charge!.timesAsked, 1)
  t.is(
    prevented().reduce((sum, one) => sum + one.amount_minor, 0),
    2000,
  )

  const top = await buyer.buy({ packageId: pack, topUp: true })
  await buyer.follow(top.reference, 'pending')
  await shop.momo.approve(top.reference)
  await buyer.follow(top.reference, 'granted')
  t.deepEqual(await accountOf(buyer.number), { charged: 2, sessions: 1, purchases: 2, earned: 2 }, 'more is bought by those who ask for it')
})

test.serial('in the end nothing is open, and every shilling that MTN took is in the books', async (t) => {
  const charges = (await shop.momo.charges()).filter((charge) => charge.charged > 0)
  t.true(charges.every((charge) => charge.charged === 1))
  const paid = shop.rows<{ reference: string }>("SELECT reference FROM payments WHERE status = 'paid'").map(({ reference }) => reference)
  t.deepEqual(paid.toSorted(), charges.map(({ reference }) => reference).toSorted())
  t.deepEqual(shop.rows("SELECT id FROM payments WHERE status IN ('asked', 'pending')"), [])
})
