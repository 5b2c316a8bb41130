import { useState } from 'preact/hooks'
import { useAccount } from '../account.ts'
import { useChange, useLoaded } from '../asking.ts'
import type { ApiKey, Role, Scope } from '../contract.ts'
import { faultOf, faultWithin } from '../faults.ts'
import { copyText } from '../parts/copy.ts'
import { AskForm, Confirm, Dialog } from '../parts/dialog.tsx'
import { Arrived, Button, Empty, ErrorNote, Notice, useSay } from '../parts/feedback.tsx'
import { Choice, TextField, Toggle } from '../parts/form.tsx'
import { Badge, Card } from '../parts/page.tsx'
import { day } from '../words.ts'

/** Keys with which a till or another program asks the box. */
export function ApiKeys() {
  const { api } = useAccount()
  const say = useSay()
  const keys = useLoaded(() => api.get<{ keys: ApiKey[] }>('/api/admin/keys'))
  const [making, setMaking] = useState(false)
  const [revoking, setRevoking] = useState<ApiKey | null>(null)
  const [fresh, setFresh] = useState('')
  return (
    <Card
      flush
      title="API keys"
      aside={
        <Button icon="plus" onClick={() => setMaking(true)}>
          New key
        </Button>
      }
    >
      <Arrived loaded={keys}>
        {(data) =>
          data.keys.length === 0 ? (
            <Empty icon="key" title="No keys">
              <p>
                A key lets a till, a router or another program do its part by itself. What it can ask is described at{' '}
                <a href="/api/docs/">/api/docs</a>.
              </p>
            </Empty>
          ) : (
            <ul class="rows">
              {data.keys.map((key) => (
                <li key={key.id}>
                  <span class="row-main">
                    <strong>{key.name}</strong>
                    <small class="soft">
                      ends in <span class="code">{key.last4}</span>, made {day(key.createdAt)}
                    </small>
                  </span>
                  <span class="row-badges">
                    {key.role && (
                      <Badge kind={key.role === 'owner' ? 'accent' : 'quiet'}>{key.role === 'owner' ? 'Owner' : 'Cashier'}</Badge>
                    )}
                    {key.scopes.map((scope) => (
                      <Badge key={scope}>{scope}</Badge>
                    ))}
                    {key.revokedAt && <Badge kind="bad">Revoked {day(key.revokedAt)}</Badge>}
                  </span>
                  <span class="row-actions">{!key.revokedAt && <Button onClick={() => setRevoking(key)}>Revoke</Button>}</span>
                </li>
              ))}
            </ul>
          )
        }
      </Arrived>
      {making && (
        <NewKey
          onMade={(apiKey) => {
            setFresh(apiKey)
            keys.reload()
          }}
          onClose={() => setMaking(false)}
        />
      )}
      {fresh && <FreshKey apiKey={fresh} onClose={() => setFresh('')} />}
      {revoking && (
        <Confirm
          title={`Revoke ${revoking.name}?`}
          verb="Revoke it"
          act={() => api.remove(`/api/admin/keys/${revoking.id}`)}
          onDone={() => {
            say(`${revoking.name} is revoked.`)
            keys.reload()
          }}
          onClose={() => setRevoking(null)}
        >
          <p>The program that uses this key is refused at once. It cannot be taken back; make a new key instead.</p>
        </Confirm>
      )}
    </Card>
  )
}

type KeyRole = Role | 'program'

const roleChoices: { value: KeyRole; label: string; hint: string }[] = [
  { value: 'cashier', label: 'What a cashier may', hint: 'Sell, make vouchers, look after sessions and customers.' },
  { value: 'owner', label: 'What an owner may', hint: 'Everything. Give it only to programs that you trust like yourself.' },
  { value: 'program', label: 'Program only', hint: 'Neither: nothing but what is switched on below.' },
]

const scopeChoices: { scope: Scope; label: string; hint: string }[] = [
  { scope: 'sessions:read', label: 'Read sessions', hint: 'sessions:read. Ask whether a phone number has a session, and what is left.' },
  {
    scope: 'sessions:write',
    label: 'Open and end sessions',
    hint: 'sessions:write. Open one for a confirmed payment, resume it, disconnect it.',
  },
  { scope: 'usage:write', label: 'Report use', hint: 'usage:write. For a router: say how much data was used. It can only rise.' },
]

function NewKey({ onMade, onClose }: { onMade: (apiKey: string) => void; onClose: () => void }) {
  const { api } = useAccount()
  const [name, setName] = useState('')
  const [role, setRole] = useState<KeyRole>('cashier')
  const [scopes, setScopes] = useState<Scope[]>([])
  const making = useChange(async () => {
    const made = await api.post<{ id: number; apiKey: string }>('/api/admin/keys', {
      name: name.trim(),
      role: role === 'program' ? null : role,
      scopes,
    })
    onClose()
    onMade(made.apiKey)
  })
  return (
    <AskForm title="New API key" verb="Make the key" busy={making.busy} onSubmit={async () => void (await making.run())} onClose={onClose}>
      <ErrorNote error={making.error} />
      <TextField
        label="What is it for"
        hint="Such as: till at the counter."
        value={name}
        onValue={setName}
        fault={faultOf(making.error, 'name')}
        maxLength={60}
        required
      />
      <Choice label="It may do what" shape="list" value={role} onValue={setRole} options={roleChoices} />
      <fieldset class="scopes">
        <legend>In the API of phone numbers and sessions</legend>
        {scopeChoices.map(({ scope, label, hint }) => (
          <Toggle
            key={scope}
            label={label}
            hint={hint}
            on={scopes.includes(scope)}
            onValue={(on) => setScopes(on ? [...scopes, scope] : scopes.filter((one) => one !== scope))}
          />
        ))}
        {role !== 'program' && <p class="soft small">The first two are in what a cashier or an owner may.</p>}
        {faultWithin(making.error, 'scopes') && <p class="fault">{faultWithin(making.error, 'scopes')}</p>}
      </fieldset>
    </AskForm>
  )
}

function FreshKey({ apiKey, onClose }: { apiKey: string; onClose: () => void }) {
  const say = useSay()
  const copying = useChange(async () => {
    await copyText(apiKey)
    say('The key is copied.')
  })
  return (
    <Dialog title="Your new key" onClose={onClose}>
      <div class="dialog-body stack">
        <Notice kind="warn">
          <p>
            <strong>Copy it now: it is not shown again.</strong> Whoever has it may act in its name.
          </p>
        </Notice>
        <p class="key-shown code">{apiKey}</p>
        <ErrorNote error={copying.error} />
      </div>
      <footer class="dialog-foot">
        <Button onClick={onClose}>I have it</Button>
        <Button kind="primary" icon="copy" onClick={() => void copying.run()}>
          Copy
        </Button>
      </footer>
    </Dialog>
  )
}
