import { useState } from 'preact/hooks'
import { counted } from '../../shared/format.ts'
import { useAccount } from '../account.ts'
import { useChange } from '../asking.ts'
import type { ConnectOverview } from '../contract.ts'
import { CopyLine } from '../parts/copy-line.tsx'
import { Dialog } from '../parts/dialog.tsx'
import { Button, ErrorNote, Notice } from '../parts/feedback.tsx'
import { TextField } from '../parts/form.tsx'

const WORD = 'rotate'

/** The last resort after a leak: a new key of the box. @param living profiles that would stop */
export function ConnectKeys({ living, onRotated }: { living: number; onRotated: () => void }) {
  const [asking, setAsking] = useState(false)
  const [publicKey, setPublicKey] = useState('')
  return (
    <section class="card danger-zone" aria-labelledby="keys">
      <h2 id="keys">Rotate keys</h2>
      <p>
        Gives the box a new key, for when somebody may have got hold of the old one.{' '}
        <strong>{living === 0 ? 'No profile is in use now.' : `${profilesWords(living)} at once.`}</strong>
      </p>
      <ul class="danger-list">
        <li>Every customer must open the portal and tap “Make a new one”. Until then there is no way in through Connect.</li>
        <li>Sessions and allowances stay: nobody loses data or time, and the Wi-Fi goes on.</li>
        <li>It cannot be taken back.</li>
      </ul>
      <Button kind="danger" icon="key" onClick={() => setAsking(true)}>
        Rotate keys
      </Button>
      {asking && (
        <AskRotate
          living={living}
          onDone={(key) => {
            setPublicKey(key)
            onRotated()
          }}
          onClose={() => setAsking(false)}
        />
      )}
      {publicKey && <NewKey publicKey={publicKey} onClose={() => setPublicKey('')} />}
    </section>
  )
}

type AskProps = { living: number; onDone: (publicKey: string) => void; onClose: () => void }

function AskRotate({ living, onDone, onClose }: AskProps) {
  const { api } = useAccount()
  const [typed, setTyped] = useState('')
  const rotating = useChange(async () => {
    const answer = await api.post<ConnectOverview>('/api/admin/connect/rotate-keys')
    onClose()
    onDone(answer.tunnel.publicKey)
  })
  return (
    <Dialog title="Rotate the keys of Connect?" onClose={onClose}>
      <form
        class="dialog-form"
        onSubmit={(event) => {
          event.preventDefault()
          void rotating.run()
        }}
      >
        <div class="dialog-body stack">
          <Notice kind="warn">
            <p>
              <strong>{living === 0 ? 'No profile is in use now.' : `${profilesWords(living)} at once.`}</strong> Every customer must tap
              “Make a new one” in the portal. Sessions and allowances stay.
            </p>
          </Notice>
          <TextField label={`Type “${WORD}” to go on`} value={typed} onValue={setTyped} maxLength={20} autocomplete="off" required />
          <ErrorNote error={rotating.error} />
        </div>
        <footer class="dialog-foot">
          <Button onClick={onClose}>Keep it as it is</Button>
          <Button kind="danger" type="submit" busy={rotating.busy} disabled={typed.trim().toLowerCase() !== WORD}>
            Rotate the keys
          </Button>
        </footer>
      </form>
    </Dialog>
  )
}

function NewKey({ publicKey, onClose }: { publicKey: string; onClose: () => void }) {
  return (
    <Dialog title="The keys are new" onClose={onClose}>
      <div class="dialog-body stack">
        <Notice kind="good">
          <p>The old key is gone. Customers tap “Make a new one” in the portal, or you make a new profile for them in their session.</p>
        </Notice>
        <div>
          <h3>New public key of this box</h3>
          <CopyLine text={publicKey} what="public key" />
        </div>
      </div>
      <footer class="dialog-foot">
        <Button kind="primary" onClick={onClose}>
          Done
        </Button>
      </footer>
    </Dialog>
  )
}

function profilesWords(living: number): string {
  return living === 1 ? 'The one profile stops working' : `All ${counted(living, 'profile')} stop working`
}
