import { useState } from 'preact/hooks'
import { createApi } from '../../shared/api.ts'
import { useChange } from '../asking.ts'
import type { Me } from '../contract.ts'
import { Button, ErrorNote } from '../parts/feedback.tsx'
import { TextField } from '../parts/form.tsx'
import { Mark } from '../parts/icons.tsx'

const api = createApi()

export function SignIn({ onSignedIn }: { onSignedIn: (me: Me) => void }) {
  const [username, setUsername] = useState('')
  const [password, setPassword] = useState('')
  const signing = useChange(async () => onSignedIn(await api.post<Me>('/api/admin/login', { username: username.trim(), password })))
  return (
    <main class="alone">
      <div class="sign-in">
        <Mark size={48} />
        <h1>Sign in</h1>
        <p class="soft">to look after your Wi-Fi: packages, vouchers, and who is online.</p>
        <form
          class="card stack"
          onSubmit={(event) => {
            event.preventDefault()
            void signing.run()
          }}
        >
          <ErrorNote error={signing.error} />
          <TextField label="Name" value={username} onValue={setUsername} required autocomplete="username" maxLength={60} />
          <TextField
            label="Password"
            type="password"
            value={password}
            onValue={setPassword}
            required
            autocomplete="current-password"
            maxLength={200}
          />
          <Button kind="primary" type="submit" busy={signing.busy}>
            Sign in
          </Button>
        </form>
        <p class="soft small">Forgot the password? The owner gives a cashier a new one under “Staff and keys”.</p>
      </div>
    </main>
  )
}
