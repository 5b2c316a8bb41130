import { z } from 'zod'
import { customerRow, phoneParams } from '../customers/schema.ts'
import type { Customers } from '../customers/customers.ts'
import { customerCookie } from '../http/customer-cookie.ts'
import { Refusal } from '../errors.ts'
import { route, type Route } from '../http/api.ts'
import type { WhoAsks } from '../http/asker.ts'
import type { Loyalty } from '../loyalty/loyalty.ts'
import { pointsAnswer } from '../loyalty/schema.ts'
import { paymentShape } from '../payments/schema.ts'
import type { Asker } from './buying.ts'
import type { CustomerData } from './customer-data.ts'
import type { LiveUsage } from './live.ts'
import { sessionShape, type SessionView } from './schema.ts'
import { staffViewer, viewerOf, type Viewer } from './view.ts'

type Needs = { data: CustomerData; customers: Customers; loyalty: Loyalty; live: LiveUsage; whoAsks: WhoAsks }

const historyAnswer = z.object({ sessions: z.array(sessionShape), payments: z.array(paymentShape) })

/** What customers ask about themselves. */
export function meRoutes({ data, loyalty, live, whoAsks }: Needs): Route[] {
  const tag = 'customer'
  const mustBeSignedIn = ({ phone }: Asker): string => {
    if (phone === null) throw new Refusal('not-signed-in', 'Sign in with your phone number first.')
    return phone
  }

  return [
    route({
      method: 'get',
      path: '/api/me/history',
      tag,
      summary: 'My sessions and payments, newest first',
      guard: 'anyone',
      response: historyAnswer,
      handle: async ({ ctx }) => {
        const asker = await whoAsks.asker(ctx)
        ctx.set('Cache-Control', 'no-store')
        return historyOf(data, live, mustBeSignedIn(asker), viewerOf(asker))
      },
    }),
    route({
      method: 'get',
      path: '/api/me/points',
      tag,
      summary: 'My points',
      guard: 'anyone',
      response: pointsAnswer,
      handle: async ({ ctx }) => {
        ctx.set('Cache-Control', 'no-store')
        return loyalty.page(mustBeSignedIn(await whoAsks.asker(ctx)))
      },
    }),
    route({
      method: 'get',
      path: '/api/me/export',
      tag,
      summary: 'Everything that the box keeps of me',
      guard: 'anyone',
      handle: async ({ ctx }) => {
        const phone = mustBeSignedIn(await whoAsks.asker(ctx))
        ctx.set({ 'Cache-Control': 'no-store', 'Content-Disposition': 'attachment; filename="my-kswifi-data.json"' })
        return data.exportOf(phone)
      },
    }),
    route({
      method: 'delete',
      path: '/api/me',
      tag,
      summary: 'Forget me: number, sign-in and points; what was sold stays in the books without a name',
      guard: 'anyone',
      status: 204,
      handle: async ({ ctx }) => {
        await data.forget(mustBeSignedIn(await whoAsks.asker(ctx)))
        customerCookie.write(ctx, null)
      },
    }),
  ]
}

/** What staff ask about one customer as a whole. */
export function staffCustomerDataRoutes({ data, customers, loyalty, live }: Omit<Needs, 'whoAsks'>): Route[] {
  const tag = 'customers'
  const path = '/api/admin/customers/:phone'
  const params = phoneParams

  return [
    route({
      method: 'get',
      path,
      tag,
      summary: 'One customer, with sessions, payments and points',
      guard: 'cashier',
      params,
      response: historyAnswer.extend({ customer: customerRow, points: pointsAnswer }),
      handle: async ({ params: { phone } }) => {
        const customer = await customers.find(phone)
        if (!customer) throw new Refusal('not-found', 'There is no customer with this number.')
        return { customer, points: await loyalty.page(phone), ...(await historyOf(data, live, phone, staffViewer)) }
      },
    }),
    route({
      method: 'delete',
      path,
      tag,
      summary: 'Forget a customer',
      guard: 'owner',
      audit: 'customer.delete',
      params,
      status: 204,
      handle: async ({ ctx, params: { phone } }) => {
        // The audit log must not keep what was just forgotten.
        ctx.state['subject'] = `…${phone.slice(-3)}`
        await data.forget(phone)
      },
    }),
  ]
}

async function historyOf(data: CustomerData, live: LiveUsage, phone: string, viewer: Viewer) {
  const { sessionIds, payments } = await data.history(phone)
  const sessions = await Promise.all(sessionIds.map((id) => live.viewFor(id, viewer)))
  return { sessions: sessions.filter((view): view is SessionView => view !== undefined), payments }
}
