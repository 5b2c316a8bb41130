/** What the box keeps of customers, and of the owner's keys: told to whom it belongs, forgotten on demand, and never in clear. */
import { randomBytes, randomUUID } from 'node:crypto'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { Redis } from 'ioredis'
import { until } from '#lab/run.ts'
import type { PaystackControl } from '#test/emulators/paystack.ts'
import { controlOf } from '#test/emulators/control.ts'
import type { AfricasTalkingControl } from '#test/emulators/africas-talking.ts'
import { openShop, type Buyer, type Shop } from './buyers.ts'
import { askWith, programOf } from './programs.ts'

let shop: Shop
let pack: number

test.before(async () => {
  shop = await openShop('custdata', { phones: 2 })
  pack = await shop.offer({ pointsPrice: 5 })
})
test.afterEach.always(() => shop?.clear())
test.after.always(() => shop?.stop())

type Export = {
  madeAt: string
  customer: { phone: string }
  sessions: { id: number; devices: { mac: string }[] }[]
  payments: { reference: string }[]
  points: { balance: number; entries: object[] }
}

/** Every text and number of every table, where a number could be hiding. */
function findInLedger(wanted: string[]): string[] {
  const tables = shop.rows<{ name: string }>("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
  return tables.flatMap(({ name }) =>
    shop
      .rows<Record<string, unknown>>(`SELECT * FROM "${name}"`)
      .flatMap((row) =>
        Object.entries(row).flatMap(([column, value]) =>
          wanted.some((one) => String(value).includes(one)) ? [`${name}.${column}: ${String(value).slice(0, 200)}`] : [],
        ),
      ),
  )
}

/** A customer of whom the box knows all that it can know. */
async function wellKnown(): Promise<{ buyer: Buyer; references: string[] }> {
  const buyer = await shop.newcomer(shop.phone1)
  const first = await buyer.buy({ packageId: pack })
  await buyer.follow(first.reference, 'granted')
  await buyer.order({ packageId: pack })
  await buyer.passes()
  const path = `/api/admin/customers/${buyer.number}`
  await shop.api(`${path}/points`, { delta: 20, reason: 'a gift' })
  const program = await programOf(shop, ['sessions:read', 'sessions:write', 'usage:write'])
  const sessions = `/api/users/+${buyer.number}/sessions`
  const { session } = (await program('POST', sessions, { paymentMethod: 'Mobile Money', paymentReference: first.reference })).body
  await program('PUT', `${sessions}/${session!.id}/usage`, { dataUsed: 1000 })
  await program('PUT', `${sessions}/${session!.id}/disconnect`)
  await shop.clear()
  await buyer.ask('/api/points/redeem', { packageId: pack, key: randomUUID() })
  await shop.clear()
  const second = await buyer.buy({ packageId: pack })
  await buyer.follow(second.reference, 'granted')
  await shop.api(`/api/admin/payments/${second.number}/refund`, { reason: 'it did not work' })
  await until('the money is given back', async () => (await shop.staffView(second.number)).payment.refund === 'done', 20_000)
  await shop.momo.callbacksDone()
  await until('the callbacks are in the inbox', async () => (await shop.staffView(second.number)).inbox.length > 0, 10_000)
  await buyer.ask('/api/vouchers/redeem', { code: await shop.sell(), phone: `+${buyer.number}` })
  await asOwner()('POST', `${path}/reset-pin`)
  // A wrong PIN of somebody, and the right one of a new sign-in.
  await shop.buyer(shop.phone2).ask('/api/customers/sign-in', { phone: buyer.number, pin: '9352' })
  await buyer.ask('/api/customers/sign-in', { phone: `+${buyer.number}`, pin: '5082', isNew: true })
  return { buyer, references: [first.reference, second.reference] }
}

test.serial('customers get all that is kept of them, and nobody else does', async (t) => {
  const { buyer, references } = await wellKnown()
  const other = await shop.newcomer(shop.phone2)
  const { status, body } = await buyer.ask<Export>('/api/me/export')
  t.is(status, 200)
  t.is(body.customer.phone, buyer.number)
  t.deepEqual(body.payments.map(({ reference }) => reference).toSorted(), references.toSorted())
  const known = shop.rows('SELECT id FROM sessions WHERE user_phone = ?', buyer.number).length
  t.is(body.sessions.length, known)
  t.true(body.sessions.some(({ devices }) => devices.some(({ mac }) => mac === shop.phone1.mac)))
  t.true(body.points.entries.length >= 4)
  t.false(JSON.stringify(body).includes(other.number))
  t.is((await other.ask<Export>('/api/me/export')).body.payments.length, 0)
  t.notRegex(JSON.stringify(body), /pin_?hash|token/i)
})

for (const [who, forget] of [
  ['the customer', (buyer: Buyer) => buyer.ask('/api/me', undefined, 'DELETE')],
  ['the owner', ({ number }: Buyer) => asOwner()('DELETE', `/api/admin/customers/${number}`)],
] as const)
  test.serial(`when ${who} deletes a customer, nothing of the number is left in any table`, async (t) => {
    const { buyer, references } = await wellKnown()
    const wanted = [buyer.number, buyer.number.slice(3)]
    t.true(findInLedger(wanted).length > 5)
    const books = () => shop.rows('SELECT status, amount_minor, refund FROM payments WHERE reference IN (?, ?)', ...references)
    const before = books()
    t.is((await forget(buyer)).status, 204)
    t.deepEqual(findInLedger(wanted), [])
    t.deepEqual(books(), before, 'what was sold stays in the books')
    t.is((await buyer.ask('/api/me/history')).status, 401, 'every login is over')
    t.is((await asOwner()('GET', `/api/admin/customers/${buyer.number}`)).status, 404)
    t.is(
      (await buyer.ask('/api/customers/sign-in', { phone: buyer.number, pin: '5082', isNew: true })).status,
      200,
      'and the number is free',
    )
    t.is(await buyer.points(), 0)
    t.deepEqual((await buyer.ask('/api/me/history')).body, { sessions: [], payments: [] })
  })

test.serial('while a payment is open its customer is not forgotten: the money would belong to nobody', async (t) => {
  const buyer = await shop.newcomer(shop.phone1)
  await shop.momo.behave(buyer.number, { does: 'wait' })
  const { reference } = await buyer.buy({ packageId: pack })
  await buyer.follow(reference, 'pending')
  t.is((await buyer.ask('/api/me', undefined, 'DELETE')).status, 409)
  await shop.momo.approve(reference)
  await buyer.follow(reference, 'granted')
  t.is((await buyer.ask('/api/me', undefined, 'DELETE')).status, 204)
  t.true(await buyer.passes(), 'what was paid for goes on, without a name')
})

test.serial(
  'no key of a payment or SMS company is anywhere in clear: not in logs, the database, Redis, answers or the audit log',
  async (t) => {
    const secrets = Object.fromEntries(
      ['subscriptionKey', 'apiKey', 'secretKey', 'atKey', 'wrong'].map((name) => [name, `zz${randomBytes(16).toString('hex')}`]),
    )
    const { subscriptionKey, apiKey, atKey, wrong } = secrets as Record<string, string>
    const secretKey = `sk_test_${secrets['secretKey']}`
    const outside = async (url: string, asked: { method: string; headers: Record<string, string>; body: string }) => {
      const { status, text } = await shop.outside({ ...asked, url })
      return { status, text: async () => text }
    }
    const origin = `http://${shop.lab.internet.address}`
    const paystack = controlOf<PaystackControl>(`${origin}:9102`, outside)
    const sms = controlOf<AfricasTalkingControl>(`${origin}:9103`, outside)
    await shop.momo.set({ subscriptionKey: subscriptionKey!, apiKey: apiKey! })
    await paystack.set({ secretKey })
    await sms.set({ apiKey: atKey! })
    const enter = (name: string, values: object) => shop.api(`/api/admin/accounts/${name}`, { enabled: true, values }, 'PATCH')
    const check = (name: string) => shop.api<{ ok: boolean; words: string }>(`/api/admin/accounts/${name}/test`, {})
    // First as owners do it: with a mistake, which is tried out and complained of.
    await enter('mtn-momo', { apiKey: wrong })
    await enter('paystack', { secretKey: `sk_test_${wrong}` })
    await enter('africas-talking', { baseUrl: `${origin}:9103`, username: 'sandbox', apiKey: wrong })
    const told = await Promise.all(['mtn-momo', 'paystack', 'africas-talking'].map(check))
    t.deepEqual(
      told.map(({ ok }) => ok),
      [false, false, false],
    )
    const phone = shop.buyer(shop.phone1)
    await phone.ask('/api/customers/code', { phone: '+256773000001' })
    await enter('mtn-momo', { subscriptionKey, apiKey })
    await enter('paystack', { secretKey })
    await enter('africas-talking', { apiKey: atKey })
    told.push(...(await Promise.all(['mtn-momo', 'paystack', 'africas-talking'].map(check))))
    t.deepEqual(
      told.slice(3).map(({ ok, words }) => ok || words),
      [true, true, true],
    )
    await phone.ask('/api/customers/code', { phone: '+256773000002' })
    const code = (await sms.messages('+256773000002'))[0]!.text.slice(0, 6)
    t.is((await phone.ask('/api/customers/sign-in', { phone: '+256773000002', code })).status, 200)
    const { reference } = await phone.buy({ packageId: pack })
    await phone.follow(reference, 'granted')
    const naira = await shop.offer({ currency: 'NGN', priceMinor: 100_000 })
    await phone.order({ packageId: naira, provider: 'paystack', topUp: true })
    t.is(
      (await shop.api<{ accounts: { fields: { value: string; secret: boolean }[] }[] }>('/api/admin/accounts')).accounts
        .flatMap(({ fields }) => fields)
        .filter((field) => field.secret && field.value !== '').length,
      0,
    )

    const answers = await Promise.all(
      ['accounts', 'audit?pageSize=200', 'overview', 'settings', 'inbox', 'payments', 'box', 'keys'].map(async (path) => [
        `GET ${path}`,
        JSON.stringify(await shop.api(`/api/admin/${path}`)),
      ]),
    )
    const token = await cookieOf()
    const redis = new Redis({ path: join(shop.lab.runDir, 'redis.sock') })
    const inRedis: [string, string][] = []
    for (const key of await redis.keys('*')) inRedis.push([`redis ${key}`, `${key} ${await contentOf(redis, key)}`])
    redis.disconnect()
    t.true(inRedis.length > 3)
    const files = [...filesBelow(shop.lab.logDir), ...filesBelow(shop.lab.dataDir)].map((path): [string, string] => [
      path,
      readFileSync(path, 'latin1'),
    ])
    for (const name of ['kswifi.db', 'kswifi.db-wal', 'server.log', 'worker.log'])
      t.true(
        files.some(([path]) => path.endsWith(name)),
        name,
      )
    t.true(
      files.some(([path, text]) => path.includes('kswifi.db') && text.includes(reference)),
      'what is searched is what is there',
    )
    const hidden = [subscriptionKey!, apiKey!, secrets['secretKey']!, atKey!, wrong!, shop.lab.admin.apiKey, token]
    const encoded = hidden.flatMap((one) => [one, Buffer.from(one).toString('base64').replace(/=+$/, ''), Buffer.from(one).toString('hex')])
    for (const [where, text] of [...answers, ...inRedis, ...files, ['answers of the tests', JSON.stringify(told)]] as [string, string][])
      for (const one of encoded) t.false(text.includes(one), `${where} holds ${one.slice(0, 6)}…`)
    const logs = files.filter(([path]) => path.endsWith('.log'))
    for (const [path, text] of logs) t.false(text.includes(`${code} is your code`), `${path} holds the code of a message`)
  },
)

/** A token of a customer's cookie, as the browser has it. */
async function cookieOf(): Promise<string> {
  await shop.api('/api/admin/accounts/africas-talking', { enabled: false }, 'PATCH')
  const answer = await fetch(`${shop.lab.url}/api/customers/sign-in`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ phone: '+256773000009', pin: '4711', isNew: true }),
  })
  const set = answer.headers.getSetCookie().find((one) => one.startsWith('kswifi_customer='))!
  return /^kswifi_customer=([^;]+)/.exec(set)![1]!
}

const asOwner = () => askWith(shop.lab.url, { authorization: `Bearer ${shop.lab.admin.apiKey}` })

async function contentOf(redis: Redis, key: string): Promise<string> {
  const type = await redis.type(key)
  if (type === 'string') return (await redis.get(key)) ?? ''
  if (type === 'hash') return JSON.stringify(await redis.hgetall(key))
  if (type === 'list') return JSON.stringify(await redis.lrange(key, 0, -1))
  if (type === 'set') return JSON.stringify(await redis.smembers(key))
  if (type === 'zset') return JSON.stringify(await redis.zrange(key, '0', '-1'))
  return type === 'stream' ? JSON.stringify(await redis.xrange(key, '-', '+')) : ''
}

function filesBelow(dir: string): string[] {
  return readdirSync(dir, { recursive: true, encoding: 'utf8' })
    .map((name) => join(dir, name))
    .filter((path) => statSync(path, { throwIfNoEntry: false })?.isFile())
}
