import { z } from 'zod'
import { pageAnswered, pageAsked } from '../paging.ts'
import { coordinates, hotspotCode } from '../hotspots/schema.ts'

const isoTime = z.string().meta({ format: 'date-time' })

export const providerName = z.enum(['mtn-momo', 'paystack', 'cash', 'sandbox', 'free'])
export type ProviderName = z.output<typeof providerName>

/** push: a question on the buyer's phone. checkout: a page of the provider. desk: cash. free: nothing to pay. */
export const providerKind = z.enum(['push', 'checkout', 'desk', 'free'])

export const paymentStatus = z.enum(['asked', 'pending', 'paid', 'failed'])
/** Why a payment failed, in this product's words. */
export const failReason = z.enum([
  'declined',
  'timeout',
  'no-funds',
  'limit',
  'not-registered',
  'wrong-amount',
  'provider',
  'misconfigured',
  'given-up',
])
export type FailReason = z.output<typeof failReason>

/** How far it is: each comes after the one before. */
export const paymentStep = z.enum(['asked', 'pending', 'paid', 'open', 'granted', 'used', 'failed'])

/** A payment as its buyer sees it. */
export const paymentShape = z
  .object({
    reference: z.uuid().meta({ description: "paymentReference in the mission's API, and the number that the provider knows" }),
    number: z.number().int().meta({ description: 'short, to be said at the desk' }),
    provider: providerName,
    kind: providerKind,
    title: z.string().meta({ description: 'MTN Mobile Money' }),
    step: paymentStep,
    status: paymentStatus,
    amountMinor: z.number().int(),
    currency: z.string(),
    packageId: z.number().int(),
    packageName: z.string(),
    hotspotId: z.string(),
    userPhone: z.string().nullable(),
    topUp: z.boolean(),
    reason: failReason.nullable(),
    words: z.string().meta({ description: 'what the buyer should know or do now' }),
    checkoutUrl: z.string().nullable(),
    sessionId: z.number().int().nullable(),
    outcome: z.enum(['opened', 'topped-up', 'waiting']).nullable(),
    pointsEarned: z.number().int(),
    providerReference: z.string().nullable(),
    createdAt: isoTime,
    expiresAt: isoTime.meta({ description: 'the buyer should confirm until then' }),
    secondsLeft: z.number().meta({ description: "to confirm; counted by the box, whose clock may differ from the phone's" }),
    pendingAt: isoTime.nullable(),
    paidAt: isoTime.nullable(),
    openedAt: isoTime.nullable(),
    grantedAt: isoTime.nullable(),
    firstByteAt: isoTime.nullable(),
    failedAt: isoTime.nullable(),
    givenUpAt: isoTime.nullable(),
    refund: z.enum(['asked', 'done', 'failed']).nullable(),
    refundedAt: isoTime.nullable(),
  })
  .meta({ id: 'Payment' })
export type PaymentView = z.output<typeof paymentShape>

export const payInput = z.strictObject({
  packageId: z.number().int().positive(),
  provider: providerName,
  hotspotId: hotspotCode.optional().meta({ description: 'this box when left out' }),
  coordinates: coordinates.optional().meta({ description: "where the customer is; not needed on the venue's Wi-Fi" }),
  topUp: z
    .boolean()
    .default(false)
    .meta({ description: 'add to the living session; without it, whoever has one resumes it and pays nothing' }),
  key: z
    .string()
    .regex(/^[A-Za-z0-9-]{8,64}$/, '8 to 64 letters, digits and dashes')
    .meta({ description: 'chosen by the asker for one purchase: the same key never buys twice' }),
  phone: z.string().max(30).optional().meta({ description: 'for whom, when an API key asks' }),
})
export type PayInput = z.output<typeof payInput>

/** Points for a package: the same rules, and nothing to wait for. */
export const pointsPayInput = payInput.omit({ provider: true })

/** One way to pay, as the portal offers it. */
export const payWay = z.object({
  provider: providerName,
  kind: providerKind,
  title: z.string(),
  needsPhone: z.boolean().meta({ description: 'the buyer must be signed in' }),
})

export const paymentFilter = z.strictObject({
  status: z.enum(['all', 'open', 'paid', 'failed', 'refunds', 'not-online', 'cash']).default('all').meta({
    description: 'open: asked or pending; not-online: paid for over a minute and not online; cash: waits for the cashier',
  }),
  search: z.string().trim().max(60).optional().meta({ description: "phone, number, reference, or the provider's reference" }),
  ...pageAsked,
})
export type PaymentFilter = z.output<typeof paymentFilter>

export const inboxEntry = z.object({
  id: z.number().int(),
  provider: providerName,
  reference: z.string().nullable(),
  trusted: z.boolean(),
  body: z.string(),
  times: z.number().int(),
  receivedAt: isoTime,
  lastAt: isoTime,
})
/** A payment as staff see it. */
export const staffPayment = paymentShape.extend({
  detail: z.string().meta({ description: "the provider's own words" }),
  confirmedBy: z.string().nullable(),
  attempts: z.number().int(),
  nextAt: isoTime.nullable(),
  canRefund: z.boolean(),
  refundByHand: z
    .boolean()
    .meta({ description: 'the provider cannot do it: the money is given back by hand, and that is written down here' }),
  refundReason: z.string().nullable(),
  refundBy: z.string().nullable(),
  refundDetail: z.string().nullable(),
})
export type StaffPayment = z.output<typeof staffPayment>
export const paymentPage = z.object({
  payments: z.array(staffPayment),
  ...pageAnswered,
})
export const refundInput = z.strictObject({
  reason: z.string().trim().min(3, 'say why, in a few words').max(200),
  endSession: z.boolean().default(true).meta({
    description: 'takes back the data and time that it bought, as far as they are not used; a session that has nothing else ends',
  }),
})
