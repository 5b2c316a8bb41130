import { price } from '../../shared/format.ts'
import { useAccount } from '../account.ts'
import { useChange } from '../asking.ts'
import type { PaymentView, StaffPayment } from '../contract.ts'
import { Dialog } from '../parts/dialog.tsx'
import { Button, ErrorNote, useSay } from '../parts/feedback.tsx'
import { payerWords } from './payment-words.ts'

type CashProps = { payment: PaymentView; onDone: () => void; onClose: () => void }

/** The second tap for a customer who waits with cash: the money is in the cashier's hand. */
export function CashReceived({ payment, onDone, onClose }: CashProps) {
  const { api } = useAccount()
  const say = useSay()
  const amount = price(payment.amountMinor, payment.currency)
  const confirming = useChange(() => api.post<{ payment: StaffPayment }>(`/api/admin/payments/${payment.number}/confirm`))
  const confirm = async () => {
    if (!(await confirming.run())) return
    say(`Number ${payment.number} has paid: their phone goes online by itself.`)
    onDone()
    onClose()
  }
  return (
    <Dialog title={`Number ${payment.number}`} onClose={onClose}>
      <div class="dialog-body stack">
        <p class="sell-asked">
          <strong class="figures">{amount}</strong>
          <span>
            {payment.packageName}
            {payment.userPhone && <span class="soft figures"> for {payerWords(payment)}</span>}
          </span>
        </p>
        <ErrorNote error={confirming.error} />
      </div>
      <footer class="dialog-foot sell-foot">
        <Button kind="primary" icon="check" busy={confirming.busy} onClick={() => void confirm()}>
          Cash received: {amount}
        </Button>
        <Button onClick={onClose}>Not yet</Button>
      </footer>
    </Dialog>
  )
}
