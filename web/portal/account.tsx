import { useState } from 'preact/hooks'
import type { Portal } from '../../server/venue/schema.ts'
import { counted } from '../shared/format.ts'
import './account.css'
import { History } from './history.tsx'
import { Icon, type IconName } from './icons.tsx'
import { BackBar, Button, Failure, Title } from './parts.tsx'
import { Points } from './points.tsx'
import { SignIn } from './sign-in.tsx'
import { useTask, type Go } from './state.ts'
import { forgetMe, signOut } from './till.ts'
import { plainPhone } from './words.ts'

export { Receipt } from './receipt.tsx'

type OwnProps = { at: 'account' | 'history' | 'points'; portal: Portal; go: Go; refresh: () => Promise<void> }

/** What is the customer's own: all of it only for whoever is signed in. */
export function Own({ at, portal, go, refresh }: OwnProps) {
  const { customer } = portal
  if (!customer)
    return (
      <main class="single start">
        <BackBar venue={portal.venue} onBack={() => go('home')} />
        <Title key="sign-in" venue={portal.venue.venueName}>
          Sign in
        </Title>
        <p class="lead">See your sessions, payments{portal.services.points ? ' and points' : ''} on any phone.</p>
        <section class="card" aria-label="Sign in">
          <SignIn portal={portal} onDone={refresh} />
        </section>
      </main>
    )
  if (at === 'history') return <History key="history" portal={portal} go={go} refresh={refresh} />
  if (at === 'points') return <Points key="points" portal={portal} go={go} refresh={refresh} />
  return <Account key="account" portal={portal} phone={customer.phone} points={customer.points} go={go} />
}

type AccountProps = { portal: Portal; phone: string; points: number; go: Go }

function Account({ portal, phone, points, go }: AccountProps) {
  const leaving = useTask()
  return (
    <main class="single start">
      <BackBar venue={portal.venue} onBack={() => go('home')} />
      <Title venue={portal.venue.venueName}>My account</Title>
      <section class="card" aria-label="Signed in">
        <p class="who">
          <span class="soft">Signed in as</span>
          <strong class="figures">{plainPhone(phone)}</strong>
        </p>
        {leaving.failure && <Failure failure={leaving.failure} />}
        <Button kind="second" busy={leaving.busy} busyText="Signing out…" onClick={() => void leaving.run(() => leave(signOut))}>
          Sign out
        </Button>
        <p class="small soft">A session on this phone goes on when you sign out.</p>
      </section>
      <nav class="card own-links" aria-label="My pages">
        <OwnLink icon="clock" onClick={() => go('history')}>
          Sessions and payments
        </OwnLink>
        {(portal.services.points || points !== 0) && (
          <OwnLink icon="star" note={counted(points, 'point')} onClick={() => go('points')}>
            Points
          </OwnLink>
        )}
        <OwnLink icon="pin" onClick={() => go('map')}>
          All hotspots
        </OwnLink>
      </nav>
      <section class="card" aria-labelledby="data-title">
        <h2 id="data-title">My data</h2>
        <p class="soft">What this Wi-Fi keeps about your number, in one file.</p>
        <a class="button second" href="/api/me/export" download="my-data.json">
          <Icon name="down" />
          <span>Download my data</span>
        </a>
        <Forget />
      </section>
    </main>
  )
}

type OwnLinkProps = { icon: IconName; children: string; note?: string; onClick: () => void }

function OwnLink({ icon, children, note, onClick }: OwnLinkProps) {
  return (
    <button type="button" onClick={onClick}>
      <Icon name={icon} />
      <span>{children}</span>
      {note && <span class="soft figures">{note}</span>}
      <Icon name="arrow" size={18} />
    </button>
  )
}

/** Asks back on the page itself: mini-browsers have no confirm(). */
function Forget() {
  const [asked, setAsked] = useState(false)
  const task = useTask()
  if (!asked)
    return (
      <Button kind="quiet" onClick={() => setAsked(true)}>
        Delete my data
      </Button>
    )
  return (
    <div class="form" role="group" aria-labelledby="forget-title">
      <h3 id="forget-title" ref={(heading) => heading?.focus()} tabIndex={-1}>
        Delete everything about your number?
      </h3>
      <p>
        Your history, your points and your sign-in are gone for good. A session that runs goes on. What was sold stays in the books, without
        your number.
      </p>
      {task.failure && <Failure failure={task.failure} />}
      <div class="choices">
        <Button kind="danger" busy={task.busy} busyText="Deleting…" onClick={() => void task.run(() => leave(forgetMe))}>
          Yes, delete
        </Button>
        <Button kind="second" onClick={() => setAsked(false)}>
          Keep it
        </Button>
      </div>
    </div>
  )
}

/** A page that is loaded anew knows nothing any more of who was here. */
async function leave(work: () => Promise<unknown>): Promise<void> {
  await work()
  location.replace('/')
  await new Promise(() => {})
}
