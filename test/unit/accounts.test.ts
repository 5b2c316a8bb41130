import test, { type ExecutionContext } from 'ava'
import { createAccounts } from '#server/accounts/accounts.ts'
import { accountRoutes } from '#server/accounts/routes.ts'
import { accountPatch } from '#server/accounts/schema.ts'
import { Refusal } from '#server/errors.ts'
import { createBus } from '#server/events.ts'
import { defaults } from '#server/settings/schema.ts'
import { createStaff } from '#server/staff/staff.ts'
import { openTestStore } from './store.ts'

const secret = 'the secret of this box'
const momo = {
  subscriptionKey: 'subscription-0123',
  apiUser: '4f1c2a0e-8a53-4c7b-9f0e-2d5b7a6c1e90',
  apiKey: 'api-key-4567',
}

async function setUp(t: ExecutionContext, { sandbox = false, publicUrl = '' } = {}) {
  const store = await openTestStore(t)
  const bus = createBus()
  const clock = { at: 1_789_000_000_000 }
  const needs = { store, now: () => clock.at, bus, secret, settings: { get: async () => ({ ...defaults, publicUrl }) }, sandbox }
  return { store, bus, clock, needs, accounts: createAccounts(needs) }
}

test('a new box takes cash, and nothing else', async (t) => {
  const { accounts } = await setUp(t)
  const found = await accounts.list()
  t.deepEqual(
    found.map(({ name, enabled, ready }) => [name, enabled, ready]),
    [
      ['mtn-momo', false, false],
      ['paystack', false, false],
      ['cash', true, true],
      ['africas-talking', false, false],
    ],
  )
  t.deepEqual(found[0]?.missing, ['Subscription key', 'API user', 'API key'])
  t.deepEqual(found[1]?.missing, ['Secret key'])
  t.is(found[0]?.fields.find(({ key }) => key === 'baseUrl')?.value, 'https://proxy.momoapi.mtn.com')
})

test('the payment without money exists in the lab only', async (t) => {
  const { accounts } = await setUp(t)
  await t.throwsAsync(accounts.update('sandbox', { enabled: true }), { instanceOf: Refusal, message: /no such account/ })
  await t.throwsAsync(accounts.read('sandbox'), { instanceOf: Refusal })
  const lab = await setUp(t, { sandbox: true })
  t.true((await lab.accounts.read('sandbox')).ready)
  t.true((await lab.accounts.list()).some(({ name }) => name === 'sandbox'))
})

test('what is entered is there at once, and the secrets are never shown again', async (t) => {
  const { accounts, store } = await setUp(t, { publicUrl: 'https://pay.example.com' })
  const view = await accounts.update('mtn-momo', { enabled: true, values: momo })
  t.true(view.ready)
  t.is(view.callbackUrl, 'https://pay.example.com/api/callbacks/mtn-momo')
  t.like(await accounts.read('mtn-momo'), { ready: true, values: { ...momo, targetEnvironment: 'mtnuganda' } })
  for (const shown of [view, await accounts.list()]) {
    t.false(JSON.stringify(shown).includes(momo.apiKey))
    t.false(JSON.stringify(shown).includes(momo.subscriptionKey))
  }
  const key = view.fields.find((field) => field.key === 'apiKey')
  t.like(key, { value: '', isSet: true, secret: true })
  const row = JSON.stringify(await store.db('accounts').first())
  t.false(row.includes(momo.apiKey))
  t.true(row.includes(momo.apiUser))
})

test('what is left out stays, and an empty text takes a value away', async (t) => {
  const { accounts } = await setUp(t)
  await accounts.update('mtn-momo', { enabled: true, values: { ...momo, baseUrl: 'https://sandbox.momodeveloper.mtn.com/' } })
  await accounts.update('mtn-momo', { values: { apiKey: 'another' } })
  t.like((await accounts.read('mtn-momo')).values, { ...momo, apiKey: 'another', baseUrl: 'https://sandbox.momodeveloper.mtn.com' })
  const view = await accounts.update('mtn-momo', { values: { apiKey: '', baseUrl: '' } })
  t.like(view, { enabled: true, ready: false, missing: ['API key'] })
  t.is((await accounts.read('mtn-momo')).values['baseUrl'], 'https://proxy.momoapi.mtn.com')
})

test('another process sees a change at once by the bus, and within two seconds without it', async (t) => {
  const { accounts, needs, clock } = await setUp(t)
  const other = createAccounts(needs)
  const deaf = createAccounts({ ...needs, bus: createBus() })
  await Promise.all([other.read('cash'), deaf.read('cash')])
  await accounts.update('cash', { enabled: false })
  t.false((await other.read('cash')).enabled)
  t.true((await deaf.read('cash')).enabled, 'kept in memory')
  clock.at += 2000
  t.false((await deaf.read('cash')).enabled)
})

test('secrets sealed by another box count as not entered', async (t) => {
  const { accounts, needs } = await setUp(t)
  await accounts.update('paystack', { enabled: true, values: { secretKey: 'sk_test_1' } })
  const other = createAccounts({ ...needs, secret: 'the secret of another box' })
  t.like(await other.read('paystack'), { enabled: true, ready: false, missing: ['Secret key'] })
  await other.update('paystack', { values: { secretKey: 'sk_test_2' } })
  t.true((await other.read('paystack')).ready)
})

const refused = test.macro({
  exec: async (t, name: 'mtn-momo' | 'paystack', key: string, value: string, words: RegExp) => {
    const { accounts } = await setUp(t)
    const error = await t.throwsAsync(accounts.update(name, { enabled: true, values: { [key]: value } }), {
      instanceOf: Refusal,
      message: words,
    })
    t.is((error as Refusal).code, 'bad-input')
    t.false((await accounts.read(name)).enabled, 'nothing of it is kept')
    if (key === 'secretKey') t.false(JSON.stringify([error?.message, (error as Refusal).facts]).includes(value))
  },
  title: (title) => `refused: ${title}`,
})

test('an address that is none', refused, 'mtn-momo', 'baseUrl', 'momo', /write an address/)
test('an address without TLS', refused, 'mtn-momo', 'baseUrl', 'http://momo.example.com', /https/)
test('an address with a name and a password in it', refused, 'paystack', 'baseUrl', 'https://a:b@api.paystack.co', /write an address/)
test('an API user that is no UUID', refused, 'mtn-momo', 'apiUser', 'me', /UUID/)
test('a country that MTN does not know', refused, 'mtn-momo', 'targetEnvironment', 'mtnfrance', /choose one of/)
test('a field that the account does not have', refused, 'paystack', 'apiUser', 'x', /no field/)
test('a domain that is none', refused, 'paystack', 'emailDomain', 'me@example', /domain/)
test('a key that was copied with a line break', refused, 'paystack', 'secretKey', 'sk_live_123\n456', /Copy it again/)

test('an emulator without TLS is fine in the lab, and on this machine', async (t) => {
  const { accounts } = await setUp(t, { sandbox: true })
  await t.notThrowsAsync(accounts.update('paystack', { values: { baseUrl: 'http://10.0.0.9:9102' } }))
  const { accounts: onBox } = await setUp(t)
  await t.notThrowsAsync(onBox.update('paystack', { values: { baseUrl: 'http://127.0.0.1:9102' } }))
})

test('a change of an account is audited without what was entered', async (t) => {
  const { accounts, store, clock } = await setUp(t)
  const patch = accountRoutes({ accounts, test: async () => ({ ok: true, words: '' }) }).find(({ method }) => method === 'patch')
  t.is(patch?.audit, 'account.update')
  const staff = createStaff({ store, now: () => clock.at })
  const details = accountPatch.parse({ enabled: true, values: momo })
  await staff.audit({ actor: 'ada', action: 'account.update', subject: 'mtn-momo', details })
  const { entries } = await staff.auditPage(1, 10)
  t.deepEqual(entries[0]?.details, { enabled: true })
})

test('accounts can be changed by many at once, and nothing is lost', async (t) => {
  const { accounts } = await setUp(t)
  await Promise.all(Object.entries(momo).map(([key, value]) => accounts.update('mtn-momo', { values: { [key]: value } })))
  t.like((await accounts.read('mtn-momo')).values, momo)
})

test('an account is tried by name, and one that this box does not have is not found', async (t) => {
  const { accounts } = await setUp(t)
  const tried: string[] = []
  const tryOut = accountRoutes({ accounts, test: async (name) => (tried.push(name), { ok: false, words: 'The key is wrong.' }) }).find(
    ({ path }) => path.endsWith('/test'),
  )!
  const ask = (name: string) => tryOut.handle({ params: { name } } as never)
  t.deepEqual(await ask('paystack'), { ok: false, words: 'The key is wrong.' })
  const error = await t.throwsAsync(ask('sandbox'), { instanceOf: Refusal })
  t.is((error as Refusal).code, 'not-found')
  t.deepEqual(tried, ['paystack'])
})
