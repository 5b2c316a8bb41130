import type { Portal } from '../../server/venue/schema.ts'
import type { SessionView } from '../../server/sessions/schema.ts'
import { ResumeForm, VoucherForm } from './forms.tsx'
import { Packages } from './packages.tsx'
import { BackBar, Notice, Support, Title } from './parts.tsx'
import { isAway, isLive, type Place } from './state.ts'
import { NotOnWifi, type Doors } from './welcome.tsx'
import { allowanceLeft, topUpWords } from './words.ts'

type EnterProps = { portal: Portal; session: SessionView | null; place: Place; doors: Doors }

/** A voucher's code: from its QR, or to add to the live session. */
export function EnterVoucher({ portal, session, place, doors }: EnterProps) {
  const live = isLive(session)
  return (
    <main class="columns">
      <div class="column">
        <BackBar venue={portal.venue} onBack={() => doors.go('home')} />
        <Title venue={portal.venue.venueName}>{live ? 'Add data or time' : 'Enter your voucher'}</Title>
        {live && (
          <Notice kind="good" icon="wifi" title={session.packageName}>
            <p>
              {allowanceLeft(session)}. {topUpWords(session)}
            </p>
          </Notice>
        )}
        {isAway(portal) && <NotOnWifi venueName={portal.venue.venueName} />}
        <section class="card ticketed" aria-label="Voucher">
          <VoucherForm
            prefilled={place.code}
            action={live ? 'Add to my session' : 'Connect'}
            onDone={doors.onRedeemed}
            onRefused={doors.onRefused}
          />
        </section>
      </div>
      <div class="column">
        <Packages portal={portal} title={live ? 'Or buy a package' : 'No voucher yet?'} onBuy={doors.onBuy} />
      </div>
    </main>
  )
}

/** The way back to a session from a phone that the box does not know. */
export function EnterResume({ portal, doors }: Omit<EnterProps, 'session' | 'place'>) {
  return (
    <main class="single start">
      <BackBar venue={portal.venue} onBack={() => doors.go('home')} />
      <Title venue={portal.venue.venueName}>Continue my session</Title>
      <p class="lead">For a new phone, or when the Wi-Fi no longer knows this one. Your data and time are where you left them.</p>
      {isAway(portal) && (
        <Notice kind="warn" icon="wifi" title={`This device is not on the Wi-Fi of ${portal.venue.venueName}`}>
          <p>Connect to it first, then enter the code.</p>
        </Notice>
      )}
      <section class="card ticketed" aria-label="Resume code">
        <ResumeForm onDone={doors.onResumed} />
      </section>
      <section class="help">
        <h2>Lost your code?</h2>
        <p class="soft">The staff can find your session by the phone number you gave, or by the number of your voucher.</p>
        <Support phone={portal.venue.supportPhone} />
      </section>
    </main>
  )
}
