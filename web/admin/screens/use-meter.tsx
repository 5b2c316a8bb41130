import { bytes, percentUsed, usedOf } from '../../shared/format.ts'
import type { SessionView } from '../contract.ts'
import { useReading } from '../live.ts'
import { Bar } from '../parts/page.tsx'

const LITTLE_LEFT = 90

/** What a session has used, moving with every reading. */
export function UseMeter({ session }: { session: SessionView }) {
  const reading = useReading(session.id)
  // Use never falls: the larger of list and reading is the newer.
  const used = Math.max(session.dataUsed, reading?.used ?? 0)
  const slowUsed = Math.max(session.slowUsed, reading?.slowUsed ?? 0)
  const slowly = slowUsed > 0 ? `, ${bytes(slowUsed)} slowly` : ''
  if (session.dataLimit === null) {
    return (
      <span class="use figures">
        <span>
          {bytes(used)}
          <span class="soft"> · unlimited{slowly}</span>
        </span>
      </span>
    )
  }
  const words = usedOf(used, session.dataLimit)
  const percent = percentUsed(used, session.dataLimit)
  return (
    <span class="use figures">
      <span>
        {words.used}
        <span class="soft">
          {' '}
          of {words.limit}
          {slowly}
        </span>
      </span>
      <Bar
        percent={(used / session.dataLimit) * 100}
        label="Data used"
        tone={session.status === 'expired' ? 'quiet' : percent >= LITTLE_LEFT ? 'warn' : 'accent'}
      />
    </span>
  )
}
