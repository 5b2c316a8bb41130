import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { openStore } from '#server/store/store.ts'
import { openVenue, type Venue } from '#test/gateway/venue.ts'

let venue: Venue
test.before(async () => {
  venue = await openVenue('bad')
})
test.after.always(() => venue?.lab.stop())

type Said = { status: number; body: { error?: { code: string; message: string; requestId: string } }; headers: Headers }
async function ask(method: string, path: string, body?: string, headers: Record<string, string> = {}): Promise<Said> {
  const given = {
    authorization: `Bearer ${venue.lab.admin.apiKey}`,
    ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    ...headers,
  }
  const answer = await fetch(venue.lab.url + path, { method, headers: given, ...(body === undefined ? {} : { body }), redirect: 'manual' })
  const text = await answer.text()
  return { status: answer.status, body: text.startsWith('{') ? JSON.parse(text) : {}, headers: answer.headers }
}

async function counts(): Promise<Record<string, number>> {
  const store = await openStore(join(venue.lab.dataDir, 'kswifi.db'))
  const tables = ['packages', 'sessions', 'purchases', 'devices', 'vouchers', 'voucher_batches', 'staff', 'api_keys', 'settings']
  const rows = await Promise.all(tables.map((table) => store.db(table).count({ n: '*' }).first()))
  await store.close()
  return Object.fromEntries(tables.map((table, n) => [table, Number(rows[n]?.['n'])]))
}

test.serial('whatever is sent to a route that changes things: a clear no in the promised shape, and nothing changed', async (t) => {
  const { paths } = (await (await fetch(`${venue.lab.url}/api/openapi.json`)).json()) as {
    paths: Record<string, Record<string, { requestBody?: object }>>
  }
  await venue.api('/api/admin/settings', { venueName: 'V' }, 'PATCH')
  const before = await counts()
  const bodies = [
    '[]',
    '"x"',
    '{"unknown":1}',
    '{',
    '{"__proto__":{"a":1},"constructor":1}',
    `{"code":"${'x'.repeat(300_000)}"}`,
    '{"a":'.repeat(5000),
    'null',
    '{"packageId":-1,"count":-5}',
    '{"count":1e99,"packageId":"1; DROP TABLE vouchers"}',
  ]
  let asked = 0
  for (const [path, methods] of Object.entries(paths)) {
    for (const [method, { requestBody }] of Object.entries(methods)) {
      if (!requestBody || path.endsWith('/end')) continue
      for (const body of bodies) {
        const said = await ask(method.toUpperCase(), path.replace('{id}', '1'), body)
        t.true(said.status >= 400 && said.status < 500, `${method} ${path} ${body.slice(0, 40)}: ${said.status}`)
        t.truthy(said.body.error?.code && said.body.error.message && said.body.error.requestId, `${method} ${path}`)
        asked++
      }
    }
  }
  t.log(`${asked} requests`)
  t.deepEqual(await counts(), before)
})

test.serial('addresses that are none, methods that are none, and hosts that are not ours', async (t) => {
  for (const path of [
    '/api/nothing',
    '/api/admin/sessions/999999999999999999999',
    '/api/admin/sessions/-1',
    '/api/admin/sessions/1e3x',
    '/%',
    '/api/admin/sessions?page=0',
    '/api/admin/sessions?status=%27%20OR%201=1',
  ]) {
    const { status, body } = await ask('GET', path)
    t.true(status >= 400 && status < 500, `${path}: ${status}`)
    t.truthy(body.error?.requestId, path)
  }
  for (const path of [
    '/assets/../../../etc/passwd',
    '/assets/%2e%2e/%2e%2e/%2e%2e/etc/passwd',
    '/assets/..%2f..%2f..%2fpackage.json',
    '/api/docs/../../../package.json',
    '//etc/passwd',
  ]) {
    const { stdout } = await venue.lab.exec(venue.phone1.namespace, [
      'curl',
      '-s',
      '--path-as-is',
      '-w',
      '\n%{http_code}',
      `http://${venue.lab.box.lan}${path}`,
    ])
    t.regex(stdout, /\n4\d\d$/, path)
    t.notRegex(stdout, /root:|kswifi-box/, path)
  }
  t.true((await ask('PUT', '/api/admin/packages', '{}')).status < 500)
  const { stdout } = await venue.lab.exec(venue.phone1.namespace, [
    'curl',
    '-s',
    '-o',
    '/dev/null',
    '-w',
    '%{http_code}',
    '-H',
    'Host: evil.example',
    `http://${venue.lab.box.lan}/api/portal`,
  ])
  t.is(stdout, '302')
  const type = await ask('POST', '/api/vouchers/redeem', 'code=AAAA', { 'content-type': 'application/x-www-form-urlencoded' })
  t.true(type.status === 415 || type.status === 400)
})

test.serial('without the right to it, nothing is told', async (t) => {
  for (const path of ['/api/admin/sessions', '/api/admin/vouchers', '/api/admin/overview', '/api/admin/staff', '/api/admin/events']) {
    t.is((await ask('GET', path, undefined, { authorization: '' })).status, 401, path)
    t.is((await ask('GET', path, undefined, { authorization: 'Bearer ksw_0000000000000000000000000000000000000000' })).status, 401, path)
    t.is((await ask('GET', path, undefined, { authorization: '', cookie: 'kswifi_staff=forged' })).status, 401, path)
  }
  t.is((await venue.ask(venue.phone1, '/metrics')).status, 401)
  const metrics = await (await fetch(`${venue.lab.url}/metrics`)).text()
  t.regex(metrics, /^kswifi_sessions_live \d+$/m)
  const { apiKey } = await venue.api<{ apiKey: string }>('/api/admin/keys', { name: 'till', role: 'cashier' })
  t.is(
    (
      await ask('POST', '/api/admin/packages', '{"name":"X","dataLimit":1,"durationSeconds":60,"priceMinor":0}', {
        authorization: `Bearer ${apiKey}`,
      })
    ).status,
    403,
  )
})

test.serial('guessing is stopped for the one who guesses, and for nobody else; and no code is in the log', async (t) => {
  const good = await venue.sell()
  let last = 0
  for (let n = 0; n < 12; n++)
    last = (await venue.ask(venue.phone1, '/api/vouchers/redeem', { code: `ZZZZZ99${String(n).padStart(3, '0')}` })).status
  t.is(last, 429)
  const { stdout } = await venue.lab.exec(venue.phone1.namespace, [
    'curl',
    '-si',
    '-H',
    'content-type: application/json',
    '-d',
    '{"code":"ZZZZZ99999"}',
    `http://${venue.lab.box.lan}/api/vouchers/redeem`,
  ])
  t.regex(stdout, /retry-after: \d+/i)
  t.is((await venue.ask(venue.phone2, '/api/vouchers/redeem', { code: good })).status, 201)
  const { admin, logDir } = venue.lab
  const logs = ['server.log', 'worker.log'].map((name) => readFileSync(join(logDir, name), 'utf8')).join('')
  for (const secret of [good, good.replace('-', ''), 'ZZZZZ99001', admin.apiKey, admin.password]) t.false(logs.includes(secret))
})

test.serial("a page of another site cannot press the portal's buttons", async (t) => {
  const foreign = ['http://evil.example', 'https://kswifi.internal.evil.example', 'null']
  for (const origin of foreign) {
    const said = await ask('POST', '/api/me/session/disconnect', undefined, { origin })
    t.is(said.status, 403, origin)
    t.is(said.body.error?.code, 'csrf')
  }
  t.is(
    (await ask('POST', '/api/me/session/disconnect', undefined, { origin: venue.lab.url })).status,
    404,
    'its own page may, and has no session',
  )
  t.is((await ask('GET', '/api/portal', undefined, { origin: foreign[0]! })).status, 200, 'looking changes nothing')
})
