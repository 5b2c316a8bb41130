import type { PaymentView } from '../../server/payments/schema.ts'
import { price } from '../shared/format.ts'
import './pay.css'
import { Button, Notice } from './parts.tsx'
import { isSettled } from './till.ts'
import type { Doors } from './welcome.tsx'

/** A payment that is not over, on the pages where one may have gone meanwhile; or one that came to nothing just now. */
export function PaymentCard({ payment, doors }: { payment: PaymentView | null; doors: Doors }) {
  if (!payment || payment.reason === 'given-up') return null
  const { status, packageName, words } = payment
  if (status === 'failed')
    return (
      <Notice kind="bad" title={`${packageName} was not paid`}>
        <p>{words}</p>
      </Notice>
    )
  if (status === 'paid' && isSettled(payment)) return null
  if (payment.givenUpAt !== null)
    return (
      <Notice kind="warn" icon="clock" title={`Your payment for ${packageName}`}>
        <p>{words}</p>
      </Notice>
    )
  return (
    <section class="card open-payment" aria-labelledby="open-payment-title">
      <h2 id="open-payment-title">
        {status === 'paid' ? 'Paid' : 'Not paid yet'}: {packageName}, {price(payment.amountMinor, payment.currency)}
      </h2>
      <p role="status">{words}</p>
      <Button kind="second" onClick={() => doors.go('pay', payment.reference)}>
        Show this payment
      </Button>
    </section>
  )
}
