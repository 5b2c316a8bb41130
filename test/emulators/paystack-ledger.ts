import type { CallbackPlan, Message } from './callbacks.ts'
import type { Buyer, Ground } from './control.ts'
import type { PaystackSettings } from './paystack-settings.ts'
import { refundEventData, sign, transactionData, wideJson, type PaystackCharge, type PaystackRefund } from './paystack-shapes.ts'

export type PaystackLedger = ReturnType<typeof createPaystackLedger>

/** What `forge` signs with: nothing, another key, or the right one. */
export type Forged = { event?: string; over?: Record<string, unknown>; signed?: 'not' | 'wrongly' | 'rightly'; url?: string }

type Opening = Pick<
  PaystackCharge,
  'reference' | 'email' | 'phone' | 'amount' | 'currency' | 'channel' | 'metadata' | 'checkoutUrl' | 'callbackUrl'
>

const minuteMs = 60_000
const hourMs = 60 * minuteMs

/** Transactions, refunds and the webhooks that tell of them. */
export function createPaystackLedger({ settings, timers, callbacks }: Ground<PaystackSettings>) {
  const charges = new Map<string, PaystackCharge>()
  const refunds: PaystackRefund[] = []
  const plans = new Map<PaystackCharge, CallbackPlan>()
  return {
    charges: () => [...charges.values()],
    refunds: () => refunds,
    byReference: (reference: string) => charges.get(reference) ?? null,
    /** Writes it down, and lets its buyer decide. */
    open(opening: Opening, buyer: Buyer): PaystackCharge {
      const id = String(BigInt(settings.firstId) + BigInt(charges.size))
      const charge: PaystackCharge = {
        id,
        ...opening,
        state: 'open',
        gatewayResponse: 'The transaction was not completed',
        charged: 0,
        timesAsked: 1,
        refunded: 0,
        createdAt: Date.now(),
        paidAt: null,
      }
      charges.set(opening.reference, charge)
      if (buyer.callbacks) plans.set(charge, buyer.callbacks)
      return charge
    },
    play,
    pay,
    fail,
    refund(transaction: PaystackCharge, amount: number, merchantNote: string): PaystackRefund {
      const id = String(3_018_284 + refunds.length)
      const refund: PaystackRefund = { id, transaction, amount, status: 'pending', merchantNote, createdAt: Date.now(), refundedAt: null }
      refunds.push(refund)
      tellOfRefund(refund)
      void playRefund(refund)
      return refund
    },
    settleRefund,
    forge,
    forget() {
      charges.clear()
      plans.clear()
      refunds.length = 0
    },
  }

  /** Lets a buyer decide by themselves; at once when they need no time. */
  async function play(charge: PaystackCharge, buyer: Buyer): Promise<void> {
    if (buyer.does === 'wait' || buyer.does === 'ignore') return
    if (buyer.afterMs && !(await timers.wait(buyer.afterMs))) return
    if (charge.state !== 'open') return
    if (buyer.does === 'approve') pay(charge)
    else fail(charge, buyer.reason)
  }

  /** The money is taken. Nothing happens when it was before. */
  function pay(charge: PaystackCharge): void {
    if (charge.state !== 'open' && charge.state !== 'otp') return
    charge.state = 'success'
    charge.charged++
    charge.paidAt = Date.now()
    charge.gatewayResponse = charge.channel === 'mobile_money' ? 'Approved' : 'Successful'
    tell(charge, 'charge.success', transactionData(charge, settings))
  }

  /** It is declined. No webhook tells of that: there is no dependable charge.failed. */
  function fail(charge: PaystackCharge, words: string): void {
    if (charge.state !== 'open' && charge.state !== 'otp') return
    charge.state = 'failed'
    charge.gatewayResponse = words
  }

  async function playRefund(refund: PaystackRefund): Promise<void> {
    const { does, afterMs } = settings.refunds
    if (does === 'wait') return
    // Never in the same breath: whoever asked hears `pending` first.
    if (!(await timers.wait(afterMs))) return
    if (refund.status === 'pending') settleRefund(refund, does === 'process' ? 'processed' : 'failed')
  }

  function settleRefund(refund: PaystackRefund, status: 'processed' | 'failed'): void {
    const { transaction } = refund
    refund.status = 'processing'
    tellOfRefund(refund)
    refund.status = status
    if (status === 'processed') {
      refund.refundedAt = Date.now()
      transaction.refunded += refund.amount
      if (transaction.refunded >= transaction.amount) transaction.state = 'reversed'
    }
    tellOfRefund(refund)
  }

  function tellOfRefund(refund: PaystackRefund): void {
    tell(refund.transaction, `refund.${refund.status}`, refundEventData(refund, settings))
  }

  function tell(charge: PaystackCharge, event: string, data: object): void {
    if (settings.webhookUrl === null) return
    const body = wideJson({ event, data })
    const message = messageOf(charge.reference, settings.webhookUrl, body, sign(body, settings.secretKey))
    callbacks.send({ ...message, retriesMs: settings.retriesMs ?? retriesOf(settings) }, plans.get(charge) ?? settings.callbacks)
  }

  async function forge(reference: string, { event = 'charge.success', over = {}, signed = 'not', url }: Forged = {}): Promise<void> {
    const charge = charges.get(reference)
    const to = url ?? settings.webhookUrl
    if (!to) throw new Error('there is no webhook address: say which')
    const truth = charge ? transactionData(charge, settings) : { reference }
    const body = wideJson({ event, data: { ...truth, status: 'success', ...over } })
    const signature = signed === 'not' ? null : sign(body, signed === 'rightly' ? settings.secretKey : 'sk_test_of_somebody_else')
    await callbacks.sendNow({ ...messageOf(reference, to, body, signature), forged: true })
  }
}

function messageOf(about: string, url: string, body: string, signature: string | null): Message {
  const headers = { 'content-type': 'application/json', ...(signature && { 'x-paystack-signature': signature }) }
  return { about, url, method: 'POST', headers, body }
}

/** Live: every 3 minutes four times, then hourly to 72 hours. Test: hourly to 72 hours. */
function retriesOf({ secretKey }: PaystackSettings): number[] {
  const hourly = Array.from({ length: 72 }, () => hourMs)
  return secretKey.startsWith('sk_live_') ? [...Array.from({ length: 4 }, () => 3 * minuteMs), ...hourly] : hourly
}
