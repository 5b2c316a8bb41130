import { useEffect, useState } from 'preact/hooks'
import type { PaymentView } from '../../server/payments/schema.ts'
import type { Portal } from '../../server/venue/schema.ts'
import type { SessionView } from '../../server/sessions/schema.ts'
import { bytes, moment, price } from '../shared/format.ts'
import { Icon } from './icons.tsx'
import { BackBar, Button, Failure, Title } from './parts.tsx'
import { useTask, type Go } from './state.ts'
import { askHistory, type History as Past } from './till.ts'

/** The customer's sessions and payments, the newest first. */
export function History({ portal, go, refresh }: { portal: Portal; go: Go; refresh: () => Promise<void> }) {
  const [past, setPast] = useState<Past | null>(null)
  const task = useTask()
  const ask = () => void task.run(async () => setPast(await askHistory()))
  useEffect(ask, [])
  // A login that ran out: once the portal knows, the way to this page asks for a new one.
  useEffect(() => void (task.failure?.code === 'not-signed-in' && refresh()), [task.failure])
  return (
    <main class="single start">
      <BackBar venue={portal.venue} onBack={() => go('account')} />
      <Title venue={portal.venue.venueName}>Sessions and payments</Title>
      {task.busy && <p class="spinner large" aria-hidden="true" />}
      {task.failure && <Failure failure={task.failure} />}
      {task.failure && <Button onClick={ask}>Try again</Button>}
      {past && (
        <>
          <section class="card" aria-labelledby="payments-title">
            <h2 id="payments-title">Payments</h2>
            {past.payments.length === 0 && <p class="soft">No payments yet.</p>}
            <ul class="past">
              {past.payments.map((payment) => (
                <li key={payment.reference}>
                  <button type="button" onClick={() => go('receipt', payment.reference)}>
                    <span>
                      {payment.packageName}
                      <span class="small soft figures">
                        {moment(payment.paidAt ?? payment.createdAt)} · {stand(payment)}
                      </span>
                    </span>
                    <strong class={`figures ${payment.status === 'paid' ? '' : 'soft'}`}>
                      {price(payment.amountMinor, payment.currency)}
                    </strong>
                    <Icon name="arrow" size={18} />
                  </button>
                </li>
              ))}
            </ul>
          </section>
          <section class="card" aria-labelledby="sessions-title">
            <h2 id="sessions-title">Sessions</h2>
            {past.sessions.length === 0 && <p class="soft">No sessions yet.</p>}
            <ul class="past">
              {past.sessions.map((session) => (
                <li key={session.id}>
                  <p>
                    {session.packageName}
                    <span class="small soft figures">
                      {moment(session.startTime ?? session.createdAt)} · {session.hotspotName}
                    </span>
                  </p>
                  <p class="figures">
                    {bytes(session.dataUsed + session.slowUsed)}
                    <span class="small soft">{use(session)}</span>
                  </p>
                </li>
              ))}
            </ul>
          </section>
        </>
      )}
    </main>
  )
}

function stand({ status, refund, title }: PaymentView): string {
  if (refund === 'done') return 'given back'
  if (refund === 'asked') return 'being given back'
  if (status === 'failed') return 'not paid'
  return status === 'paid' ? title : 'open'
}

function use({ status }: SessionView): string {
  if (status === 'expired') return 'over'
  return status === 'ready' ? 'not begun' : 'going on'
}
