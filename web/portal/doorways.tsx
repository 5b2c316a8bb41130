import type { PaymentView } from '../../server/payments/schema.ts'
import type { Portal } from '../../server/venue/schema.ts'
import './pay.css'
import { Icon } from './icons.tsx'
import type { Go } from './state.ts'
import { plainPhone } from './words.ts'

/** The ways to the reader's own pages and to the map, at the foot of the pages they come to first. */
export function Doorways({ portal, payment, go }: { portal: Portal; payment: PaymentView | null; go: Go }) {
  const { customer, services } = portal
  return (
    <nav class="doorways" aria-label="More">
      {(customer || services.ways.length > 0) && (
        <button type="button" onClick={() => go('account')}>
          <Icon name="person" />
          <span>{customer ? plainPhone(customer.phone) : 'Sign in'}</span>
        </button>
      )}
      {payment?.status === 'paid' && (
        <button type="button" onClick={() => go('receipt', payment.reference)}>
          <Icon name="receipt" />
          <span>Receipt</span>
        </button>
      )}
      <button type="button" onClick={() => go('map')}>
        <Icon name="pin" />
        <span>All hotspots</span>
      </button>
    </nav>
  )
}
