import { moment } from '../../shared/format.ts'
import type { PaymentView } from '../contract.ts'
import { Icon } from '../parts/icons.tsx'
import { wayOf, type WayStep } from './payment-words.ts'

/** How far a payment is, as six small signs in a row. */
export function WayLine({ payment }: { payment: PaymentView }) {
  const steps = wayOf(payment)
  return (
    <span class="way-line" role="img" aria-label={`Way of the money: ${lineWords(steps)}`}>
      {steps.map(({ name, state }) => (
        <i key={name} class={state} title={name} />
      ))}
    </span>
  )
}

/** The same in full, with the time of each step. */
export function WaySteps({ payment }: { payment: PaymentView }) {
  return (
    <ol class="way-steps">
      {wayOf(payment).map(({ name, at, state }) => (
        <li key={name} class={state} aria-current={state === 'now' ? 'step' : undefined}>
          <i aria-hidden="true">
            {state === 'done' && <Icon name="check" size={14} />}
            {state === 'failed' && <Icon name="close" size={14} />}
          </i>
          <span>{name}</span>
          <span class="figures soft small">{stepTime(at, state)}</span>
        </li>
      ))}
    </ol>
  )
}

function lineWords(steps: WayStep[]): string {
  const failed = steps.find(({ state }) => state === 'failed')
  const last = steps.findLast(({ state }) => state === 'done')
  const next = steps.find(({ state }) => state === 'now')
  return [last?.name ?? '', failed ? 'failed' : '', next ? `next: ${next.name.toLowerCase()}` : ''].filter(Boolean).join(', ')
}

function stepTime(at: string | null, state: WayStep['state']): string {
  if (at !== null) return secondsToo(at)
  return { done: 'passed', now: 'waiting', ahead: '', failed: '' }[state]
}

/** "21 Nov, 14:05:09": the steps of one payment are often seconds apart. */
function secondsToo(iso: string): string {
  const seconds = String(new Date(iso).getSeconds()).padStart(2, '0')
  return `${moment(iso)}:${seconds}`
}
