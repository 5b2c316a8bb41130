import type { Now } from '../../clock.ts'
import { MINUTE, SECOND } from '../../units.ts'
import type { Asking, Provider, Truth } from '../provider.ts'

/** As long as somebody takes to confirm on their phone. */
const CONFIRMED_AFTER_MS = 3 * SECOND

/**
 * A way to pay without money, for the lab and `npm run dev`. The number decides: one that ends in 1 declines, one that
 * ends in 2 never answers, every other has paid three seconds later. It remembers nothing.
 */
export function createSandbox({ now }: { now: Now }): Provider {
  return {
    name: 'sandbox',
    title: 'Test payment',
    kind: 'push',
    patienceMs: 2 * MINUTE,
    takes: () => true,
    ask: () => Promise.resolve({ state: 'pending', checkoutUrl: null }),
    hear: ({ pathReference }) => Promise.resolve({ reference: pathReference, eventKey: pathReference ?? '', trusted: false }),
    verify: (asking) => Promise.resolve(truthOf(asking, now())),
    refund: ({ reference }) => Promise.resolve({ state: 'done', refundReference: `refund-${reference}` }),
    test: () => Promise.resolve('The test payment works. No money moves.'),
  }
}

function truthOf({ phone, at, amountMinor, currency, reference }: Asking, now: number): Truth {
  if (phone?.endsWith('2') || now < at + CONFIRMED_AFTER_MS) return { state: 'pending' }
  if (phone?.endsWith('1')) return { state: 'failed', reason: 'declined', detail: 'A test number that ends in 1 declines.' }
  return { state: 'paid', amountMinor, currency, providerReference: `sandbox-${reference}` }
}
