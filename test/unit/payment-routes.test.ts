import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { Router } from '@koa/router'
import test from 'ava'
import Koa from 'koa'
import { mount } from '#server/http/api.ts'
import { createGuards } from '#server/http/guard.ts'
import { staffPaymentRoutes } from '#server/payments/routes.ts'
import { createStaff } from '#server/staff/staff.ts'
import { ada, openBed, phone1 } from './till-bed.ts'

const password = 'correct horse battery'

test('what a company called back is shown to an owner; a cashier sees the payment without it', async (t) => {
  const bed = await openBed(t)
  const { id: packageId } = await bed.sell()
  const { reference, id: number } = await bed.buy(bed.asker(ada, phone1), packageId)
  await bed.payments.hear('mtn-momo', { headers: {}, body: '{"payer":"somebody"}', pathReference: reference }, () => {})

  const staff = createStaff({ store: bed.store, now: () => bed.clock.at })
  const router = new Router()
  const routes = staffPaymentRoutes({ payments: bed.payments, credit: bed.credit, hurry: () => {} })
  mount(router, routes, createGuards({ staff, isLocal: () => false }))
  const server = new Koa().use(router.routes()).listen(0, '127.0.0.1')
  t.teardown(() => server.close())
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo

  async function look(role: 'owner' | 'cashier') {
    await staff.create({ username: role, password, role })
    const { token } = await staff.login(role, password, 'x')
    const headers = { cookie: `kswifi_staff=${token}`, connection: 'close' }
    const answer = await fetch(`http://127.0.0.1:${port}/api/admin/payments/${number}`, { headers })
    return (await answer.json()) as { payment: { number: number }; inbox: { body: string }[] }
  }
  const [owner, cashier] = [await look('owner'), await look('cashier')]
  t.deepEqual(
    owner.inbox.map(({ body }) => body),
    ['{"payer":"somebody"}'],
  )
  t.is(cashier.payment.number, number)
  t.deepEqual(cashier.inbox, [])
})
