import { z } from 'zod'
import { pageAnswered, pageAsked } from '../paging.ts'
import type { Bus } from '../events.ts'
import { Refusal } from '../errors.ts'
import { route, type Route } from '../http/api.ts'
import type { WhoAsks } from '../http/asker.ts'
import { openStream } from '../http/live.ts'
import type { Asker } from '../sessions/buying.ts'
import type { Credit } from '../sessions/credit.ts'
import type { LiveUsage } from '../sessions/live.ts'
import { sessionShape } from '../sessions/schema.ts'
import { viewerOf } from '../sessions/view.ts'
import type { Till } from '../sessions/till.ts'
import type { Payment, Payments } from './payments.ts'
import { inboxEntry, payInput, paymentFilter, paymentPage, paymentShape, pointsPayInput, refundInput, staffPayment } from './schema.ts'

type Needs = {
  payments: Payments
  till: Till
  live: LiveUsage
  whoAsks: WhoAsks
  bus: Bus
  /** E.164 of what an API key wrote. @throws Refusal */
  phoneOf: (typed: string) => Promise<string>
  /** Has the worker look at these payments now. */
  hurry: (payments: number[]) => void
}

const tag = 'payments'
const byReference = z.object({ reference: z.uuid() })
const byNumber = z.object({
  number: z.coerce
    .number()
    .int()
    .positive()
    .max(2 ** 53),
})
const onePayment = z.object({ payment: paymentShape })
const payAnswer = z.object({
  outcome: z.enum(['asked', 'pending', 'paid', 'resumed']).meta({
    description: 'asked: a new payment. pending: one that is open already. resumed: the customer had paid before, and nothing was charged',
  }),
  payment: paymentShape.nullable(),
  session: sessionShape.nullable(),
})

/** What a buyer asks of payments. */
export function paymentRoutes({ payments, till, live, whoAsks, bus, phoneOf, hurry }: Needs): Route[] {
  const viewOf = async (id: number | null, asker: Asker) => (id === null ? null : ((await live.viewFor(id, viewerOf(asker))) ?? null))

  /** Only the buyer's own: by number, or by the device that asked. To anybody else it does not exist. */
  async function mustOwn(reference: string, asker: Asker, isProgram: boolean): Promise<Payment> {
    const payment = await payments.findByReference(reference)
    const owns = payment && ((asker.phone && payment.userPhone === asker.phone) || (asker.device && payment.mac === asker.device.mac))
    if (!payment || !(owns || isProgram)) throw new Refusal('not-found', 'There is no such payment of yours.')
    return payment
  }

  return [
    route({
      method: 'post',
      path: '/api/payments',
      tag,
      summary: 'Buy a package; whoever has a living session here resumes it, and is charged nothing',
      guard: 'customer',
      scope: 'sessions:write',
      body: payInput,
      response: payAnswer,
      handle: async ({ ctx, caller, body: { phone, ...wish } }) => {
        const own = await whoAsks.asker(ctx)
        const isProgram = caller.name !== ''
        if (isProgram && !phone) throw new Refusal('bad-input', 'Say for whom: give the phone number of the customer.')
        const asker: Asker = isProgram ? { device: null, profile: null, sessionId: null, phone: await phoneOf(phone!) } : own
        const { outcome, payment, session } = await till.ask({ ...wish, byProgram: isProgram }, asker)
        if (payment && payment.status === 'asked') hurry([payment.id])
        if (session && !isProgram) whoAsks.remember(ctx, session.id)
        ctx.status = outcome === 'asked' ? 201 : 200
        ctx.body = { outcome, payment: payment && payments.view(payment), session: await viewOf(session?.id ?? null, asker) }
        return undefined
      },
    }),
    route({
      method: 'post',
      path: '/api/points/redeem',
      tag,
      summary: 'Have a package for loyalty points; the same rules',
      guard: 'anyone',
      body: pointsPayInput.omit({ phone: true }),
      response: z.object({ outcome: z.enum(['opened', 'topped-up', 'waiting', 'resumed']), session: sessionShape }),
      handle: async ({ ctx, body }) => {
        const asker = await whoAsks.asker(ctx)
        const { outcome, session } = await till.redeemPoints(body, asker)
        if (outcome !== 'waiting') whoAsks.remember(ctx, session.id)
        return { outcome, session: await viewOf(session.id, asker) }
      },
    }),
    route({
      method: 'get',
      path: '/api/payments/:reference',
      tag,
      summary: 'How far a payment is',
      guard: 'customer',
      scope: 'sessions:read',
      params: byReference,
      response: onePayment,
      handle: async ({ ctx, caller, params: { reference } }) => {
        const asker = await whoAsks.asker(ctx)
        const payment = await mustOwn(reference, asker, caller.name !== '')
        // It may have been paid at the counter, or while the page was closed.
        if (payment.sessionId !== null && caller.name === '' && payment.outcome !== 'waiting') whoAsks.remember(ctx, payment.sessionId)
        ctx.set('Cache-Control', 'no-store')
        return { payment: payments.view(payment) }
      },
    }),
    route({
      method: 'get',
      path: '/api/payments/:reference/events',
      tag,
      summary: 'The same, live: server-sent events payment, each with {payment}',
      guard: 'anyone',
      params: byReference,
      handle: async ({ ctx, params: { reference } }) => {
        const { id } = await mustOwn(reference, await whoAsks.asker(ctx), false)
        let stop = () => {}
        const stream = openStream(ctx, () => stop())
        const tell = async () => {
          const payment = await payments.find(id)
          if (payment) stream.send('payment', { payment: payments.view(payment) })
        }
        stop = bus.subscribe('payment.changed', (event) => void (event.id === id && tell()))
        void tell()
        return undefined
      },
    }),
    route({
      method: 'post',
      path: '/api/payments/:reference/give-up',
      tag,
      summary: 'Start over: the buyer wants no more of this payment; money that comes all the same is honoured',
      guard: 'customer',
      scope: 'sessions:write',
      params: byReference,
      response: onePayment,
      handle: async ({ ctx, caller, params: { reference } }) => {
        const payment = await mustOwn(reference, await whoAsks.asker(ctx), caller.name !== '')
        await till.giveUp(payment)
        hurry([payment.id])
        return { payment: payments.view((await payments.find(payment.id))!) }
      },
    }),
  ]
}

/** What staff ask of payments. */
export function staffPaymentRoutes({ payments, credit, hurry }: Pick<Needs, 'payments' | 'hurry'> & { credit: Credit }): Route[] {
  const path = '/api/admin/payments'
  const answer = z.object({ payment: staffPayment })

  async function mustFind(number: number): Promise<Payment> {
    const payment = await payments.find(number)
    if (!payment) throw new Refusal('not-found', `There is no payment ${number}.`)
    return payment
  }
  const shown = async (number: number) => ({ payment: payments.staffView(await mustFind(number)) })

  return [
    route({
      method: 'get',
      path,
      tag,
      summary: 'Payments, filtered and paged, newest first',
      guard: 'cashier',
      query: paymentFilter,
      response: paymentPage,
      handle: async ({ query }) => {
        const { payments: found, total } = await payments.page(query)
        return { payments: found.map(payments.staffView), total, page: query.page, pageSize: query.pageSize }
      },
    }),
    route({
      method: 'get',
      path: `${path}/:number`,
      tag,
      summary: 'One payment; for an owner with what its provider called back',
      guard: 'cashier',
      params: byNumber,
      response: answer.extend({ inbox: z.array(inboxEntry) }),
      handle: async ({ params: { number }, caller }) => {
        const payment = await mustFind(number)
        return { payment: payments.staffView(payment), inbox: caller.role === 'owner' ? await payments.inboxOf(payment) : [] }
      },
    }),
    route({
      method: 'post',
      path: `${path}/:number/confirm`,
      tag,
      summary: 'Cash was received: opens the session',
      guard: 'cashier',
      audit: 'payment.confirm',
      params: byNumber,
      response: answer,
      handle: async ({ params: { number }, caller }) => {
        const payment = await mustFind(number)
        if (payment.provider !== 'cash')
          throw new Refusal('conflict', 'Only cash is confirmed by hand: the payment company itself is asked about all others.')
        await credit.credit(payment, { cashier: caller.name })
        return shown(number)
      },
    }),
    route({
      method: 'post',
      path: `${path}/:number/check`,
      tag,
      summary: 'Ask the provider about it now',
      guard: 'cashier',
      audit: 'payment.check',
      params: byNumber,
      response: answer,
      handle: async ({ params: { number } }) => {
        await mustFind(number)
        hurry([number])
        return shown(number)
      },
    }),
    route({
      method: 'post',
      path: `${path}/:number/refund`,
      tag,
      summary: 'Give the money back; points that it earned go too',
      guard: 'owner',
      audit: 'payment.refund',
      params: byNumber,
      body: refundInput,
      response: answer,
      handle: async ({ params: { number }, body, caller }) => {
        await credit.refund(await mustFind(number), { ...body, by: caller.name })
        hurry([number])
        return shown(number)
      },
    }),
    route({
      method: 'get',
      path: '/api/admin/inbox',
      tag,
      summary: 'What payment companies called back, as it came, newest first',
      guard: 'owner',
      query: z.strictObject({
        ...pageAsked,
      }),
      response: z.object({ entries: z.array(inboxEntry), ...pageAnswered }),
      handle: async ({ query: { page, pageSize } }) => ({ ...(await payments.inbox(page, pageSize)), page, pageSize }),
    }),
  ]
}
