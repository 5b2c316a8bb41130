import { randomUUID } from 'node:crypto'
import test from 'ava'
import { openShop, type Buyer, type No, type Shop } from './buyers.ts'
import { askWith, type Told } from './programs.ts'

let shop: Shop
let buyer: Buyer
let pack: number
let owner: ReturnType<typeof askWith>

test.before(async () => {
  shop = await openShop('badpay', { phones: 2 })
  pack = await shop.offer({ pointsPrice: 10 })
  buyer = await shop.newcomer(shop.phone1)
  await shop.api(`/api/admin/customers/${buyer.number}/points`, { delta: 1000, reason: 'a gift' })
  owner = askWith(shop.lab.url, { authorization: `Bearer ${shop.lab.admin.apiKey}` })
})
test.after.always(() => shop?.stop())

const key = () => randomUUID()

/** How much there is of everything; what the box notes of itself does not count. */
function counts(): Record<string, number> {
  const tables = shop.rows<{ name: string }>("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
  const own = /^(settings|report_|knex)/
  return Object.fromEntries(
    tables
      .filter(({ name }) => !own.test(name))
      .map(({ name }) => [name, shop.rows<{ n: number }>(`SELECT count(*) AS n FROM "${name}"`)[0]!.n]),
  )
}

/** A right body, with one thing after the other made wrong. */
function spoilt(right: Record<string, unknown>, wrong: Record<string, unknown[]>): object[] {
  const missing = Object.keys(right).map((name) => Object.fromEntries(Object.entries(right).filter(([other]) => other !== name)))
  const replaced = Object.entries(wrong).flatMap(([name, values]) => values.map((value) => ({ ...right, [name]: value })))
  return [...missing, ...replaced, { ...right, unknown: 1 }]
}

const noNumber = ['1', null, 1.5, -1, 0, 1e99, [], {}, true]
const noText = [null, 5, [], {}, true, '', 'x'.repeat(5000)]
const noPlace = [
  null,
  'here',
  [],
  { latitude: 0 },
  { latitude: 91, longitude: 0 },
  { latitude: 0, longitude: 181 },
  { latitude: '0', longitude: '0' },
]

const pay = () => ({ packageId: pack, provider: 'mtn-momo', key: key() })
const payWrong = {
  packageId: noNumber,
  key: [...noText, 'short', 'with a space', 'x'.repeat(65), "'; DROP TABLE payments --"],
  hotspotId: [...noText, '../etc/passwd', 'a b', 'ü'],
  coordinates: noPlace,
  topUp: ['yes', null, 1],
  amountMinor: [0, 1, 1000],
  currency: ['UGX'],
  status: ['paid'],
}

test.serial('whatever a customer sends that buys: a clear no, and nothing is half made', async (t) => {
  const number = buyer.number
  const sessions = `/api/users/${number}/sessions`
  const open = { paymentMethod: 'voucher', paymentReference: 'ABCD-EFGH-JK' }
  const { provider: _, ...points } = pay()
  const asks: [method: string, path: string, bodies: object[]][] = [
    [
      'POST',
      '/api/payments',
      spoilt(pay(), { ...payWrong, provider: [...noText, 'bitcoin', 'MTN-MOMO'], phone: noText.filter((one) => one !== '') }),
    ],
    ['POST', '/api/points/redeem', spoilt(points, { ...payWrong, provider: ['cash'] })],
    [
      'POST',
      sessions,
      spoilt(open, {
        paymentMethod: [...noText, 'cash', 'free', 'mobile money'],
        paymentReference: [...noText, 'abc', '   ', 'x'.repeat(65)],
        packageId: ['', 'package_', 'package_-1', 'package_1.5', 'package_1e99', 'voucher_1', 0, -1, null, {}, []],
        hotspotId: [...noText, '../x', 'a b'],
        latitude: ['0', 91, null],
        longitude: ['0', 181, null],
        topUp: ['yes', null],
        startTime: ['2026-01-01T00:00:00Z'],
        userPhone: [number],
      }),
    ],
    ['POST', '/api/customers/code', spoilt({ phone: '+256771999999' }, { phone: [...noText, 'abc', '+', '12', '+1'] })],
    [
      'POST',
      '/api/customers/sign-in',
      spoilt(
        { phone: '+256771999999', pin: '4711' },
        { phone: [...noText, 'abc', '12'], pin: [...noText, '1', '12345678901', '４７１１'], code: ['123456', 1], isNew: ['yes', null] },
      ),
    ],
  ]
  const before = counts()
  let asked = 0
  for (const [method, path, bodies] of asks) {
    for (const body of bodies) {
      const said = await buyer.ask<No>(path, body, method)
      const what = `${method} ${path} ${JSON.stringify(body).slice(0, 120)}: ${said.status} ${JSON.stringify(said.body).slice(0, 200)}`
      t.is(said.status, 400, what)
      t.is(said.body?.error?.code, 'bad-input', what)
      t.true((said.body?.error?.message ?? '').length > 10, what)
      asked++
    }
  }
  t.log(`${asked} requests`)
  t.deepEqual(counts(), before)
  t.is((await shop.momo.charges()).length, 0, 'and MTN heard of none of them')
})

test.serial('whatever a router or the owner sends: a clear no, and nothing is half made', async (t) => {
  const { apiKey } = await shop.api<{ apiKey: string }>('/api/admin/keys', { name: 'router', role: null, scopes: ['usage:write'] })
  const router = askWith(shop.lab.url, { authorization: `Bearer ${apiKey}` })
  const before = counts()
  const asks: [who: typeof router, method: string, path: string, bodies: object[]][] = [
    [
      router,
      'PUT',
      `/api/users/${buyer.number}/sessions/session_1/usage`,
      spoilt({ dataUsed: 1 }, { dataUsed: [...noNumber.filter((one) => one !== 0), 2 ** 53] }),
    ],
    [
      owner,
      'POST',
      `/api/admin/customers/${buyer.number}/points`,
      spoilt({ delta: 5, reason: 'a gift' }, { delta: [...noNumber.filter((one) => one !== -1), 1_000_001], reason: noText }),
    ],
    [
      owner,
      'POST',
      '/api/admin/hotspots',
      spoilt(
        { name: 'Harbour' },
        {
          name: noText,
          latitude: [0, '0', 91],
          longitude: [0, '0', 181],
          radiusM: ['500', 9, 50_001, 1.5, null],
          status: ['ajar', null],
          here: ['yes', null],
          hotspotId: noText,
          place: [5, null],
          ssid: ['x'.repeat(33)],
        },
      ),
    ],
    [owner, 'PATCH', '/api/admin/hotspots/1', [{}, { name: '' }, { radiusM: 0 }, { latitude: 5 }, { hotspotId: 'other' }, { unknown: 1 }]],
    [
      owner,
      'PATCH',
      '/api/admin/accounts/mtn-momo',
      [
        {},
        { enabled: 'yes' },
        { values: [] },
        { values: { nope: 'x' } },
        { values: { apiKey: 5 } },
        { values: { apiKey: 'two words' } },
        { values: { baseUrl: 'javascript:alert(1)' } },
        { values: { baseUrl: 'file:///etc/passwd' } },
        { values: { apiUser: 'nobody' } },
        { values: { targetEnvironment: 'mars' } },
        { values: { __proto__: 'x', constructor: 'y' } },
        { secret: 'x' },
      ],
    ],
    [
      owner,
      'POST',
      '/api/admin/payments/1/refund',
      spoilt({ reason: 'it did not work' }, { reason: noText, endSession: ['yes', null] }).filter(
        (body) => 'reason' in body || Object.keys(body).length === 0,
      ),
    ],
    [
      owner,
      'POST',
      '/api/admin/keys',
      [
        { name: 'x', role: null },
        { name: 'x', role: null, scopes: [] },
        { name: 'x', scopes: ['all'] },
        { name: '', role: 'owner' },
        { name: 'x', role: 'king' },
      ],
    ],
    [
      owner,
      'POST',
      '/api/admin/packages',
      [{ pointsPrice: 0 }, { pointsPrice: 1.5 }, { pointsPrice: '5' }].map((one) => ({
        name: 'x',
        dataLimit: 1,
        durationSeconds: 60,
        priceMinor: 0,
        ...one,
      })),
    ],
    [
      owner,
      'PATCH',
      '/api/admin/settings',
      [
        { country: 'Uganda' },
        { currency: 'sh' },
        { publicUrl: 'ftp://x' },
        { publicUrl: 'https://x/path' },
        { pointsPerMinor: 0 },
        { tileUrl: 'x' },
        { tileUrl: 'javascript:{z}' },
      ],
    ],
  ]
  for (const [who, method, path, bodies] of asks) {
    for (const body of bodies) {
      const { status, body: said } = await who(method, path, body)
      const what = `${method} ${path} ${JSON.stringify(body).slice(0, 120)}: ${status} ${JSON.stringify(said).slice(0, 200)}`
      t.is(status, 400, what)
      t.true((said.error?.message ?? '').length > 10, what)
      t.truthy(said.error?.requestId, what)
    }
  }
  t.deepEqual(counts(), before)
})

test.serial('addresses and questions that mean nothing: a clear no', async (t) => {
  const number = buyer.number
  const before = counts()
  for (const phone of ['abc', '12', '+', '++256771000001', '256 771', 'null', '%00', "1'--", '9'.repeat(40), '256771000001%2F..'])
    t.is((await owner('GET', `/api/users/${encodeURIComponent(phone)}/session-status/hotspot_1`)).status, 400, phone)
  for (const hotspot of ['a b', 'x'.repeat(61), "'", '%2e%2e'])
    t.is((await owner('GET', `/api/users/${number}/session-status/${encodeURIComponent(hotspot)}`)).status, 400, hotspot)
  for (const id of ['session_', 'session_x', '0', '-1', '1.5', '1e3x', 'Infinity', 'package_1', '99999999999999999999'])
    t.is((await owner('PUT', `/api/users/${number}/sessions/${id}/disconnect`)).status, 400, id)
  for (const path of [
    'payments/0',
    'payments/-1',
    'payments/x',
    'payments?status=stolen',
    'payments?page=0',
    'payments?pageSize=9999',
    'payments?unknown=1',
    'customers?page=x',
    'customers?pageSize=201',
    'customers/abc',
    'customers/12/points',
    'inbox?page=-1',
    'reports?from=yesterday',
    'reports?from=2026-13-45&to=2026-01-01',
    'reports.csv?from=x',
  ])
    t.is((await owner('GET', `/api/admin/${path}`)).status, 400, path)
  for (const reference of ['1', 'x', randomUUID().slice(1), `${randomUUID()}%20`])
    t.is((await buyer.ask(`/api/payments/${reference}`)).status, 400, reference)
  t.is((await buyer.ask(`/api/payments/${randomUUID()}`)).status, 404)
  for (const name of ['none', 'constructor', '__proto__'])
    t.true([400, 404].includes((await owner('PATCH', `/api/admin/accounts/${name}`, { enabled: true })).status), name)
  t.deepEqual(counts(), before)
})

test.serial('what is no JSON, or too much of it', async (t) => {
  const before = counts()
  const headers = { authorization: `Bearer ${shop.lab.admin.apiKey}`, 'content-type': 'application/json' }
  const paths = [
    '/api/payments',
    '/api/points/redeem',
    '/api/customers/code',
    '/api/customers/sign-in',
    `/api/users/${buyer.number}/sessions`,
  ]
  for (const path of paths) {
    for (const body of ['{', '[]', '"x"', 'null', '{"a":'.repeat(5000), '{"__proto__":{"packageId":1},"constructor":1}']) {
      const answer = await fetch(shop.lab.url + path, { method: 'POST', headers, body })
      t.is(answer.status, 400, `${path} ${body.slice(0, 30)}`)
      t.truthy(((await answer.json()) as Told['body']).error?.message)
    }
    const long = await fetch(shop.lab.url + path, { method: 'POST', headers, body: `{"key":"${'x'.repeat(300_000)}"}` })
    t.is(long.status, 413, path)
    const form = await fetch(shop.lab.url + path, {
      method: 'POST',
      headers: { ...headers, 'content-type': 'application/x-www-form-urlencoded' },
      body: 'packageId=1',
    })
    t.true(form.status === 415 || form.status === 400, path)
  }
  t.deepEqual(counts(), before)
})

test.serial('the only door to the internet answers the same to everything, and keeps nothing of it', async (t) => {
  const before = counts()
  const door = 'http://203.0.113.2:8081'
  const bodies = [
    '',
    '{',
    '[]',
    'null',
    '{"event":"charge.success","data":{"reference":"x"}}',
    `{"externalId":"${randomUUID()}","status":"SUCCESSFUL"}`,
    'x'.repeat(70_000),
  ]
  for (const path of [
    'mtn-momo',
    `mtn-momo/${randomUUID()}`,
    'mtn-momo/%27',
    'paystack',
    'cash/1',
    'free',
    'sandbox',
    'nobody',
    '__proto__',
  ])
    for (const body of bodies) {
      const said = await shop.outside({
        method: 'POST',
        url: `${door}/api/callbacks/${path}`,
        headers: { 'content-type': 'application/json' },
        body,
      })
      t.like(said, { status: 200, bytes: 0 }, `${path} ${body.slice(0, 30)}`)
    }
  for (const path of ['/', '/api/portal', '/api/payments', '/api/admin/overview', '/metrics', '/healthz', '/api/callbacks'])
    t.is((await shop.outside({ method: 'GET', url: door + path })).status, 404, path)
  t.deepEqual(counts(), before)
})
