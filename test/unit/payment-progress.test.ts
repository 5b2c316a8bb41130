import test from 'ava'
import { backoffMs, isHopeless, nextLook, stepOf, wordsFor } from '#server/payments/progress.ts'
import type { Payment } from '#server/payments/payments.ts'
import { failReason } from '#server/payments/schema.ts'
import { DAY, HOUR, MINUTE, SECOND } from '#server/units.ts'

const now = 1_800_000_000_000
const asked = {
  id: 12,
  status: 'asked',
  createdAt: now,
  expiresAt: now + 5 * MINUTE,
  givenUpAt: null,
  paidAt: null,
  sessionId: null,
  grantedAt: null,
  firstByteAt: null,
  outcome: null,
  reason: null,
  refund: null,
  windowUntil: null,
} as unknown as Payment
const paid: Payment = { ...asked, status: 'paid', paidAt: now }
const open: Payment = { ...paid, sessionId: 3, outcome: 'opened' }
const granted: Payment = { ...open, grantedAt: now }

for (const [payment, step] of [
  [asked, 'asked'],
  [{ ...asked, status: 'pending' }, 'pending'],
  [paid, 'paid'],
  [open, 'open'],
  [granted, 'granted'],
  [{ ...granted, firstByteAt: now }, 'used'],
  [{ ...asked, status: 'failed' }, 'failed'],
] as [Payment, string][])
  test(`the way of the money: ${step}`, (t) => t.is<string, string>(stepOf(payment), step))

test('the provider is asked often while the buyer holds the phone, and seldom after', (t) => {
  const waits = [0, 2 * MINUTE, 10 * MINUTE, 3 * HOUR].map((age) => nextLook(asked, now + age) - now - age)
  t.deepEqual(waits, [3 * SECOND, 5 * SECOND, 30 * SECOND, HOUR])
})

test('a payment is not given up before a day', (t) => {
  t.false(isHopeless(asked, now + DAY - 1))
  t.true(isHopeless(asked, now + DAY))
})

test('no answer: the waits grow to a minute and stay there', (t) => {
  t.deepEqual(
    [1, 2, 3, 6, 60].map(backoffMs),
    [2, 4, 8, 60, 60].map((seconds) => seconds * SECOND),
  )
})

test('every reason has words of its own, which say what became of the money or whom to ask', (t) => {
  const words = failReason.options.map((reason) => wordsFor({ ...asked, status: 'failed', reason }, { kind: 'push', title: 'M' }, now))
  t.is(new Set(words).size, words.length)
  for (const one of words) t.regex(one, /Nothing was charged|staff|pay another way/)
})

test('the buyer is told what to do at each step', (t) => {
  const told = (payment: Payment, kind: 'push' | 'desk' | 'checkout' = 'push', at = now) =>
    wordsFor(payment, { kind, title: 'MTN Mobile Money' }, at)
  t.regex(told(asked), /Asking MTN Mobile Money/)
  t.regex(told({ ...asked, status: 'pending' }), /Confirm on your phone/)
  t.regex(told({ ...asked, status: 'pending' }, 'push', now + HOUR), /start over/)
  t.regex(told({ ...asked, status: 'pending' }, 'desk'), /number 12/)
  t.regex(told({ ...asked, status: 'pending' }, 'checkout'), /SIM card/)
  t.regex(told({ ...asked, status: 'pending', windowUntil: now + MINUTE }, 'checkout'), /lets you reach it/)
  t.regex(told(open), /Opening the internet/)
  t.is(told(granted), "You're online.")
  t.regex(told({ ...granted, outcome: 'topped-up' }), /Added/)
  t.regex(told({ ...open, outcome: 'waiting' }), /begins when your session ends/)
  t.regex(told({ ...granted, refund: 'done' }), /given back/)
})
