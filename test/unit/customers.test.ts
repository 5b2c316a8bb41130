import test, { type ExecutionContext } from 'ava'
import { createCustomers } from '#server/customers/customers.ts'
import type { SignInInput } from '#server/customers/schema.ts'
import { createTries } from '#server/customers/tries.ts'
import type { Refusal } from '#server/errors.ts'
import { createBus } from '#server/events.ts'
import { createSettings } from '#server/settings/settings.ts'
import { SmsTrouble } from '#server/sms/trouble.ts'
import { DAY, HOUR, MINUTE, SECOND } from '#server/units.ts'
import { insertPayment, insertSession } from './purchases.ts'
import { openTestStore } from './store.ts'

const typed = '0771 234567'
const phone = '256771234567'
const pin = '4071'
const other = '9305'

async function setUp(t: ExecutionContext, isOn = false) {
  const store = await openTestStore(t)
  const clock = { at: 1_789_000_000_000 }
  const now = () => clock.at
  const settings = createSettings({ store, now, bus: createBus() })
  await settings.update({ country: 'UG', venueName: 'Café Ada' })
  const messages: { phone: string; text: string }[] = []
  const company = { isOn, refuses: false }
  const sms = {
    isOn: () => Promise.resolve(company.isOn),
    send: (to: string, text: string) => {
      messages.push({ phone: to, text })
      if (company.refuses) return Promise.reject(new SmsTrouble('has no credit left', { isOurs: true }))
      return Promise.resolve({ messageId: '1' })
    },
  }
  const logged: unknown[] = []
  const log = { warn: (...line: unknown[]) => void logged.push(line) }
  const open = () => createCustomers({ store, now, secret: 'secret', sms, settings, log })
  const customers = open()
  const signIn = (input: Partial<SignInInput>, address = 'home') => customers.signIn({ phone: typed, isNew: false, ...input }, address)
  const choose = (chosen = pin, address = 'home') => signIn({ pin: chosen, isNew: true }, address)
  const lastCode = () => messages.at(-1)!.text.slice(0, 6)
  const confirm = () => store.transaction((tx) => customers.confirm(tx, phone))
  return { store, clock, customers, open, company, messages, logged, signIn, choose, lastCode, confirm }
}

const notAnswer = {
  code: 'not-signed-in',
  message: 'This number and this PIN do not go together. Try again, or ask the staff for a new PIN.',
}

test('a number is the same however it is typed, and what cannot be one is refused with words', async (t) => {
  const { customers } = await setUp(t)
  for (const way of ['0771234567', '0771 234 567', '+256 771 234567', '256771234567', '00256771234567'])
    t.is(await customers.phoneOf(way), phone)
  t.is(await customers.phoneOf('+2348031234567'), '2348031234567')
  await t.throwsAsync(customers.phoneOf('12345'), { code: 'bad-input' })
  await t.throwsAsync(customers.signIn({ phone: '12345', pin, isNew: true }, 'home'), { code: 'bad-input' })
})

test('the PIN chosen at the first purchase signs in from then on', async (t) => {
  const { customers, store, choose, signIn } = await setUp(t)
  t.is(await customers.way(), 'pin')
  const { token, customer } = await choose()
  t.like(customer, { phone, confirmed: false })
  t.deepEqual(await customers.ofToken(token), { phone, confirmed: false })
  const again = await signIn({ pin })
  t.not(again.token, token)
  t.deepEqual(await customers.ofToken(token), { phone, confirmed: false }, 'the first login goes on')
  const kept = JSON.stringify([await store.db('customers'), await store.db('customer_logins')])
  for (const secret of [pin, token, again.token]) t.false(kept.includes(`"${secret}"`), 'the database holds neither PIN nor token')
})

test('two taps on the button choose one PIN and give two logins that both last', async (t) => {
  const { customers, choose } = await setUp(t)
  const logins = await Promise.all([choose(), choose(), choose()])
  for (const { token } of logins) t.deepEqual(await customers.ofToken(token), { phone, confirmed: false })
})

test('a wrong PIN, an unknown number and a PIN that may not be chosen get one answer', async (t) => {
  const { customers, choose, signIn, confirm } = await setUp(t)
  await choose()
  await confirm()
  await t.throwsAsync(signIn({ pin: other }), notAnswer)
  await t.throwsAsync(signIn({ pin: other, isNew: true }), notAnswer)
  await t.throwsAsync(customers.signIn({ phone: '0771 000000', pin, isNew: false }, 'home'), notAnswer)
  await t.throwsAsync(signIn({ phone: '0771000000', pin: `' or 1=1 --` }), notAnswer)
})

test('whoever takes a number in advance is out when its owner comes', async (t) => {
  const { customers, choose, signIn, confirm } = await setUp(t)
  const squatter = await choose(other, 'squatter')
  const owner = await choose(pin, 'owner')
  t.is(await customers.ofToken(squatter.token), null)
  await t.throwsAsync(signIn({ pin: other }, 'squatter'), notAnswer)
  await confirm()
  await t.throwsAsync(choose(other, 'squatter'), notAnswer)
  t.deepEqual(await customers.ofToken(owner.token), { phone, confirmed: true })
  t.like((await choose(pin, 'owner')).customer, { confirmed: true }, 'the right PIN signs in, new or not')
})

test('while a payment is asked for nobody slips in with a PIN of their own', async (t) => {
  const { customers, store, clock, choose } = await setUp(t)
  const owner = await choose(pin, 'owner')
  const payment = await insertPayment(store, phone, clock.at)
  await t.throwsAsync(choose(other, 'squatter'), notAnswer)
  t.not(await customers.ofToken(owner.token), null)
  await store.db('payments').where({ id: payment }).update({ status: 'failed' })
  await t.notThrowsAsync(choose(other, 'squatter'), 'nothing came of it: the number is as free as before')
})

test('what was bought under a number is protected, proved or not, with a PIN or without', async (t) => {
  const { store, clock, customers, choose, signIn } = await setUp(t)
  await choose()
  await insertPayment(store, phone, clock.at, { status: 'paid', paid_at: clock.at, provider: 'cash' })
  await t.throwsAsync(choose(other), notAnswer)
  await t.notThrowsAsync(signIn({ pin }))

  await store.transaction((tx) => customers.ensure(tx, '256700000001'))
  await store.transaction((tx) => customers.ensure(tx, '256700000001'))
  await insertSession(store, '256700000001', clock.at)
  await insertSession(store, '256700000002', clock.at)
  for (const number of ['0700000001', '0700000002']) await t.throwsAsync(signIn({ phone: number, pin, isNew: true }), notAnswer)
})

test('what costs nothing shuts the owner of a number out of nothing', async (t) => {
  const { customers, store, clock, choose } = await setUp(t)
  const squatter = await choose(other, 'squatter')
  const session = await insertSession(store, phone, clock.at, { payment_method: 'free' })
  const paid = { status: 'paid', paid_at: clock.at, amount_minor: 0 }
  await insertPayment(store, phone, clock.at, { ...paid, provider: 'free', session_id: session })
  await insertPayment(store, phone, clock.at, { provider: 'cash', next_at: clock.at + HOUR })
  const owner = await choose(pin, 'owner')
  t.is(await customers.ofToken(squatter.token), null)
  t.not(await customers.ofToken(owner.token), null)
})

test('what was added to a free session for money, a voucher or points makes the PIN stand', async (t) => {
  const { store, clock, choose } = await setUp(t)
  await choose()
  const session_id = await insertSession(store, phone, clock.at, { payment_method: 'free' })
  const { package_id } = await store.db('sessions').first('package_id')
  const added = { session_id, package_id, payment_reference: '…1', price_minor: 0, currency: 'UGX', at: clock.at }
  await store.db('purchases').insert({ ...added, user_phone: phone, payment_method: 'free' })
  await t.notThrowsAsync(choose(other))
  const someElse = await insertSession(store, '256700000001', clock.at)
  await store.db('purchases').insert({ ...added, session_id: someElse, user_phone: phone, payment_method: 'voucher' })
  await t.notThrowsAsync(choose(pin), 'a number that somebody typed beside a voucher is not theirs')
  await store.db('purchases').insert({ ...added, user_phone: phone, payment_method: 'voucher' })
  await t.throwsAsync(choose(other), notAnswer)
})

test('a page that may still be paid after a declined card makes the PIN stand, until nobody looks any more', async (t) => {
  const { store, clock, choose } = await setUp(t)
  await choose()
  const id = await insertPayment(store, phone, clock.at, { provider: 'paystack', status: 'failed', next_at: clock.at + HOUR })
  await t.throwsAsync(choose(other), notAnswer)
  await store.db('payments').where({ id }).update({ next_at: null })
  await t.notThrowsAsync(choose(other))
})

test('after a reset by staff every login has ended, and a new PIN is chosen once, within the hour', async (t) => {
  const { customers, clock, choose, signIn, confirm } = await setUp(t)
  const { token } = await choose()
  await confirm()
  await customers.resetPin(phone)
  t.is(await customers.ofToken(token), null)
  await t.throwsAsync(signIn({ pin }), notAnswer)
  await t.notThrowsAsync(choose(other))
  await t.throwsAsync(choose(pin), notAnswer)

  await customers.resetPin(phone)
  clock.at += HOUR
  await t.throwsAsync(choose(pin), notAnswer)
  await t.throwsAsync(customers.resetPin('256700000001'), { code: 'not-found' })
})

test('a PIN that everybody tries first cannot be chosen', async (t) => {
  const { choose } = await setUp(t)
  for (const easy of ['0000', '1234', '87654321', '777777']) await t.throwsAsync(choose(easy), { code: 'bad-input' })
  await t.notThrowsAsync(choose('1235'))
})

test('a number has five wrong PINs from one place in ten minutes and ten in a day, known or not, whatever is restarted', async (t) => {
  const { clock, open, choose, signIn, customers } = await setUp(t)
  await choose()
  for (const number of [typed, '0771000000']) {
    for (let count = 0; count < 5; count++) await t.throwsAsync(signIn({ phone: number, pin: other }, 'a'), notAnswer)
    const refusal = await t.throwsAsync<Refusal>(signIn({ phone: number, pin }, 'a'), { code: 'too-many-tries' })
    t.is(refusal.facts?.['retryAfterSeconds'], 600)
    for (let count = 0; count < 5; count++) await t.throwsAsync(signIn({ phone: number, pin: other }, 'b'), notAnswer)
    await t.throwsAsync(open().signIn({ phone: number, pin, isNew: false }, 'c'), { code: 'too-many-tries' })
    await t.throwsAsync(open().signIn({ phone: number, pin, isNew: true }, 'c'), { code: 'too-many-tries' })
  }
  clock.at += DAY
  await t.notThrowsAsync(signIn({ pin }, 'c'))

  for (const address of ['d', 'e']) for (let count = 0; count < 5; count++) await t.throwsAsync(signIn({ pin: other }, address), notAnswer)
  await t.throwsAsync(signIn({ pin }, 'f'), { code: 'too-many-tries' })
  await customers.resetPin(phone)
  await t.notThrowsAsync(choose(pin, 'f'), 'staff lift it')
})

test('wrong PINs sent all at once are limited like those sent one after another', async (t) => {
  const { choose, signIn } = await setUp(t)
  await choose()
  const results = await Promise.allSettled(Array.from({ length: 12 }, () => signIn({ pin: other }, 'a')))
  const codes = results.map((result) => result.status === 'rejected' && result.reason.code)
  t.is(codes.filter((code) => code === 'not-signed-in').length, 5)
  t.is(codes.filter((code) => code === 'too-many-tries').length, 7)
})

test('what was mistyped counts no more after the right PIN', async (t) => {
  const { choose, signIn } = await setUp(t)
  await choose()
  for (let round = 0; round < 3; round++) {
    for (let count = 0; count < 4; count++) await t.throwsAsync(signIn({ pin: other }), notAnswer)
    await t.notThrowsAsync(signIn({ pin }))
  }
})

test('one PIN tried on many numbers is stopped for the address, and nobody else is held up', async (t) => {
  const { store } = await setUp(t)
  const tries = createTries({ store, now: Date.now })
  for (let count = 0; count < 30; count++) await tries.begin('guesser')
  await t.throwsAsync(tries.begin('guesser'), { code: 'too-many-tries' })
  await t.notThrowsAsync(tries.begin('home'))
})

test('many addresses that guess are stopped together, and who signs in for the first time is heard', async (t) => {
  const { store } = await setUp(t)
  const tries = createTries({ store, now: Date.now })
  const results: string[] = []
  for (let count = 0; count < 300; count++) {
    results.push(
      await tries.begin(`guesser ${count % 20}`).then(
        () => 'heard',
        (error: Refusal) => error.code,
      ),
    )
  }
  t.deepEqual([...new Set(results.slice(250))], ['too-many-tries'])
  for (let count = 0; count < 50; count++) await (await tries.begin(`home ${count}`))()
  t.pass()
})

test('taking many numbers is stopped for the address', async (t) => {
  const { store } = await setUp(t)
  const tries = createTries({ store, now: Date.now })
  for (let count = 0; count < 30; count++) await tries.choose('taker')
  await t.throwsAsync(tries.choose('taker'), { code: 'too-many-tries' })
  await t.notThrowsAsync(tries.choose('home'))
})

test('a login lasts sixty days after it was used last', async (t) => {
  const { customers, store, clock, choose } = await setUp(t)
  const { token } = await choose()
  for (let turn = 0; turn < 3; turn++) {
    clock.at += 60 * DAY - MINUTE
    t.not(await customers.ofToken(token), null)
  }
  t.is((await store.db('customers').first()).seen_at, clock.at)
  clock.at += 60 * DAY
  t.is(await customers.ofToken(token), null)
  t.is(await customers.ofToken('nonsense'), null)
  await choose()
  t.is((await store.db('customer_logins')).length, 1, 'what ended is swept at the next sign-in')
})

test('signing out ends this login alone', async (t) => {
  const { customers, choose, signIn } = await setUp(t)
  const [here, there] = [await choose(), await signIn({ pin })]
  await customers.signOut(here.token)
  await customers.signOut(here.token)
  t.is(await customers.ofToken(here.token), null)
  t.not(await customers.ofToken(there.token), null)
})

test('a code by SMS proves the number, once', async (t) => {
  const { customers, store, messages, signIn, lastCode } = await setUp(t, true)
  t.is(await customers.way(), 'sms')
  t.deepEqual(await customers.sendCode(typed, 'home'), { expiresInSeconds: 600, resendInSeconds: 30 })
  t.is(messages[0]!.phone, phone)
  t.regex(messages[0]!.text, /^\d{6} is your code for Caf Ada\. [\x20-\x7e]+$/)
  t.false(JSON.stringify(await store.db('sign_in_codes')).includes(lastCode()), 'the database holds no code')
  const { token, customer } = await signIn({ code: lastCode() })
  t.like(customer, { phone, confirmed: true })
  t.deepEqual(await customers.ofToken(token), { phone, confirmed: true })
  await t.throwsAsync(signIn({ code: lastCode() }), { code: 'not-signed-in' })
})

test('of many who use a code at once, one is signed in', async (t) => {
  const { customers, signIn, lastCode } = await setUp(t, true)
  await customers.sendCode(typed, 'home')
  const code = lastCode()
  const results = await Promise.allSettled(Array.from({ length: 5 }, () => signIn({ code })))
  t.is(results.filter(({ status }) => status === 'fulfilled').length, 1)
})

test('a code works ten minutes, for its number, and only while it is the newest', async (t) => {
  const { customers, clock, signIn, lastCode } = await setUp(t, true)
  await customers.sendCode(typed, 'home')
  const first = lastCode()
  clock.at += 30 * SECOND
  await customers.sendCode(typed, 'home')
  const second = lastCode()
  if (first !== second) await t.throwsAsync(signIn({ code: first }), { code: 'not-signed-in' })
  await t.throwsAsync(signIn({ phone: '0771000000', code: second }), { code: 'not-signed-in' })
  clock.at += 10 * MINUTE
  await t.throwsAsync(signIn({ code: second }), { code: 'not-signed-in' })
})

test('a code has five tries', async (t) => {
  const { customers, clock, signIn, lastCode } = await setUp(t, true)
  await customers.sendCode(typed, 'home')
  const wrong = (code: string) => String((Number(code) + 1) % 1_000_000).padStart(6, '0')
  for (let count = 0; count < 4; count++) await t.throwsAsync(signIn({ code: wrong(lastCode()) }), { code: 'not-signed-in' })
  await t.notThrowsAsync(signIn({ code: lastCode() }), 'the fifth')
  clock.at += MINUTE
  await customers.sendCode(typed, 'home')
  for (let count = 0; count < 5; count++) await t.throwsAsync(signIn({ code: wrong(lastCode()) }), { code: 'not-signed-in' })
  await t.throwsAsync(signIn({ code: lastCode() }), { code: 'not-signed-in' })
})

test('a number gets a code every thirty seconds, eight in a day; an address forty', async (t) => {
  const { customers, clock, messages } = await setUp(t, true)
  const many = await Promise.allSettled(Array.from({ length: 5 }, () => customers.sendCode(typed, 'a')))
  t.is(many.filter(({ status }) => status === 'fulfilled').length, 1)
  const soon = await t.throwsAsync<Refusal>(customers.sendCode(typed, 'a'), { code: 'too-many-tries' })
  t.is(soon.facts?.['retryAfterSeconds'], 30)
  for (let count = 0; count < 7; count++) {
    clock.at += 30 * SECOND
    await customers.sendCode(typed, `a${count}`)
  }
  clock.at += 30 * SECOND
  await t.throwsAsync(customers.sendCode(typed, 'z'), { code: 'too-many-tries' })
  t.is(messages.length, 8)
  clock.at += DAY
  await t.notThrowsAsync(customers.sendCode(typed, 'z'))

  for (let count = 0; count < 40; count++) await customers.sendCode(`07710000${10 + count}`, 'bomber')
  await t.throwsAsync(customers.sendCode('0771000099', 'bomber'), { code: 'too-many-tries' })
  await t.notThrowsAsync(customers.sendCode('0771000099', 'home'))
})

test('when the SMS company sends nothing the buyer is told what to do, the log says why, and the code is in neither', async (t) => {
  const { customers, company, logged, lastCode } = await setUp(t, true)
  company.refuses = true
  const refusal = await t.throwsAsync<Refusal>(customers.sendCode(typed, 'home'), { code: 'unavailable' })
  t.regex(refusal.message, /tell the staff/)
  t.regex(JSON.stringify(logged.flat(), ['err', 'message']), /no credit/)
  t.false(`${refusal.message} ${JSON.stringify(logged)}`.includes(lastCode()))
  await t.throwsAsync(customers.sendCode(typed, 'home'), { code: 'too-many-tries' }, 'what failed counts too')
})

test('the answer to asking for a code, and to a wrong one, is the same for customers and strangers', async (t) => {
  const { customers, signIn, lastCode, clock } = await setUp(t, true)
  await customers.sendCode(typed, 'home')
  await signIn({ code: lastCode() })
  clock.at += MINUTE
  t.deepEqual(await customers.sendCode(typed, 'x'), await customers.sendCode('0771000000', 'x'))
  const known = await t.throwsAsync<Refusal>(signIn({ code: '000000' }))
  const stranger = await t.throwsAsync<Refusal>(signIn({ phone: '0771000001', code: '000000' }))
  t.deepEqual([known.code, known.message, known.facts], [stranger.code, stranger.message, stranger.facts])
})

test('a code ends what others did under the number before it was proved', async (t) => {
  const { customers, company, choose, signIn, lastCode } = await setUp(t)
  const squatter = await choose(other)
  company.isOn = true
  await customers.sendCode(typed, 'home')
  const first = await signIn({ code: lastCode() })
  t.is(await customers.ofToken(squatter.token), null)
  t.not(await customers.ofToken(first.token), null)
  company.isOn = false
  await t.throwsAsync(signIn({ pin: other }), notAnswer)
})

test('a code ends the PIN of somebody else even after the owner paid for them, and no login made by a code', async (t) => {
  const { customers, clock, company, choose, confirm, signIn, lastCode } = await setUp(t)
  const squatter = await choose(other)
  await confirm()
  company.isOn = true
  const byCode = async () => {
    clock.at += MINUTE
    await customers.sendCode(typed, 'home')
    return signIn({ code: lastCode() })
  }
  const owner = await byCode()
  t.is(await customers.ofToken(squatter.token), null)
  t.like(await customers.find(phone), { hasPin: false, confirmed: true })
  const second = await byCode()
  for (const { token } of [owner, second]) t.deepEqual(await customers.ofToken(token), { phone, confirmed: true })
  company.isOn = false
  await t.throwsAsync(signIn({ pin: other }), notAnswer)
  await t.throwsAsync(choose(other), notAnswer)
})

test('one way of signing in is open at a time', async (t) => {
  const { customers, company, signIn } = await setUp(t)
  await t.throwsAsync(customers.sendCode(typed, 'home'), { code: 'conflict' })
  company.isOn = true
  await t.throwsAsync(signIn({ pin, isNew: true }), { code: 'conflict' })
})

test('staff see customers with what they have, and find them by a part of the number', async (t) => {
  const { customers, store, clock, choose, signIn } = await setUp(t)
  await choose()
  await insertSession(store, phone, clock.at - DAY, { status: 'expired' })
  const live = await insertSession(store, phone, clock.at, { status: 'connected' })
  await store.db('points').insert([
    { user_phone: phone, delta: 12, kind: 'corrected', at: 1 },
    { user_phone: phone, delta: -5, kind: 'corrected', at: 2 },
  ])
  clock.at += 1
  await signIn({ phone: '0700000001', pin, isNew: true })
  const all = await customers.page({ page: 1, pageSize: 50 })
  t.is(all.total, 2)
  t.deepEqual(
    all.customers.map((one) => one.phone),
    ['256700000001', phone],
  )
  t.like(all.customers[1], { confirmed: false, hasPin: true, points: 7, sessions: 2, liveSessionId: live })
  t.like(all.customers[0], { points: 0, sessions: 0, liveSessionId: null })
  t.deepEqual(await customers.find(phone), all.customers[1])
  t.is(await customers.find('256700000009'), undefined)
  for (const [search, found] of [
    ['0771 23', 1],
    ['+256 771', 1],
    ['00000', 1],
    ['256', 2],
    ['999', 0],
    ['%', 0],
  ] as const)
    t.is((await customers.page({ search, page: 1, pageSize: 50 })).total, found, search)
  const second = await customers.page({ page: 2, pageSize: 1 })
  t.deepEqual([second.total, second.customers.map((one) => one.phone)], [2, [phone]])
  clock.at += HOUR
  t.is((await customers.find(phone))?.liveSessionId, null)
})

test('of a forgotten customer nothing is left here', async (t) => {
  const { customers, store, choose, signIn } = await setUp(t)
  const { token } = await choose()
  await t.throwsAsync(signIn({ pin: other }), notAnswer)
  await store.transaction((tx) => customers.forget(tx, phone))
  await store.transaction((tx) => customers.forget(tx, phone))
  t.is(await customers.ofToken(token), null)
  for (const table of ['customers', 'customer_logins', 'sign_in_codes', 'pin_tries'])
    t.deepEqual(await store.db(table).where({ phone }), [], table)
})
