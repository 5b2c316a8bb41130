import type { PaymentFilter, PaymentView, StaffPayment } from '../contract.ts'

type Tone = 'good' | 'warn' | 'bad' | 'quiet' | 'accent'
type Reason = NonNullable<PaymentView['reason']>

export const paymentFilters: { value: PaymentFilter['status']; label: string }[] = [
  { value: 'all', label: 'All' },
  { value: 'open', label: 'Waiting' },
  { value: 'cash', label: 'Cash' },
  { value: 'paid', label: 'Paid' },
  { value: 'not-online', label: 'Not online' },
  { value: 'failed', label: 'Failed' },
  { value: 'refunds', label: 'Refunds' },
]

const reasonWords: Record<Reason, string> = {
  declined: 'Declined by the customer',
  timeout: 'Not confirmed in time',
  'no-funds': 'Not enough money',
  limit: 'Over the limit of their account',
  'not-registered': 'No such account',
  'wrong-amount': 'Another amount came',
  provider: 'Refused by the provider',
  misconfigured: 'Our account is refused',
  'given-up': 'Given up',
}

/** Paid for so long without being let in is an alarm; the server counts alike. */
const LATE_MS = 60_000

/** What became of a payment, in the words of the counter, with the tone of its badge. @param nowMs UTC ms */
export function paymentState(payment: PaymentView, nowMs: number): { words: string; tone: Tone } {
  if (payment.refund === 'done') return { words: 'Refunded', tone: 'warn' }
  if (payment.refund === 'asked') return { words: 'Refund under way', tone: 'warn' }
  if (payment.refund === 'failed') return { words: 'Refund failed', tone: 'bad' }
  if (payment.step === 'failed') return failedState(payment)
  if (payment.givenUpAt && payment.paidAt === null) return { words: 'Given up', tone: 'quiet' }
  if (payment.step === 'used') return { words: 'Came online', tone: 'good' }
  if (payment.step === 'granted') return { words: 'Let in', tone: 'good' }
  if (payment.outcome === 'waiting') return { words: 'Paid, for later', tone: 'good' }
  if (payment.paidAt !== null) {
    const late = nowMs - Date.parse(payment.paidAt) > LATE_MS
    return late ? { words: 'Paid, not online', tone: 'bad' } : { words: 'Paid', tone: 'good' }
  }
  if (payment.kind === 'desk') return { words: 'Waits for cash', tone: 'accent' }
  return { words: payment.step === 'asked' ? 'Asked' : 'Waits for the customer', tone: 'quiet' }
}

function failedState({ reason }: PaymentView): { words: string; tone: Tone } {
  const ours = reason === 'misconfigured' || reason === 'wrong-amount'
  return { words: reason ? reasonWords[reason] : 'Failed', tone: ours ? 'bad' : 'quiet' }
}

export type WayStep = { name: string; at: string | null; state: 'done' | 'now' | 'ahead' | 'failed' }

/** The way of the money, step by step. A failed payment ends where it failed. */
export function wayOf(payment: PaymentView): WayStep[] {
  const steps: [string, string | null][] = [
    ['Asked', payment.createdAt],
    [payment.kind === 'desk' ? 'Waits at the desk' : 'Pending', payment.pendingAt],
    ['Paid', payment.paidAt],
    ['Session open', payment.openedAt],
    ['Granted', payment.grantedAt],
    ['First byte seen', payment.firstByteAt],
  ]
  const reached = steps.findLastIndex(([, at]) => at !== null)
  const done: WayStep[] = steps
    .slice(0, reached + 1)
    // Whoever was confirmed at once never waited: the step was passed all the same.
    .map(([name, at]) => ({ name, at, state: 'done' }))
  if (payment.step === 'failed') return [...done, { name: 'Failed', at: payment.failedAt, state: 'failed' }]
  const stopped = payment.refund === 'done' || (payment.givenUpAt !== null && payment.paidAt === null)
  const ahead: WayStep[] = steps.slice(reached + 1).map(([name], at) => ({ name, at: null, state: at === 0 && !stopped ? 'now' : 'ahead' }))
  return [...done, ...ahead]
}

/** Who pays, as staff would say it: the number, or nobody known. */
export function payerWords({ userPhone }: Pick<PaymentView, 'userPhone'>): string {
  return userPhone ? `+${userPhone}` : 'At the desk'
}

/** Whether asking the provider now can tell anything new. */
export function canLookNow(payment: StaffPayment): boolean {
  if (payment.refund !== null) return payment.refund === 'asked'
  if (payment.kind === 'desk' || payment.kind === 'free') return payment.paidAt !== null && payment.grantedAt === null
  return payment.grantedAt === null
}

/** Whether the cashier is waited for. */
export function waitsForCash(payment: PaymentView): boolean {
  return payment.kind === 'desk' && payment.paidAt === null && payment.step !== 'failed' && payment.givenUpAt === null
}
