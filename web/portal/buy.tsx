import { useEffect, useRef, useState } from 'preact/hooks'
import type { Coordinates } from '../../server/hotspots/schema.ts'
import type { Package } from '../../server/packages/schema.ts'
import type { Portal } from '../../server/venue/schema.ts'
import type { SessionView } from '../../server/sessions/schema.ts'
import { ApiError } from '../shared/api.ts'
import { bytes, duration, price } from '../shared/format.ts'
import { attemptAt, endAttempt } from './attempt.ts'
import type { Grant } from './granted.tsx'
import { Icon } from './icons.tsx'
import { BackBar, Button, Failure, Notice, Title } from './parts.tsx'
import type { Paying } from './paying.ts'
import { OutOfRange } from './range.tsx'
import { SignIn } from './sign-in.tsx'
import { useTask, type Go } from './state.ts'
import { isSettled, pay, payByPoints, signOut } from './till.ts'
import { optionsFor, optionWords, type Option } from './ways.ts'
import { addWords, allowanceLeft, plainPhone } from './words.ts'

export type Purchase = { item: Package; eager: boolean }

type BuyProps = {
  portal: Portal
  session: SessionView | null
  purchase: Purchase
  paying: Paying
  go: Go
  refresh: () => Promise<void>
  onGrant: (grant: Grant) => void
  /** The box goes on with an open payment, which may be for another package than the one asked for. */
  onOpen: (asked: Package) => void
}

/**
 * From the choice of a package to the question for its money: how to pay, and who pays, each only where it is needed.
 * `session` is the live one, to which the package is added.
 */
export function Buy({ portal, session, purchase: { item, eager }, paying, go, refresh, onGrant, onOpen }: BuyProps) {
  const [picked, pick] = useState<Option | null>(null)
  const task = useTask()
  const { customer } = portal
  const options = optionsFor(portal, item)
  const [only] = options.length === 1 ? options : []
  const coordinates = useRef<Coordinates | undefined>(undefined)

  const ask = (option: Option) =>
    task.run(async () => {
      const topUp = session !== null
      const { key, again } = attemptAt(`${item.id} ${option.provider} ${topUp} ${customer?.phone ?? ''}`)
      const wish = { packageId: item.id, topUp, key, ...(coordinates.current ? { coordinates: coordinates.current } : {}) }
      try {
        await (option.provider === 'points' ? redeem() : buy(option.provider))
      } catch (error) {
        // A login that ran out meanwhile: the portal knows by now, and this screen asks for a new one.
        if ((error as ApiError).code === 'not-signed-in') await refresh()
        throw error
      }

      async function redeem() {
        const { outcome, session } = await payByPoints(wish)
        endAttempt()
        // The box says so of points that were taken when the answer got lost, too.
        if (outcome === 'resumed' && !again) onGrant({ session, outcome, by: 'till' })
        else onGrant({ session, outcome: outcome === 'resumed' ? 'opened' : outcome, by: 'till' })
      }

      async function buy(provider: Exclude<Option['provider'], 'points'>) {
        const { outcome, payment, session } = await pay(wish, provider)
        if (!payment || isSettled(payment) || session) endAttempt()
        if (payment) paying.put(payment)
        if (session && outcome === 'resumed') return onGrant({ session, outcome, by: 'till' })
        if (session && outcome === 'paid') return onGrant({ session, outcome: payment?.outcome ?? 'opened', by: 'till' })
        if (!payment) return go('home', '', true)
        if (payment.packageId !== item.id) onOpen(item)
        go('pay', payment.reference, true)
      }
    })

  const choose = (option: Option) => {
    pick(option)
    if (!option.needsPhone || customer) void ask(option)
  }
  // Where there is nothing to choose, on with it; after signing in, too. But only from a press of the reader's, never from
  // a page that was loaded again, and never when signing in has just brought a session to light.
  const hadSession = useRef(session !== null)
  useEffect(() => {
    if (session && !hadSession.current) return pick(null)
    const next = picked ?? (eager && only && !session ? only : null)
    if (next && !task.busy) choose(next)
  }, [customer?.phone])

  if (task.failure && ['out-of-range', 'where-are-you'].includes(task.failure.code))
    return (
      <OutOfRange
        portal={portal}
        failure={task.failure}
        onRetry={async (from) => {
          coordinates.current = from ?? undefined
          if (picked) await ask(picked)
        }}
        onMap={() => go('map')}
        onBack={() => go('home')}
      />
    )

  const mustSignIn = !customer && (picked?.needsPhone || (options.length > 0 && options.every((one) => one.needsPhone)))
  return (
    <main class="single start">
      <BackBar venue={portal.venue} onBack={() => go('home')} />
      {task.busy && picked && !session && only ? (
        <Title key="asking" venue={portal.venue.venueName}>
          One moment
        </Title>
      ) : (
        <Title key={String(mustSignIn)} venue={portal.venue.venueName}>
          {mustSignIn ? 'Sign in to buy' : session ? 'Add to your session' : only ? 'Your package' : 'How do you want to pay?'}
        </Title>
      )}
      <Chosen item={item} />
      {session && !mustSignIn && (
        <Notice kind="good" icon="wifi" title={`You still have ${session.packageName}`}>
          <p>
            {allowanceLeft(session)}. You need not buy now. If you do: {lowered(addWords(session, item))}
          </p>
        </Notice>
      )}
      {mustSignIn ? (
        <section class="card" aria-label="Sign in">
          <p>What you pay for then is yours, on every phone that you sign in on.</p>
          <SignIn portal={portal} onDone={refresh} />
        </section>
      ) : (
        <>
          {options.length === 0 && (
            <Notice kind="warn" title="This cannot be bought on this page right now">
              <p>Ask at the counter, or choose another package.</p>
            </Notice>
          )}
          <ul class="options">
            {options.map((option) => (
              <li key={option.provider}>
                <button type="button" class="option" aria-disabled={task.busy} onClick={() => !task.busy && choose(option)}>
                  <span>
                    <strong>{only ? actionFor(option, item, session) : option.title}</strong>
                    <span class="small soft">{optionWords(option, portal, item, !only)}</span>
                  </span>
                  {task.busy && picked?.provider === option.provider ? <span class="spinner" aria-hidden="true" /> : <Icon name="arrow" />}
                </button>
              </li>
            ))}
          </ul>
          <p class="visually-hidden" role="status">
            {task.busy ? 'One moment' : ''}
          </p>
          {task.failure && <Failure failure={task.failure} />}
          {session && (
            <Button kind="second" onClick={() => go('home')}>
              Use what I have
            </Button>
          )}
          {customer && options.some((one) => one.needsPhone) && (
            <OtherNumber
              phone={customer.phone}
              onOut={() => {
                pick(null)
                return refresh()
              }}
            />
          )}
        </>
      )}
    </main>
  )
}

function Chosen({ item }: { item: Package }) {
  return (
    <section class="chosen figures" aria-label="Your choice">
      <p>
        <strong>{item.name}</strong>
        <span class="soft">
          {item.dataLimit === null ? 'No data limit' : bytes(item.dataLimit)} · {duration(item.durationSeconds)}
        </span>
      </p>
      <p class="chosen-price">{price(item.priceMinor, item.currency)}</p>
    </section>
  )
}

function OtherNumber({ phone, onOut }: { phone: string; onOut: () => Promise<void> }) {
  const task = useTask()
  return (
    <div class="center">
      <p class="soft small">You are signed in as {plainPhone(phone)}.</p>
      <Button
        kind="quiet"
        busy={task.busy}
        onClick={() =>
          void task.run(async () => {
            await signOut()
            await onOut()
          })
        }
      >
        Pay with another number
      </Button>
      {task.failure && <Failure failure={task.failure} />}
    </div>
  )
}

function actionFor(option: Option, item: Package, session: SessionView | null): string {
  const cost = option.provider === 'points' ? `${item.pointsPrice!.toLocaleString('en-US')} points` : price(item.priceMinor, item.currency)
  const isFree = option.provider === 'free'
  if (session) return isFree ? 'Add it to my session' : `Add it to my session for ${cost}`
  return isFree ? 'Get it free' : `Pay ${cost}`
}

function lowered(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1)
}
