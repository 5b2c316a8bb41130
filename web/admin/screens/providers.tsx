import { useState } from 'preact/hooks'
import { useAccount } from '../account.ts'
import { useChange, useLoaded } from '../asking.ts'
import type { AccountTried, AccountView } from '../contract.ts'
import { useRefreshOn } from '../live.ts'
import { CopyLine } from '../parts/copy-line.tsx'
import { Arrived, Button, ErrorNote, Notice } from '../parts/feedback.tsx'
import { Badge, Page } from '../parts/page.tsx'
import { go } from '../router.ts'
import { ProviderForm } from './provider-form.tsx'

type Accounts = { accounts: AccountView[] }

/** Accounts with outside companies. `#/providers/mtn-momo` sets one up. */
export function ProvidersScreen({ rest }: { rest: string[] }) {
  const { api } = useAccount()
  const accounts = useLoaded(() => api.get<Accounts>('/api/admin/accounts'))
  useRefreshOn('catalogue', accounts.reload)
  const opened = accounts.data?.accounts.find(({ name, fields }) => name === rest[0] && fields.length > 0)
  return (
    <Page title="Providers" note="Companies that take money or send messages for you. You need an account of your own with each.">
      <Arrived loaded={accounts}>
        {(data) => (
          <>
            <Group title="Ways to pay" accounts={data.accounts.filter(({ use }) => use === 'payments')} onChanged={accounts.reload} />
            <Group title="Text messages" accounts={data.accounts.filter(({ use }) => use === 'sms')} onChanged={accounts.reload} />
          </>
        )}
      </Arrived>
      {opened && <ProviderForm key={opened.name} account={opened} onSaved={accounts.reload} onClose={() => go('providers')} />}
    </Page>
  )
}

type GroupProps = { title: string; accounts: AccountView[]; onChanged: () => void }

function Group({ title, accounts, onChanged }: GroupProps) {
  if (accounts.length === 0) return null
  return (
    <section class="providers">
      <h2 class="band-title">{title}</h2>
      <ul class="offers">
        {accounts.map((account) => (
          <li key={account.name} class="card provider">
            <Provider account={account} onChanged={onChanged} />
          </li>
        ))}
      </ul>
    </section>
  )
}

const purposes: Record<AccountView['name'], string> = {
  'mtn-momo': 'The customer confirms on their phone with their Mobile Money PIN.',
  paystack: 'The customer pays on the page of Paystack: card, bank transfer or USSD.',
  cash: 'The customer pays at the desk; the cashier confirms under Sell.',
  sandbox: 'Play money for trying things out. It does not exist on a box in a venue.',
  'africas-talking': 'Sends the six digits with which customers sign in. Without it they choose a PIN.',
}

type ProviderProps = { account: AccountView; onChanged: () => void }

function Provider({ account, onChanged }: ProviderProps) {
  return (
    <>
      <div class="split">
        <h3>{account.title}</h3>
        <State account={account} />
      </div>
      <p class="soft small">{purposes[account.name]}</p>
      {account.missing.length > 0 && (
        <p class={account.enabled ? 'provider-missing' : 'soft small'}>
          <strong>Missing:</strong> {account.missing.join(', ')}
        </p>
      )}
      {account.callbackUrl && (
        <div class="provider-callback">
          <p class="small soft">Enter this callback address at {account.title}:</p>
          <CopyLine text={account.callbackUrl} what={`callback address of ${account.title}`} />
        </div>
      )}
      <Actions account={account} onChanged={onChanged} />
    </>
  )
}

function State({ account }: { account: AccountView }) {
  if (account.ready) return <Badge kind="good">In use</Badge>
  if (account.enabled) return <Badge kind="bad">Not ready</Badge>
  return <Badge>Off</Badge>
}

/** A provider's answer may take this long. */
const TEST_TIMEOUT_MS = 60_000

function Actions({ account, onChanged }: ProviderProps) {
  const { api } = useAccount()
  const [tried, setTried] = useState<AccountTried | null>(null)
  const trying = useChange(async () => {
    setTried(null)
    setTried(await api.post<AccountTried>(`/api/admin/accounts/${account.name}/test`, {}, { timeoutMs: TEST_TIMEOUT_MS }))
  })
  const turning = useChange(async () => {
    await api.patch(`/api/admin/accounts/${account.name}`, { enabled: !account.enabled })
    onChanged()
  })
  return (
    <>
      {tried && (
        <Notice kind={tried.ok ? 'good' : 'bad'}>
          <p>{tried.words}</p>
        </Notice>
      )}
      <ErrorNote error={trying.error} />
      <ErrorNote error={turning.error} />
      <div class="offer-actions provider-actions">
        {account.fields.length > 0 ? (
          <a class="button" href={`#/providers/${account.name}`} aria-label={`Set up ${account.title}`}>
            Set up
          </a>
        ) : (
          <Button busy={turning.busy} onClick={() => void turning.run()}>
            {account.enabled ? 'Turn off' : 'Turn on'}
          </Button>
        )}
        {account.name !== 'cash' && (
          <Button icon="check" busy={trying.busy} disabled={account.missing.length > 0} onClick={() => void trying.run()}>
            {trying.busy ? `Asking ${account.title} …` : 'Test this'}
          </Button>
        )}
      </div>
    </>
  )
}
