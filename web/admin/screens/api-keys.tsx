import { useState } from 'preact/hooks'
import { useAccount } from '../account.ts'
import { useChange, useLoaded } from '../asking.ts'
import type { ApiKey, Role } from '../contract.ts'
import { faultOf } from '../faults.ts'
import { copyText } from '../parts/copy.ts'
import { AskForm, Confirm, Dialog } from '../parts/dialog.tsx'
import { Arrived, Button, Empty, ErrorNote, Notice, useSay } from '../parts/feedback.tsx'
import { Choice, TextField } from '../parts/form.tsx'
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
                A key lets a till or another program sell vouchers by itself. What it can ask is described at{' '}
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
                    <Badge kind={key.role === 'owner' ? 'accent' : 'quiet'}>{key.role === 'owner' ? 'Owner' : 'Cashier'}</Badge>
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

function NewKey({ onMade, onClose }: { onMade: (apiKey: string) => void; onClose: () => void }) {
  const { api } = useAccount()
  const [name, setName] = useState('')
  const [role, setRole] = useState<Role>('cashier')
  const making = useChange(async () => {
    const made = await api.post<{ id: number; apiKey: string }>('/api/admin/keys', { name: name.trim(), role })
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
      <Choice
        label="It may do what"
        shape="list"
        value={role}
        onValue={setRole}
        options={[
          { value: 'cashier', label: 'a cashier may', hint: 'Make vouchers, look after sessions.' },
          { value: 'owner', label: 'an owner may', hint: 'Everything. Give it only to programs that you trust like yourself.' },
        ]}
      />
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
