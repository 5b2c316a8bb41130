import { useState } from 'preact/hooks'
import { useAccount } from '../account.ts'
import { useChange, useLoaded } from '../asking.ts'
import type { Role, Staff } from '../contract.ts'
import { faultOf } from '../faults.ts'
import { AskForm, Confirm } from '../parts/dialog.tsx'
import { Arrived, Button, ErrorNote, useSay } from '../parts/feedback.tsx'
import { Choice, TextField } from '../parts/form.tsx'
import { Badge, Card, Page } from '../parts/page.tsx'
import { day } from '../words.ts'
import { ApiKeys } from './api-keys.tsx'

/** Who may sign in, and which programs may ask. */
export function StaffScreen() {
  return (
    <Page title="Staff and keys" note="A cashier sells and looks after sessions and customers. An owner may do everything.">
      <div class="stack-wide">
        <People />
        <ApiKeys />
      </div>
    </Page>
  )
}

type Asking = { what: 'add' } | { what: 'password' | 'role' | 'disable'; person: Staff }

function People() {
  const { api, me } = useAccount()
  const say = useSay()
  const staff = useLoaded(() => api.get<{ staff: Staff[] }>('/api/admin/staff'))
  const [asking, setAsking] = useState<Asking | null>(null)
  const close = () => setAsking(null)
  const done = (words: string) => {
    say(words)
    staff.reload()
  }
  return (
    <Card
      flush
      title="People"
      aside={
        <Button icon="plus" onClick={() => setAsking({ what: 'add' })}>
          Add somebody
        </Button>
      }
    >
      <Arrived loaded={staff}>
        {(data) => (
          <ul class="rows">
            {data.staff.map((person) => (
              <li key={person.id}>
                <span class="row-main">
                  <strong>
                    {person.username}
                    {person.username === me.username && <span class="soft"> (you)</span>}
                  </strong>
                  <small class="soft">since {day(person.createdAt)}</small>
                </span>
                <span class="row-badges">
                  <Badge kind={person.role === 'owner' ? 'accent' : 'quiet'}>{roleNames[person.role]}</Badge>
                  {person.disabled && <Badge kind="bad">May not sign in</Badge>}
                </span>
                <span class="row-actions">
                  <Button onClick={() => setAsking({ what: 'password', person })}>New password</Button>
                  {person.username !== me.username && (
                    <>
                      <Button onClick={() => setAsking({ what: 'role', person })}>Role</Button>
                      <Button onClick={() => setAsking({ what: 'disable', person })}>
                        {person.disabled ? 'Let in again' : 'Lock out'}
                      </Button>
                    </>
                  )}
                </span>
              </li>
            ))}
          </ul>
        )}
      </Arrived>
      {asking?.what === 'add' && <AddPerson onDone={done} onClose={close} />}
      {asking?.what === 'password' && <NewPassword person={asking.person} onDone={done} onClose={close} />}
      {asking?.what === 'role' && <ChangeRole person={asking.person} onDone={done} onClose={close} />}
      {asking?.what === 'disable' && (
        <Confirm
          title={asking.person.disabled ? `Let ${asking.person.username} in again?` : `Lock ${asking.person.username} out?`}
          verb={asking.person.disabled ? 'Let in again' : 'Lock out'}
          danger={!asking.person.disabled}
          act={() => api.patch(`/api/admin/staff/${asking.person.id}`, { disabled: !asking.person.disabled })}
          onDone={() =>
            done(asking.person.disabled ? `${asking.person.username} may sign in again.` : `${asking.person.username} is locked out.`)
          }
          onClose={close}
        >
          <p>
            {asking.person.disabled
              ? 'The old password works again.'
              : 'They are signed out everywhere and cannot sign in again until you let them. What they did stays in the audit.'}
          </p>
        </Confirm>
      )}
    </Card>
  )
}

const roleNames: Record<Role, string> = { owner: 'Owner', cashier: 'Cashier' }
const roleOptions: { value: Role; label: string; hint: string }[] = [
  { value: 'cashier', label: 'Cashier', hint: 'Sells, takes cash, makes vouchers; looks after sessions and customers.' },
  { value: 'owner', label: 'Owner', hint: 'Everything, also providers, settings, staff and the audit.' },
]
const PASSWORD_HINT = 'At least 10 characters. Three or four words are good.'

type AskProps = { onDone: (words: string) => void; onClose: () => void }

function AddPerson({ onDone, onClose }: AskProps) {
  const { api } = useAccount()
  const [username, setUsername] = useState('')
  const [password, setPassword] = useState('')
  const [role, setRole] = useState<Role>('cashier')
  const adding = useChange(() => api.post('/api/admin/staff', { username: username.trim(), password, role }))
  const add = async () => {
    if (!(await adding.run())) return
    onDone(`${username.trim()} can sign in now.`)
    onClose()
  }
  return (
    <AskForm title="Add somebody" verb="Add" busy={adding.busy} onSubmit={add} onClose={onClose}>
      <ErrorNote error={adding.error} />
      <TextField
        label="Name to sign in with"
        hint="2 to 40 letters, digits, dots or dashes."
        value={username}
        onValue={setUsername}
        fault={faultOf(adding.error, 'username')}
        maxLength={40}
        autocomplete="off"
        required
      />
      <TextField
        label="Password"
        type="password"
        hint={PASSWORD_HINT}
        value={password}
        onValue={setPassword}
        fault={faultOf(adding.error, 'password')}
        maxLength={200}
        autocomplete="new-password"
        required
      />
      <Choice label="Role" shape="list" value={role} onValue={setRole} options={roleOptions} />
    </AskForm>
  )
}

function NewPassword({ person, onDone, onClose }: AskProps & { person: Staff }) {
  const { api } = useAccount()
  const [password, setPassword] = useState('')
  const changing = useChange(() => api.patch(`/api/admin/staff/${person.id}`, { password }))
  const change = async () => {
    if (!(await changing.run())) return
    onDone(`${person.username} has a new password.`)
    onClose()
  }
  return (
    <AskForm
      title={`New password for ${person.username}`}
      verb="Change the password"
      busy={changing.busy}
      onSubmit={change}
      onClose={onClose}
    >
      <ErrorNote error={changing.error} />
      <TextField
        label="New password"
        type="password"
        hint={PASSWORD_HINT}
        value={password}
        onValue={setPassword}
        fault={faultOf(changing.error, 'password')}
        maxLength={200}
        autocomplete="new-password"
        required
      />
    </AskForm>
  )
}

function ChangeRole({ person, onDone, onClose }: AskProps & { person: Staff }) {
  const { api } = useAccount()
  const [role, setRole] = useState<Role>(person.role)
  const changing = useChange(() => api.patch(`/api/admin/staff/${person.id}`, { role }))
  const change = async () => {
    if (!(await changing.run())) return
    onDone(`${person.username} is ${role === 'owner' ? 'an owner' : 'a cashier'} now.`)
    onClose()
  }
  return (
    <AskForm title={`Role of ${person.username}`} verb="Change the role" busy={changing.busy} onSubmit={change} onClose={onClose}>
      <ErrorNote error={changing.error} />
      <Choice label="Role" shape="list" value={role} onValue={setRole} options={roleOptions} />
    </AskForm>
  )
}
