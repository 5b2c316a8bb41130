import { DAY, HOUR, MINUTE, SECOND } from '../units.ts'
import type { FailReason, PaymentView } from './schema.ts'
import type { Payment } from './table.ts'

/** A payment of which the provider says nothing final is asked about for so long; then it counts as not made. */
const LOOK_FOR_MS = DAY

/** How far a payment is. */
export function stepOf(payment: Payment): PaymentView['step'] {
  if (payment.status !== 'paid') return payment.status
  if (payment.firstByteAt !== null) return 'used'
  if (payment.grantedAt !== null) return 'granted'
  return payment.sessionId === null ? 'paid' : 'open'
}

/**
 * When to ask the provider about a pending payment again: often while the buyer holds the phone, seldom after.
 * @returns UTC ms
 */
export function nextLook({ createdAt, expiresAt }: Payment, now: number): number {
  const age = now - createdAt
  if (now < expiresAt) return now + (age < MINUTE ? 3 * SECOND : 5 * SECOND)
  if (age < HOUR) return now + 30 * SECOND
  return now + HOUR
}

/** True when nobody need ask any more: a last look found nothing final, a day after. */
export function isHopeless({ createdAt }: Payment, now: number): boolean {
  return now - createdAt >= LOOK_FOR_MS
}

/** How long to wait after the provider gave no answer, for the time that it happened: 1, 2, 4 … 60 s. */
export function backoffMs(attempts: number): number {
  return Math.min(MINUTE, SECOND * 2 ** Math.min(attempts, 6))
}

/** What the buyer should know or do now. */
export function wordsFor(payment: Payment, { kind, title }: { kind: PaymentView['kind']; title: string }, now: number): string {
  if (payment.refund === 'done') return 'This payment was given back.'
  if (payment.refund === 'asked') return 'This payment is being given back.'
  if (payment.status === 'failed') return failedWords[payment.reason ?? 'provider']
  if (payment.status === 'paid') return paidWords(payment)
  if (payment.givenUpAt !== null)
    return 'You started over. Should this payment be confirmed all the same, its internet is added to your session.'
  if (kind === 'desk') return `Pay at the counter and say number ${payment.id}.`
  if (payment.status === 'asked') return `Asking ${title}…`
  if (kind === 'checkout')
    return payment.windowUntil === null || now >= payment.windowUntil
      ? 'Finish the payment on its page, then come back here. On this Wi-Fi the page may not open: use the data of your SIM card for it.'
      : 'Finish the payment on its page, then come back here. For some minutes this Wi-Fi lets you reach it.'
  return now < payment.expiresAt
    ? 'Confirm on your phone: enter your mobile money PIN when it asks.'
    : 'No confirmation yet. If you confirmed, wait a little; if not, start over.'
}

function paidWords(payment: Payment): string {
  if (payment.outcome === 'waiting') return 'Paid. It begins when your session ends, or with its code.'
  if (payment.grantedAt !== null) return payment.outcome === 'topped-up' ? "Added to your session. You're online." : "You're online."
  return 'Paid. Opening the internet for you…'
}

const failedWords: Record<FailReason, string> = {
  declined: 'The payment was declined on the phone. Nothing was charged.',
  timeout: 'Nobody confirmed the payment in time. Should money have left your account all the same, show this to the staff.',
  'no-funds': 'There is not enough money on this account. Nothing was charged.',
  limit: "This account's limit for payments is reached. Nothing was charged.",
  'not-registered': 'This number has no mobile money account. Check the number, or pay another way.',
  'wrong-amount': 'The amount that arrived is not the price. Please show this to the staff.',
  provider: 'The payment company could not do it. Nothing was charged; try again.',
  misconfigured: 'This way to pay does not work here at the moment. Please pay another way, or ask the staff.',
  'given-up': 'You started over. Should money have left your account all the same, show this to the staff.',
}
