import { useEffect, useState } from 'preact/hooks'
import type { Portal } from '../../server/venue/schema.ts'
import type { SessionView } from '../../server/sessions/schema.ts'
import { bytes } from '../shared/format.ts'
import { resume, toConnectedPage, type Redeemed } from './box.ts'
import { Icon } from './icons.tsx'
import { Brand, Button, Failure, Notice, ResumeCode, Title } from './parts.tsx'
import { useTask } from './state.ts'
import { allowanceLeft } from './words.ts'

/** What the box said yes to. `till`: to a purchase, not to a voucher. */
export type Grant = { session: SessionView; outcome: Redeemed['outcome'] | 'resumed'; by?: 'till' }

/** Long enough for the firewall to be open at the phone's next probe, and to see the code. */
const PAUSE_MS = 1400
/** Whoever wanted to buy and did not should have read why. */
const LONG_PAUSE_MS = 6000

type GrantedProps = { portal: Portal; grant: Grant; onGranted: (grant: Grant) => void; onClose: () => void }

export function Granted({ portal, grant, onGranted, onClose }: GrantedProps) {
  if (grant.outcome === 'waiting') return <Waiting portal={portal} session={grant.session} onGranted={onGranted} onClose={onClose} />
  if (portal.profileId !== null) return <Through portal={portal} grant={grant} onClose={onClose} />
  if (grant.session.status === 'ready') return <Ready portal={portal} grant={grant} onClose={onClose} />
  return <Opened portal={portal} grant={grant} />
}

function Opened({ portal, grant }: { portal: Portal; grant: Grant }) {
  const { session } = grant
  const [held, setHeld] = useState(false)
  const unbought = grant.by === 'till' && grant.outcome === 'resumed'
  const pauseMs = unbought ? LONG_PAUSE_MS : PAUSE_MS
  useEffect(() => {
    if (held) return
    const timer = setTimeout(toConnectedPage, pauseMs)
    return () => clearTimeout(timer)
  }, [held])
  return (
    <main class="single">
      <Brand venue={portal.venue} />
      <Done />
      <Title venue={portal.venue.venueName}>{titleOf(grant)}</Title>
      <p class="lead" role="status">
        {unbought && 'Nothing was charged. '}
        {session.packageName}: {allowanceLeft(session)}
      </p>
      <ResumeCode code={session.resumeCode}>
        <strong>Write this down or take a screenshot.</strong> It brings your session back if this page closes or you change phones.
      </ResumeCode>
      {unbought && <p class="center soft">To buy more all the same, press “Add data or time” on the next page.</p>}
      {held ? (
        <Button icon="arrow" onClick={toConnectedPage}>
          Go online
        </Button>
      ) : (
        <>
          <p class="going" aria-hidden="true">
            <span class="going-bar" style={{ animationDuration: `${pauseMs}ms` }} />
          </p>
          <p class="center soft">{unbought ? 'Going on with your session…' : 'Connecting you…'}</p>
          <Button kind="second" icon="pause" onClick={() => setHeld(true)}>
            {unbought ? 'Wait, I am reading' : 'Wait, I am writing it down'}
          </Button>
        </>
      )}
    </main>
  )
}

/** Who came through a profile has no captive window to close: the same profile just goes on. */
function Through({ portal, grant, onClose }: { portal: Portal; grant: Grant; onClose: () => void }) {
  const { session } = grant
  const { words } = portal.connect
  return (
    <main class="single">
      <Brand venue={portal.venue} />
      <Done />
      <Title venue={portal.venue.venueName}>{titleOf(grant)}</Title>
      <p class="lead" role="status">
        {session.packageName}: {allowanceLeft(session)}
      </p>
      <p class="center">
        You are online through {words.product} again. The same {words.profile} goes on: nothing to scan, nothing to reconnect.
      </p>
      <Button icon="arrow" onClick={onClose}>
        To my session
      </Button>
      <ResumeCode code={session.resumeCode}>
        <strong>Write this down or take a screenshot.</strong> It brings your session back if this page closes or you change phones.
      </ResumeCode>
    </main>
  )
}

function Ready({ portal, grant, onClose }: { portal: Portal; grant: Grant; onClose: () => void }) {
  const { session } = grant
  const where = portal.venue.venueName
  return (
    <main class="single">
      <Brand venue={portal.venue} />
      <Done />
      <Title venue={where}>
        {grant.by !== 'till' ? 'Your voucher is good' : grant.outcome === 'resumed' ? titleOf(grant) : 'Ready to use'}
      </Title>
      <p class="lead" role="status">
        {grant.by === 'till' && grant.outcome === 'resumed' && 'Nothing was charged. '}
        {session.packageName}: {session.dataLimit === null ? 'unlimited data' : bytes(session.dataLimit)}. The clock has not started.
      </p>
      <ResumeCode code={session.resumeCode}>
        <strong>Write this down or take a screenshot.</strong> It is your way online.
      </ResumeCode>
      <Notice kind="warn" icon="wifi" title="What to do now">
        <ol class="steps">
          <li>Connect your phone to the Wi-Fi of {where}.</li>
          <li>When the sign-in page opens, press “Use my resume code”.</li>
          <li>Enter the code above.</li>
        </ol>
      </Notice>
      <Button kind="second" onClick={onClose}>
        Back to the first page
      </Button>
    </main>
  )
}

function Waiting({
  portal,
  session,
  onGranted,
  onClose,
}: {
  portal: Portal
  session: SessionView
  onGranted: (grant: Grant) => void
  onClose: () => void
}) {
  const task = useTask()
  const kept = session.status === 'ready' ? session : session.waiting[session.waiting.length - 1]
  return (
    <main class="single">
      <Brand venue={portal.venue} />
      <Done />
      <Title venue={portal.venue.venueName}>{titles.waiting}</Title>
      <p class="lead" role="status">
        {kept?.packageName ?? 'Your new session'} starts by itself when your session ends. Nothing of it is lost.
      </p>
      {kept && (
        <ResumeCode code={kept.resumeCode}>
          <strong>Write this down or take a screenshot.</strong> This session has its own code.
        </ResumeCode>
      )}
      {task.failure && <Failure failure={task.failure} />}
      <Button onClick={onClose}>Back to my session</Button>
      {kept && (
        <Button
          kind="second"
          busy={task.busy}
          busyText="Switching…"
          onClick={() => void task.run(async () => onGranted({ session: await resume(kept.resumeCode), outcome: 'resumed' }))}
        >
          Use it now instead
        </Button>
      )}
    </main>
  )
}

const titles: Record<Grant['outcome'], string> = {
  opened: 'Voucher accepted',
  'topped-up': 'Added to your session',
  resumed: 'Welcome back',
  waiting: 'Kept for later',
}

function titleOf({ outcome, by }: Grant): string {
  if (by === 'till' && outcome === 'opened') return "You're online"
  if (by === 'till' && outcome === 'resumed') return 'You still have a session'
  return titles[outcome]
}

function Done() {
  return (
    <p class="done" aria-hidden="true">
      <Icon name="check" size={34} />
    </p>
  )
}
