import { useEffect, useState } from 'preact/hooks'
import type { PaymentView } from '../../server/payments/schema.ts'
import type { Portal } from '../../server/venue/schema.ts'
import type { ApiError } from '../shared/api.ts'
import { countdown, countdownWords, money, price } from '../shared/format.ts'
import './pay.css'
import { askSession } from './box.ts'
import type { Grant } from './granted.tsx'
import { Icon } from './icons.tsx'
import { BackBar, Button, Failure, Notice, Support, Title } from './parts.tsx'
import type { Paying } from './paying.ts'
import { useSecondsLeft, useTask, type Go } from './state.ts'
import { askPayment, giveUp, isSettled } from './till.ts'
import { plainPhone } from './words.ts'

type PayProps = {
  portal: Portal
  reference: string
  paying: Paying
  /** The package that was asked for while this payment was open. */
  instead: string
  go: Go
  onGrant: (grant: Grant) => void
  onAgain: (packageId: number) => void
}

/** A payment on its way, live: asked, confirmed, paid, online. It may be left and come back to at any step. */
export function Pay({ portal, reference, paying, instead, go, onGrant, onAgain }: PayProps) {
  const payment = paying.payment?.reference === reference ? paying.payment : null
  const [missing, setMissing] = useState<ApiError | null>(null)
  useEffect(() => {
    if (!payment) askPayment(reference).then(paying.put, setMissing)
  }, [reference, payment === null])

  // Online, or as near to it as this device can be: the session's own screen says the rest.
  const [alone, setAlone] = useState(false)
  useEffect(() => {
    if (payment?.status === 'paid') void finish(payment)
    async function finish(paid: PaymentView) {
      try {
        // Asked once more: this answer makes the browser remember the session, which an event cannot.
        await askPayment(paid.reference)
        const session = await askSession()
        if (isSettled(paid) || session.status === 'ready') onGrant({ session, outcome: paid.outcome ?? 'opened', by: 'till' })
      } catch {
        setAlone(true)
      }
    }
  }, [payment?.status, payment?.step, payment?.outcome])

  const where = portal.venue.venueName
  if (!payment)
    return (
      <main class="single" aria-busy={!missing}>
        <BackBar venue={portal.venue} onBack={() => go('home', '', true)} />
        <Title venue={where}>{missing ? 'This payment was not found here' : 'Looking for your payment'}</Title>
        {missing ? <Failure failure={missing} /> : <p class="spinner large" aria-hidden="true" />}
        {missing && <Button onClick={() => go('home', '', true)}>To the first page</Button>}
      </main>
    )
  if (payment.status === 'failed') return <NotPaid portal={portal} payment={payment} go={go} onAgain={onAgain} />
  return (
    <main class="single pay">
      <BackBar venue={portal.venue} onBack={() => go('home', '', true)} />
      <Title venue={where}>{titleOf(payment)}</Title>
      <p class="lead" role="status">
        {besides(titleOf(payment), payment.words)}
      </p>
      {instead && instead !== payment.packageName && payment.status !== 'paid' && (
        <Notice kind="warn" title={`This payment for ${payment.packageName} is still open`}>
          <p>Finish it, or start over to buy {instead}.</p>
        </Notice>
      )}
      <Now payment={payment} onZero={paying.ask} />
      <Steps payment={payment} />
      {payment.status === 'paid' ? (
        alone && <Button onClick={() => go('home', '', true)}>To the first page</Button>
      ) : (
        <StartOver payment={payment} paying={paying} onDone={() => go('home', '', true)} />
      )}
    </main>
  )
}

/** What the reader does at this step, as large as it is important. */
function Now({ payment, onZero }: { payment: PaymentView; onZero: () => void }) {
  const { kind, status, checkoutUrl } = payment
  const left = useSecondsLeft(status === 'pending' ? payment.secondsLeft : null, payment.reference + status, onZero)
  const [leaving, setLeaving] = useState(false)
  const leave = () => {
    setLeaving(true)
    // Should the page not open, or the reader come back.
    setTimeout(() => setLeaving(false), 8000)
  }
  const amount = money(payment.amountMinor, payment.currency)
  const what = `${payment.packageName} · ${price(payment.amountMinor, payment.currency)}`
  if (kind === 'desk' && status !== 'paid')
    return (
      <section class="card ticketed stub" aria-label="Your number">
        <p class="stub-label">Show this number at the counter</p>
        <p class="desk-number figures">{payment.number}</p>
        <div class="tear" aria-hidden="true" />
        <p>
          Pay {amount} for {payment.packageName}. This page goes on by itself.
        </p>
      </section>
    )
  if (kind === 'checkout' && status === 'pending' && checkoutUrl)
    return (
      <section class="card" aria-label="Payment">
        <p class="center figures">{what}</p>
        <a class="button main" href={checkoutUrl} aria-disabled={leaving} onClick={leave}>
          {leaving ? <span class="spinner" aria-hidden="true" /> : <Icon name="arrow" />}
          <span>
            Pay {amount} with {payment.title}
          </span>
        </a>
        <p class="small soft">
          It opens the page of {payment.title}, which brings you back here. Should it not, open this page again: your payment is kept, and
          you go online as soon as it is paid.
        </p>
      </section>
    )
  return (
    <section class="card center pay-now figures" aria-label="Payment">
      <p>{what}</p>
      {payment.userPhone && kind === 'push' && <p class="soft">{plainPhone(payment.userPhone)}</p>}
      {status === 'pending' && left !== null && left > 0 && (
        <p class="pay-left">
          <strong aria-hidden="true">{countdown(left)}</strong>
          <span class="visually-hidden">{countdownWords(left)}</span> <span>left to confirm</span>
        </p>
      )}
      {(status !== 'pending' || !left) && <p class="spinner big" aria-hidden="true" />}
    </section>
  )
}

const steps: Record<PaymentView['kind'], string[]> = {
  push: ['Asked', 'Confirm on your phone', 'Paid', 'Online'],
  checkout: ['Asked', 'Pay on the page', 'Paid', 'Online'],
  desk: ['Number given', 'Pay at the counter', 'Paid', 'Online'],
  free: ['Asked', 'Nothing to pay', 'Yours', 'Online'],
}

function Steps({ payment: { kind, step } }: { payment: PaymentView }) {
  const at = step === 'asked' ? 0 : step === 'pending' ? 1 : 3
  return (
    <ol class="pay-steps" aria-label="How far it is">
      {steps[kind].map((name, index) => (
        <li key={name} class={index < at ? 'past' : index === at ? 'present' : ''} aria-current={index === at ? 'step' : undefined}>
          <span class="pay-mark" aria-hidden="true">
            {index < at ? <Icon name="check" size={16} /> : ''}
          </span>
          {name}
          {index < at && <span class="visually-hidden"> (done)</span>}
        </li>
      ))}
    </ol>
  )
}

function StartOver({ payment, paying, onDone }: { payment: PaymentView; paying: Paying; onDone: () => void }) {
  const task = useTask()
  return (
    <section class="help">
      {task.failure && <Failure failure={task.failure} />}
      <Button
        kind="second"
        busy={task.busy}
        busyText="Starting over…"
        onClick={() =>
          void task.run(async () => {
            paying.put(await giveUp(payment.reference))
            onDone()
          })
        }
      >
        Start over
      </Button>
      {payment.kind !== 'desk' && (
        <p class="small soft">Nothing is lost: if the money arrives all the same, you get the internet you paid for.</p>
      )}
    </section>
  )
}

type NotPaidProps = Pick<PayProps, 'portal' | 'go' | 'onAgain'> & { payment: PaymentView }

function NotPaid({ portal, payment, go, onAgain }: NotPaidProps) {
  return (
    <main class="single">
      <BackBar venue={portal.venue} onBack={() => go('home', '', true)} />
      <p class="done not-paid" aria-hidden="true">
        <Icon name="warn" size={34} />
      </p>
      <Title key="failed" venue={portal.venue.venueName}>
        {payment.reason === 'given-up' ? 'You started over' : 'Not paid'}
      </Title>
      <p class="lead" role="alert">
        {payment.words}
      </p>
      <p class="center soft figures">
        {payment.packageName} · {money(payment.amountMinor, payment.currency)} · {payment.title}
      </p>
      <Button onClick={() => onAgain(payment.packageId)}>Try again</Button>
      <Button kind="second" onClick={() => go('home', '', true)}>
        Choose something else
      </Button>
      <Support phone={portal.venue.supportPhone} />
    </main>
  )
}

/** What the words say beyond the heading, where they begin with it. */
function besides(title: string, words: string): string {
  const rest = words.startsWith(`${title}:`) || words.startsWith(`${title}.`) ? words.slice(title.length + 1).trim() : words
  return rest.charAt(0).toUpperCase() + rest.slice(1)
}

function titleOf({ status, kind, title, givenUpAt }: PaymentView): string {
  if (status === 'paid') return 'Paid'
  if (givenUpAt !== null) return 'You started over'
  if (kind === 'desk') return 'Pay at the counter'
  if (status === 'asked') return 'One moment'
  return kind === 'checkout' ? `Pay with ${title}` : 'Confirm on your phone'
}
