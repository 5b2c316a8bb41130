import { useState } from 'preact/hooks'
import type { ApiError } from '../shared/api.ts'
import { Icon } from './icons.tsx'
import { Button, Title } from './parts.tsx'
import { useSecondsLeft } from './state.ts'

const pauses = [3, 5, 10, 15, 30]

/** Nothing can be shown yet because the box does not answer; tries again by itself. */
export function Unreachable({ failure, retry }: { failure: ApiError; retry: () => Promise<void> }) {
  const [tries, setTries] = useState(0)
  const [busy, setBusy] = useState(false)
  const again = () => {
    if (busy) return
    setBusy(true)
    void retry().finally(() => {
      setBusy(false)
      setTries((count) => count + 1)
    })
  }
  const left = useSecondsLeft(pauses[Math.min(tries, pauses.length - 1)] ?? 30, tries, again)
  const silent = failure.code === 'unreachable'
  return (
    <main class="single">
      <p class="done over" aria-hidden="true">
        <Icon name="offline" size={34} />
      </p>
      <Title>{silent ? 'The Wi-Fi box does not answer' : 'Something is wrong with the Wi-Fi box'}</Title>
      {silent ? (
        <ul class="steps lead">
          <li>Stay near the Wi-Fi.</li>
          <li>Check that your phone is still connected to it.</li>
          <li>If mobile data is on, switch it off for a moment.</li>
        </ul>
      ) : (
        <p class="lead" role="alert">
          {failure.message}
        </p>
      )}
      <p class="soft center">Your voucher and your session are safe.</p>
      <Button busy={busy} busyText="Trying…" onClick={again}>
        Try now
      </Button>
      <p class="soft center figures">{left === null || busy ? 'Trying…' : `Trying again by itself in ${Math.ceil(left)} s`}</p>
      {failure.requestId && <p class="small soft center">Number of this error: {failure.requestId}</p>}
    </main>
  )
}
