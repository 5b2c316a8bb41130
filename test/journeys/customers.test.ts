import { randomUUID } from 'node:crypto'
import test from 'ava'
import { until } from '#lab/run.ts'
import { MB } from '#server/units.ts'
import { africasTalkingDefaults, type AfricasTalkingControl } from '#test/emulators/africas-talking.ts'
import { controlOf } from '#test/emulators/control.ts'
import { openShop, type Buyer, type No, type Said, type Shop } from './buyers.ts'
import { askWith, withoutRequestId } from './programs.ts'

let shop: Shop
let sms: AfricasTalkingControl
let pack: number

test.before(async () => {
  shop = await openShop('cust', { phones: 2 })
  pack = await shop.offer({ pointsPrice: 30 })
  sms = controlOf<AfricasTalkingControl>(`http://${shop.lab.internet.address}:9103`, async (url, asked) => {
    const { status, text } = await shop.outside({ ...asked, url })
    return { status, text: async () => text }
  })
})
test.afterEach.always(() => shop?.clear())
test.after.always(() => shop?.stop())

type Refused = { error: { code: string; message: string; details?: { retryAfterSeconds?: number } } }
type Points = { balance: number; entries: { delta: number; kind: string; reason: string; by: string }[] }

const signIn = (buyer: { ask: Buyer['ask'] }, number: string, how: object) =>
  buyer.ask<Refused & { customer: { phone: string; confirmed: boolean } }>('/api/customers/sign-in', { phone: `+${number}`, ...how })
const isIn = async (buyer: { ask: Buyer['ask'] }) => (await buyer.ask('/api/me/history')).status === 200
const signOut = (buyer: { ask: Buyer['ask'] }) => buyer.ask('/api/customers/sign-out', {})
const pointsOf = (number: string) => shop.api<Points>(`/api/admin/customers/${number}/points`)
/** As if so much time had passed since the last codes. */
const later = (ms: number) => shop.change('UPDATE sign_in_codes SET sent_at = sent_at - ?, expires_at = expires_at - ?', ms, ms)
/** Wrong tries count for ten minutes: the next test begins with none. */
const forgetTries = () => shop.change('DELETE FROM pin_tries')

/** Somebody who has bought a package. */
async function paid(phone = shop.phone1) {
  const buyer = await shop.newcomer(phone)
  const { reference, number } = await buyer.buy({ packageId: pack })
  const { sessionId } = await buyer.follow(reference, 'granted')
  return { buyer, reference, payment: number, id: sessionId! }
}

test.serial(
  'a PIN is chosen at the first purchase, and is asked for on the next phone; a wrong one says what an unknown number says',
  async (t) => {
    const { buyer } = await paid()
    const other = shop.buyer(shop.phone2)
    const wrong = await signIn(other, buyer.number, { pin: '9352' })
    t.like(wrong, { status: 401, body: { error: { code: 'not-signed-in' } } })
    const unknown = await signIn(other, '256770000001', { pin: '9352' })
    t.is(withoutRequestId(JSON.stringify(unknown)), withoutRequestId(JSON.stringify(wrong)))
    const takeOver = await signIn(other, buyer.number, { pin: '9352', isNew: true })
    t.is(withoutRequestId(JSON.stringify(takeOver)), withoutRequestId(JSON.stringify(wrong)), 'nor can anybody choose another PIN')
    t.false(await isIn(other))
    const right = await signIn(other, buyer.number, { pin: '4711' })
    t.like(right, { status: 200, body: { customer: { phone: buyer.number, confirmed: true } } })
    t.true(await isIn(other))
    t.true(await isIn(buyer), 'and the first phone stays signed in')
    for (const pin of ['1234', '0000', '9876', '12', '123456789', 'abcd'])
      t.is((await signIn(other, '256770000002', { pin, isNew: true })).status, 400, pin)
    await signOut(other)
  },
)

test.serial('guessing a PIN stops after five tries from one place, whoever is signed in stays so, and staff help', async (t) => {
  forgetTries()
  const { buyer } = await paid()
  const guesser = shop.buyer(shop.phone2)
  const guesses: Said<Refused>[] = []
  for (const pin of ['2001', '2003', '2005', '2007', '2009', '4711']) guesses.push(await signIn(guesser, buyer.number, { pin }))
  t.deepEqual(
    guesses.map(({ status }) => status),
    [401, 401, 401, 401, 401, 429],
    'and then not even the right one is heard',
  )
  const wait = guesses[5]!.body.error.details?.retryAfterSeconds ?? 0
  t.true(wait > 0 && wait <= 600)
  t.true(await isIn(buyer))

  const cashier = askWith(shop.lab.url, { authorization: `Bearer ${await keyOf('cashier')}` })
  t.is((await cashier('POST', `/api/admin/customers/${buyer.number}/reset-pin`)).status, 204)
  t.false(await isIn(buyer), 'every login ends')
  t.is((await signIn(guesser, buyer.number, { pin: '4711' })).status, 401, 'the old PIN is gone')
  t.is((await signIn(buyer, buyer.number, { pin: '5082', isNew: true })).status, 200, 'a new one is chosen')
  t.is((await signIn(guesser, buyer.number, { pin: '6093', isNew: true })).status, 401, 'once')
  t.is((await signIn(buyer, buyer.number, { pin: '5082' })).status, 200)
  t.is((await cashier('POST', '/api/admin/customers/256770000003/reset-pin')).status, 404)
  forgetTries()
})

test.serial('a cookie that is forged, or whose owner signed out, opens nothing', async (t) => {
  const { buyer } = await paid()
  const answer = await fetch(`${shop.lab.url}/api/customers/sign-in`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ phone: `+${buyer.number}`, pin: '4711' }),
  })
  t.is(answer.status, 200)
  const set = answer.headers.getSetCookie().find((one) => one.startsWith('kswifi_customer='))!
  t.regex(set, /httponly/i)
  t.regex(set, /samesite=lax/i)
  const [, token] = /^kswifi_customer=([^;]+)/.exec(set)!
  const withCookie = (cookie: string) => askWith(shop.lab.url, { cookie })
  t.is((await withCookie(`kswifi_customer=${token}`)('GET', '/api/me/points')).status, 200)
  const hash = shop.rows<{ token_hash: string }>('SELECT token_hash FROM customer_logins WHERE phone = ?', buyer.number)[0]!.token_hash
  const forged = [buyer.number, `${token!.slice(0, -2)}xx`, hash, token!.toUpperCase(), '', "' OR 1=1 --"]
  for (const one of forged)
    for (const path of ['/api/me/points', '/api/me/history', '/api/me/export', `/api/users/${buyer.number}/session-status/hotspot_1`])
      t.is((await withCookie(`kswifi_customer=${encodeURIComponent(one)}`)('GET', path)).status, 401, `${one} ${path}`)
  t.is((await withCookie(`kswifi_customer=${encodeURIComponent(forged[0]!)}`)('DELETE', '/api/me')).status, 401)
  t.is((await withCookie(`kswifi_customer=${token}`)('POST', '/api/customers/sign-out')).status, 204)
  t.is((await withCookie(`kswifi_customer=${token}`)('GET', '/api/me/points')).status, 401, 'a copy of it is worth nothing either')
  t.true(await isIn(buyer), 'other phones stay signed in')
})

test.serial('points are earned, redeemed, corrected with a reason, and taken back by a refund; the sum is the balance', async (t) => {
  const { buyer, payment } = await paid()
  t.is(await buyer.points(), 10, '1,000 shillings at 100 a point')
  const path = `/api/admin/customers/${buyer.number}/points`
  const cashier = askWith(shop.lab.url, { authorization: `Bearer ${await keyOf('cashier')}` })
  t.is((await cashier('POST', path, { delta: 50, reason: 'a gift' })).status, 403, 'only an owner corrects')
  for (const bad of [{ delta: 50 }, { delta: 0, reason: 'nothing' }, { delta: 1.5, reason: 'half' }, { delta: 50, reason: '  ' }])
    await t.throwsAsync(() => shop.api(path, bad), { message: /400/ })
  await shop.api(path, { delta: 50, reason: 'lost voucher' })
  t.is(await buyer.points(), 60)
  await shop.clear()
  const redeemed = await buyer.ask<{ outcome: string }>('/api/points/redeem', { packageId: pack, key: randomUUID() })
  t.is(redeemed.body.outcome, 'opened')
  t.true(await buyer.passes())
  t.is(await buyer.points(), 30)

  await shop.api(`/api/admin/payments/${payment}/refund`, { reason: 'it did not work' })
  await until('the money is given back', async () => (await shop.staffView(payment)).payment.refund === 'done', 20_000)
  t.is(await buyer.points(), 20, 'what it earned is taken back')
  await t.throwsAsync(() => shop.api(`/api/admin/payments/${payment}/refund`, { reason: 'again' }), { message: /409/ })
  const { balance, entries } = await pointsOf(buyer.number)
  t.deepEqual(
    entries.map(({ delta, kind }) => [kind, delta]),
    [
      ['taken-back', -10],
      ['redeemed', -30],
      ['corrected', 50],
      ['earned', 10],
    ],
  )
  t.is(
    entries.reduce((sum, { delta }) => sum + delta, 0),
    balance,
  )
  t.like(entries[2], { reason: 'lost voucher' })
  t.truthy(entries[2]!.by)
  const [own] = (await buyer.ask<Points>('/api/me/points')).body.entries
  t.is(own?.kind, 'taken-back')
})

test.serial('a free package is given without a sign-in, once for a device and once for a number', async (t) => {
  const customerLimit = { group: 'gifts', count: 1, bytes: null, days: 1 }
  const free = await shop.offer({ priceMinor: 0, dataLimit: 5 * MB, customerLimit })
  const phone = shop.buyer(shop.phone2)
  await signOut(phone)
  t.is((await phone.order({ packageId: free, provider: 'cash' })).status, 400, 'there is nothing to pay')
  t.is((await phone.order({ packageId: pack, provider: 'free' })).status, 400, 'and what costs is not free')
  const given = await phone.order({ packageId: free, provider: 'free' })
  t.is(given.body.outcome, 'paid')
  t.true(await phone.passes())
  t.is((await phone.order({ packageId: free, provider: 'free' })).body.outcome, 'resumed')
  await shop.clear()
  const second = await phone.order({ packageId: free, provider: 'free' })
  t.like(second, { status: 409, body: { error: { code: 'limit-reached' } } })
  const named = await shop.newcomer(shop.phone1)
  t.is((await named.order({ packageId: free, provider: 'free' })).body.outcome, 'paid')
  await shop.clear()
  const moved = shop.buyer(shop.phone1)
  await signOut(moved)
  t.is((await moved.order({ packageId: free, provider: 'free' })).status, 409, 'the device of that number has had it')
})

test.serial('cash needs no sign-in: the device says a number at the desk, the cashier confirms, once', async (t) => {
  const phone = shop.buyer(shop.phone2)
  await signOut(phone)
  t.is((await phone.order({ packageId: pack })).status, 401, 'mobile money belongs to a number')
  t.is((await phone.ask('/api/points/redeem', { packageId: pack, key: randomUUID() })).status, 401)
  const asked = await phone.buy({ packageId: pack, provider: 'cash' })
  t.like(asked, { kind: 'desk', userPhone: null, words: `Pay at the counter and say number ${asked.number}.` })
  t.false(await phone.passes())
  t.is((await shop.buyer(shop.phone1).ask(`/api/payments/${asked.reference}`)).status, 404, 'another device does not see it')
  const again = await phone.order({ packageId: pack, provider: 'cash' })
  t.like(again.body, { outcome: 'pending', payment: { number: asked.number } }, 'asking again is the same payment')
  const cashier = askWith(shop.lab.url, { authorization: `Bearer ${await keyOf('cashier')}` })
  const confirm = () => cashier('POST', `/api/admin/payments/${asked.number}/confirm`)
  t.is((await phone.ask(`/api/admin/payments/${asked.number}/confirm`, {})).status, 401)
  const answers = await Promise.all(Array.from({ length: 8 }, confirm))
  t.true(answers.every(({ status }) => status === 200 || status === 409))
  const done = await phone.follow(asked.reference, 'granted')
  t.is(done.outcome, 'opened')
  t.true(await phone.passes())
  t.is(shop.rows('SELECT id FROM purchases WHERE payment_id = ?', asked.number).length, 1)
  t.is((await shop.staffView(asked.number)).payment.confirmedBy, 'key:cashier key')
  t.is((await cashier('POST', `/api/admin/payments/${asked.number}/refund`, { reason: 'wrong amount' })).status, 403, 'an owner refunds')
  const { payment } = await paid(shop.phone1)
  t.is((await cashier('POST', `/api/admin/payments/${payment}/confirm`)).status, 409, 'only cash is confirmed by hand')
})

test.serial('sign-in by a code in a message: six digits, once, for one number, and only the newest', async (t) => {
  const { address } = shop.lab.internet
  const values = { baseUrl: `http://${address}:9103`, username: africasTalkingDefaults.username, apiKey: africasTalkingDefaults.apiKey }
  await shop.api('/api/admin/accounts/africas-talking', { enabled: true, values }, 'PATCH')
  const phone = shop.buyer(shop.phone1)
  await signOut(phone)
  const [number, other] = ['256772000001', '256772000002']
  const ask = (to = number) => phone.ask<Refused>('/api/customers/code', { phone: `+${to}` })
  const { body: portal } = await phone.ask<{ services: { signIn: string } }>('/api/portal')
  t.is(portal.services.signIn, 'sms')
  t.is((await signIn(phone, number, { pin: '4711', isNew: true })).status, 409, 'a PIN is for venues that send no codes')

  const answers = await Promise.all(Array.from({ length: 10 }, () => ask()))
  const sent = answers.filter(({ status }) => status === 202)
  t.is(sent.length, 1, 'ten taps send one message')
  t.deepEqual(sent[0]!.body as object, { expiresInSeconds: 600, resendInSeconds: 30 })
  const early = answers.find(({ status }) => status !== 202)!
  t.like(early, { status: 429, body: { error: { code: 'too-many-tries' } } })
  const wait = early.body.error.details!.retryAfterSeconds!
  t.true(wait > 0 && wait <= 30)
  const messages = await sms.messages(`+${number}`)
  t.is(messages.length, 1)
  const code = /^(\d{6}) is your code/.exec(messages[0]!.text)![1]!
  t.true(messages[0]!.text.length <= 160)

  const wrong = String((Number(code) + 1) % 1_000_000).padStart(6, '0')
  t.like(await signIn(phone, number, { code: wrong }), { status: 401, body: { error: { code: 'not-signed-in' } } })
  t.is((await signIn(phone, other, { code })).status, 401, 'it is for no other number')
  for (const bad of ['12345', '1234567', 'abcdef', '']) t.is((await signIn(phone, number, { code: bad })).status, 400, bad)
  t.like(await signIn(phone, number, { code }), { status: 200, body: { customer: { phone: number, confirmed: true } } })
  t.true(await isIn(phone))
  t.is((await signIn(phone, number, { code })).status, 401, 'and once')

  later(31_000)
  t.is((await ask()).status, 202)
  later(31_000)
  t.is((await ask()).status, 202)
  const [, first, second] = (await sms.messages(`+${number}`)).map(({ text }) => text.slice(0, 6))
  t.is((await signIn(phone, number, { code: first })).status, 401, 'only the newest counts')
  later(600_000)
  t.is((await signIn(phone, number, { code: second })).status, 401, 'for ten minutes')
})

test.serial('a code is good for five tries, and a number gets eight in a day', async (t) => {
  const phone = shop.buyer(shop.phone1)
  const number = '256772000003'
  const ask = () => phone.ask<Refused>('/api/customers/code', { phone: `+${number}` })
  const newest = async () => (await sms.messages(`+${number}`)).at(-1)!.text.slice(0, 6)
  t.is((await ask()).status, 202)
  const code = await newest()
  const wrong = String((Number(code) + 1) % 1_000_000).padStart(6, '0')
  const tries = await Promise.all(Array.from({ length: 5 }, () => signIn(phone, number, { code: wrong })))
  t.true(tries.every(({ status }) => status === 401))
  t.is((await signIn(phone, number, { code })).status, 401, 'now the right one is worth nothing either')
  for (let sent = 1; sent < 8; sent++) {
    later(31_000)
    t.is((await ask()).status, 202, `code ${sent + 1}`)
  }
  later(31_000)
  const ninth = await ask()
  t.is(ninth.status, 429)
  t.true(ninth.body.error.details!.retryAfterSeconds! > 3600)
  t.is((await sms.messages(`+${number}`)).length, 8)
  t.is((await signIn(phone, number, { code: await newest() })).status, 200)
  t.is((await phone.ask('/api/customers/code', { phone: '12' })).status, 400)
})

test.serial('an address gets forty codes in a day, whatever the numbers, and other phones are not held up by it', async (t) => {
  const [phone, other] = [shop.buyer(shop.phone1), shop.buyer(shop.phone2)]
  const ask = (who: { ask: Buyer['ask'] }, number: string) => who.ask<Refused>('/api/customers/code', { phone: `+${number}` })
  t.is((await ask(phone, '256772100000')).status, 202)
  const { address } = shop.rows<{ address: string }>('SELECT address FROM sign_in_codes WHERE phone = ?', '256772100000')[0]!
  const sent = () => shop.rows<{ n: number }>('SELECT count(*) AS n FROM sign_in_codes WHERE address = ?', address)[0]!.n
  for (let n = sent(); n < 40; n++)
    shop.change(
      "INSERT INTO sign_in_codes (phone, address, code_hash, sent_at, expires_at) VALUES (?, ?, '', ?, 0)",
      `2567721001${n}`,
      address,
      Date.now() - 60_000,
    )
  t.is((await ask(phone, '256772200000')).status, 429)
  t.is((await sms.messages('+256772200000')).length, 0)
  t.is((await ask(other, '256772200000')).status, 202)
  shop.change('DELETE FROM sign_in_codes')
})

test.serial('where no message can be sent, the words say so, and the owner is told', async (t) => {
  const phone = shop.buyer(shop.phone1)
  await sms.answerFor('+256772000004', 406)
  const blocked = await phone.ask<No>('/api/customers/code', { phone: '+256772000004' })
  t.like(blocked, { status: 503, body: { error: { code: 'unavailable' } } })
  await shop.api('/api/admin/accounts/africas-talking', { values: { apiKey: 'wrong-key-of-somebody' } }, 'PATCH')
  const refused = await phone.ask<No>('/api/customers/code', { phone: '+256772000005' })
  t.is(refused.status, 503)
  t.regex(refused.body.error.message, /voucher/i)
  const { alarms } = await shop.api<{ alarms: { kind: string; words: string }[] }>('/api/admin/overview')
  t.true(alarms.some(({ kind }) => kind === 'sms'))
  t.false(JSON.stringify(alarms).includes('wrong-key-of-somebody'))
  await shop.api('/api/admin/accounts/africas-talking', { enabled: false }, 'PATCH')
})

async function keyOf(role: 'owner' | 'cashier'): Promise<string> {
  return (await shop.api<{ apiKey: string }>('/api/admin/keys', { name: `${role} key`, role })).apiKey
}
