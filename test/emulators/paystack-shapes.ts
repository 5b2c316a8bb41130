import { createHmac } from 'node:crypto'
import type { Answer } from './http.ts'
import type { PaystackSettings } from './paystack-settings.ts'

/** A transaction, and what it did to the buyer's money. Amounts in subunits. */
export type PaystackCharge = {
  /** Digits: too wide for a number. */
  id: string
  reference: string
  email: string
  phone: string | null
  amount: number
  currency: string
  channel: 'card' | 'mobile_money'
  metadata: unknown
  /** open: not decided. otp: waits for the one-time password. */
  state: 'open' | 'otp' | 'success' | 'failed' | 'reversed'
  gatewayResponse: string
  checkoutUrl: string | null
  callbackUrl: string | null
  /** How often money was taken. */
  charged: number
  /** How often it was asked for with this reference, refused repetitions included. */
  timesAsked: number
  /** Given back so far. */
  refunded: number
  createdAt: number
  paidAt: number | null
}

/** Money on its way back. */
export type PaystackRefund = {
  id: string
  transaction: PaystackCharge
  amount: number
  status: 'pending' | 'processing' | 'processed' | 'failed'
  merchantNote: string
  createdAt: number
  refundedAt: number | null
}

/** An answer to a call that worked. */
export function fine(message: string, data: unknown, more: object = {}): Answer {
  return { status: 200, type: 'application/json; charset=utf-8', body: wideJson({ status: true, message, data, ...more }) }
}

/** An answer to a call that did not. */
export function refused(
  status: number,
  message: string,
  code: string,
  nextStep = "Ensure that the value(s) you're passing are valid.",
): Answer {
  return { status, body: { status: false, message, meta: { nextStep }, type: 'validation_error', code } }
}

/** JSON in which `wide('123')` stands as the number 123, however many digits it has. */
export function wideJson(value: unknown): string {
  return JSON.stringify(value).replace(/"a wide number: (\d+)"/g, '$1')
}

/** Lower-case hex HMAC-SHA512 of the raw body, as in `x-paystack-signature`. */
export function sign(body: string, secretKey: string): string {
  return createHmac('sha512', secretKey).update(body).digest('hex')
}

/** `data` of verify, and of the webhooks about a charge. */
export function transactionData(charge: PaystackCharge, settings: PaystackSettings): object {
  const paidAt = charge.paidAt === null ? null : new Date(charge.paidAt).toISOString()
  const createdAt = new Date(charge.createdAt).toISOString()
  const isMobile = charge.channel === 'mobile_money'
  return {
    id: wide(charge.id),
    domain: domainOf(settings),
    status: statusOf(charge, settings),
    reference: charge.reference,
    receipt_number: null,
    amount: charge.amount + settings.customerFee,
    requested_amount: charge.amount,
    message: null,
    gateway_response: charge.gatewayResponse,
    paid_at: paidAt,
    paidAt,
    created_at: createdAt,
    createdAt,
    channel: charge.channel,
    currency: charge.currency,
    ip_address: '127.0.0.1',
    metadata: settings.metadataAs === 'empty' ? '' : settings.metadataAs === 'number' ? 0 : (charge.metadata ?? ''),
    log: null,
    fees: Math.round(charge.amount * 0.015),
    fees_split: null,
    authorization: paidAt ? { channel: charge.channel, bank: isMobile ? 'MTN Mobile Money' : 'TEST BANK', reusable: !isMobile } : {},
    customer: { id: 181873746, first_name: null, last_name: null, email: charge.email, customer_code: 'CUS_emulator', phone: charge.phone },
    plan: null,
    split: {},
    subaccount: {},
  }
}

/** `data` of the refund calls. */
export function refundData(refund: PaystackRefund, settings: PaystackSettings): object {
  return {
    integration: 100982,
    id: wide(refund.id),
    transaction: wide(refund.transaction.id),
    transaction_reference: refund.transaction.reference,
    domain: domainOf(settings),
    currency: refund.transaction.currency,
    amount: refund.amount,
    deducted_amount: refund.amount,
    fully_deducted: true,
    channel: refund.transaction.channel,
    status: refund.status,
    refunded_by: 'owner@example.com',
    refunded_at: refund.refundedAt === null ? null : new Date(refund.refundedAt).toISOString(),
    expected_at: new Date(refund.createdAt + 7 * 24 * 3_600_000).toISOString(),
    merchant_note: refund.merchantNote,
    customer_note: `Refund for transaction ${refund.transaction.reference}`,
    createdAt: new Date(refund.createdAt).toISOString(),
  }
}

/** `data` of the webhooks about a refund: other fields than in the calls, and the amount as a text. (From memory: unverified.) */
export function refundEventData(refund: PaystackRefund, settings: PaystackSettings): object {
  return {
    id: wide(refund.id),
    status: refund.status,
    transaction_reference: refund.transaction.reference,
    refund_reference: refund.status === 'processed' ? `TRF_${refund.id}` : null,
    amount: String(refund.amount),
    currency: refund.transaction.currency,
    processor: 'instant-transfer',
    customer: { first_name: null, last_name: null, email: refund.transaction.email },
    integration: 100982,
    domain: domainOf(settings),
  }
}

/** The hosted page: what the buyer may do there, as forms that need no script. */
export function checkoutPage(charge: PaystackCharge): Answer {
  const isDone = charge.state === 'success' || charge.state === 'reversed'
  const money = `${charge.currency} ${(charge.amount / 100).toFixed(2)}`
  const words = isDone
    ? 'This transaction was paid already.'
    : charge.state === 'failed'
      ? `Payment failed: ${charge.gatewayResponse}`
      : `Pay ${money} as ${charge.email}`
  const buttons = [
    ['success', 'Pay'],
    ['fail', 'Pay with a card that is declined'],
    ['abandon', 'Close this page without paying'],
    ['later', 'Go back to the shop and pay later'],
  ].map(([action, label]) => `<button name="action" value="${action}">${label}</button>`)
  const offer = isDone || charge.state === 'failed' ? '' : `<form method="post">${buttons.join('\n')}</form>`
  const back = charge.callbackUrl ? `<p><a href="${escape(backUrl(charge))}">Back to the shop</a></p>` : ''
  const head = '<meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Checkout (emulator)</title>'
  const body = `<!doctype html><html lang="en"><head>${head}</head><body><main><h1>Checkout</h1><p id="words">${escape(words)}</p>${offer}${back}</main></body></html>`
  return { status: 200, type: 'text/html; charset=utf-8', body }
}

/** Where the browser goes back to; the two parameters are from memory: unverified. */
export function backUrl({ callbackUrl, reference }: PaystackCharge): string {
  const url = new URL(callbackUrl!)
  url.searchParams.set('trxref', reference)
  url.searchParams.set('reference', reference)
  return url.href
}

function wide(digits: string): string {
  return `a wide number: ${digits}`
}

function statusOf({ state, channel }: PaystackCharge, { unpaidStatus }: PaystackSettings): string {
  if (state === 'otp') return 'ongoing'
  return state === 'open' ? (channel === 'mobile_money' ? 'ongoing' : unpaidStatus) : state
}

function domainOf({ secretKey }: PaystackSettings): string {
  return secretKey.startsWith('sk_live_') ? 'live' : 'test'
}

function escape(text: string): string {
  return text.replace(/[&<>"]/g, (sign) => `&#${sign.charCodeAt(0)};`)
}
