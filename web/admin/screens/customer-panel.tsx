import type { ComponentChildren } from 'preact'
import { useState } from 'preact/hooks'
import { moment, price } from '../../shared/format.ts'
import { useAccount } from '../account.ts'
import { useLoaded, useNow } from '../asking.ts'
import type { CustomerDetail, PaymentView, PointsEntry, SessionView } from '../contract.ts'
import { useRefreshOn } from '../live.ts'
import { Dialog } from '../parts/dialog.tsx'
import { Arrived, Button } from '../parts/feedback.tsx'
import { Badge, Facts } from '../parts/page.tsx'
import { ago, day, statusWords } from '../words.ts'
import { CorrectPoints, DeleteCustomer, ResetPin } from './customer-changes.tsx'
import { paymentState } from './payment-words.ts'

type Asking = 'points' | 'pin' | 'delete'
type PanelProps = { phone: string; onChanged: () => void; onClose: () => void }

/** One customer in full, beside the list. */
export function CustomerPanel({ phone, onChanged, onClose }: PanelProps) {
  const { api, me } = useAccount()
  const loaded = useLoaded(() => api.get<CustomerDetail>(`/api/admin/customers/${phone}`), [phone])
  useRefreshOn('session', loaded.reload)
  useRefreshOn('payment', loaded.reload)
  const [asking, setAsking] = useState<Asking | null>(null)
  const close = () => setAsking(null)
  const changed = () => {
    loaded.reload()
    onChanged()
  }
  const isOwner = me.role === 'owner'
  const known = loaded.data
  return (
    <Dialog title={`+${phone}`} shape="panel" onClose={onClose}>
      <div class="dialog-body stack" tabIndex={0}>
        <Arrived loaded={loaded}>{(data) => <Detail data={data} mayCorrect={isOwner} onCorrect={() => setAsking('points')} />}</Arrived>
      </div>
      {known && (isOwner || known.customer.hasPin) && (
        <footer class="dialog-foot">
          {isOwner && (
            <Button kind="danger" onClick={() => setAsking('delete')}>
              Delete
            </Button>
          )}
          {known.customer.hasPin && (
            <Button icon="key" onClick={() => setAsking('pin')}>
              Reset the PIN
            </Button>
          )}
        </footer>
      )}
      {asking === 'points' && known && <CorrectPoints phone={phone} balance={known.points.balance} onDone={changed} onClose={close} />}
      {asking === 'pin' && <ResetPin phone={phone} onDone={changed} onClose={close} />}
      {asking === 'delete' && known && (
        <DeleteCustomer
          customer={known.customer}
          onDone={() => {
            onChanged()
            onClose()
          }}
          onClose={close}
        />
      )}
    </Dialog>
  )
}

type DetailProps = { data: CustomerDetail; mayCorrect: boolean; onCorrect: () => void }

function Detail({ data: { customer, sessions, payments, points }, mayCorrect, onCorrect }: DetailProps) {
  const now = useNow(10_000)
  return (
    <>
      <Facts
        facts={[
          ['Now', customer.liveSessionId === null ? 'No live session' : <a href={`#/sessions/${customer.liveSessionId}`}>Live session</a>],
          ['Number', customer.confirmed ? 'Proved to be theirs' : 'Not proved yet'],
          ['PIN', customer.hasPin ? 'Chosen' : 'None'],
          ['Customer since', day(customer.createdAt)],
          ['Last seen', ago(customer.seenAt, now)],
        ]}
      />
      <Part title="Sessions" count={customer.sessions} none="No session yet.">
        {sessions.map((session) => (
          <SessionRow key={session.id} session={session} />
        ))}
      </Part>
      <Part title="Payments" count={payments.length} none="No payment yet.">
        {payments.map((payment) => (
          <PaymentRow key={payment.number} payment={payment} now={now} />
        ))}
      </Part>
      <section>
        <div class="split part-head">
          <h3>
            Points <span class="soft figures">{points.balance.toLocaleString('en-US')}</span>
          </h3>
          {mayCorrect && (
            <button type="button" class="button small" onClick={onCorrect}>
              Correct
            </button>
          )}
        </div>
        {points.entries.length === 0 && <p class="soft">None earned yet.</p>}
        <ul class="lines">
          {points.entries.map((entry) => (
            <PointsRow key={entry.id} entry={entry} />
          ))}
        </ul>
      </section>
    </>
  )
}

type PartProps = { title: string; count: number; none: string; children: ComponentChildren[] }
const SHOWN_FIRST = 5

/** A list that shows its newest few until asked for all. */
function Part({ title, count, none, children }: PartProps) {
  const [all, setAll] = useState(false)
  return (
    <section>
      <h3>
        {title} <span class="soft figures">{count.toLocaleString('en-US')}</span>
      </h3>
      {children.length === 0 && <p class="soft">{none}</p>}
      <ul class="lines">{all ? children : children.slice(0, SHOWN_FIRST)}</ul>
      {!all && children.length > SHOWN_FIRST && (
        <button type="button" class="button small lines-more" onClick={() => setAll(true)}>
          Show {children.length - SHOWN_FIRST} more
        </button>
      )}
    </section>
  )
}

function SessionRow({ session }: { session: SessionView }) {
  const { words, tone } = statusWords(session)
  return (
    <li>
      <span>
        <a href={`#/sessions/${session.id}`}>{session.packageName}</a>
        <small class="figures">{moment(session.createdAt)}</small>
      </span>
      <Badge kind={tone}>{words}</Badge>
    </li>
  )
}

function PaymentRow({ payment, now }: { payment: PaymentView; now: number }) {
  const { words, tone } = paymentState(payment, now)
  return (
    <li>
      <span>
        <a class="figures" href={`#/payments/${payment.number}`}>
          {price(payment.amountMinor, payment.currency)}
        </a>{' '}
        {payment.packageName}
        <small class="figures">
          {payment.title}, {moment(payment.createdAt)}
        </small>
      </span>
      <Badge kind={tone}>{words}</Badge>
    </li>
  )
}

const kindWords: Record<PointsEntry['kind'], string> = {
  earned: 'Earned',
  redeemed: 'Spent',
  'taken-back': 'Taken back after a refund',
  corrected: 'Corrected',
}

function PointsRow({ entry }: { entry: PointsEntry }) {
  return (
    <li>
      <span>
        {kindWords[entry.kind]}
        {entry.by && ` by ${entry.by}`}
        {entry.reason && <span class="soft">: {entry.reason}</span>}
        <small class="figures">{moment(entry.at)}</small>
      </span>
      <strong class="figures">{signed(entry.delta)}</strong>
    </li>
  )
}

function signed(delta: number): string {
  return `${delta < 0 ? '−' : '+'}${Math.abs(delta).toLocaleString('en-US')}`
}
