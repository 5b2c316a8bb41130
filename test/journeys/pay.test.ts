import test, { type ExecutionContext } from 'ava'
import { until } from '#lab/run.ts'
import type { Overview } from '#server/venue/schema.ts'
import { openShop, type Bought, type Buyer, type Shop } from './buyers.ts'

let shop: Shop
let shillings: number
let naira: number

test.before(async () => {
  shop = await openShop('till')
  shillings = await shop.offer()
  naira = await shop.offer({ currency: 'NGN', priceMinor: 50_000 })
})
test.afterEach.always(() => shop?.clear())
test.after.always(() => shop?.stop())

const count = (sql: string, ...values: (string | number)[]) => shop.rows<{ n: number }>(`SELECT count(*) AS n FROM ${sql}`, ...values)[0]!.n
const alarms = async (paymentId: number) =>
  (await shop.api<Overview>('/api/admin/overview')).alarms.filter((alarm) => alarm.paymentId === paymentId).map(({ kind }) => kind)
const giveBack = (number: number) => shop.api(`/api/admin/payments/${number}/refund`, { reason: 'the customer asked' })
/** The owner looks and looks: by itself the box asks once a minute. */
const lookAt = (number: number) => shop.api(`/api/admin/payments/${number}/check`, {})
const untilGivenBack = (number: number) =>
  until(
    'the money is back',
    async () => {
      await lookAt(number)
      return (await shop.staffView(number)).payment.refund === 'done'
    },
    20_000,
    300,
  )
const coordinates = { latitude: 0.3136, longitude: 32.5811 }

/** Opens the checkout page of a new payment. */
async function toCheckout(buyer: Buyer, topUp = false): Promise<{ reference: string; number: number; checkoutUrl: string }> {
  const { reference, number } = await buyer.buy({ packageId: naira, provider: 'paystack', topUp })
  const checkoutUrl = await until('there is a page', async () => (await buyer.payment(reference)).checkoutUrl, 20_000, 50)
  return { reference, number, checkoutUrl }
}

async function payAtCheckout(t: ExecutionContext, buyer: Buyer, topUp = false): Promise<{ reference: string; number: number }> {
  const { reference, number, checkoutUrl } = await toCheckout(buyer, topUp)
  t.is((await shop.outside({ method: 'POST', url: checkoutUrl, body: 'action=success' })).status, 303)
  await buyer.follow(reference, 'granted')
  return { reference, number }
}

test.serial("Paystack: the buyer's own phone reaches the page before there is internet, pays there, and packets pass", async (t) => {
  const buyer = await shop.newcomer(shop.phone1)
  const { reference, number, checkoutUrl } = await toCheckout(buyer)
  const { address, namespace } = shop.lab.internet
  const url = new URL(checkoutUrl)
  t.is((await buyer.open(url.href)).status, 0, 'only what is safe on the way is let out')
  // In life the page is at the port of TLS, as all such pages are.
  const redirect = `table ip checkout { chain page { type nat hook prerouting priority dstnat; tcp dport 443 redirect to :${url.port}; }; }`
  await shop.lab.exec(namespace, ['/usr/sbin/nft', '-f', '-'], { input: redirect })
  const safeUrl = `http://${address}:443${url.pathname}`
  const page = await buyer.open(safeUrl)
  t.is(page.status, 200)
  t.regex(page.text, /NGN 500\.00/)
  t.false(await buyer.passes(), 'the web in the clear stays with the portal')
  const paid = await buyer.open(safeUrl, 'action=success')
  t.is(paid.status, 303)
  const back = new URL(paid.location!)
  t.is(back.searchParams.get('payment'), reference, 'and leads back to this payment')
  t.is(back.host, shop.lab.portalHost)
  const granted = await buyer.follow(reference, 'granted')
  t.like(granted, { status: 'paid', amountMinor: 50_000, currency: 'NGN', pointsEarned: 500 })
  t.true(await buyer.passes())
  await shop.paystack.callbacksDone()
  t.deepEqual(
    (await shop.staffView(number)).inbox.map(({ trusted }) => trusted),
    [true],
  )
  const [charge] = await shop.paystack.charges()
  t.like(charge, { reference, charged: 1, timesAsked: 1, amount: 50_000 })
})

test.serial(
  'webhooks that are unsigned, signed by somebody else, and even rightly signed: Paystack is asked, and nobody paid',
  async (t) => {
    const buyer = await shop.newcomer(shop.phone1)
    const { reference, number, checkoutUrl } = await toCheckout(buyer)
    for (const signed of ['not', 'wrongly', 'rightly'] as const) {
      const asked = async () =>
        (await shop.paystack.requests()).filter(({ call, path }) => call === 'verify' && path.includes(reference)).length
      const before = await asked()
      await shop.paystack.forge(reference, { signed, over: { forgery: signed } })
      await until('the box has asked Paystack twice', async () => (await asked()) >= before + 2, 20_000, 100)
      t.is((await buyer.payment(reference)).step, 'pending', signed)
    }
    t.deepEqual((await shop.staffView(number)).inbox.map(({ trusted }) => trusted).toSorted(), [false, false, true])
    t.is(count('sessions WHERE user_phone = ?', buyer.number), 0)
    t.false(await buyer.passes())

    await shop.outside({ method: 'POST', url: checkoutUrl, body: 'action=fail' })
    await until('the box knows of the refused card', async () => (await shop.staffView(number)).payment.detail !== '', 20_000, 100)
    t.is((await buyer.payment(reference)).step, 'pending', 'another card may be tried on that page')
    t.is((await shop.paystack.charges()).find((charge) => charge.reference === reference)?.charged, 0)
  },
)

test.serial('a refund at Paystack: the money goes back, its points and its session with it, once', async (t) => {
  const buyer = await shop.newcomer(shop.phone1)
  const { reference, number } = await payAtCheckout(t, buyer)
  t.is(await buyer.points(), 500)
  t.true(await buyer.passes())
  await giveBack(number)
  await t.throwsAsync(giveBack(number), { message: /given back already/ })
  await untilGivenBack(number)
  t.is(await buyer.points(), 0)
  await until('packets do not pass any more', async () => !(await buyer.passes()), 10_000)
  const refunds = (await shop.paystack.refunds()).filter(({ transaction }) => transaction.reference === reference)
  t.like(refunds, [{ amount: 50_000, status: 'processed' }])
  t.is(refunds.length, 1)
  t.regex((await buyer.payment(reference)).words, /given back/)
})

test.serial('a refund that Paystack cannot make is an alarm', async (t) => {
  const buyer = await shop.newcomer(shop.phone1)
  const { number } = await payAtCheckout(t, buyer)
  await shop.paystack.set({ refunds: { does: 'fail', afterMs: 0 } })
  await giveBack(number)
  const isTold = async () => {
    await lookAt(number)
    return (await alarms(number)).includes('refund-failed')
  }
  await until('the owner is told', isTold, 20_000, 300)
  t.regex((await shop.staffView(number)).payment.refundDetail ?? '', /dashboard/)
  await shop.paystack.set({ refunds: { does: 'process', afterMs: 0 } })
})

test.serial('a refunded top-up takes back its own points, and the session that others paid for goes on', async (t) => {
  const buyer = await shop.newcomer(shop.phone1)
  const first = await buyer.buy({ packageId: shillings, provider: 'sandbox' })
  await buyer.follow(first.reference, 'granted')
  const second = await buyer.buy({ packageId: shillings, provider: 'sandbox', topUp: true })
  t.is((await buyer.follow(second.reference, 'granted')).outcome, 'topped-up')
  t.is(await buyer.points(), 20)
  await giveBack(second.number)
  await untilGivenBack(second.number)
  t.is(await buyer.points(), 10)
  t.true(await buyer.passes())
})

test.serial('cash: whoever has no number pays at the desk, and the cashier taps once or twice', async (t) => {
  const buyer = shop.buyer(shop.phone2)
  const { apiKey } = await shop.api<{ apiKey: string }>('/api/admin/keys', { name: 'till', role: 'cashier' })
  const { reference, number } = await buyer.buy({ packageId: shillings, provider: 'cash' })
  t.regex((await buyer.payment(reference)).words, new RegExp(`counter and say number ${number}`))
  t.false(await buyer.passes())
  t.is((await buyer.ask(`/api/admin/payments/${number}/confirm`, {})).status, 401, 'the buyer is no cashier')
  const confirm = () =>
    fetch(`${shop.lab.url}/api/admin/payments/${number}/confirm`, { method: 'POST', headers: { authorization: `Bearer ${apiKey}` } })
  const taps = await Promise.all([confirm(), confirm()])
  t.true(taps.every(({ ok }) => ok))
  await buyer.follow(reference, 'granted')
  t.true(await buyer.passes())
  t.is(count('purchases WHERE payment_id = ?', number), 1)
  t.is((await shop.staffView(number)).payment.confirmedBy, 'key:till')
})

test.serial('paid and not online is an alarm, which ends by itself when the gate opens', async (t) => {
  const buyer = shop.buyer(shop.phone1)
  const { reference, number } = await buyer.buy({ packageId: shillings, provider: 'cash' })
  await shop.lab.box.units.stop('worker')
  await shop.api(`/api/admin/payments/${number}/confirm`, {})
  t.is((await buyer.payment(reference)).step, 'open')
  t.deepEqual(await alarms(number), [], 'not at once')
  shop.change('UPDATE payments SET paid_at = paid_at - 61000 WHERE id = ?', number)
  t.deepEqual(await alarms(number), ['not-online'])
  const { payments } = await shop.api<{ payments: { number: number }[] }>('/api/admin/payments?status=not-online')
  t.deepEqual(
    payments.map((payment) => payment.number),
    [number],
  )
  t.false(await buyer.passes())
  shop.lab.box.units.start('worker')
  await buyer.follow(reference, 'granted')
  t.true(await buyer.passes())
  t.deepEqual(await alarms(number), [])
})

test.serial('who paid from somewhere else is no alarm, and goes on with it when they come', async (t) => {
  const buyer = await shop.newcomer(shop.phone1)
  const { hotspots } = await shop.api<{ hotspots: { id: number; here: boolean }[] }>('/api/admin/hotspots')
  await shop.api(`/api/admin/hotspots/${hotspots.find(({ here }) => here)!.id}`, coordinates, 'PATCH')
  const wish = { packageId: shillings, provider: 'mtn-momo', key: 'from-home-1', phone: `+${buyer.number}`, coordinates }
  const { payment } = await shop.api<Bought>('/api/payments', wish)
  const paid = await until('it is paid', async () => (await buyer.payment(payment!.reference)).sessionId, 20_000, 100)
  t.false(await buyer.passes(), 'nobody knows that this phone is theirs before they ask')
  shop.change('UPDATE payments SET paid_at = paid_at - 61000 WHERE id = ?', payment!.number)
  t.deepEqual(await alarms(payment!.number), [])
  const { body } = await buyer.order({ packageId: shillings })
  t.is(body.outcome, 'resumed')
  t.is(body.session?.id, paid)
  await buyer.follow(payment!.reference, 'granted')
  t.true(await buyer.passes())
})
