import { useEffect, useState } from 'preact/hooks'
import type { Portal } from '../../server/venue/schema.ts'
import type { SessionView } from '../../server/sessions/schema.ts'
import { bytes } from '../shared/format.ts'
import { resume, toConnectedPage, type Redeemed } from './box.ts'
import { Icon } from './icons.tsx'
import { Brand, Button, Failure, Notice, ResumeCode, Title } from './parts.tsx'
import { useTask } from './state.ts'
import { allowanceLeft } from './words.ts'

/** What the box said yes to. */
export type Grant = { session: SessionView; outcome: Redeemed['outcome'] | 'resumed' }

/** Long enough for the firewall to be open at the phone's next probe, and to see the code. */
const PAUSE_MS = 1400

type GrantedProps = { portal: Portal; grant: Grant; onGranted: (grant: Grant) => void; onClose: () => void }

export function Granted({ portal, grant, onGranted, onClose }: GrantedProps) {
  if (grant.outcome === 'waiting') return <Waiting portal={portal} session={grant.session} onGranted={onGranted} onClose={onClose} />
  if (portal.profileId !== null) return <Through portal={portal} grant={grant} onClose={onClose} />
  if (grant.session.status === 'ready') return <Ready portal={portal} session={grant.session} onClose={onClose} />
  return <Opened portal={portal} grant={grant} />
}

function Opened({ portal, grant: { session, outcome } }: { portal: Portal; grant: Grant }) {
  const [held, setHeld] = useState(false)
  useEffect(() => {
    if (held) return
    const timer = setTimeout(toConnectedPage, PAUSE_MS)
    return () => clearTimeout(timer)
  }, [held])
  return (
    <main class="single">
      <Brand venue={portal.venue} />
      <Done />
      <Title venue={portal.venue.venueName}>{titles[outcome]}</Title>
      <p class="lead" role="status">
        {session.packageName}: {allowanceLeft(session)}
      </p>
      <ResumeCode code={session.resumeCode}>
        <strong>Write this down or take a screenshot.</strong> It brings your session back if this page closes or you change phones.
      </ResumeCode>
      {held ? (
        <Button icon="arrow" onClick={toConnectedPage}>
          Go online
        </Button>
      ) : (
        <>
          <p class="going" aria-hidden="true">
            <span class="going-bar" style={{ animationDuration: `${PAUSE_MS}ms` }} />
          </p>
          <p class="center soft">Connecting you…</p>
          <Button kind="second" icon="pause" onClick={() => setHeld(true)}>
            Wait, I am writing it down
          </Button>
        </>
      )}
    </main>
  )
}

/** Who came through a profile has no captive window to close: the same profile just goes on. */
function Through({ portal, grant: { session, outcome }, onClose }: { portal: Portal; grant: Grant; onClose: () => void }) {
  const { words } = portal.connect
  return (
    <main class="single">
      <Brand venue={portal.venue} />
      <Done />
      <Title venue={portal.venue.venueName}>{titles[outcome]}</Title>
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

function Ready({ portal, session, onClose }: { portal: Portal; session: SessionView; onClose: () => void }) {
  const where = portal.venue.venueName
  return (
    <main class="single">
      <Brand venue={portal.venue} />
      <Done />
      <Title venue={where}>Your voucher is good</Title>
      <p class="lead" role="status">
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

function Done() {
  return (
    <p class="done" aria-hidden="true">
      <Icon name="check" size={34} />
    </p>
  )
}
