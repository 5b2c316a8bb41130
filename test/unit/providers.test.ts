import { randomUUID } from 'node:crypto'
import test, { type ExecutionContext } from 'ava'
import { createAccounts } from '#server/accounts/accounts.ts'
import { createBus } from '#server/events.ts'
import { ProviderTrouble, type Asking } from '#server/payments/provider.ts'
import { createProviders } from '#server/payments/providers.ts'
import { defaults } from '#server/settings/schema.ts'
import { paystackDefaults, startPaystack } from '#test/emulators/paystack.ts'
import { openTestStore } from './store.ts'

async function setUp(t: ExecutionContext, sandbox = false) {
  const clock = { at: 1_789_000_000_000 }
  const now = () => clock.at
  const settings = { get: async () => defaults }
  const accounts = createAccounts({ store: await openTestStore(t), now, bus: createBus(), secret: 'secret', settings, sandbox })
  const providers = createProviders({ accounts, now, sandbox })
  return { clock, accounts, providers, names: async (currency: string) => (await providers.enabled(currency)).map(({ name }) => name) }
}

const asking = (phone: string | null): Asking => ({
  reference: randomUUID(),
  amountMinor: 500,
  currency: 'UGX',
  phone,
  words: 'Day pass',
  callbackUrl: null,
  checkoutUrl: null,
  returnUrl: 'http://kswifi.internal/',
  at: 1_789_000_000_000,
})

test('buyers are offered what is turned on, lacks nothing and takes the currency', async (t) => {
  const { accounts, names } = await setUp(t)
  t.deepEqual(await names('NGN'), ['cash'])
  await accounts.update('paystack', { enabled: true })
  t.deepEqual(await names('NGN'), ['cash'], 'its key is missing')
  await accounts.update('paystack', { values: { secretKey: 'sk_test_1' } })
  t.deepEqual(await names('NGN'), ['paystack', 'cash'])
  t.deepEqual(await names('UGX'), ['cash'])
  await accounts.update('cash', { enabled: false })
  t.deepEqual(await names('UGX'), [])
})

test('what is turned off can still bring to an end what it began', async (t) => {
  const paystack = await startPaystack()
  t.teardown(() => paystack.stop())
  const { accounts, providers } = await setUp(t)
  await accounts.update('paystack', { enabled: false, values: { baseUrl: paystack.url, secretKey: paystackDefaults.secretKey } })
  t.deepEqual(await providers.find('paystack')?.verify(asking(null)), { state: 'unknown' })
})

test('an account that lacks something says what, when it is asked or tested', async (t) => {
  const { providers } = await setUp(t)
  const trouble = await t.throwsAsync(providers.find('mtn-momo')!.ask(asking('256771234567')), { instanceOf: ProviderTrouble })
  t.true((trouble as ProviderTrouble).isOurs)
  t.like(await providers.test('mtn-momo'), { ok: false, words: 'MTN Mobile Money: still missing is Subscription key, API user, API key.' })
  t.like(await providers.test('cash'), { ok: true })
})

test('the payment without money is in the lab only, and the number decides', async (t) => {
  const onBox = await setUp(t)
  t.is(onBox.providers.find('sandbox'), undefined)
  t.false((await onBox.providers.test('sandbox')).ok)
  const { providers, clock, names } = await setUp(t, true)
  t.deepEqual(await names('UGX'), ['sandbox', 'cash'])
  const sandbox = providers.find('sandbox')!
  const [declines, ignores, pays] = ['256771234561', '256771234562', '256771234567'].map(asking) as [Asking, Asking, Asking]
  for (const one of [declines, ignores, pays]) {
    t.like(await sandbox.ask(one), { state: 'pending' })
    t.like(await sandbox.verify(one), { state: 'pending' })
  }
  clock.at += 3000
  t.like(await sandbox.verify(declines), { state: 'failed', reason: 'declined' })
  t.like(await sandbox.verify(ignores), { state: 'pending' })
  const truth = await sandbox.verify(pays)
  t.like(truth, { state: 'paid', amountMinor: 500, currency: 'UGX' })
  t.deepEqual(await sandbox.verify(pays), truth, 'the same however often it is asked')
})

test('cash waits for the cashier, and is given back by hand', async (t) => {
  const { providers, clock } = await setUp(t)
  const cash = providers.find('cash')!
  t.deepEqual(await cash.ask(asking(null)), { state: 'pending', checkoutUrl: null })
  clock.at += 24 * 3_600_000
  t.deepEqual(await cash.verify(asking(null)), { state: 'pending' })
  t.is(cash.refund, undefined)
})
