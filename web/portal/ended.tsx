import type { PaymentView } from '../../server/payments/schema.ts'
import type { Portal } from '../../server/venue/schema.ts'
import type { SessionView } from '../../server/sessions/schema.ts'
import { bytes, moment, usedOf } from '../shared/format.ts'
import { Doorways } from './doorways.tsx'
import { VoucherForm } from './forms.tsx'
import { Icon } from './icons.tsx'
import { Packages } from './packages.tsx'
import { Brand, Button, Title } from './parts.tsx'
import { PaymentCard } from './payment-card.tsx'
import { Waiting } from './session.tsx'
import { sellsHere } from './ways.ts'
import type { Doors } from './welcome.tsx'
import { endWords } from './words.ts'

type EndedProps = { portal: Portal; session: SessionView; payment: PaymentView | null; doors: Doors }

/** What happened, and how to go on. */
export function Ended({ portal, session, payment, doors }: EndedProps) {
  const sells = sellsHere(portal)
  const { title, text } = endWords(session, sells ? 'Choose a package or enter a voucher to go on.' : 'Enter another voucher to go on.')
  const packages = <Packages portal={portal} title="Packages" onBuy={doors.onBuy} />
  const voucher = (
    <>
      <section class={session.waiting.length > 0 ? 'card' : 'card ticketed'} aria-labelledby="voucher-title">
        <h2 id="voucher-title">Enter a new voucher</h2>
        <VoucherForm action="Connect" onDone={doors.onRedeemed} onRefused={doors.onRefused} />
      </section>
      <Button kind="quiet" onClick={() => doors.go('resume')}>
        Use a resume code
      </Button>
    </>
  )
  return (
    <main class="columns">
      <div class="column">
        <header class="bar">
          <Brand venue={portal.venue} />
        </header>
        <section class="card ended">
          <p class="done over" aria-hidden="true">
            <Icon name={session.endReason === 'time' ? 'clock' : 'offline'} size={32} />
          </p>
          <Title venue={portal.venue.venueName}>{title}</Title>
          <p class="center">{session.waiting.length > 0 ? 'You have another session waiting.' : text}</p>
          {portal.profileId !== null && (
            <p class="center soft">Your {portal.connect.words.profile} stays: with a voucher it goes on by itself.</p>
          )}
          <Summary session={session} />
        </section>
        <PaymentCard payment={payment} doors={doors} />
        <Waiting session={session} onResumed={doors.onResumed} />
        {sells ? packages : voucher}
      </div>
      <div class="column">
        {sells ? voucher : packages}
        <Doorways portal={portal} payment={payment} go={doors.go} />
      </div>
    </main>
  )
}

function Summary({ session }: { session: SessionView }) {
  const used = session.dataLimit === null ? undefined : usedOf(session.dataUsed, session.dataLimit)
  const rows: [string, string][] = [
    ['Package', session.packageName],
    ['Data used', used ? `${used.used} of ${used.limit}` : bytes(session.dataUsed)],
    ...(session.slowUsed > 0 ? [['At slow speed', bytes(session.slowUsed)] as [string, string]] : []),
    ...(session.startTime ? [['Began', moment(session.startTime)] as [string, string]] : []),
    ...(session.endedAt ? [['Ended', moment(session.endedAt)] as [string, string]] : []),
  ]
  return (
    <dl class="summary figures">
      {rows.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  )
}
