import { randomInt } from 'node:crypto'
import type { CallbackPlan, Message } from './callbacks.ts'
import type { Buyer, Ground } from './control.ts'
import { isObject } from './http.ts'
import type { MomoSettings } from './momo-settings.ts'

/** A payment, and what it did to the buyer's money. */
export type MomoCharge = {
  reference: string
  externalId: string
  phone: string
  amount: string
  currency: string
  status: 'PENDING' | 'SUCCESSFUL' | 'FAILED'
  reason: string | null
  financialTransactionId: string | null
  /** How often money was taken. */
  charged: number
  /** How often it was asked for with this reference, refused repetitions included. */
  timesAsked: number
  askedAt: number
  decidedAt: number | null
}

export type MomoPayments = ReturnType<typeof createMomoPayments>

/** A request to pay, as it was asked for. */
type Wish = {
  amount: string
  currency: string
  externalId: string
  payer: { partyIdType: string; partyId: string }
  payerMessage: string
  payeeNote: string
}

type Payment = { charge: MomoCharge; wish: Wish; callbackUrl: string | null; plan: CallbackPlan | null }

/** The payments, the buyers who decide about them, and the callbacks that tell of it. */
export function createMomoPayments({ settings, timers, callbacks }: Ground<MomoSettings>) {
  const payments = new Map<string, Payment>()
  return {
    /** Writes it down, and lets its buyer decide. */
    add(reference: string, wish: Wish, callbackUrl: string | null, buyer: Buyer): void {
      const { amount, currency, externalId, payer } = wish
      const charge: MomoCharge = {
        reference,
        externalId,
        phone: payer.partyId,
        amount,
        currency,
        status: 'PENDING',
        reason: null,
        financialTransactionId: null,
        charged: 0,
        timesAsked: 1,
        askedAt: Date.now(),
        decidedAt: null,
      }
      const payment = { charge, wish, callbackUrl, plan: buyer.callbacks ?? null }
      payments.set(reference, payment)
      void play(payment, buyer)
    },
    /** True when there is one with this reference, and one more was asked for. */
    isAskedAgain(reference: string): boolean {
      const known = payments.get(reference)
      if (known) known.charge.timesAsked++
      return known !== undefined
    },
    /** The answer to a status call, or null. */
    show(reference: string): object | null {
      const payment = payments.get(reference)
      return payment ? bodyOf(payment) : null
    },
    charges: () => [...payments.values()].map(({ charge }) => ({ ...charge })),
    /** A buyer decides. `reason` null: they confirm. @throws when the payment is unknown or decided */
    decideByHand(reference: string, reason: string | null): void {
      const payment = payments.get(reference)
      if (payment?.charge.status !== 'PENDING') throw new Error(`${reference} is ${payment?.charge.status ?? 'unknown'}, not PENDING`)
      decide(payment, reason)
    },
    forge,
    forget: () => payments.clear(),
  }

  async function play(payment: Payment, buyer: Buyer): Promise<void> {
    if (buyer.does === 'wait') return
    const afterMs = buyer.does === 'ignore' ? settings.promptMs : (buyer.afterMs ?? 0)
    if (afterMs > 0 && !(await timers.wait(afterMs))) return
    // Somebody may have called approve() or decline() meanwhile.
    if (payment.charge.status !== 'PENDING') return
    decide(payment, buyer.does === 'approve' ? null : buyer.does === 'ignore' ? 'COULD_NOT_PERFORM_TRANSACTION' : buyer.reason)
  }

  function decide(payment: Payment, reason: string | null): void {
    const { charge, callbackUrl, plan } = payment
    charge.status = reason === null ? 'SUCCESSFUL' : 'FAILED'
    charge.reason = reason
    charge.decidedAt = Date.now()
    if (reason === null) {
      charge.charged++
      charge.financialTransactionId = String(randomInt(100_000_000, 2_000_000_000))
    }
    if (callbackUrl === null) return
    callbacks.send(messageOf(charge.reference, callbackUrl, bodyOf(payment)), plan ?? settings.callbacks)
  }

  async function forge(reference: string, over: Record<string, unknown> = {}, url?: string): Promise<void> {
    const payment = payments.get(reference)
    const to = url ?? payment?.callbackUrl
    if (!to) throw new Error(`${reference} has no callback address: say which`)
    const lie = { financialTransactionId: '363440463', ...(payment && bodyOf(payment)), status: 'SUCCESSFUL', reason: undefined, ...over }
    await callbacks.sendNow({ ...messageOf(reference, to, lie), forged: true })
  }

  function messageOf(about: string, url: string, body: object): Message {
    return { about, url, method: settings.callbackMethod, headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }
  }

  /** The same for status and callback. It does not hold the reference: that is in the address, where the asker put it. */
  function bodyOf({ charge: { status, reason, financialTransactionId }, wish }: Payment): object {
    const words = reason && settings.reasonAs === 'object' ? { code: reason, message: reason.toLowerCase().replaceAll('_', ' ') } : reason
    return { ...(financialTransactionId && { financialTransactionId }), ...wish, status, ...(words && { reason: words }) }
  }
}

/** The body of a request to pay, or null when a field is missing, of another kind, or odd. */
export function readWish(body: Record<string, unknown> | null): Wish | null {
  const { amount, currency, externalId, payer, payerMessage = '', payeeNote = '' } = body ?? {}
  if (typeof amount !== 'string' || !/^[1-9]\d*(\.\d{1,2})?$/.test(amount)) return null
  if (typeof currency !== 'string' || typeof externalId !== 'string' || !isObject(payer)) return null
  if (currency === 'UGX' && amount.includes('.')) return null
  const { partyIdType, partyId } = payer
  if (typeof partyIdType !== 'string' || !['MSISDN', 'EMAIL', 'PARTY_CODE'].includes(partyIdType)) return null
  if (typeof partyId !== 'string' || (partyIdType === 'MSISDN' && !/^[1-9]\d{6,14}$/.test(partyId))) return null
  if (!isShortText(payerMessage) || !isShortText(payeeNote)) return null
  return { amount, currency, externalId, payer: { partyIdType, partyId }, payerMessage, payeeNote }
}

function isShortText(value: unknown): value is string {
  return typeof value === 'string' && /^[\x20-\x7e]{0,160}$/.test(value)
}
