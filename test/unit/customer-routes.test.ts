import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { bodyParser } from '@koa/bodyparser'
import { Router } from '@koa/router'
import test, { type ExecutionContext } from 'ava'
import Koa from 'koa'
import { createCustomers } from '#server/customers/customers.ts'
import { customerAccountRoutes, staffCustomerRoutes } from '#server/customers/routes.ts'
import { Refusal } from '#server/errors.ts'
import { createBus } from '#server/events.ts'
import type { Leases } from '#server/gateway/dhcp.ts'
import type { Neighbours } from '#server/gateway/neighbours.ts'
import { mount } from '#server/http/api.ts'
import { createWhoAsks } from '#server/http/asker.ts'
import { customerCookie } from '#server/http/customer-cookie.ts'
import { createGuards } from '#server/http/guard.ts'
import { createLoyalty } from '#server/loyalty/loyalty.ts'
import { createSettings } from '#server/settings/settings.ts'
import { createStaff } from '#server/staff/staff.ts'
import { openTestStore } from './store.ts'

const phone = '256771234567'
const pin = '4071'
const password = 'correct horse battery'

/** Customers and points behind their real guards and routes, over HTTP. */
async function setUp(t: ExecutionContext) {
  const store = await openTestStore(t)
  const now = () => 1_789_000_000_000
  const settings = createSettings({ store, now, bus: createBus() })
  await settings.update({ country: 'UG' })
  const company = { isOn: false, texts: [] as string[] }
  const sms = {
    isOn: () => Promise.resolve(company.isOn),
    send: (_to: string, text: string) => {
      company.texts.push(text)
      return Promise.resolve({ messageId: '1' })
    },
  }
  const customers = createCustomers({ store, now, secret: 's', sms, settings, log: { warn: () => {} } })
  const loyalty = createLoyalty({ store, now })
  const staff = createStaff({ store, now })
  const whoAsks = createWhoAsks({
    leases: { holder: () => Promise.resolve(undefined) } as unknown as Leases,
    neighbours: { has: () => Promise.resolve(false) } as unknown as Neighbours,
    profileAt: () => Promise.resolve(undefined),
    customerOf: customers.ofToken,
    pretended: null,
  })
  const router = new Router()
  mount(
    router,
    [...customerAccountRoutes({ customers }), ...staffCustomerRoutes({ customers, loyalty })],
    createGuards({ staff, isLocal: () => false }),
  )
  router.get('/who', async (ctx) => {
    ctx.body = { who: await customers.ofToken(customerCookie.read(ctx) ?? '') }
  })
  router.get('/open', async (ctx) => {
    whoAsks.remember(ctx, 7)
    ctx.body = {}
  })
  router.get('/session', async (ctx) => {
    ctx.body = await whoAsks.asker(ctx)
  })
  const app = new Koa({ keys: ['k'] })
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
      setCookie: response.headers.get('set-cookie') ?? '',
      cookies: response.headers.getSetCookie(),
    }
  }

  async function asStaff(role: 'owner' | 'cashier') {
    await staff.create({ username: role, password, role })
    const { token, csrfToken } = await staff.login(role, password, 'x')
    return { cookie: `kswifi_staff=${token}`, 'x-csrf-token': csrfToken }
  }
  return { store, staff, company, ask, asStaff }
}

test('a customer signs in, is known by the cookie, and signs out', async (t) => {
  const { ask } = await setUp(t)
  const signedIn = await ask('POST', '/api/customers/sign-in', { body: { phone: '0771 234567', pin, isNew: true } })
  t.is(signedIn.status, 200)
  t.like(signedIn.answer.customer, { phone, confirmed: false })
  t.deepEqual(Object.keys(signedIn.answer), ['customer'], 'the token is in the cookie alone')
  t.regex(signedIn.setCookie, /^kswifi_customer=[\w-]{43};.*; samesite=lax; httponly$/)
  const cookie = signedIn.setCookie.split(';')[0]!
  t.deepEqual((await ask('GET', '/who', { cookie })).answer, { who: { phone, confirmed: false } })
  const out = await ask('POST', '/api/customers/sign-out', { cookie })
  t.is(out.status, 204)
  t.regex(out.setCookie, /^kswifi_customer=;/)
  t.deepEqual((await ask('GET', '/who', { cookie })).answer, { who: null })
  t.is((await ask('POST', '/api/customers/sign-out')).status, 204)
})

test('signing out takes the session out of the browser too', async (t) => {
  const { ask } = await setUp(t)
  const signedIn = await ask('POST', '/api/customers/sign-in', { body: { phone, pin, isNew: true } })
  const opened = await ask('GET', '/open')
  const jar = new Map<string, string>()
  const take = (cookies: string[]) => {
    for (const [name, value] of cookies.map((one) => one.split(';')[0]!.split('=', 2) as [string, string])) jar.set(name, value)
    return [...jar].filter(([, value]) => value !== '').map((pair) => pair.join('='))
  }
  const cookie = take([...signedIn.cookies, ...opened.cookies]).join('; ')
  t.like((await ask('GET', '/session', { cookie })).answer, { sessionId: 7, phone })
  const out = await ask('POST', '/api/customers/sign-out', { cookie })
  const gone = out.cookies.filter((one) => /expires=Thu, 01 Jan 1970/.test(one)).map((one) => one.split('=')[0])
  t.deepEqual(gone.toSorted(), ['kswifi', 'kswifi.sig', 'kswifi_customer'])
  t.like((await ask('GET', '/session', { cookie: take(out.cookies).join('; ') })).answer, { sessionId: null, phone: null })
})

test('a customer signs in with the code of a message', async (t) => {
  const { ask, company } = await setUp(t)
  t.is((await ask('POST', '/api/customers/code', { body: { phone } })).code, 'conflict')
  company.isOn = true
  const sent = await ask('POST', '/api/customers/code', { body: { phone } })
  t.is(sent.status, 202)
  t.deepEqual(sent.answer, { expiresInSeconds: 600, resendInSeconds: 30 })
  const code = company.texts[0]!.slice(0, 6)
  const signedIn = await ask('POST', '/api/customers/sign-in', { body: { phone, code } })
  t.like(signedIn.answer.customer, { phone, confirmed: true })
})

test('what is no sign-in is refused before anything is looked at', async (t) => {
  const { ask } = await setUp(t)
  const wrong = [{ phone }, { phone, pin, code: '123456' }, { phone, pin: '12' }, { phone, code: '12345' }, { phone: 'x', pin }, { pin }]
  for (const body of wrong) t.is((await ask('POST', '/api/customers/sign-in', { body })).code, 'bad-input', JSON.stringify(body))
})

test('staff list customers, reset a PIN and look at points; only an owner corrects them', async (t) => {
  const { ask, asStaff, staff } = await setUp(t)
  const [owner, cashier] = [await asStaff('owner'), await asStaff('cashier')]
  await ask('POST', '/api/customers/sign-in', { body: { phone, pin, isNew: true } })

  const path = `/api/admin/customers/${phone}`
  const body = { delta: 25, reason: 'for the long wait' }
  t.is((await ask('GET', '/api/admin/customers')).code, 'not-signed-in')
  t.is((await ask('POST', `${path}/points`, { ...cashier, body })).code, 'not-allowed')
  const corrected = await ask('POST', `/api/admin/customers/+${phone}/points`, { ...owner, body })
  t.is(corrected.status, 201)
  t.like(corrected.answer, { balance: 25 })
  t.like(corrected.answer.entries[0], { delta: 25, kind: 'corrected', reason: 'for the long wait', by: 'owner' })
  t.deepEqual((await ask('GET', `${path}/points`, cashier)).answer, corrected.answer)
  t.is((await ask('GET', '/api/admin/customers/256700000001/points', cashier)).status, 404)
  t.is((await ask('POST', '/api/admin/customers/256700000001/points', { ...owner, body })).status, 404)
  t.is((await ask('POST', `${path}/points`, { ...owner, body: { delta: 0, reason: 'nothing' } })).code, 'bad-input')

  t.like((await ask('GET', '/api/admin/customers?search=0771', cashier)).answer, { total: 1, page: 1, pageSize: 50 })
  t.is((await ask('POST', `${path}/reset-pin`, cashier)).status, 204)
  t.like((await ask('GET', '/api/admin/customers', cashier)).answer.customers[0], { phone, hasPin: false, confirmed: true, points: 25 })
  const { entries } = await staff.auditPage(1, 2)
  t.deepEqual(
    entries.map(({ actor, action, subject, details }) => ({ actor, action, subject, details })),
    [
      { actor: 'cashier', action: 'customer.reset-pin', subject: phone, details: null },
      { actor: 'owner', action: 'points.correct', subject: phone, details: body },
    ],
  )
})

test('neither PIN nor code reaches the audit log', async (t) => {
  const { staff } = await setUp(t)
  await staff.audit({ actor: 'a', action: 'x', subject: 's', details: { phone, pin, code: '123456' } })
  t.deepEqual((await staff.auditPage(1, 1)).entries[0]?.details, { phone })
})
