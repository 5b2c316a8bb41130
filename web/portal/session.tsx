import { useState } from 'preact/hooks'
import type { PaymentView } from '../../server/payments/schema.ts'
import type { Portal } from '../../server/venue/schema.ts'
import type { SessionView } from '../../server/sessions/schema.ts'
import { bytes, countdown, countdownWords, counted, moment, percentUsed, speed } from '../shared/format.ts'
import { disconnect, removeDevice, resume } from './box.ts'
import { Connect, type Errand } from './connect.tsx'
import { Doorways } from './doorways.tsx'
import { Icon } from './icons.tsx'
import { Meter } from './meter.tsx'
import { Brand, Button, Failure, Notice, ResumeCode, Support, Title } from './parts.tsx'
import { PaymentCard } from './payment-card.tsx'
import { useSecondsLeft, useTask, type Followed } from './state.ts'
import type { Doors } from './welcome.tsx'

type Device = SessionView['devices'][number]
type SessionProps = {
  portal: Portal
  session: SessionView
  payment: PaymentView | null
  followed: Followed
  doors: Doors
  onErrand: (errand: Errand) => void
}

/** A live session: what is left, and everything one may do about it. */
export function Session({ portal, session, payment, followed, doors, onErrand }: SessionProps) {
  const here = session.devices.find((device) => device.current)
  const stand = standOf(portal, session, here)
  const goOnline = useTask()
  const online = stand === 'online' || stand === 'starting' || stand === 'through'
  // Without the line of the venue nobody is online, whatever the box allows.
  const title =
    stand === 'through'
      ? `You are online through ${portal.connect.words.product}`
      : online && !portal.services.internet
        ? 'You are on the Wi-Fi'
        : titles[stand]
  return (
    <main class="columns">
      <div class="column">
        <header class="bar">
          <Brand venue={portal.venue} />
        </header>
        <PaymentCard payment={payment} doors={doors} />
        <section class="card live" aria-labelledby="stand">
          <div class="stand">
            <span class={`dot ${stand === 'online' || stand === 'through' ? 'on' : 'off'}`} aria-hidden="true" />
            <div id="stand">
              <Title venue={portal.venue.venueName}>{title}</Title>
            </div>
            <p class="visually-hidden" role="status">
              {title}
            </p>
            <p class="soft">{session.packageName}</p>
          </div>
          {!online && (
            <>
              <p class="center">{explanations[stand]}</p>
              {goOnline.failure && <Failure failure={goOnline.failure} />}
              {stand !== 'away' && (
                <Button
                  busy={goOnline.busy}
                  busyText="Connecting…"
                  icon="wifi"
                  onClick={() => void goOnline.run(async () => doors.onResumed(await resume(session.resumeCode)))}
                >
                  {stand === 'paused' ? 'Go online again' : stand === 'ready' ? 'Start now' : 'Use it on this device'}
                </Button>
              )}
            </>
          )}
          <Meter session={session} />
          <Allowance portal={portal} session={session} />
          <div class="tiles figures">
            <TimeLeft session={session} onZero={followed.ask} />
            <div class="tile">
              <p class="tile-label">Speed now</p>
              <p class="tile-value pair">
                <span>
                  <Icon name="down" size={18} />
                  <span class="visually-hidden">down </span>
                  {speed(session.currentDownBps)}
                </span>
                <span>
                  <Icon name="up" size={18} />
                  <span class="visually-hidden">up </span>
                  {speed(session.currentUpBps)}
                </span>
              </p>
            </div>
          </div>
          {stand !== 'ready' && <Waiting session={session} onResumed={doors.onResumed} />}
          <Button kind={online ? 'main' : 'second'} icon="plus" onClick={() => doors.go('voucher')}>
            Add data or time
          </Button>
        </section>
      </div>
      <div class="column">
        <ResumeCode code={session.resumeCode}>
          Keep it: with this code you continue on a new phone, or when this page forgets you.
        </ResumeCode>
        <Connect portal={portal} session={session} put={followed.put} onErrand={onErrand} />
        <Devices session={session} put={followed.put} />
        {online && here && <GoOffline put={followed.put} />}
        <Doorways portal={portal} payment={payment} go={doors.go} />
        <Support phone={portal.venue.supportPhone} />
      </div>
    </main>
  )
}

type Stand = 'online' | 'starting' | 'paused' | 'ready' | 'elsewhere' | 'away' | 'through'

const titles: Record<Exclude<Stand, 'through'>, string> = {
  online: 'You are online',
  starting: 'Connecting you',
  paused: 'You are offline',
  ready: 'Ready to start',
  elsewhere: 'Not on this device',
  away: 'Not on the Wi-Fi',
}

const explanations: Record<Stand, string> = {
  online: '',
  starting: '',
  paused: 'You took this device offline. The time of your session keeps running.',
  ready: 'It is paid. The clock starts when you go online.',
  elsewhere: 'Your session is live, but this device does not use it.',
  away: 'Your session is live. Connect this device to the Wi-Fi of the venue to use it.',
  through: '',
}

function standOf(portal: Portal, session: SessionView, here: Device | undefined): Stand {
  if (portal.profileId !== null) return 'through'
  if (!portal.device) return 'away'
  if (session.status === 'ready') return 'ready'
  if (!here) return 'elsewhere'
  if (here.paused) return 'paused'
  return session.status === 'active' ? 'starting' : 'online'
}

/** Said once in words when it changes; the meter itself is silent for screen readers. */
function Allowance({ portal, session }: { portal: Portal; session: SessionView }) {
  if (session.slow) {
    const slowBps = portal.packages.find((one) => one.id === session.packageId)?.slowBps
    return (
      <Notice kind="warn" title="Your data is used up; you go on at a slow speed" live>
        <p>
          {slowBps ? `Up to ${speed(slowBps)} until your time is over. ` : ''}
          {session.slowUsed > 0 ? `${bytes(session.slowUsed)} used so far at this speed. ` : ''}Another voucher with data makes it fast
          again.
        </p>
      </Notice>
    )
  }
  if (session.dataLimit === null) return null
  const percent = percentUsed(session.dataUsed, session.dataLimit)
  if (percent < 80) return null
  return (
    <Notice kind={percent >= 95 ? 'bad' : 'warn'} title={percent >= 95 ? 'Your data is almost used up' : 'Most of your data is used'} live>
      <p>Add a voucher now and you stay online without a break.</p>
    </Notice>
  )
}

function TimeLeft({ session, onZero }: { session: SessionView; onZero: () => void }) {
  const left = useSecondsLeft(session.secondsRemaining, session.updatedAt, onZero)
  return (
    <div class="tile">
      <p class="tile-label">Time left</p>
      <p class="tile-value">
        {left === null ? (
          'Not started'
        ) : (
          <>
            <span aria-hidden="true">{countdown(left)}</span>
            <span class="visually-hidden">{countdownWords(left)}</span>
          </>
        )}
      </p>
      {session.expiresAt && <p class="small soft">until {moment(session.expiresAt)}</p>}
    </div>
  )
}

/** Paid sessions that stand in line behind this one. */
export function Waiting({ session, onResumed }: { session: SessionView; onResumed: (session: SessionView) => void }) {
  const task = useTask()
  const [pressed, setPressed] = useState(0)
  if (session.waiting.length === 0) return null
  return (
    <section class={session.status === 'expired' ? 'card' : 'waiting'} aria-label="Waiting sessions">
      <h2>Waiting for you</h2>
      <ul class="rows">
        {session.waiting.map((one) => (
          <li key={one.id} class="row">
            <Icon name="ticket" />
            <p>
              {one.packageName}
              <span class="small soft">{session.status === 'expired' ? 'Paid, not begun' : 'Starts when this session ends'}</span>
            </p>
            <Button
              kind={session.status === 'expired' ? 'main' : 'second'}
              busy={task.busy && pressed === one.id}
              disabled={task.busy}
              onClick={() => {
                setPressed(one.id)
                void task.run(async () => onResumed(await resume(one.resumeCode)))
              }}
            >
              Use it now
            </Button>
          </li>
        ))}
      </ul>
      {task.failure && <Failure failure={task.failure} />}
    </section>
  )
}

function Devices({ session, put }: { session: SessionView; put: Followed['put'] }) {
  const task = useTask()
  const [asked, setAsked] = useState(0)
  return (
    <section class="card" aria-labelledby="devices-title">
      <h2 id="devices-title">Devices</h2>
      <p class="soft">
        {session.devices.length} of {counted(session.maxDevices, 'device')} in use
      </p>
      <ul class="rows">
        {session.devices.map((device) => (
          <li key={device.id} class="row">
            <Icon name="phone" />
            <p>
              {device.name || 'Device'} <span class="small soft figures">{deviceNote(device)}</span>
            </p>
            {!device.current && (
              <Button
                kind={asked === device.id ? 'danger' : 'quiet'}
                busy={task.busy && asked === device.id}
                onClick={() => {
                  if (asked !== device.id) return setAsked(device.id)
                  void task.run(async () => {
                    put(await removeDevice(device.id))
                    setAsked(0)
                  })
                }}
              >
                {asked === device.id ? 'Yes, remove' : 'Remove'}
                <span class="visually-hidden"> {device.name || device.mac}</span>
              </Button>
            )}
          </li>
        ))}
      </ul>
      {task.failure && <Failure failure={task.failure} />}
    </section>
  )
}

function deviceNote(device: Device): string {
  if (device.current) return device.paused ? 'this device, offline' : 'this device'
  return `${device.paused ? 'offline' : `seen ${moment(device.lastSeen)}`} · ${device.mac.slice(-5)}`
}

/** Asks back on the page itself: mini-browsers have no confirm(). */
function GoOffline({ put }: { put: Followed['put'] }) {
  const [asked, setAsked] = useState(false)
  const task = useTask()
  if (!asked) {
    return (
      <Button kind="quiet" icon="offline" onClick={() => setAsked(true)}>
        Go offline on this device
      </Button>
    )
  }
  return (
    <section class="card" aria-labelledby="offline-title">
      <h2 id="offline-title">Go offline?</h2>
      <p>No more data is used on this device, but the time of your session keeps running. You can come back at any moment.</p>
      {task.failure && <Failure failure={task.failure} />}
      <div class="choices">
        <Button kind="danger" busy={task.busy} onClick={() => void task.run(async () => put(await disconnect()))}>
          Go offline
        </Button>
        <Button kind="second" onClick={() => setAsked(false)}>
          Stay online
        </Button>
      </div>
    </section>
  )
}
