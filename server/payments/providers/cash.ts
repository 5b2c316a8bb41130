import { HOUR } from '../../units.ts'
import type { Provider } from '../provider.ts'

/** Money on the counter: only the cashier settles it, and gives it back by hand. */
export function createCash(): Provider {
  return {
    name: 'cash',
    title: 'Cash at the desk',
    kind: 'desk',
    patienceMs: HOUR,
    takes: () => true,
    ask: () => Promise.resolve({ state: 'pending', checkoutUrl: null }),
    hear: () => Promise.resolve({ reference: null, eventKey: '', trusted: false }),
    verify: () => Promise.resolve({ state: 'pending' }),
    test: () => Promise.resolve('Cash needs nobody else.'),
  }
}
