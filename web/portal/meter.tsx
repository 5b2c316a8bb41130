import type { SessionView } from '../../server/sessions/schema.ts'
import { bytes, percentUsed, usedOf } from '../shared/format.ts'

/** Three quarters of a circle around (140, 140), radius 120, its opening below. */
const arc = 'M55.147 224.853A120 120 0 1 1 224.853 224.853'

const marks = 48

/** "2.1 GB of 5 GB used", as large as the screen allows. Unlimited sessions have no circle to fill. */
export function Meter({ session }: { session: SessionView }) {
  if (session.dataLimit === null) {
    const [used, unit] = bytes(session.dataUsed).split(' ')
    return (
      <div class="meter open figures">
        <p class="meter-used">
          <strong>{used}</strong> {unit}
        </p>
        <p class="meter-of">used · unlimited data</p>
      </div>
    )
  }
  const percent = percentUsed(session.dataUsed, session.dataLimit)
  const text = usedOf(session.dataUsed, session.dataLimit)
  const [used, unit] = text.used.split(' ')
  // A mark is lit as soon as its first byte is used, the last one only when nothing is left.
  const lit = session.dataUsed === 0 ? 0 : percent === 100 ? marks : Math.min(marks - 1, Math.max(1, Math.round((percent / 100) * marks)))
  const state = percent >= 95 ? 'last' : percent >= 80 ? 'low' : 'fine'
  return (
    <div
      class={`meter ring ${state} figures`}
      role="meter"
      aria-label="Data"
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={percent}
      aria-valuetext={`${text.used} of ${text.limit} used`}
    >
      <svg viewBox="0 0 280 246" aria-hidden="true" focusable="false">
        <mask id="meter-marks" maskUnits="userSpaceOnUse" x="0" y="0" width="280" height="246">
          <path d={arc} class="meter-marks" pathLength={marks * 10 - 3} />
        </mask>
        <g mask="url(#meter-marks)">
          <path d={arc} class="meter-track" />
          <path d={arc} class="meter-value" pathLength={marks} style={{ strokeDashoffset: marks - lit }} />
        </g>
      </svg>
      <div class="meter-text">
        <p class="meter-used">
          <strong>{used}</strong> {unit}
        </p>
        <p class="meter-of">of {text.limit} used</p>
        <p class="meter-left">{session.dataRemaining ? `${bytes(session.dataRemaining)} left` : 'Nothing left'}</p>
      </div>
    </div>
  )
}
