import type { Package } from '../../server/packages/schema.ts'
import type { PaymentView } from '../../server/payments/schema.ts'
import type { Portal } from '../../server/venue/schema.ts'
import type { SessionView } from '../../server/sessions/schema.ts'
import type { ApiError } from '../shared/api.ts'
import { resume, type Redeemed } from './box.ts'
import { Doorways } from './doorways.tsx'
import { VoucherForm } from './forms.tsx'
import { Packages } from './packages.tsx'
import { Brand, Button, Failure, Notice, Title } from './parts.tsx'
import { PaymentCard } from './payment-card.tsx'
import { isAway, useTask, type Go } from './state.ts'
import { sellsHere } from './ways.ts'
import { allowanceLeft } from './words.ts'

export type Doors = {
  go: Go
  onBuy: (item: Package) => void
  onRedeemed: (redeemed: Redeemed) => void
  onResumed: (session: SessionView) => void
  onRefused: (failure: ApiError) => void
}

type WelcomeProps = { portal: Portal; payment: PaymentView | null; doors: Doors; sought: boolean }

export function Welcome({ portal, payment, doors, sought }: WelcomeProps) {
  const { venue, returning } = portal
  // Where this page sells, what is sold comes before the voucher.
  const sells = sellsHere(portal)
  const packages = <Packages portal={portal} title="Packages" onBuy={doors.onBuy} />
  return (
    <main class="columns">
      <div class="column">
        <header class="hero">
          <Brand venue={venue} />
          <Title venue={venue.venueName}>{returning ? 'Welcome back' : 'Get online'}</Title>
          {venue.venueMessage && <p class="lead">{venue.venueMessage}</p>}
        </header>
        {sought && !returning && (
          <Notice kind="warn" title="No session found for this phone" live>
            <p>If you had one, continue it with your resume code.</p>
          </Notice>
        )}
        <PaymentCard payment={payment} doors={doors} />
        {isAway(portal) && <NotOnWifi venueName={venue.venueName} />}
        {returning && <Returning session={returning} onResumed={doors.onResumed} />}
        {sells ? (
          <>
            <div class="to-voucher">
              <Button kind="second" icon="ticket" onClick={() => doors.go('voucher')}>
                Type a voucher
              </Button>
            </div>
            {packages}
          </>
        ) : (
          <Voucher returning={returning !== null} doors={doors} />
        )}
      </div>
      <div class="column">
        {sells ? <Voucher returning={returning !== null} doors={doors} /> : packages}
        <Doorways portal={portal} payment={payment} go={doors.go} />
      </div>
    </main>
  )
}

function Voucher({ returning, doors }: { returning: boolean; doors: Doors }) {
  return (
    <>
      <section class={returning ? 'card' : 'card ticketed'} aria-labelledby="voucher-title">
        <h2 id="voucher-title">I have a voucher</h2>
        <VoucherForm action="Connect" onDone={doors.onRedeemed} onRefused={doors.onRefused} />
      </section>
      <section class="card slim" aria-labelledby="resume-title">
        <h2 id="resume-title">I already have a session</h2>
        <p class="soft">New phone, or this page forgot you? Your resume code brings it back.</p>
        <Button kind="second" onClick={() => doors.go('resume')}>
          Use my resume code
        </Button>
      </section>
    </>
  )
}

export function NotOnWifi({ venueName }: { venueName: string }) {
  return (
    <Notice kind="warn" icon="wifi" title={`This device is not on the Wi-Fi of ${venueName}`}>
      <p>You can still enter a voucher here. You then get a code to use once you are on the Wi-Fi.</p>
    </Notice>
  )
}

function Returning({ session, onResumed }: { session: SessionView; onResumed: (session: SessionView) => void }) {
  const task = useTask()
  return (
    <section class="card ticketed" aria-labelledby="returning-title">
      <h2 id="returning-title">Your {session.packageName} session goes on</h2>
      <p>{allowanceLeft(session)}</p>
      {task.failure && <Failure failure={task.failure} />}
      <Button
        busy={task.busy}
        busyText="Connecting…"
        icon="arrow"
        onClick={() => void task.run(async () => onResumed(await resume(session.resumeCode)))}
      >
        Continue on this device
      </Button>
    </section>
  )
}
