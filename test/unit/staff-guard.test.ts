import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { bodyParser } from '@koa/bodyparser'
import { Router } from '@koa/router'
import test, { type ExecutionContext } from 'ava'
import Koa from 'koa'
import { Refusal } from '#server/errors.ts'
import { createBus } from '#server/events.ts'
import { type Guard, type Route, describeApi, mount, route } from '#server/http/api.ts'
import { createGuards } from '#server/http/guard.ts'
import { createPackages } from '#server/packages/packages.ts'
import { packageRoutes } from '#server/packages/routes.ts'
import { settingsRoutes } from '#server/settings/routes.ts'
import { createSettings } from '#server/settings/settings.ts'
import { staffRoutes } from '#server/staff/routes.ts'
import { createStaff } from '#server/staff/staff.ts'
import { voucherRoutes } from '#server/vouchers/routes.ts'
import { createVouchers } from '#server/vouchers/vouchers.ts'
import { openTestStore } from './store.ts'

const password = 'correct horse battery'

/** The rooms behind their real guards and routes, over HTTP. Requests with the header X-Local count as the box's own. */
async function setUp(t: ExecutionContext) {
  const store = await openTestStore(t)
  const bus = createBus()
  const needs = { store, now: () => 1_789_000_000_000, bus }
  const staff = createStaff(needs)
  const settings = createSettings(needs)
  const packages = createPackages(needs)
  const vouchers = createVouchers({ ...needs, secret: 's', packages })
  const routes = [
    ...staffRoutes({ staff }),
    ...settingsRoutes({ settings, check: async () => {}, apply: async () => {} }),
    ...packageRoutes({ packages, currency: async () => (await settings.get()).currency }),
    ...voucherRoutes({ vouchers }),
    ...(['owner', 'cashier', 'local', 'anyone'] as Guard[]).flatMap(doors),
  ]
  const router = new Router()
  mount(router, routes, createGuards({ staff, isLocal: (ctx) => ctx.get('x-local') === '1' }))
  const app = new Koa()
  app.use(async (ctx, next) => {
    try {
      await next()
    } catch (error) {
      if (!(error instanceof Refusal)) throw error
      ctx.status = error.status
      ctx.body = { error: { code: error.code, message: error.message } }
    }
  })
  app.use(bodyParser()).use(router.routes())
  const server = app.listen(0, '127.0.0.1')
  t.teardown(() => server.close())
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo

  async function ask(method: string, path: string, { body, ...headers }: { body?: unknown; [header: string]: unknown } = {}) {
    const response = await fetch(`http://127.0.0.1:${port}${path}`, {
      method,
      headers: { 'content-type': 'application/json', connection: 'close', ...(headers as Record<string, string>) },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    const text = await response.text()
    const answer = text ? JSON.parse(text) : undefined
    return {
      status: response.status,
      code: answer?.error?.code as string | undefined,
      answer,
      cookie: response.headers.get('set-cookie') ?? '',
    }
  }

  async function signIn(username: string, role: 'owner' | 'cashier') {
    await staff.create({ username, password, role })
    const { answer, cookie } = await ask('POST', '/api/admin/login', { body: { username, password } })
    return { cookie: cookie.split(';')[0]!, 'x-csrf-token': answer.csrfToken as string }
  }
  return { store, staff, routes, ask, signIn }
}

function doors(guard: Guard): Route[] {
  return (['get', 'post'] as const).map((method) =>
    route({ method, path: `/door/${guard}`, tag: 'test', summary: '', guard, handle: async ({ caller }) => caller }),
  )
}

test('each door lets in whom it should', async (t) => {
  const { ask, signIn, staff } = await setUp(t)
  const owner = await signIn('ada', 'owner')
  const cashier = await signIn('bo', 'cashier')
  const ownerKey = { authorization: `Bearer ${(await staff.createKey({ name: 'backup', role: 'owner', scopes: [] })).apiKey}` }
  const cashierKey = { authorization: `Bearer ${(await staff.createKey({ name: 'till', role: 'cashier', scopes: [] })).apiKey}` }
  const askers = { owner, cashier, ownerKey, cashierKey, box: { 'x-local': '1' }, nobody: {} }
  const statuses: Record<string, string> = {}
  for (const [name, headers] of Object.entries(askers)) {
    const row: number[] = []
    for (const door of ['owner', 'cashier', 'local', 'anyone']) {
      for (const method of ['GET', 'POST']) row.push((await ask(method, `/door/${door}`, headers)).status)
    }
    statuses[name] = row.join(' ')
  }
  t.deepEqual(statuses, {
    owner: '200 200 200 200 200 200 200 200',
    cashier: '403 403 200 200 200 200 200 200',
    ownerKey: '200 200 200 200 200 200 200 200',
    cashierKey: '403 403 200 200 200 200 200 200',
    box: '401 401 401 401 200 200 200 200',
    nobody: '401 401 401 401 401 401 200 200',
  })
})

test('a change by cookie needs the CSRF header, reading does not', async (t) => {
  const { ask, signIn } = await setUp(t)
  const { cookie, 'x-csrf-token': csrf } = await signIn('ada', 'owner')
  t.is((await ask('GET', '/door/owner', { cookie })).status, 200)
  t.is((await ask('POST', '/door/owner', { cookie })).code, 'csrf')
  t.is((await ask('POST', '/door/owner', { cookie, 'x-csrf-token': 'forged' })).code, 'csrf')
  t.is((await ask('POST', '/door/owner', { cookie, 'x-csrf-token': csrf })).status, 200)
})

test('forged cookies and keys are nobody', async (t) => {
  const { ask, signIn } = await setUp(t)
  const { cookie } = await signIn('ada', 'owner')
  for (const headers of [
    { cookie: `${cookie}x` },
    { cookie: 'kswifi_staff=' },
    { cookie: "kswifi_staff=' OR 1=1 --" },
    { authorization: 'Bearer ksw_nothing' },
    { authorization: 'Bearer ' },
    { authorization: 'Basic YTpi' },
    { cookie, authorization: 'Bearer ksw_wrong' },
  ]) {
    t.is((await ask('GET', '/door/cashier', headers)).code, 'not-signed-in', JSON.stringify(headers))
  }
})

test('the cookie is out of reach of scripts and of other sites', async (t) => {
  const { ask, staff } = await setUp(t)
  await staff.create({ username: 'ada', password, role: 'owner' })
  const { cookie, status, answer } = await ask('POST', '/api/admin/login', { body: { username: 'ada', password } })
  t.is(status, 200)
  t.deepEqual(Object.keys(answer).toSorted(), ['csrfToken', 'role', 'username'])
  t.regex(cookie, /^kswifi_staff=[\w-]{43}; path=\/; samesite=strict; httponly$/)
})

test('a page that was reloaded goes on with its login, and signing out ends it', async (t) => {
  const { ask, signIn } = await setUp(t)
  const headers = await signIn('ada', 'owner')
  t.deepEqual((await ask('GET', '/api/admin/me', headers)).answer, { username: 'ada', role: 'owner', csrfToken: headers['x-csrf-token'] })
  const out = await ask('POST', '/api/admin/logout', headers)
  t.is(out.status, 204)
  t.regex(out.cookie, /^kswifi_staff=; .*expires=Thu, 01 Jan 1970/)
  t.is((await ask('GET', '/api/admin/me', headers)).status, 401)
})

test('wrong sign-ins become too many', async (t) => {
  const { ask } = await setUp(t)
  const statuses: number[] = []
  for (let count = 0; count < 6; count++)
    statuses.push((await ask('POST', '/api/admin/login', { body: { username: 'ada', password: 'x' } })).status)
  t.deepEqual(statuses, [401, 401, 401, 401, 401, 429])
})

test('a cashier makes vouchers but changes neither packages, settings, staff nor keys', async (t) => {
  const { ask, signIn, store } = await setUp(t)
  const owner = await signIn('ada', 'owner')
  const cashier = await signIn('bo', 'cashier')
  const body = { name: 'Basic', dataLimit: 1024, durationSeconds: 60, priceMinor: 1 }
  const { answer } = await ask('POST', '/api/admin/packages', { ...owner, body })
  const id = answer.package.id as number
  const before = JSON.stringify([
    await store.db('packages'),
    await store.db('settings'),
    await store.db('staff'),
    await store.db('api_keys'),
  ])
  for (const [method, path, sent] of [
    ['POST', 'packages', body],
    ['PATCH', `packages/${id}`, { name: 'x' }],
    ['DELETE', `packages/${id}`, undefined],
    ['PATCH', 'settings', { pollSeconds: 1 }],
    ['GET', 'staff', undefined],
    ['POST', 'staff', { username: 'eve', password, role: 'owner' }],
    ['PATCH', 'staff/2', { role: 'owner' }],
    ['GET', 'keys', undefined],
    ['POST', 'keys', { name: 'x', role: 'owner' }],
    ['DELETE', 'keys/1', undefined],
    ['POST', 'vouchers/1/void', {}],
    ['GET', 'audit', undefined],
  ] as const) {
    t.is((await ask(method, `/api/admin/${path}`, { ...cashier, body: sent })).code, 'not-allowed', `${method} ${path}`)
  }
  t.is(
    JSON.stringify([await store.db('packages'), await store.db('settings'), await store.db('staff'), await store.db('api_keys')]),
    before,
  )

  const made = await ask('POST', '/api/admin/vouchers', { ...cashier, body: { packageId: id, count: 2, seller: 'bo' } })
  t.is(made.status, 201)
  t.is(made.answer.codes.length, 2)
  t.is((await ask('GET', `/api/admin/vouchers/${made.answer.batchId}`, cashier)).answer.vouchers.length, 2)
})

test('every change by staff is in the audit log, with neither passwords nor codes', async (t) => {
  const { ask, signIn } = await setUp(t)
  const owner = await signIn('ada', 'owner')
  const sold = await ask('POST', '/api/admin/packages', {
    ...owner,
    body: { name: 'Basic', dataLimit: 1024, durationSeconds: 60, priceMinor: 1 },
  })
  const packageId = sold.answer.package.id as number
  await ask('PATCH', `/api/admin/packages/${packageId}`, { ...owner, body: { priceMinor: 2 } })
  const { batchId, codes } = (await ask('POST', '/api/admin/vouchers', { ...owner, body: { packageId, count: 1 } })).answer
  await ask('POST', `/api/admin/vouchers/${batchId}/void`, { ...owner, body: {} })
  await ask('PATCH', '/api/admin/settings', { ...owner, body: { venueName: 'Corner', logo: 'data:image/png;base64,AAAA' } })
  const bo = (await ask('POST', '/api/admin/staff', { ...owner, body: { username: 'bo', password, role: 'cashier' } })).answer.member
    .id as number
  await ask('PATCH', `/api/admin/staff/${bo}`, { ...owner, body: { password: `${password} 2` } })
  const key = (await ask('POST', '/api/admin/keys', { ...owner, body: { name: 'till' } })).answer
  t.is((await ask('DELETE', `/api/admin/keys/${key.id}`, owner)).status, 204)
  t.is((await ask('DELETE', `/api/admin/packages/${packageId}`, owner)).status, 204)

  const { answer } = await ask('GET', '/api/admin/audit?pageSize=50', owner)
  t.true(answer.entries.every((entry: { actor: string }) => entry.actor === 'ada'))
  t.deepEqual(answer.entries.map((entry: { action: string }) => entry.action).toReversed(), [
    'staff.login',
    'package.create',
    'package.update',
    'vouchers.create',
    'vouchers.void',
    'settings.update',
    'staff.create',
    'staff.update',
    'key.create',
    'key.revoke',
    'package.archive',
  ])
  const log = JSON.stringify(answer)
  for (const secret of [password, codes[0], key.apiKey, 'base64']) t.false(log.includes(secret))
  t.true(log.includes('Corner'))
})

test('bad input is a clear 400 and changes nothing', async (t) => {
  const { ask, signIn, store } = await setUp(t)
  const owner = await signIn('ada', 'owner')
  for (const [method, path, body] of [
    ['POST', 'packages', { name: 'x' }],
    ['POST', 'packages', []],
    ['PATCH', 'packages/abc', { name: 'x' }],
    ['PATCH', 'packages/1', {}],
    ['POST', 'vouchers', { packageId: 1, count: 5001 }],
    ['POST', 'vouchers', { packageId: 1, count: '5' }],
    ['POST', 'vouchers', { packageId: 1, count: 1, expiresAt: 'tomorrow' }],
    ['PATCH', 'settings', { pollSeconds: 31 }],
    ['PATCH', 'settings', { __proto__: null, isOwner: true }],
    ['POST', 'staff', { username: 'x y', password, role: 'owner' }],
    ['POST', 'staff', { username: 'xy', password: 'short', role: 'owner' }],
    ['PATCH', 'staff/1', {}],
    ['GET', 'audit?page=0', undefined],
    ['DELETE', 'keys/-1', undefined],
  ] as const) {
    t.is((await ask(method, `/api/admin/${path}`, { ...owner, body })).code, 'bad-input', `${method} ${path} ${JSON.stringify(body)}`)
  }
  for (const path of ['packages/9', 'staff/9', 'keys/9']) {
    const method = path.startsWith('keys') || path.startsWith('packages') ? 'DELETE' : 'PATCH'
    t.is(
      (await ask(method, `/api/admin/${path}`, { ...owner, body: method === 'PATCH' ? { role: 'cashier' } : undefined })).code,
      'not-found',
    )
  }
  t.is((await store.db('audit')).length, 1, 'only the sign-in')
})

test('the routes can be described as OpenAPI', async (t) => {
  const { routes } = await setUp(t)
  const { paths } = describeApi(routes, '1')
  t.truthy(paths?.['/api/admin/vouchers/{id}/void']?.post)
  t.truthy(paths?.['/api/admin/packages/{id}']?.patch)
})
