import { createHmac, randomUUID } from 'node:crypto'
import test, { type ExecutionContext } from 'ava'
import { ProviderTrouble, type Asking } from '#server/payments/provider.ts'
import { createPaystack } from '#server/payments/providers/paystack.ts'
import { paystackDefaults, startPaystack, type PaystackSettings } from '#test/emulators/paystack.ts'

async function setUp(t: ExecutionContext, settings: Partial<PaystackSettings> = {}) {
  const paystack = await startPaystack(settings)
  t.teardown(() => paystack.stop())
  const secretKey = settings.secretKey ?? paystackDefaults.secretKey
  const values = { baseUrl: paystack.url, secretKey, emailDomain: 'example.com' }
  const provider = createPaystack({ account: async () => values, timeoutMs: 2000 })
  const calls = async (call: string) => (await paystack.requests()).filter((one) => one.call === call)
  return { paystack, provider, values, calls }
}

const asking = (change: Partial<Asking> = {}): Asking => ({
  reference: randomUUID(),
  amountMinor: 50_000,
  currency: 'NGN',
  phone: '2348012345678',
  words: 'Day pass',
  callbackUrl: null,
  checkoutUrl: null,
  returnUrl: 'http://kswifi.internal/?payment=1',
  at: 1_789_000_000_000,
  ...change,
})

const troubleOf = async (t: ExecutionContext, work: Promise<unknown>) =>
  (await t.throwsAsync(work, { instanceOf: ProviderTrouble })) as ProviderTrouble

type Provider = ReturnType<typeof createPaystack>

/** What the box does: asks, and writes the page down. */
async function asked(t: ExecutionContext, provider: Provider, one: Asking): Promise<Asking> {
  const answer = await provider.ask(one)
  if (answer.state !== 'pending' || !answer.checkoutUrl) return t.fail('no page') as never
  return { ...one, checkoutUrl: answer.checkoutUrl }
}

test('a payment has a page, and is paid there with the amount that Paystack says', async (t) => {
  const { provider, paystack } = await setUp(t)
  const one = asking()
  t.deepEqual(await provider.verify(one), { state: 'unknown' })
  const open = await asked(t, provider, one)
  const page = await fetch(open.checkoutUrl!)
  t.true((await page.text()).includes('NGN 500.00'))
  t.deepEqual(await provider.verify(open), { state: 'pending' })
  await paystack.approve(one.reference)
  const [charge] = await paystack.charges()
  t.like(charge, { email: '2348012345678@example.com', amount: 50_000 })
  t.deepEqual(await provider.verify(open), { state: 'paid', amountMinor: 50_000, currency: 'NGN', providerReference: charge?.id ?? '' })
})

test('an id of 64 bits keeps all its digits', async (t) => {
  const { provider, paystack } = await setUp(t, { firstId: '9007199254740993123' })
  const open = await asked(t, provider, asking())
  await paystack.approve(open.reference)
  t.like(await provider.verify(open), { providerReference: '9007199254740993123' })
  t.like(await provider.refund?.({ ...open, providerReference: '9007199254740993123' }), { state: 'pending' })
})

test('fees that the buyer bears do not count as the price', async (t) => {
  const { provider, paystack } = await setUp(t, { customerFee: 750, metadataAs: 'number' })
  const open = await asked(t, provider, asking())
  await paystack.approve(open.reference)
  t.like(await provider.verify(open), { state: 'paid', amountMinor: 50_000 })
})

for (const unpaidStatus of ['abandoned', 'ongoing', 'pending', 'processing', 'queued'] as const) {
  test(`a page that is ${unpaidStatus} may still be paid`, async (t) => {
    const { provider, paystack } = await setUp(t, { unpaidStatus })
    const open = await asked(t, provider, asking())
    t.deepEqual(await provider.verify(open), { state: 'pending' })
    await paystack.approve(open.reference)
    t.like(await provider.verify(open), { state: 'paid' })
  })
}

test('a page that was lost in a crash is replaced, and the payment is charged once', async (t) => {
  const { provider, paystack, calls } = await setUp(t)
  const one = asking()
  await paystack.failNext({ how: 'hang-up-after', call: 'initialize' })
  t.false((await troubleOf(t, provider.ask(one))).isOurs)
  t.deepEqual(await provider.verify(one), { state: 'unknown' }, 'nobody has the page')
  const open = await asked(t, provider, one)
  t.deepEqual(await provider.verify(open), { state: 'pending' })
  await paystack.approve(`${one.reference}.2`)
  t.like(await provider.verify(open), { state: 'paid', amountMinor: 50_000 })
  const charges = await paystack.charges()
  t.deepEqual(
    charges.map(({ charged }) => charged),
    [0, 1],
  )
  t.is((await calls('initialize')).length, 3)
})

test('money that comes by the first page is found although there is a second', async (t) => {
  const { provider, paystack } = await setUp(t)
  const one = asking()
  await provider.ask(one)
  const open = await asked(t, provider, one)
  await paystack.decline(`${one.reference}.2`)
  t.deepEqual(await provider.verify(open), { state: 'pending' }, 'one page is still open')
  await paystack.approve(one.reference)
  t.like(await provider.verify(open), { state: 'paid' })
})

test('a buyer who has a page gets no second one', async (t) => {
  const { provider, paystack } = await setUp(t)
  const open = await asked(t, provider, asking())
  t.deepEqual(await provider.ask(open), { state: 'pending', checkoutUrl: open.checkoutUrl })
  t.is((await paystack.charges()).length, 1)
})

test('a payment that was paid by a lost page gets no other', async (t) => {
  const { provider, paystack } = await setUp(t)
  const one = asking()
  await provider.ask(one)
  await paystack.approve(one.reference)
  t.deepEqual(await provider.ask(one), { state: 'pending', checkoutUrl: null })
  t.like(await provider.verify(one), { state: 'paid' })
  t.is((await paystack.charges()).length, 1)
})

const fails = test.macro({
  exec: async (t, words: string, reason: string) => {
    const { provider, paystack } = await setUp(t)
    const open = await asked(t, provider, asking())
    await paystack.decline(open.reference, words)
    const truth = await provider.verify(open)
    t.like(truth, { state: 'failed', reason })
    t.true((truth as { detail: string }).detail.includes(words))
  },
  title: (_title, words, reason) => `"${words}" is ${reason}`,
})

test(fails, 'Declined', 'declined')
test(fails, 'Insufficient Funds', 'no-funds')
test(fails, 'Token Not Generated. Customer Not Registered on Token Platform', 'provider')

test('a key that is wrong is ours to mend, by either status, and is not in the words', async (t) => {
  for (const badKeyStatus of [401, 400] as const) {
    const { provider, values } = await setUp(t, { badKeyStatus })
    values.secretKey = 'sk_test_other'
    for (const work of [provider.ask(asking()), provider.verify(asking()), provider.test()]) {
      const trouble = await troubleOf(t, work)
      t.true(trouble.isOurs)
      t.false(trouble.message.includes('sk_test_other'))
    }
  }
})

test('an unknown reference is unknown, by either status', async (t) => {
  for (const unknownReferenceStatus of [400, 404] as const) {
    const { provider } = await setUp(t, { unknownReferenceStatus })
    t.deepEqual(await provider.verify(asking()), { state: 'unknown' })
  }
})

test('an address where Paystack is not makes no payment unknown', async (t) => {
  const { provider, values, paystack } = await setUp(t)
  values.baseUrl = `${paystack.url}/wrong`
  t.true((await troubleOf(t, provider.verify(asking()))).isOurs)
})

test('a currency that the account may not take is ours to mend', async (t) => {
  const { provider } = await setUp(t, { currencies: ['GHS'] })
  t.true((await troubleOf(t, provider.ask(asking()))).isOurs)
  t.true(provider.takes('NGN'))
  t.false(provider.takes('UGX'))
})

test('a service that is away is asked again later', async (t) => {
  const { provider, paystack } = await setUp(t)
  for (const how of ['503', '429', 'hang-up'] as const) {
    await paystack.failNext({ how, call: 'initialize' })
    const trouble = await troubleOf(t, provider.ask(asking()))
    t.false(trouble.isOurs, how)
    t.is(trouble.waitMs, how === '429' ? 1000 : 0)
  }
})

test('money is given back once, however often it is asked for', async (t) => {
  const { provider, paystack } = await setUp(t, { refunds: { does: 'wait', afterMs: 0 } })
  const open = await asked(t, provider, asking())
  await paystack.approve(open.reference)
  const [charge] = await paystack.charges()
  const refunding = { ...open, providerReference: charge?.id ?? null }
  await paystack.failNext({ how: 'hang-up-after', call: 'refund' })
  await troubleOf(t, provider.refund!(refunding))
  const again = await provider.refund!(refunding)
  const [refund] = await paystack.refunds()
  t.deepEqual(again, { state: 'pending', refundReference: refund?.id ?? '' })
  await paystack.settleRefund(refund?.id ?? '')
  t.deepEqual(await provider.refund!(refunding), { state: 'done', refundReference: refund?.id ?? '' })
  t.deepEqual(await provider.refund!({ ...refunding, providerReference: null }), { state: 'done', refundReference: refund?.id ?? '' })
  t.is((await paystack.refunds()).length, 1)
  t.is((await paystack.charges())[0]?.refunded, 50_000)
})

test('a refund that the bank cannot do is said once; who asks again gets another, and only one', async (t) => {
  const { provider, paystack } = await setUp(t, { refunds: { does: 'wait', afterMs: 0 } })
  const open = await asked(t, provider, asking())
  await paystack.approve(open.reference)
  const refunding = { ...open, providerReference: (await paystack.charges())[0]?.id ?? null }
  t.like(await provider.refund!(refunding), { state: 'pending' })
  await paystack.settleRefund((await paystack.refunds())[0]?.id ?? '', 'failed')
  t.like(await provider.refund!(refunding), { state: 'failed' })
  t.is((await paystack.refunds()).length, 1)

  t.like(await provider.refund!(refunding), { state: 'pending' })
  t.like(await provider.refund!(refunding), { state: 'pending' })
  const [, second] = await paystack.refunds()
  await paystack.settleRefund(second!.id, 'failed')
  t.like(await provider.refund!(refunding), { state: 'failed' }, 'the second failure is said too')
  await provider.refund!(refunding)
  const third = (await paystack.refunds()).at(-1)!
  await paystack.settleRefund(third.id)
  t.deepEqual(await provider.refund!(refunding), { state: 'done', refundReference: third.id })
  t.is((await paystack.refunds()).length, 3)
  t.is((await paystack.charges())[0]?.refunded, 50_000)
})

test('a part that was given back in the dashboard does not count as the whole: the rest follows', async (t) => {
  const { provider, paystack, values } = await setUp(t, { refunds: { does: 'wait', afterMs: 0 } })
  const open = await asked(t, provider, asking())
  await paystack.approve(open.reference)
  const [charge] = await paystack.charges()
  const refunding = { ...open, providerReference: charge?.id ?? null }
  await fetch(`${values.baseUrl}/refund`, {
    method: 'POST',
    headers: { Authorization: `Bearer ${values.secretKey}`, 'Content-Type': 'application/json' },
    body: JSON.stringify({ transaction: charge?.id, amount: 20_000 }),
  })
  const [byHand] = await paystack.refunds()
  await paystack.settleRefund(byHand!.id)
  t.like(await provider.refund!(refunding), { state: 'pending' })
  t.like(await provider.refund!(refunding), { state: 'pending' })
  const [, rest] = await paystack.refunds()
  await paystack.settleRefund(rest!.id)
  t.like(await provider.refund!(refunding), { state: 'done' })
  t.deepEqual(
    (await paystack.refunds()).map(({ amount }) => amount),
    [20_000, 30_000],
  )
  t.is((await paystack.charges())[0]?.refunded, 50_000)
})

const vector = {
  body: '{"event":"charge.success","data":{"reference":"T1","amount":5000}}',
  signature:
    '1b6736caddce67bde1a5d7e17fb88971cf7fb2ccaa8dc281886140e4d75b7ad50b3e3febb26f0672641fe821880299b026facdd83ac0dcd05d88c4c67cbf4268',
}

test('a signature is right over the bytes as they came, and only with the key of the account', async (t) => {
  const { provider, values } = await setUp(t)
  values.secretKey = 'sk_test_dummy'
  const hear = (body: string, signature: string | undefined) =>
    provider.hear({ headers: { 'x-paystack-signature': signature }, body, pathReference: null })
  t.true((await hear(vector.body, vector.signature)).trusted)
  t.false((await hear(vector.body.replace('5000', '5001'), vector.signature)).trusted)
  t.false((await hear(`${vector.body} `, vector.signature)).trusted)
  for (const wrong of [undefined, '', 'x', vector.signature.slice(2), vector.signature.replace('1', '2')])
    t.false((await hear(vector.body, wrong)).trusted)
  values.secretKey = ''
  t.false((await hear(vector.body, createHmac('sha512', '').update(vector.body).digest('hex'))).trusted)
})

test('a webhook names its payment, and a forged one never takes the place of a true one', async (t) => {
  const { provider, values } = await setUp(t)
  const reference = randomUUID()
  const body = JSON.stringify({ event: 'charge.success', data: { id: 7, reference: `${reference}.2` } })
  const signature = createHmac('sha512', values.secretKey).update(body).digest('hex')
  const signed = await provider.hear({ headers: { 'x-paystack-signature': signature }, body, pathReference: null })
  const forged = await provider.hear({ headers: {}, body, pathReference: null })
  t.like(signed, { reference, trusted: true })
  t.like(forged, { reference, trusted: false })
  t.not(signed.eventKey, forged.eventKey)
  const refund = JSON.stringify({ event: 'refund.processed', data: { id: 8, transaction_reference: reference } })
  t.is((await provider.hear({ headers: {}, body: refund, pathReference: null })).reference, reference)
  for (const rubbish of ['', '{', 'null', '[]', '{"data":7}'])
    t.is((await provider.hear({ headers: {}, body: rubbish, pathReference: null })).reference, null, rubbish)
})

test('of a webhook everything is kept but the card', async (t) => {
  const { provider } = await setUp(t)
  const data = { id: '{id}', reference: 'r', amount: 50_000, customer: { email: 'a@example.com' } }
  const authorization = { authorization_code: 'AUTH_8dfhjjdt', bin: '408408', last4: '4081', channel: 'card' }
  const wide = (message: object) => JSON.stringify(message).replace('"{id}"', '9007199254740993123')
  const kept = provider.redact!(wide({ event: 'charge.success', data: { ...data, authorization, plan: { authorization } } }))
  for (const secret of Object.values(authorization)) t.false(kept.includes(secret), secret)
  t.deepEqual(JSON.parse(kept), { event: 'charge.success', data: { ...data, id: '9007199254740993123', plan: {} } })
  for (const body of [wide({ event: 'refund.processed', data }), vector.body, '', '{', 'null', '[]', '{"authorization"'])
    t.is(provider.redact!(body), body, 'anything else as it came')
})

test('the test of the account moves no money', async (t) => {
  const { provider, paystack } = await setUp(t)
  t.regex(await provider.test(), /accepts the key.*NGN.*test key/)
  t.is((await paystack.charges()).length, 0)
})
