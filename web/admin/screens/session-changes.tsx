import { useState } from 'preact/hooks'
import { bytes, duration } from '../../shared/format.ts'
import { useAccount } from '../account.ts'
import { useChange } from '../asking.ts'
import type { SessionView } from '../contract.ts'
import { faultOf } from '../faults.ts'
import { Confirm, Dialog } from '../parts/dialog.tsx'
import { Button, ErrorNote, useSay } from '../parts/feedback.tsx'
import { AmountField, Choice } from '../parts/form.tsx'
import { customerWords, GB, MB, sizeUnits, timeUnits } from '../words.ts'

type ChangeProps = { session: SessionView; onDone: () => void; onClose: () => void }

export function EndSession({ session, onDone, onClose }: ChangeProps) {
  const { api } = useAccount()
  const say = useSay()
  const [reason, setReason] = useState<'ended-by-staff' | 'refunded'>('ended-by-staff')
  return (
    <Confirm
      title={`End the session of ${customerWords(session)}?`}
      verb="End the session"
      act={() => api.post(`/api/admin/sessions/${session.id}/end`, { reason })}
      onDone={() => {
        say('The session is ended.')
        onDone()
      }}
      onClose={onClose}
    >
      <p>The customer is cut off at once. What is left of the data and the time is gone.</p>
      <Choice
        label="Reason"
        shape="list"
        value={reason}
        onValue={setReason}
        options={[
          { value: 'ended-by-staff', label: 'Ended by staff', hint: 'The customer keeps nothing and gets nothing back.' },
          { value: 'refunded', label: 'Refunded', hint: 'You give the money back at the counter; it is written down so.' },
        ]}
      />
    </Confirm>
  )
}

const timePresets = [3600, 3 * 3600, 86_400, 7 * 86_400]
const sizePresets = [500 * MB, GB, 2 * GB, 5 * GB]

export function ExtendSession({ session, onDone, onClose }: ChangeProps) {
  const { api } = useAccount()
  const say = useSay()
  const hasLimit = session.dataLimit !== null
  const [seconds, setSeconds] = useState(0)
  const [size, setSize] = useState(0)
  const added = [...(seconds > 0 ? [duration(seconds)] : []), ...(size > 0 ? [bytes(size)] : [])]
  const adding = useChange(() =>
    api.post(`/api/admin/sessions/${session.id}/extend`, { ...(seconds > 0 ? { seconds } : {}), ...(size > 0 ? { bytes: size } : {}) }),
  )
  const add = async () => {
    if (!(await adding.run())) return
    say(`Added ${added.join(' and ')}.`)
    onDone()
    onClose()
  }
  return (
    <Dialog title="Add time or data" onClose={onClose}>
      <form
        class="dialog-form"
        onSubmit={(event) => {
          event.preventDefault()
          void add()
        }}
      >
        <div class="dialog-body stack">
          <p>It counts at once, while {customerWords(session)} stays online. Nothing is charged.</p>
          <Presets label="Time" values={timePresets} value={seconds} words={duration} onValue={setSeconds} />
          <AmountField
            label="Time to add"
            value={seconds}
            onValue={setSeconds}
            units={timeUnits}
            fault={faultOf(adding.error, 'seconds')}
          />
          {hasLimit && (
            <>
              <Presets label="Data" values={sizePresets} value={size} words={bytes} onValue={setSize} />
              <AmountField label="Data to add" value={size} onValue={setSize} units={sizeUnits} fault={faultOf(adding.error, 'bytes')} />
            </>
          )}
          <ErrorNote error={adding.error} />
        </div>
        <footer class="dialog-foot">
          <Button onClick={onClose}>Cancel</Button>
          <Button kind="primary" type="submit" busy={adding.busy} disabled={added.length === 0}>
            {added.length === 0 ? 'Add' : `Add ${added.join(' and ')}`}
          </Button>
        </footer>
      </form>
    </Dialog>
  )
}

type PresetProps = { label: string; values: number[]; value: number; words: (value: number) => string; onValue: (value: number) => void }

function Presets({ label, values, value, words, onValue }: PresetProps) {
  return (
    <div class="presets" role="group" aria-label={`${label}, often used`}>
      {values.map((one) => (
        <button key={one} type="button" class="button small" aria-pressed={value === one} onClick={() => onValue(value === one ? 0 : one)}>
          + {words(one)}
        </button>
      ))}
    </div>
  )
}
