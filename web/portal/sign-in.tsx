import { useEffect, useRef, useState } from 'preact/hooks'
import type { Portal } from '../../server/venue/schema.ts'
import type { ApiError } from '../shared/api.ts'
import './pay.css'
import { FieldFault, faultOf } from './forms.tsx'
import { Button, Failure, useMustWait } from './parts.tsx'
import { useSecondsLeft, useTask, type Task } from './state.ts'
import { sendCode, signIn } from './till.ts'

type SignInProps = { portal: Portal; onDone: () => Promise<void> }

/** Signs a customer in by phone number, in the venue's way. */
export function SignIn({ portal, onDone }: SignInProps) {
  return portal.services.signIn === 'sms' ? <ByCode onDone={onDone} /> : <ByPin onDone={onDone} />
}

function ByPin({ onDone }: Pick<SignInProps, 'onDone'>) {
  const [phone, setPhone] = useState('')
  const [pin, setPin] = useState('')
  const [isNew, setNew] = useState(false)
  const [hints, setHints] = useState({ phone: '', pin: '' })
  const task = useTask()
  const mustWait = useMustWait(task.failure)
  const phoneField = useRef<HTMLInputElement>(null)
  const pinField = useRef<HTMLInputElement>(null)
  const change = () => {
    setHints({ phone: '', pin: '' })
    if (!mustWait) task.clear()
  }
  const submit = (event: Event) => {
    event.preventDefault()
    if (mustWait) return
    const found = { phone: phoneFault(phone), pin: /^\d{4,8}$/.test(pin) ? '' : 'A PIN has 4 to 8 digits.' }
    setHints(found)
    if (found.phone) return phoneField.current?.focus()
    if (found.pin) return pinField.current?.focus()
    void task.run(async () => {
      await signIn({ phone: phone.trim(), pin, isNew })
      await onDone()
    })
  }
  const fault = { phone: hints.phone || phoneRefused(task.failure), pin: hints.pin || faultOf(task.failure, 'pin') || wrong(task.failure) }
  return (
    <form class="form" onSubmit={submit} noValidate>
      <PhoneField
        field={phoneField}
        value={phone}
        fault={fault.phone}
        onValue={(value) => {
          setPhone(value)
          change()
        }}
      />
      <div class="field">
        <label for="sign-in-pin">{isNew ? 'Choose a PIN' : 'Your PIN'}</label>
        <input
          id="sign-in-pin"
          ref={pinField}
          class="input digits"
          // What one chooses one should see: there is no second field to compare it with.
          {...(isNew ? ({ type: 'text' } as const) : ({ type: 'password' } as const))}
          inputMode="numeric"
          autocomplete={isNew ? 'off' : 'current-password'}
          enterkeyhint="go"
          maxLength={8}
          value={pin}
          aria-describedby={fault.pin ? 'sign-in-pin-fault' : 'sign-in-pin-hint'}
          aria-invalid={Boolean(fault.pin)}
          onInput={(event) => {
            setPin(event.currentTarget.value.replace(/\D/g, ''))
            change()
          }}
        />
        {fault.pin ? (
          <FieldFault id="sign-in-pin-fault" text={fault.pin} />
        ) : (
          <p class="hint" id="sign-in-pin-hint">
            {isNew
              ? '4 to 8 digits. Remember it: you need it on your next phone. Not your mobile money PIN.'
              : 'For this Wi-Fi. Not your mobile money PIN.'}
          </p>
        )}
      </div>
      {task.failure && !fault.phone && !fault.pin && <Failure failure={task.failure} />}
      <Button submit busy={task.busy} busyText="Signing you in…" disabled={mustWait} icon="arrow">
        {isNew ? 'Choose this PIN' : 'Sign in'}
      </Button>
      <button
        type="button"
        class="link"
        onClick={() => {
          setNew(!isNew)
          change()
          pinField.current?.focus()
        }}
      >
        <span>{isNew ? 'I have a PIN already' : 'First time here? Choose a PIN'}</span>
      </button>
      {!isNew && <p class="small soft">Forgot it? The staff can reset it for you.</p>}
      <Said task={task} words="Signing you in" />
    </form>
  )
}

function ByCode({ onDone }: Pick<SignInProps, 'onDone'>) {
  const [phone, setPhone] = useState('')
  const [hint, setHint] = useState('')
  const [sent, setSent] = useState<{ resendInSeconds: number } | null>(null)
  const task = useTask()
  const mustWait = useMustWait(task.failure)
  const field = useRef<HTMLInputElement>(null)
  const send = () => task.run(async () => setSent(await sendCode(phone.trim())))
  if (sent) return <EnterCode phone={phone.trim()} sent={sent} sending={task} resend={send} onOther={() => setSent(null)} onDone={onDone} />
  const fault = hint || phoneRefused(task.failure)
  return (
    <form
      class="form"
      noValidate
      onSubmit={(event) => {
        event.preventDefault()
        if (mustWait) return
        setHint(phoneFault(phone))
        if (phoneFault(phone)) return field.current?.focus()
        void send()
      }}
    >
      <PhoneField
        field={field}
        value={phone}
        fault={fault}
        onValue={(value) => {
          setPhone(value)
          setHint('')
          if (!mustWait) task.clear()
        }}
      />
      {task.failure && !fault && <Failure failure={task.failure} />}
      <Button submit busy={task.busy} busyText="Sending…" disabled={mustWait} icon="arrow">
        Send me a code
      </Button>
      <p class="small soft">You get a message with six digits. It costs you nothing.</p>
      <Said task={task} words="Sending" />
    </form>
  )
}

type EnterCodeProps = {
  phone: string
  sent: { resendInSeconds: number }
  sending: Task
  resend: () => Promise<void>
  onOther: () => void
  onDone: () => Promise<void>
}

function EnterCode({ phone, sent, sending, resend, onOther, onDone }: EnterCodeProps) {
  const [code, setCode] = useState('')
  const [hint, setHint] = useState('')
  const task = useTask()
  const mustWait = useMustWait(task.failure)
  const left = useSecondsLeft(sent.resendInSeconds, sent)
  const field = useRef<HTMLInputElement>(null)
  useEffect(() => field.current?.focus(), [])
  const fault = hint || faultOf(task.failure, 'code') || wrong(task.failure)
  return (
    <form
      class="form"
      noValidate
      onSubmit={(event) => {
        event.preventDefault()
        if (mustWait) return
        if (code.length < 6) {
          setHint('Type all six digits of the message.')
          return field.current?.focus()
        }
        void task.run(async () => {
          await signIn({ phone, code })
          await onDone()
        })
      }}
    >
      <div class="field">
        <label for="sign-in-code">Code from the message</label>
        <input
          id="sign-in-code"
          ref={field}
          class="input digits"
          type="text"
          inputMode="numeric"
          autocomplete="one-time-code"
          enterkeyhint="go"
          maxLength={7}
          value={code}
          aria-describedby={fault ? 'sign-in-code-fault' : 'sign-in-code-hint'}
          aria-invalid={Boolean(fault)}
          onInput={(event) => {
            setCode(event.currentTarget.value.replace(/\D/g, '').slice(0, 6))
            setHint('')
            if (!mustWait) task.clear()
          }}
        />
        {fault ? (
          <FieldFault id="sign-in-code-fault" text={fault} />
        ) : (
          <p class="hint" id="sign-in-code-hint">
            Six digits, sent to {phone}.
          </p>
        )}
      </div>
      {task.failure && !fault && <Failure failure={task.failure} />}
      <Button submit busy={task.busy} busyText="Signing you in…" disabled={mustWait} icon="arrow">
        Sign in
      </Button>
      {sending.failure && <Failure failure={sending.failure} />}
      <Button kind="second" busy={sending.busy} busyText="Sending…" disabled={left !== null && left > 0} onClick={() => void resend()}>
        {left !== null && left > 0 ? `Send it again in ${Math.ceil(left)} s` : 'Send it again'}
      </Button>
      <button type="button" class="link" onClick={onOther}>
        <span>Use another number</span>
      </button>
      <Said task={task} words="Signing you in" />
    </form>
  )
}

type PhoneFieldProps = { value: string; fault: string; field: { current: HTMLInputElement | null }; onValue: (value: string) => void }

function PhoneField({ value, fault, field, onValue }: PhoneFieldProps) {
  return (
    <div class="field">
      <label for="sign-in-phone">Phone number</label>
      <input
        id="sign-in-phone"
        ref={field}
        class="input"
        type="tel"
        inputMode="tel"
        autocomplete="tel"
        maxLength={24}
        value={value}
        aria-describedby={fault ? 'sign-in-phone-fault' : undefined}
        aria-invalid={Boolean(fault)}
        onInput={(event) => onValue(event.currentTarget.value)}
      />
      {fault && <FieldFault id="sign-in-phone-fault" text={fault} />}
    </div>
  )
}

function Said({ task, words }: { task: Task; words: string }) {
  return (
    <p class="visually-hidden" role="status">
      {task.busy ? words : ''}
    </p>
  )
}

/** A PIN or a code that was refused, in the words of the box. */
function wrong(failure: ApiError | null): string {
  const isField = failure?.code === 'not-signed-in' || (failure?.code === 'bad-input' && !failure.details['faults'])
  return isField ? failure!.message : ''
}

function phoneRefused(failure: ApiError | null): string {
  return faultOf(failure, 'phone') && 'This cannot be a phone number. Type it as you dial it, or with + and the country first.'
}

function phoneFault(phone: string): string {
  return phone.replace(/\D/g, '').length >= 6 ? '' : 'Type your whole phone number.'
}
