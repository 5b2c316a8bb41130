import { randomUUID } from 'node:crypto'
import test, { type ExecutionContext } from 'ava'
import { ProviderTrouble, type Asking } from '#server/payments/provider.ts'
import { createMomo } from '#server/payments/providers/mtn-momo.ts'
import { momoDefaults, startMomo, type MomoSettings } from '#test/emulators/momo.ts'

async function setUp(t: ExecutionContext, settings: Partial<MomoSettings> = {}, account: Record<string, string> = {}) {
  const momo = await startMomo(settings)
  t.teardown(() => momo.stop())
  const { subscriptionKey, apiUser, apiKey } = momoDefaults
  const targetEnvironment = settings.mode === 'production' ? 'mtnuganda' : 'sandbox'
  const values = { baseUrl: momo.url, subscriptionKey, apiUser, apiKey, targetEnvironment, callbacks: 'on', ...account }
  const clock = { at: 1_789_000_000_000 }
  const provider = createMomo({ account: async () => values, now: () => clock.at, timeoutMs: 2000 })
  const calls = async (call: string) => (await momo.requests()).filter((one) => one.call === call)
  return { momo, provider, clock, values, calls }
}

const asking = (change: Partial<Asking> = {}): Asking => ({
  reference: randomUUID(),
  amountMinor: 500,
  currency: 'EUR',
  phone: '256771234567',
  words: 'Day pass',
  callbackUrl: null,
  checkoutUrl: null,
  returnUrl: 'http://kswifi.internal/',
  at: 1_789_000_000_000,
  ...change,
})

const troubleOf = async (t: ExecutionContext, work: Promise<unknown>) =>
  (await t.throwsAsync(work, { instanceOf: ProviderTrouble })) as ProviderTrouble

test('a payment is asked for, and paid with the amount that MTN says', async (t) => {
  const { provider, momo } = await setUp(t, { mode: 'production' })
  const one = asking({ currency: 'UGX', amountMinor: 1500 })
  t.deepEqual(await provider.verify(one), { state: 'unknown' })
  t.deepEqual(await provider.ask(one), { state: 'pending', checkoutUrl: null })
  const [charge] = await momo.charges()
  t.like(charge, { amount: '1500', currency: 'UGX', phone: '256771234567', externalId: one.reference })
  t.deepEqual(await provider.verify(one), {
    state: 'paid',
    amountMinor: 1500,
    currency: 'UGX',
    providerReference: charge?.financialTransactionId ?? '',
  })
})

test('an amount with decimals comes back in minor units', async (t) => {
  const { provider, momo } = await setUp(t)
  const one = asking({ amountMinor: 250 })
  await provider.ask(one)
  t.is((await momo.charges())[0]?.amount, '2.50')
  t.like(await provider.verify(one), { state: 'paid', amountMinor: 250, currency: 'EUR' })
})

test('asking again with the same reference charges once', async (t) => {
  const { provider, momo } = await setUp(t)
  const one = asking()
  for (const asked of await Promise.all([1, 2, 3].map(() => provider.ask(one)))) t.deepEqual(asked, { state: 'pending', checkoutUrl: null })
  const charges = await momo.charges()
  t.is(charges.length, 1)
  t.is(charges[0]?.charged, 1)
})

test('an answer that was lost on the way is asked for again', async (t) => {
  const { provider, momo } = await setUp(t)
  const one = asking()
  await momo.failNext({ how: 'hang-up-after', call: 'requesttopay' })
  t.false((await troubleOf(t, provider.ask(one))).isOurs)
  t.like(await provider.verify(one), { state: 'paid' })
  t.is((await momo.charges())[0]?.charged, 1)
})

test('a company that never answers is not waited for', async (t) => {
  const { momo, values } = await setUp(t)
  const provider = createMomo({ account: async () => values, now: () => 0, timeoutMs: 50 })
  await momo.failNext({ how: 'stall', call: 'token' })
  t.regex((await troubleOf(t, provider.verify(asking()))).message, /did not answer within/)
})

test('many share one token, which is renewed before its end', async (t) => {
  const { provider, clock, calls } = await setUp(t)
  await Promise.all(Array.from({ length: 5 }, () => provider.ask(asking())))
  t.is((await calls('token')).length, 1)
  clock.at += 49 * 60_000
  await provider.verify(asking())
  t.is((await calls('token')).length, 1)
  clock.at += 2 * 60_000
  await provider.verify(asking())
  t.is((await calls('token')).length, 2)
})

test('a token that MTN takes no more is renewed once, however many hear of it', async (t) => {
  const { provider, momo, calls } = await setUp(t)
  await provider.ask(asking())
  await momo.expireTokens()
  for (const truth of await Promise.all([1, 2, 3].map(() => provider.verify(asking())))) t.deepEqual(truth, { state: 'unknown' })
  t.is((await calls('token')).length, 2)
})

test('keys that are wrong are ours to mend', async (t) => {
  const { provider, values, calls } = await setUp(t)
  values.apiKey = 'wrong'
  t.true((await troubleOf(t, provider.ask(asking()))).isOurs)
  values.apiKey = momoDefaults.apiKey
  values.subscriptionKey = 'wrong'
  const trouble = await troubleOf(t, provider.ask(asking()))
  t.true(trouble.isOurs)
  t.false(trouble.message.includes('wrong'))
  values.subscriptionKey = momoDefaults.secondaryKey
  t.like(await provider.ask(asking()), { state: 'pending' })
  t.is((await calls('token')).length, 3, 'other keys have another token')
})

const ours = test.macro({
  exec: async (t, settings: Partial<MomoSettings>, change: Partial<Asking>, account: Record<string, string>, words: RegExp) => {
    const { provider, momo } = await setUp(t, settings, account)
    const trouble = await troubleOf(t, provider.ask(asking(change)))
    t.true(trouble.isOurs)
    t.regex(trouble.message, words)
    t.is((await momo.charges()).length, 0)
  },
  title: (title) => `ours to mend, though the status is 500: ${title}`,
})

test('a country that does not fit the address', ours, {}, {}, { targetEnvironment: 'mtnghana' }, /NOT_ALLOWED_TARGET_ENVIRONMENT/)
test('another currency', ours, {}, { currency: 'UGX' }, {}, /INVALID_CURRENCY/)
test('a callback host that is not registered', ours, {}, { callbackUrl: 'http://other.example.com/x' }, {}, /INVALID_CALLBACK_URL_HOST/)
test('the number that stands for it', ours, {}, { phone: '46733123457' }, {}, /NOT_ALLOWED/)

test('an address where MTN has no such API is ours to mend, not an unknown payment', async (t) => {
  const { provider, values, momo } = await setUp(t)
  await provider.ask(asking())
  values.baseUrl = `${momo.url}/wrong`
  t.true((await troubleOf(t, provider.verify(asking()))).isOurs)
})

test('a box whose line is down is not told that its account is wrong', async (t) => {
  const { provider, values } = await setUp(t)
  values.baseUrl = 'http://127.0.0.1:9'
  const trouble = await troubleOf(t, provider.ask(asking()))
  t.false(trouble.isOurs)
  t.regex(trouble.message, /cannot be reached/)
})

test('a service that is away is asked again later', async (t) => {
  const { provider, momo } = await setUp(t)
  for (const how of ['503', '429', 'hang-up'] as const) {
    await momo.failNext({ how, call: 'requesttopay' })
    const trouble = await troubleOf(t, provider.ask(asking()))
    t.false(trouble.isOurs, how)
    t.is(trouble.waitMs, how === '429' ? 1000 : 0)
  }
  await provider.ask(asking())
  await momo.failNext({ how: '503', call: 'status' })
  t.false((await troubleOf(t, provider.verify(asking()))).isOurs)
})

test('callbacks that are turned off are not asked for', async (t) => {
  const { provider, calls } = await setUp(t, {}, { callbacks: 'off' })
  t.like(await provider.ask(asking({ callbackUrl: 'http://other.example.com/x' })), { state: 'pending' })
  t.is((await calls('requesttopay'))[0]?.headers['x-callback-url'], undefined)
})

const fails = test.macro({
  exec: async (t, phone: string, reason: string) => {
    for (const reasonAs of ['string', 'object'] as const) {
      const { provider } = await setUp(t, { reasonAs })
      const one = asking({ phone })
      await provider.ask(one)
      t.like(await provider.verify(one), { state: 'failed', reason })
    }
  },
  title: (_title, phone, reason) => `the sandbox number ${phone} fails as ${reason}, its reason a text or an object`,
})

test(fails, '46733123450', 'provider')
test(fails, '46733123451', 'declined')
test(fails, '46733123452', 'timeout')
test(fails, '46733123455', 'not-registered')
test(fails, '46733123456', 'misconfigured')
test(fails, '46733123463', 'timeout')

test('what nobody has answered stays open, for ever if need be', async (t) => {
  const { provider, clock } = await setUp(t)
  const one = asking({ phone: '46733123453' })
  await provider.ask(one)
  clock.at += 24 * 3_600_000
  t.deepEqual(await provider.verify(one), { state: 'pending' })
})

test('strange signs in the name of a package do not stop its sale', async (t) => {
  const { provider, calls } = await setUp(t)
  await provider.ask(asking({ words: 'Día: 1 GB <"fast">'.repeat(10) }))
  const { payerMessage } = JSON.parse((await calls('requesttopay'))[0]?.body ?? '') as { payerMessage: string }
  t.regex(payerMessage, /^[A-Za-z0-9 .,-]{1,80}$/)
})

test('a callback is only a hint, and says the same twice', async (t) => {
  const { provider } = await setUp(t)
  const reference = randomUUID()
  const body = JSON.stringify({ externalId: reference, status: 'SUCCESSFUL', amount: '5.00' })
  const hint = await provider.hear({ headers: {}, body, pathReference: null })
  t.like(hint, { reference, trusted: false })
  t.deepEqual(await provider.hear({ headers: {}, body, pathReference: null }), hint)
  const other = await provider.hear({ headers: {}, body: body.replace('SUCCESSFUL', 'FAILED'), pathReference: reference })
  t.is(other.reference, reference)
  t.not(other.eventKey, hint.eventKey)
  for (const rubbish of ['', '{', 'null', '[]', '{"externalId":7}', '{"externalId":"1; drop table"}'])
    t.is((await provider.hear({ headers: {}, body: rubbish, pathReference: null })).reference, null, rubbish)
})

test('the test of the account moves no money, and says what is wrong', async (t) => {
  const { provider, momo, values } = await setUp(t)
  t.regex(await provider.test(), /accepts the keys for sandbox/)
  t.is((await momo.charges()).length, 0)
  values.targetEnvironment = 'mtnghana'
  t.true((await troubleOf(t, provider.test())).isOurs)
})
