import type { ComponentChildren } from 'preact'
import { useState } from 'preact/hooks'
import { moment, price } from '../../shared/format.ts'
import { useAccount } from '../account.ts'
import { useChange, useLoaded, useNow } from '../asking.ts'
import type { PaymentDetail, StaffPayment } from '../contract.ts'
import { useRefreshOn } from '../live.ts'
import { CopyLine } from '../parts/copy-line.tsx'
import { Dialog } from '../parts/dialog.tsx'
import { Button, ErrorNote, useSay, Waiting } from '../parts/feedback.tsx'
import { Badge, Facts } from '../parts/page.tsx'
import { CashReceived } from './cash-received.tsx'
import { InboxEntries } from './payment-inbox.tsx'
import { RefundPayment } from './payment-refund.tsx'
import { WaySteps } from './payment-way.tsx'
import { canLookNow, paymentState, waitsForCash } from './payment-words.ts'

type PanelProps = { number: number; known: StaffPayment | null; onChanged: () => void; onClose: () => void }

/** One payment in full, beside the list: its way, the provider's words, and what can be done. */
export function PaymentPanel({ number, known, onChanged, onClose }: PanelProps) {
  const { api, me } = useAccount()
  const say = useSay()
  const loaded = useLoaded(() => api.get<PaymentDetail>(`/api/admin/payments/${number}`), [number])
  useRefreshOn('payment', loaded.reload)
  const [asking, setAsking] = useState<'cash' | 'refund' | null>(null)
  const payment = loaded.data?.payment ?? known
  const changed = () => {
    loaded.reload()
    onChanged()
  }
  const looking = useChange(async () => {
    await api.post(`/api/admin/payments/${number}/check`)
    say('The box is looking now. What it finds appears here.')
    changed()
  })

  return (
    <Dialog title={`Payment ${number}`} shape="panel" onClose={onClose}>
      <div class="dialog-body stack" tabIndex={0}>
        {!payment && !loaded.error && <Waiting />}
        <ErrorNote error={loaded.error} retry={loaded.reload} />
        {payment && <Detail payment={payment} />}
        <ErrorNote error={looking.error} />
        {loaded.data && me.role === 'owner' && (
          <section>
            <h3>Raw inbox</h3>
            {loaded.data.inbox.length === 0 ? (
              <p class="soft small">
                {payment?.kind === 'desk' ? 'Cash has no provider that could send something.' : 'The provider sent nothing about it.'}
              </p>
            ) : (
              <InboxEntries entries={loaded.data.inbox} />
            )}
          </section>
        )}
      </div>
      {payment && <Actions payment={payment} mayRefund={payment.canRefund && me.role === 'owner'} looking={looking} onAsk={setAsking} />}
      {asking === 'cash' && payment && <CashReceived payment={payment} onDone={changed} onClose={() => setAsking(null)} />}
      {asking === 'refund' && payment && <RefundPayment payment={payment} onDone={changed} onClose={() => setAsking(null)} />}
    </Dialog>
  )
}

type ActionProps = {
  payment: StaffPayment
  mayRefund: boolean
  looking: { busy: boolean; run: () => Promise<boolean> }
  onAsk: (what: 'cash' | 'refund') => void
}

function Actions({ payment, mayRefund, looking, onAsk }: ActionProps) {
  const [mayLook, mayTake] = [canLookNow(payment), waitsForCash(payment)]
  if (!mayLook && !mayTake && !mayRefund) return null
  return (
    <footer class="dialog-foot">
      {mayRefund && (
        <Button kind="danger" icon="refund" onClick={() => onAsk('refund')}>
          Refund
        </Button>
      )}
      {mayLook && (
        <Button icon="eye" busy={looking.busy} onClick={() => void looking.run()}>
          Look now
        </Button>
      )}
      {mayTake && (
        <Button kind="primary" icon="check" onClick={() => onAsk('cash')}>
          Cash received
        </Button>
      )}
    </footer>
  )
}

function Detail({ payment }: { payment: StaffPayment }) {
  const now = useNow(5000)
  const { words, tone } = paymentState(payment, now)
  return (
    <>
      <div class="split">
        <strong class="payment-amount figures">{price(payment.amountMinor, payment.currency)}</strong>
        <Badge kind={tone}>{words}</Badge>
      </div>
      <WaySteps payment={payment} />
      {payment.detail && (
        <section>
          <h3>The provider's words</h3>
          <p class="said-by-provider">{payment.detail}</p>
        </section>
      )}
      <Facts facts={factsOf(payment)} />
    </>
  )
}

function factsOf(payment: StaffPayment): [string, ComponentChildren][] {
  const optional: [string, ComponentChildren][] = [
    ['Customer', payment.userPhone && <a href={`#/customers/${payment.userPhone}`}>+{payment.userPhone}</a>],
    ['Session', payment.sessionId !== null && <a href={`#/sessions/${payment.sessionId}`}>Session {payment.sessionId}</a>],
    ['Customer reads', payment.words],
    ['Cash taken by', payment.confirmedBy],
    ['Points earned', payment.pointsEarned !== 0 && String(payment.pointsEarned)],
    ['Looked at', payment.attempts > 1 && `${payment.attempts} times`],
    ['Looked at next', payment.nextAt !== null && payment.kind !== 'desk' && moment(payment.nextAt)],
    ['Given up', payment.givenUpAt && moment(payment.givenUpAt)],
    ['Refund', payment.refund && refundWords(payment)],
    ['Reason for it', payment.refundReason],
    ['About the refund', payment.refundDetail],
    ["Provider's number", payment.providerReference && <CopyLine text={payment.providerReference} what="provider's number" />],
    ['Reference', <CopyLine text={payment.reference} what="reference" />],
  ]
  return [
    ['Package', `${payment.packageName}${payment.topUp ? ', added to a session' : ''}`],
    ['Paid by', payment.title],
    ['Hotspot', payment.hotspotId],
    ...optional.filter(([, value]) => value),
  ]
}

function refundWords({ refund, refundBy, refundedAt }: StaffPayment): string {
  const state = { asked: 'Under way', done: 'Done', failed: 'Failed' }[refund ?? 'asked']
  return [state, refundBy ? ` by ${refundBy}` : '', refundedAt ? `, ${moment(refundedAt)}` : ''].join('')
}
