import type { ComponentChildren } from 'preact'
import { useId, useState } from 'preact/hooks'

type FieldProps = {
  label: string
  hint?: ComponentChildren
  fault?: string | undefined
  children: (ids: { id: string; described: string | undefined }) => ComponentChildren
}

/** A label, a control, a hint, and what is wrong with it. */
export function Field({ label, hint, fault, children }: FieldProps) {
  const id = useId()
  const described = [hint && `${id}-hint`, fault && `${id}-fault`].filter(Boolean).join(' ') || undefined
  return (
    <div class={`field ${fault ? 'faulty' : ''}`}>
      <label for={id}>{label}</label>
      {children({ id, described })}
      {hint && (
        <p class="hint" id={`${id}-hint`}>
          {hint}
        </p>
      )}
      {fault && (
        <p class="fault" id={`${id}-fault`}>
          {fault}
        </p>
      )}
    </div>
  )
}

type TextProps = {
  label: string
  value: string
  onValue: (value: string) => void
  hint?: ComponentChildren
  fault?: string | undefined
  type?: 'text' | 'tel' | 'password' | 'date' | 'search'
  maxLength?: number
  required?: boolean
  autocomplete?: string
  placeholder?: string
  code?: boolean
}

export function TextField({ label, value, onValue, hint, fault, code, type = 'text', ...rest }: TextProps) {
  return (
    <Field label={label} hint={hint} fault={fault}>
      {({ id, described }) => (
        <input
          id={id}
          class={code ? 'input code' : 'input'}
          // Preact's types tie the kind of input to its role; none is given here.
          type={type as 'text'}
          value={value}
          aria-describedby={described}
          aria-invalid={fault ? true : undefined}
          onInput={(event) => onValue(event.currentTarget.value)}
          {...rest}
        />
      )}
    </Field>
  )
}

type NumberProps = {
  label: string
  value: number
  onValue: (value: number) => void
  hint?: ComponentChildren
  fault?: string | undefined
  min?: number
  max?: number
  /** Steps other than whole numbers, such as money. */
  step?: number | 'any'
  unit?: string
}

/** A number; what cannot be read as one reaches `onValue` as NaN, and the browser asks for it on sending. */
export function NumberField({ label, value, onValue, hint, fault, unit, step = 1, ...rest }: NumberProps) {
  const [text, setText] = useState(shown(value))
  const [known, setKnown] = useState(value)
  // Follow a value that was changed from outside, but never what is being typed.
  if (!Object.is(known, value)) {
    setKnown(value)
    if (!Object.is(Number(text || Number.NaN), value)) setText(shown(value))
  }
  return (
    <Field label={label} hint={hint} fault={fault}>
      {({ id, described }) => (
        <span class="with-unit">
          <input
            id={id}
            class="input figures"
            type="number"
            inputMode={step === 1 ? 'numeric' : 'decimal'}
            step={step}
            required
            value={text}
            aria-describedby={described}
            aria-invalid={fault ? true : undefined}
            onInput={(event) => {
              setText(event.currentTarget.value)
              const next = event.currentTarget.value === '' ? Number.NaN : Number(event.currentTarget.value)
              setKnown(next)
              onValue(next)
            }}
            {...rest}
          />
          {unit && <span class="unit">{unit}</span>}
        </span>
      )}
    </Field>
  )
}

type Unit = { name: string; size: number }
type AmountProps = {
  label: string
  value: number
  onValue: (value: number) => void
  units: Unit[]
  hint?: ComponentChildren
  fault?: string | undefined
}

/** An amount with its unit: 5 GB, 30 days, 10 Mbps. `value` is in the smallest unit, whole. */
export function AmountField({ label, value, onValue, units, hint, fault }: AmountProps) {
  const [unit, setUnit] = useState(() => bestUnit(value, units))
  const [text, setText] = useState(() => shown(value / unit.size))
  const [known, setKnown] = useState(value)
  if (!Object.is(known, value)) {
    const fitting = bestUnit(value, units)
    setKnown(value)
    setUnit(fitting)
    setText(shown(value / fitting.size))
  }
  const take = (nextText: string, nextUnit: Unit) => {
    const next = nextText === '' ? Number.NaN : Math.round(Number(nextText) * nextUnit.size)
    setText(nextText)
    setUnit(nextUnit)
    setKnown(next)
    onValue(next)
  }
  return (
    <Field label={label} hint={hint} fault={fault}>
      {({ id, described }) => (
        <span class="amount">
          <input
            id={id}
            class="input figures"
            type="number"
            inputMode="decimal"
            min="0"
            step="any"
            required
            value={text}
            aria-describedby={described}
            aria-invalid={fault ? true : undefined}
            onInput={(event) => take(event.currentTarget.value, unit)}
          />
          <select
            class="input"
            aria-label={`Unit of ${label.toLowerCase()}`}
            value={unit.name}
            onChange={(event) => take(text, units.find(({ name }) => name === event.currentTarget.value) ?? unit)}
          >
            {units.map(({ name }) => (
              <option key={name}>{name}</option>
            ))}
          </select>
        </span>
      )}
    </Field>
  )
}

type ChoiceProps<V extends string> = {
  label: string
  value: V
  options: { value: V; label: string; hint?: string }[]
  onValue: (value: V) => void
  /** `row`: short words side by side. `list`: one under the other, with hints. */
  shape?: 'row' | 'list'
}

export function Choice<V extends string>({ label, value, options, onValue, shape = 'row' }: ChoiceProps<V>) {
  const name = useId()
  return (
    <fieldset class={`choice ${shape}`}>
      <legend>{label}</legend>
      <div class="choice-options">
        {options.map((option) => (
          <label key={option.value} class="choice-option">
            <input type="radio" name={name} checked={value === option.value} onChange={() => onValue(option.value)} />
            <span>
              {option.label}
              {option.hint && <small>{option.hint}</small>}
            </span>
          </label>
        ))}
      </div>
    </fieldset>
  )
}

export function Toggle({ label, on, onValue, hint }: { label: string; on: boolean; onValue: (on: boolean) => void; hint?: string }) {
  return (
    <label class="toggle">
      <input type="checkbox" role="switch" checked={on} onChange={(event) => onValue(event.currentTarget.checked)} />
      <i aria-hidden="true" />
      <span>
        {label}
        {hint && <small>{hint}</small>}
      </span>
    </label>
  )
}

/** The largest unit in which the value reads well: 1.5 GB, but 100 MB. */
function bestUnit(value: number, units: Unit[]): Unit {
  const tenths = (size: number) => (value / size) * 10
  const fits = units.filter(({ size }) => value >= size && Math.abs(tenths(size) - Math.round(tenths(size))) < 1e-6)
  return fits.at(-1) ?? units[Math.min(1, units.length - 1)] ?? { name: '', size: 1 }
}

function shown(value: number): string {
  return Number.isFinite(value) ? String(Math.round(value * 1000) / 1000) : ''
}
