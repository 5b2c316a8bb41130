import { useState } from 'preact/hooks'
import { useAccount } from '../account.ts'
import { useChange } from '../asking.ts'
import type { ConnectAnswer, ProfileView, SessionView } from '../contract.ts'
import { faultOf } from '../faults.ts'
import { AskForm, Confirm } from '../parts/dialog.tsx'
import { Button, ErrorNote, useSay } from '../parts/feedback.tsx'
import { TextField } from '../parts/form.tsx'
import { Icon } from '../parts/icons.tsx'
import { Badge } from '../parts/page.tsx'
import { ago, customerWords } from '../words.ts'
import { MadeProfile } from './made-profile.tsx'

type Asking = { what: 'make' } | { what: 'rename' | 'revoke'; profile: ProfileView }
type ProfilesProps = { session: SessionView; now: number; onChanged: () => void }

/** The Connect profiles of one session: what each does, and a new one for the customer at the counter. */
export function SessionProfiles({ session, now, onChanged }: ProfilesProps) {
  const { api, settings } = useAccount()
  const say = useSay()
  const [asking, setAsking] = useState<Asking | null>(null)
  const [made, setMade] = useState<ConnectAnswer | null>(null)
  const close = () => setAsking(null)
  const lives = session.status !== 'expired'
  const full = session.profiles.length >= session.maxDevices
  if (!lives && session.profiles.length === 0) return null
  return (
    <section>
      <h3>
        Connect profiles{' '}
        <span class="soft figures">
          {session.profiles.length} of {session.maxDevices}
        </span>
      </h3>
      {session.profiles.length === 0 && <p class="soft">None yet. With one, the same data and time also work away from this Wi-Fi.</p>}
      <ul class="devices profiles">
        {session.profiles.map((profile) => (
          <li key={profile.id}>
            <Icon name="connect" />
            <span>
              {profile.name}
              <small class="profile-place">
                {profile.endpoint && <span>{profile.endpoint}</span>}
                <span class="figures">{profile.address}</span>
              </small>
              <ProfileState profile={profile} now={now} />
            </span>
            <span class="profile-actions">
              <button
                type="button"
                class="button bare"
                aria-label={`Rename ${profile.name}`}
                onClick={() => setAsking({ what: 'rename', profile })}
              >
                <Icon name="edit" />
              </button>
              <button
                type="button"
                class="button small"
                aria-label={`Revoke ${profile.name}`}
                onClick={() => setAsking({ what: 'revoke', profile })}
              >
                Revoke
              </button>
            </span>
          </li>
        ))}
      </ul>
      {lives && settings.connectOn && !full && (
        <Button icon="plus" onClick={() => setAsking({ what: 'make' })}>
          Make a Connect profile
        </Button>
      )}
      {lives && settings.connectOn && full && (
        <p class="soft small">Every place is taken. To make another, revoke one that is no longer used.</p>
      )}
      {lives && !settings.connectOn && <p class="soft small">Connect is turned off: no new profiles.</p>}
      {asking?.what === 'make' && (
        <MakeProfile
          session={session}
          onMade={(answer) => {
            setMade(answer)
            onChanged()
          }}
          onClose={close}
        />
      )}
      {asking?.what === 'rename' && <RenameProfile profile={asking.profile} onDone={onChanged} onClose={close} />}
      {asking?.what === 'revoke' && (
        <Confirm
          title={`Revoke ${asking.profile.name}?`}
          verb="Revoke it"
          act={() => api.remove(`/api/admin/profiles/${asking.profile.id}`)}
          onDone={() => {
            say(`${asking.profile.name} is revoked.`)
            onChanged()
          }}
          onClose={close}
        >
          <p>It stops working within a second, wherever it was set up. The session goes on, and its place is free for a new profile.</p>
        </Confirm>
      )}
      {made && (
        <MadeProfile
          made={made}
          customer={customerWords(session)}
          active={session.profiles.some(({ id, active }) => id === made.connect_id && active)}
          onClose={() => setMade(null)}
        />
      )}
    </section>
  )
}

function ProfileState({ profile, now }: { profile: ProfileView; now: number }) {
  if (profile.active) return <Badge kind="good">Connect Profile Active</Badge>
  return <small>{profile.lastHandshake ? `Last used ${ago(profile.lastHandshake, now)}` : 'Never used yet'}</small>
}

type MakeProps = { session: SessionView; onMade: (answer: ConnectAnswer) => void; onClose: () => void }

function MakeProfile({ session, onMade, onClose }: MakeProps) {
  const { api } = useAccount()
  const [name, setName] = useState('')
  const making = useChange(async () => {
    const body = name.trim() ? { name: name.trim() } : {}
    const answer = await api.post<ConnectAnswer>(`/api/admin/sessions/${session.id}/profiles`, body)
    onClose()
    onMade(answer)
  })
  return (
    <AskForm
      title="Make a Connect profile"
      verb="Make it"
      busy={making.busy}
      onSubmit={async () => void (await making.run())}
      onClose={onClose}
    >
      <p>
        For {customerWords(session)}, standing here with the phone: you show a QR code, they scan it. It uses the data and time of this
        session.
      </p>
      <ErrorNote error={making.error} />
      <TextField
        label="Name"
        hint="For telling profiles apart, such as Mary's phone. May stay empty."
        value={name}
        onValue={setName}
        fault={faultOf(making.error, 'name')}
        maxLength={40}
        autocomplete="off"
      />
    </AskForm>
  )
}

function RenameProfile({ profile, onDone, onClose }: { profile: ProfileView; onDone: () => void; onClose: () => void }) {
  const { api } = useAccount()
  const say = useSay()
  const [name, setName] = useState(profile.name)
  const renaming = useChange(() => api.patch(`/api/admin/profiles/${profile.id}`, { name: name.trim() }))
  const rename = async () => {
    if (!(await renaming.run())) return
    say(`It is called ${name.trim()} now.`)
    onDone()
    onClose()
  }
  return (
    <AskForm title={`Rename ${profile.name}`} verb="Rename" busy={renaming.busy} onSubmit={rename} onClose={onClose}>
      <ErrorNote error={renaming.error} />
      <TextField
        label="Name"
        value={name}
        onValue={setName}
        fault={faultOf(renaming.error, 'name')}
        maxLength={40}
        autocomplete="off"
        required
      />
    </AskForm>
  )
}
