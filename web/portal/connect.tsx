import type { ComponentChildren } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'
import type { ConnectAnswer, ProfileView } from '../../server/connect/schema.ts'
import type { Portal } from '../../server/venue/schema.ts'
import type { SessionView } from '../../server/sessions/schema.ts'
import { bytes, moment, usedOf } from '../shared/format.ts'
import { makeProfile, removeProfile, renameProfile, renewProfile, type Way } from './box.ts'
import { Button, Failure } from './parts.tsx'
import { useTask, type Followed } from './state.ts'

/** A profile that is to be made: at once, or after the reader chose a way. `answer` is there once it is made. */
export type Errand = { make: (way: Way) => Promise<ConnectAnswer>; answer: ConnectAnswer | null }

type ConnectProps = { portal: Portal; session: SessionView; put: Followed['put']; onErrand: (errand: Errand) => void }

/** The session's profiles for the tunnel, and the way to one more. */
export function Connect({ portal, session, put, onErrand }: ConnectProps) {
  const { available, words, endpoints } = portal.connect
  const { profiles } = session
  const task = useTask()
  const heading = useRef<HTMLHeadingElement>(null)
  const [said, say] = useState('')
  if (!available && profiles.length === 0) return null

  const start = async (make: Errand['make']) => onErrand({ make, answer: endpoints.length > 1 ? null : await make({}) })
  const full = profiles.length >= session.maxDevices
  return (
    <section class="card connect" aria-labelledby="connect-title">
      <div>
        <h2 id="connect-title" ref={heading} tabIndex={-1}>
          {words.product}
        </h2>
        <p class="soft">Use this session anywhere: at home, on the road, on mobile data.</p>
      </div>
      <p class="visually-hidden" role="status">
        {said}
      </p>
      {profiles.length > 0 && (
        <>
          <Shares session={session} product={words.product} />
          <ul class="rows" aria-label="Profiles">
            {profiles.map((profile) => (
              <Profile
                key={profile.id}
                profile={profile}
                product={words.product}
                mayRenew={available}
                onRenew={() => start((way) => renewProfile(profile.id, way))}
                onChanged={(changed) => {
                  say(changed ? `Renamed to ${changed.name}.` : `${profile.name} is removed.`)
                  if (!changed) heading.current?.focus()
                  const others = profiles.flatMap((one) => (one.id !== profile.id ? one : changed ? { ...one, name: changed.name } : []))
                  put({ ...session, profiles: others })
                }}
              />
            ))}
          </ul>
        </>
      )}
      {task.failure && <Failure failure={task.failure} />}
      {available && !full && (
        <Button
          kind={profiles.length > 0 ? 'second' : 'main'}
          busy={task.busy}
          busyText="Making your profile…"
          onClick={() => void task.run(() => start((way) => makeProfile(session.id, way)))}
        >
          Generate Connect Code
        </Button>
      )}
      {available && full && (
        <p class="small soft">
          {session.maxDevices === 1
            ? 'This session has room for one profile.'
            : `All ${session.maxDevices} profiles of this session are made.`}{' '}
          For another device, make a new one in its place.
        </p>
      )}
      {available && profiles.length === 0 && (
        <p class="small soft">
          {session.status === 'ready' ? 'Your time begins when the code is made.' : 'The data and time are the same.'} One {words.profile}{' '}
          works on one device; this session has room for {session.maxDevices}.
        </p>
      )}
    </section>
  )
}

/** What went which way; both come from the one allowance. */
function Shares({ session, product }: { session: SessionView; product: string }) {
  const total = session.dataUsed + session.slowUsed
  const used = session.dataLimit === null ? null : usedOf(session.dataUsed, session.dataLimit)
  const percent = total === 0 ? 0 : (session.viaConnect / total) * 100
  return (
    <div class="shares figures">
      <p class="shares-sum">{used ? `${used.used} of ${used.limit} used` : `${bytes(session.dataUsed)} used`}</p>
      <p class={`shares-bar ${total === 0 ? 'none' : ''}`} aria-hidden="true">
        <span style={{ width: `${percent}%` }} />
      </p>
      <dl>
        <div>
          <dt>Through {product}</dt>
          <dd>{bytes(session.viaConnect)}</dd>
        </div>
        <div>
          <dt>Over the hotspot</dt>
          <dd>{bytes(total - session.viaConnect)}</dd>
        </div>
      </dl>
    </div>
  )
}

type ProfileProps = {
  profile: ProfileView
  product: string
  mayRenew: boolean
  onRenew: () => Promise<void>
  /** Hears the renamed profile, or null when it was removed. */
  onChanged: (profile: ProfileView | null) => void
}

function Profile({ profile, product, mayRenew, onRenew, onChanged }: ProfileProps) {
  const [open, setOpen] = useState<'' | 'rename' | 'renew' | 'remove'>('')
  const row = useRef<HTMLParagraphElement>(null)
  const close = () => {
    setOpen('')
    row.current?.focus()
  }
  const of = <span class="visually-hidden"> {profile.name}</span>
  return (
    <li class="row profile">
      <span class={`dot ${profile.active ? 'on' : 'off'}`} aria-hidden="true" />
      <p ref={row} tabIndex={-1}>
        {profile.name}
        <span class="small soft figures">{standOf(profile)}</span>
        {profile.current && <span class="small soft">You are here through this one</span>}
      </p>
      {open === '' && (
        <div class="row-actions">
          <Button kind="quiet" onClick={() => setOpen('rename')}>
            Rename{of}
          </Button>
          {mayRenew && (
            <Button kind="quiet" onClick={() => setOpen('renew')}>
              Make a new one<span class="visually-hidden"> for {profile.name}</span>
            </Button>
          )}
          <Button kind="quiet" onClick={() => setOpen('remove')}>
            Remove{of}
          </Button>
        </div>
      )}
      {open === 'rename' && (
        <Rename
          profile={profile}
          onDone={(renamed) => {
            onChanged(renamed)
            close()
          }}
          onClose={close}
        />
      )}
      {open === 'renew' && (
        <Confirm title={`Make a new “${profile.name}”?`} action="Make it" busyText="Making it…" run={onRenew} onClose={close}>
          You get a new QR code. Every copy of the old one is useless from then on.
        </Confirm>
      )}
      {open === 'remove' && (
        <Confirm
          title={`Remove “${profile.name}”?`}
          action="Yes, remove"
          busyText="Removing…"
          danger
          run={async () => {
            await removeProfile(profile.id)
            onChanged(null)
          }}
          onClose={close}
        >
          It stops within a second, wherever it is in use. Data and time of your session stay.
          {profile.current && ` You are here through this one: turn ${product} off afterwards, or nothing loads.`}
        </Confirm>
      )}
    </li>
  )
}

function standOf({ active, lastHandshake }: ProfileView): string {
  if (active) return 'Connect Profile Active'
  return lastHandshake ? `Last used ${moment(lastHandshake)}` : 'Not used yet'
}

function Rename({ profile, onDone, onClose }: { profile: ProfileView; onDone: (renamed: ProfileView) => void; onClose: () => void }) {
  const [name, setName] = useState(profile.name)
  const task = useTask()
  const field = useRef<HTMLInputElement>(null)
  useEffect(() => field.current?.select(), [])
  const id = `profile-name-${profile.id}`
  return (
    <form
      class="form row-panel"
      noValidate
      onSubmit={(event) => {
        event.preventDefault()
        if (!name.trim()) return field.current?.focus()
        void task.run(async () => onDone((await renameProfile(profile.id, name.trim())).profile))
      }}
    >
      <div class="field">
        <label for={id}>Name of this profile</label>
        <input
          id={id}
          ref={field}
          class="input"
          type="text"
          autocomplete="off"
          enterkeyhint="done"
          maxLength={40}
          value={name}
          onInput={(event) => setName(event.currentTarget.value)}
        />
      </div>
      {task.failure && <Failure failure={task.failure} />}
      <div class="choices">
        <Button submit busy={task.busy} busyText="Saving…">
          Save
        </Button>
        <Button kind="second" onClick={onClose}>
          Cancel
        </Button>
      </div>
    </form>
  )
}

type ConfirmProps = {
  title: string
  children: ComponentChildren
  action: string
  busyText: string
  danger?: boolean
  run: () => Promise<void>
  onClose: () => void
}

/** Says what a thing means before it is done. */
function Confirm({ title, children, action, busyText, danger = false, run, onClose }: ConfirmProps) {
  const task = useTask()
  const heading = useRef<HTMLHeadingElement>(null)
  useEffect(() => heading.current?.focus(), [])
  return (
    <div class="row-panel">
      <h3 ref={heading} tabIndex={-1}>
        {title}
      </h3>
      <p>{children}</p>
      {task.failure && <Failure failure={task.failure} />}
      <div class="choices">
        <Button kind={danger ? 'danger' : 'main'} busy={task.busy} busyText={busyText} onClick={() => void task.run(run)}>
          {action}
        </Button>
        <Button kind="second" onClick={onClose}>
          Cancel
        </Button>
      </div>
    </div>
  )
}
