import { useEffect, useRef, useState } from 'preact/hooks'
import type { SessionView } from '../../server/sessions/schema.ts'
import type { ApiError } from '../shared/api.ts'
import { groupedCode, plainCode } from '../shared/format.ts'
import { redeem, resume, type Redeemed } from './box.ts'
import { Button, Failure, useMustWait } from './parts.tsx'
import { useTask } from './state.ts'

type VoucherFormProps = {
  prefilled?: string
  action: string
  onDone: (redeemed: Redeemed) => void
  onRefused: (failure: ApiError) => void
}

export function VoucherForm({ prefilled = '', action, onDone, onRefused }: VoucherFormProps) {
  const [code, setCode] = useState(groupedCode(prefilled))
  const [phone, setPhone] = useState('')
  const [phoneOpen, setPhoneOpen] = useState(false)
  const task = useTask()
  const mustWait = useMustWait(task.failure)
  const [hint, setHint] = useState('')
  const phoneFault = faultOf(task.failure, 'phone')
  const codeField = useRef<HTMLInputElement>(null)

  useEffect(() => setCode(groupedCode(prefilled)), [prefilled])

  const submit = (event: Event) => {
    event.preventDefault()
    if (mustWait) return
    if (plainCode(code).length < 4) {
      setHint('Type the whole code, as it is printed on the voucher.')
      codeField.current?.focus()
      return
    }
    setCode(groupedCode(code))
    void task.run(async () => {
      try {
        onDone(await redeem(plainCode(code), phone.trim()))
      } catch (error) {
        onRefused(error as ApiError)
        throw error
      }
    })
  }

  const fault = hint || (phoneFault ? '' : faultOf(task.failure, 'code'))
  return (
    <form class="form" onSubmit={submit} noValidate>
      <CodeField
        id="voucher-code"
        label="Voucher code"
        hint="As printed. Capitals, spaces and dashes don't matter."
        field={codeField}
        value={code}
        described={Boolean(fault || (task.failure && !phoneFault))}
        onValue={(value) => {
          setCode(value)
          setHint('')
          if (!mustWait) task.clear()
        }}
      />
      {fault ? (
        <FieldFault id="voucher-code-fault" text={fault} />
      ) : (
        task.failure && !phoneFault && <Failure id="voucher-code-fault" failure={task.failure} />
      )}
      {phoneOpen ? (
        <div class="field">
          <label for="voucher-phone">
            Phone number <span class="optional">optional</span>
          </label>
          <input
            id="voucher-phone"
            class="input"
            type="tel"
            inputMode="tel"
            autocomplete="tel"
            placeholder="+234 801 234 5678"
            value={phone}
            aria-describedby={phoneFault ? 'voucher-phone-fault' : 'voucher-phone-why'}
            aria-invalid={Boolean(phoneFault)}
            onInput={(event) => setPhone(event.currentTarget.value)}
          />
          {phoneFault && <FieldFault id="voucher-phone-fault" text={phoneFault} />}
          <p class="hint" id="voucher-phone-why">
            So that staff can find your session if you lose your code.
          </p>
        </div>
      ) : (
        <button type="button" class="link" onClick={() => setPhoneOpen(true)}>
          <span>Add phone number</span> <span class="optional">optional</span>
        </button>
      )}
      <div class="tear" aria-hidden="true" />
      <Button submit busy={task.busy} busyText="Checking your voucher…" disabled={mustWait} icon="arrow">
        {action}
      </Button>
      <p class="visually-hidden" role="status">
        {task.busy ? 'Checking your voucher' : ''}
      </p>
    </form>
  )
}

export function ResumeForm({ onDone }: { onDone: (session: SessionView) => void }) {
  const [code, setCode] = useState('')
  const [hint, setHint] = useState('')
  const task = useTask()
  const mustWait = useMustWait(task.failure)
  const codeField = useRef<HTMLInputElement>(null)

  const submit = (event: Event) => {
    event.preventDefault()
    if (mustWait) return
    if (plainCode(code).length < 4) {
      setHint('Type the whole resume code.')
      codeField.current?.focus()
      return
    }
    setCode(groupedCode(code))
    void task.run(async () => onDone(await resume(plainCode(code))))
  }

  const fault = hint || faultOf(task.failure, 'code')
  return (
    <form class="form" onSubmit={submit} noValidate>
      <CodeField
        id="resume-code"
        label="Resume code"
        hint="It was shown when your voucher was accepted, and on your session page."
        field={codeField}
        value={code}
        described={Boolean(fault || task.failure)}
        onValue={(value) => {
          setCode(value)
          setHint('')
          if (!mustWait) task.clear()
        }}
      />
      {fault ? (
        <FieldFault id="resume-code-fault" text={fault} />
      ) : (
        task.failure && <Failure id="resume-code-fault" failure={task.failure} />
      )}
      <Button submit busy={task.busy} busyText="Looking for your session…" disabled={mustWait} icon="arrow">
        Continue my session
      </Button>
      <p class="visually-hidden" role="status">
        {task.busy ? 'Looking for your session' : ''}
      </p>
    </form>
  )
}

type CodeFieldProps = {
  id: string
  label: string
  hint: string
  value: string
  field: { current: HTMLInputElement | null }
  described: boolean
  onValue: (value: string) => void
}

function CodeField({ id, label, hint, value, field, described, onValue }: CodeFieldProps) {
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <input
        id={id}
        ref={field}
        class="input code"
        type="text"
        inputMode="text"
        autocomplete="off"
        autocapitalize="characters"
        autocorrect="off"
        spellcheck={false}
        enterkeyhint="go"
        maxLength={48}
        value={value}
        aria-describedby={described ? `${id}-fault` : `${id}-hint`}
        aria-invalid={described}
        onInput={(event) => onValue(event.currentTarget.value)}
        // Grouped only when the reader leaves the field: changing text under an Android keyboard doubles letters.
        onBlur={(event) => onValueIfOther(groupedCode(event.currentTarget.value), value, onValue)}
        onPaste={(event) => {
          const text = event.clipboardData?.getData('text')
          if (!text || event.currentTarget.value !== '') return
          event.preventDefault()
          onValue(groupedCode(text.split('#').pop() ?? text))
        }}
      />
      {!described && (
        <p class="hint" id={`${id}-hint`}>
          {hint}
        </p>
      )}
    </div>
  )
}

/** What is wrong with one field, beside it. */
export function FieldFault({ id, text }: { id: string; text: string }) {
  return (
    <div class="failure" role="alert" id={id}>
      <p>{text}</p>
    </div>
  )
}

function onValueIfOther(next: string, value: string, onValue: (value: string) => void): void {
  if (next !== value) onValue(next)
}

/** What a "bad-input" says of one field, in words without the path. */
export function faultOf(failure: ApiError | null, path: string): string {
  if (failure?.code !== 'bad-input') return ''
  const faults = failure.details['faults'] as { path: string; message: string }[] | undefined
  const fault = faults?.find((one) => one.path === path)?.message
  return fault ? `${fault.charAt(0).toUpperCase()}${fault.slice(1)}.` : ''
}
