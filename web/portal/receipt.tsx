import { useEffect, useState } from 'preact/hooks'
import type { PaymentView } from '../../server/payments/schema.ts'
import type { Portal } from '../../server/venue/schema.ts'
import { moment, price } from '../shared/format.ts'
import './account.css'
import { BackBar, Button, Failure, Support, Title } from './parts.tsx'
import { saveText } from './save.ts'
import { useTask, type Go } from './state.ts'
import { askPayment, isSettled } from './till.ts'
import { plainPhone } from './words.ts'

/** One payment, with all that somebody may be asked about it. */
export function Receipt({ portal, reference, go }: { portal: Portal; reference: string; go: Go }) {
  const [payment, setPayment] = useState<PaymentView | null>(null)
  const task = useTask()
  const ask = () => void task.run(async () => setPayment(await askPayment(reference)))
  useEffect(ask, [])
  const back = () => (portal.customer ? go('history') : go('home'))
  return (
    <main class="single start">
      <BackBar venue={portal.venue} onBack={back} />
      <Title venue={portal.venue.venueName}>Receipt</Title>
      {task.busy && <p class="spinner large" aria-hidden="true" />}
      {task.failure && <Failure failure={task.failure} />}
      {task.failure && <Button onClick={ask}>Try again</Button>}
      {payment && (
        <>
          <section class="card" aria-label="Receipt">
            <div class="receipt-head">
              <p class="receipt-amount figures">{price(payment.amountMinor, payment.currency)}</p>
              <p>
                <span class={`stamp ${payment.status}`}>{stampOf(payment)}</span>
              </p>
              {payment.status !== 'paid' && <p class="soft">{payment.words}</p>}
            </div>
            <dl class="summary figures">
              {rowsOf(payment, portal).map(([name, value]) => (
                <div key={name}>
                  <dt>{name}</dt>
                  <dd>{value}</dd>
                </div>
              ))}
            </dl>
          </section>
          {!isSettled(payment) && (
            <Button onClick={() => go('pay', payment.reference)}>
              {payment.status === 'paid' ? 'See how far it is' : 'Go on with it'}
            </Button>
          )}
          <Button kind="second" icon="down" onClick={() => saveText(textOf(payment, portal), `receipt-${payment.number}.txt`)}>
            Save the receipt
          </Button>
          <p class="small soft center">Nothing saved? Take a screenshot.</p>
          <Support phone={portal.venue.supportPhone} />
        </>
      )}
    </main>
  )
}

function stampOf({ status, refund }: PaymentView): string {
  if (refund === 'done') return 'Given back'
  if (refund === 'asked') return 'Being given back'
  return { paid: 'Paid', failed: 'Not paid', asked: 'Open', pending: 'Open' }[status]
}

function rowsOf(payment: PaymentView, portal: Portal): [string, string][] {
  const at = (name: string, time: string | null): [string, string][] => (time === null ? [] : [[name, moment(time)]])
  return [
    ['Package', payment.packageName],
    ['Paid by', payment.title],
    ...(payment.userPhone ? [['Number', plainPhone(payment.userPhone)] as [string, string]] : []),
    ['At', portal.venue.venueName],
    ...at('Asked', payment.createdAt),
    ...at('Paid', payment.paidAt),
    ...at('Online', payment.grantedAt),
    ...at('Failed', payment.failedAt),
    ...at('Given back', payment.refundedAt),
    ...(payment.pointsEarned > 0 ? [['Points earned', `+${payment.pointsEarned.toLocaleString('en-US')}`] as [string, string]] : []),
    ['Receipt', `No. ${payment.number}`],
    ['Reference', payment.reference],
    ...(payment.providerReference ? [['Transaction', payment.providerReference] as [string, string]] : []),
  ]
}

function textOf(payment: PaymentView, portal: Portal): string {
  const rows = [['Amount', price(payment.amountMinor, payment.currency)], ['Status', stampOf(payment)], ...rowsOf(payment, portal)]
  return `${portal.venue.venueName}\n\n${rows.map(([name, value]) => `${name}: ${value}`).join('\n')}\n`
}
