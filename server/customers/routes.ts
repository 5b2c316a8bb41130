import { Refusal } from '../errors.ts'
import { type Route, route } from '../http/api.ts'
import { forgetSession } from '../http/asker.ts'
import { customerCookie } from '../http/customer-cookie.ts'
import type { Loyalty } from '../loyalty/loyalty.ts'
import { correctionInput, pointsAnswer } from '../loyalty/schema.ts'
import type { Customers } from './customers.ts'
import { codeAnswer, codeInput, customerFilter, customerPage, phoneParams, signInAnswer, signInInput } from './schema.ts'

/** Signing in and out, as a customer. */
export function customerAccountRoutes({ customers }: { customers: Customers }): Route[] {
  const tag = 'customer'
  return [
    route({
      method: 'post',
      path: '/api/customers/code',
      tag,
      summary: 'Have a code sent to a number, where the venue sends codes',
      guard: 'anyone',
      body: codeInput,
      status: 202,
      response: codeAnswer,
      handle: ({ ctx, body }) => customers.sendCode(body.phone, ctx.ip),
    }),
    route({
      method: 'post',
      path: '/api/customers/sign-in',
      tag,
      summary: 'Sign in with the code of the message, or with a PIN; sets the cookie',
      guard: 'anyone',
      body: signInInput,
      response: signInAnswer,
      handle: async ({ ctx, body }) => {
        const { token, customer } = await customers.signIn(body, ctx.ip)
        customerCookie.write(ctx, token)
        return { customer }
      },
    }),
    route({
      method: 'post',
      path: '/api/customers/sign-out',
      tag,
      summary: 'Sign out in this browser, which forgets its session too',
      guard: 'anyone',
      status: 204,
      handle: async ({ ctx }) => {
        await customers.signOut(customerCookie.read(ctx) ?? '')
        customerCookie.write(ctx, null)
        // The next who takes this phone would see whose session it was, and its code.
        forgetSession(ctx)
      },
    }),
  ]
}

/** Customers, as staff see them. */
export function staffCustomerRoutes({ customers, loyalty }: { customers: Customers; loyalty: Loyalty }): Route[] {
  const tag = 'customers'
  const path = '/api/admin/customers'

  async function pointsOf(phone: string) {
    if (!(await customers.find(phone))) throw new Refusal('not-found', `There is no customer with the number +${phone}.`)
    return loyalty.page(phone)
  }

  return [
    route({
      method: 'get',
      path,
      tag,
      summary: 'Customers, who was seen last first',
      guard: 'cashier',
      query: customerFilter,
      response: customerPage,
      handle: ({ query }) => customers.page(query),
    }),
    route({
      method: 'post',
      path: `${path}/:phone/reset-pin`,
      tag,
      summary: 'Let a new PIN be chosen within an hour; ends every login of the number',
      guard: 'cashier',
      params: phoneParams,
      status: 204,
      audit: 'customer.reset-pin',
      handle: ({ params: { phone } }) => customers.resetPin(phone),
    }),
    route({
      method: 'get',
      path: `${path}/:phone/points`,
      tag,
      summary: 'Balance and last entries',
      guard: 'cashier',
      params: phoneParams,
      response: pointsAnswer,
      handle: ({ params: { phone } }) => pointsOf(phone),
    }),
    route({
      method: 'post',
      path: `${path}/:phone/points`,
      tag,
      summary: 'Give or take points by hand',
      guard: 'owner',
      params: phoneParams,
      body: correctionInput,
      response: pointsAnswer,
      status: 201,
      audit: 'points.correct',
      handle: async ({ params: { phone }, body, caller }) => {
        await pointsOf(phone)
        await loyalty.correct(phone, body, caller.name)
        return loyalty.page(phone)
      },
    }),
  ]
}
