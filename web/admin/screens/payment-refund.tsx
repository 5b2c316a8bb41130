import { useState } from 'preact/hooks'
import { price } from '../../shared/format.ts'
import { useAccount } from '../account.ts'
import { useChange } from '../asking.ts'
import type { StaffPayment } from '../contract.ts'
import { faultOf } from '../faults.ts'
import { Dialog } from '../parts/dialog.tsx'
import { Button, ErrorNote, Notice, useSay } from '../parts/feedback.tsx'
import { TextField, Toggle } from '../parts/form.tsx'
import { payerWords } from './payment-words.ts'

type RefundProps = { payment: StaffPayment; onDone: () => void; onClose: () => void }

/** Gives the money back: through the provider, or by hand where the provider cannot. */
export function RefundPayment({ payment, onDone, onClose }: RefundProps) {
  const { api } = useAccount()
  const say = useSay()
  const [reason, setReason] = useState('')
  const [endSession, setEndSession] = useState(true)
  const amount = price(payment.amountMinor, payment.currency)
  const byHand = payment.refundByHand
  const refunding = useChange(() => api.post(`/api/admin/payments/${payment.number}/refund`, { reason: reason.trim(), endSession }))
  const refund = async () => {
    if (!(await refunding.run())) return
    say(byHand ? `Written down: ${amount} given back.` : `${payment.title} is asked to give ${amount} back.`)
    onDone()
    onClose()
  }
  return (
    <Dialog title={`Refund ${amount}?`} onClose={onClose}>
      <form
        class="dialog-form"
        onSubmit={(event) => {
          event.preventDefault()
          void refund()
        }}
      >
        <div class="dialog-body stack">
          {byHand ? (
            <Notice kind="warn">
              <p>
                <strong>Give {amount} back by hand first.</strong>{' '}
                {payment.kind === 'desk' ? 'Cash comes out of the till' : `${payment.title} cannot be asked for it`}: here it is only
                written down.
              </p>
            </Notice>
          ) : (
            <p>
              {payment.title} sends {amount} back to {payerWords(payment)}. Once it is on its way it cannot be stopped.
            </p>
          )}
          <TextField
            label="Reason"
            hint="Such as: the line was down."
            value={reason}
            onValue={setReason}
            fault={faultOf(refunding.error, 'reason')}
            maxLength={200}
            autocomplete="off"
            required
          />
          {payment.sessionId !== null && (
            <Toggle
              label="End the session too"
              hint="Cuts off the session that this payment opened, at once."
              on={endSession}
              onValue={setEndSession}
            />
          )}
          {payment.pointsEarned > 0 && <p class="soft small">The {payment.pointsEarned} points that it earned are taken back.</p>}
          <ErrorNote error={refunding.error} />
        </div>
        <footer class="dialog-foot">
          <Button onClick={onClose}>Keep it as it is</Button>
          <Button kind="danger" type="submit" busy={refunding.busy}>
            {byHand ? 'I gave it back' : `Refund ${amount}`}
          </Button>
        </footer>
      </form>
    </Dialog>
  )
}
