import { useState } from 'preact/hooks'
import { counted } from '../../shared/format.ts'
import { useAccount } from '../account.ts'
import { useChange } from '../asking.ts'
import type { CustomerRow } from '../contract.ts'
import { faultOf } from '../faults.ts'
import { AskForm, Confirm, Dialog } from '../parts/dialog.tsx'
import { Button, ErrorNote, Notice, useSay } from '../parts/feedback.tsx'
import { Choice, NumberField, TextField } from '../parts/form.tsx'

type PointsProps = { phone: string; balance: number; onDone: () => void; onClose: () => void }

/** Gives or takes points by hand, with a reason that stays in the ledger. */
export function CorrectPoints({ phone, balance, onDone, onClose }: PointsProps) {
  const { api } = useAccount()
  const say = useSay()
  const [way, setWay] = useState<'give' | 'take'>('give')
  const [points, setPoints] = useState(10)
  const [reason, setReason] = useState('')
  const delta = way === 'give' ? points : -points
  const correcting = useChange(() => api.post(`/api/admin/customers/${phone}/points`, { delta, reason: reason.trim() }))
  const correct = async () => {
    if (!(await correcting.run())) return
    say(way === 'give' ? `Gave ${counted(points, 'point')}.` : `Took ${counted(points, 'point')}.`)
    onDone()
    onClose()
  }
  return (
    <AskForm title="Correct the points" verb="Correct them" busy={correcting.busy} onSubmit={correct} onClose={onClose}>
      <Choice
        label="Do what"
        value={way}
        onValue={setWay}
        options={[
          { value: 'give', label: 'Give' },
          { value: 'take', label: 'Take' },
        ]}
      />
      <NumberField
        label="Points"
        hint={`There are ${balance.toLocaleString('en-US')} now${Number.isFinite(delta) ? `, ${(balance + delta).toLocaleString('en-US')} after it` : ''}.`}
        min={1}
        max={1_000_000}
        value={points}
        onValue={setPoints}
        fault={faultOf(correcting.error, 'delta')}
      />
      <TextField
        label="Reason"
        hint="The customer sees it beside the points."
        value={reason}
        onValue={setReason}
        fault={faultOf(correcting.error, 'reason')}
        maxLength={200}
        autocomplete="off"
        required
      />
      <ErrorNote error={correcting.error} />
    </AskForm>
  )
}

type PinProps = { phone: string; onDone: () => void; onClose: () => void }

export function ResetPin({ phone, onDone, onClose }: PinProps) {
  const { api } = useAccount()
  const say = useSay()
  return (
    <Confirm
      title={`Reset the PIN of +${phone}?`}
      verb="Reset the PIN"
      act={() => api.post(`/api/admin/customers/${phone}/reset-pin`)}
      onDone={() => {
        say('The PIN is reset: they can choose a new one within an hour.')
        onDone()
      }}
      onClose={onClose}
    >
      <Notice kind="warn">
        <p>
          <strong>Make sure that it is their number:</strong> let them show a message or call it. Within the next hour whoever signs in with
          it chooses the new PIN, and has its sessions and points.
        </p>
      </Notice>
      <p>They are signed out on every phone. Sessions that run go on.</p>
    </Confirm>
  )
}

const WORD = 'delete'
type DeleteProps = { customer: CustomerRow; onDone: () => void; onClose: () => void }

/** Takes everything about a customer away; asked back with a word, because nothing brings it back. */
export function DeleteCustomer({ customer, onDone, onClose }: DeleteProps) {
  const { api } = useAccount()
  const say = useSay()
  const [typed, setTyped] = useState('')
  const deleting = useChange(() => api.remove(`/api/admin/customers/${customer.phone}`))
  const remove = async () => {
    if (!(await deleting.run())) return
    say(`+${customer.phone} is deleted.`)
    onDone()
  }
  return (
    <Dialog title={`Delete +${customer.phone}?`} onClose={onClose}>
      <form
        class="dialog-form"
        onSubmit={(event) => {
          event.preventDefault()
          void remove()
        }}
      >
        <div class="dialog-body stack">
          <Notice kind="warn">
            <p>
              <strong>It cannot be taken back.</strong>{' '}
              {customer.points > 0 && `${counted(customer.points, 'point')} ${customer.points === 1 ? 'is' : 'are'} lost. `}
              The number leaves every session and payment; the money stays in the books.
            </p>
          </Notice>
          <TextField label={`Type “${WORD}” to go on`} value={typed} onValue={setTyped} maxLength={20} autocomplete="off" required />
          <ErrorNote error={deleting.error} />
        </div>
        <footer class="dialog-foot">
          <Button onClick={onClose}>Keep it as it is</Button>
          <Button kind="danger" type="submit" busy={deleting.busy} disabled={typed.trim().toLowerCase() !== WORD}>
            Delete the customer
          </Button>
        </footer>
      </form>
    </Dialog>
  )
}
