import { useEffect } from 'preact/hooks'
import { useAccount } from '../account.ts'
import { useLoaded, useNow } from '../asking.ts'
import type { ConnectOverview, Reach } from '../contract.ts'
import { useRefreshOn } from '../live.ts'
import { CopyLine } from '../parts/copy-line.tsx'
import { Arrived, Notice } from '../parts/feedback.tsx'
import { Icon, type IconName } from '../parts/icons.tsx'
import { Badge, Bar, Card, Facts, Page } from '../parts/page.tsx'
import { ago } from '../words.ts'
import { Endpoints } from './connect-endpoints.tsx'
import { ConnectKeys } from './connect-keys.tsx'

const REFRESH_MS = 30_000

/** Connect as the venue runs it: can it be reached, does the tunnel run, where it is entered. A cashier looks, the owner changes. */
export function ConnectScreen() {
  const { api, me } = useAccount()
  const overview = useLoaded(() => api.get<ConnectOverview>('/api/admin/connect'))
  useRefreshOn('session', overview.reload)
  useRefreshOn('catalogue', overview.reload)
  useEffect(() => {
    // What is seen from outside sends no event.
    const timer = setInterval(overview.reload, REFRESH_MS)
    return () => clearInterval(timer)
  }, [])
  return (
    <Page title="Connect" note="The same data and time as on the Wi-Fi, from anywhere: through a tunnel to this box, set up by a QR code.">
      <Arrived loaded={overview}>
        {(data) => (
          <div class="connect">
            {!data.on && <TurnedOff mayChange={me.role === 'owner'} />}
            <Reached reach={data.reach} />
            <div class="connect-middle">
              <Tunnel tunnel={data.tunnel} />
              <Profiles profiles={data.profiles} />
            </div>
            <Endpoints endpoints={data.endpoints} lineAddress={data.reach.lineAddress} onChanged={overview.reload} />
            {me.role === 'owner' && <ConnectKeys living={data.profiles.living} onRotated={overview.reload} />}
          </div>
        )}
      </Arrived>
    </Page>
  )
}

function TurnedOff({ mayChange }: { mayChange: boolean }) {
  return (
    <Notice kind="warn">
      <p>
        <strong>Connect is turned off:</strong> nobody can make a new profile.{' '}
        {mayChange ? <a href="#/settings">Turn it on under Settings</a> : 'The owner can turn it on under Settings.'}
      </p>
    </Notice>
  )
}

type Tone = 'good' | 'warn' | 'bad'
const reachWords: Record<Reach['state'], { tone: Tone; title: string }> = {
  proven: { tone: 'good', title: 'Reached from outside' },
  likely: { tone: 'warn', title: 'Probably reachable, not proven yet' },
  'behind-router': { tone: 'warn', title: 'Behind another router' },
  'shared-address': { tone: 'bad', title: 'Not reachable: the line shares its address' },
  'no-address': { tone: 'bad', title: 'Not reachable: the line has no address' },
  'name-unknown': { tone: 'bad', title: 'Not reachable: the name is not found' },
  'name-elsewhere': { tone: 'warn', title: 'The name leads somewhere else' },
}
const toneIcons: Record<Tone, IconName> = { good: 'check', warn: 'alert', bad: 'alert' }

/** The first question of all: does anybody outside find the way in? */
function Reached({ reach }: { reach: Reach }) {
  const now = useNow(REFRESH_MS)
  const { tone, title } = reachWords[reach.state]
  return (
    <section class={`reach ${tone}`} aria-labelledby="reach">
      <span class="reach-sign">
        <Icon name={toneIcons[tone]} size={26} />
      </span>
      <div>
        <h2 id="reach">{title}</h2>
        <p>{reach.words}</p>
        {reach.todo.length === 1 && <p class="reach-step">{reach.todo[0]}</p>}
        {reach.todo.length > 1 && (
          <ol class="reach-steps">
            {reach.todo.map((step) => (
              <li key={step}>{step}</li>
            ))}
          </ol>
        )}
        <dl class="reach-facts figures">
          <div>
            <dt>Address of the line</dt>
            <dd class="code">{reach.lineAddress ?? 'none'}</dd>
          </div>
          <div>
            <dt>Last seen from outside</dt>
            <dd>{reach.lastFromOutside ? ago(reach.lastFromOutside, now) : 'nobody yet'}</dd>
          </div>
        </dl>
      </div>
    </section>
  )
}

function Tunnel({ tunnel }: { tunnel: ConnectOverview['tunnel'] }) {
  return (
    <Card title="The tunnel" aside={<Badge kind={tunnel.ok ? 'good' : 'bad'}>{tunnel.ok ? 'Running' : 'Not running'}</Badge>}>
      {!tunnel.ok && (
        <Notice kind="bad">
          <p>{tunnel.reason}</p>
        </Notice>
      )}
      <Facts
        facts={[
          ...(tunnel.kind ? [['Run by', <RunBy kind={tunnel.kind} />] as [string, preact.ComponentChildren]] : []),
          ['Range', <span class="figures">{tunnel.range}</span>],
          ['This box in it', <span class="figures">{tunnel.address}</span>],
          ['Port', <span class="figures">{tunnel.port} (UDP)</span>],
          ['Public key', tunnel.publicKey ? <CopyLine text={tunnel.publicKey} what="public key" /> : 'none yet'],
        ]}
      />
    </Card>
  )
}

function RunBy({ kind }: { kind: 'kernel' | 'userspace' }) {
  if (kind === 'kernel') return <>The kernel</>
  return (
    <>
      A program in userspace
      <small class="fact-note">This kernel has no WireGuard; the userspace program takes its place: slower.</small>
    </>
  )
}

function Profiles({ profiles }: { profiles: ConnectOverview['profiles'] }) {
  const { living, active, places } = profiles
  const figure = (value: number) => value.toLocaleString('en-US')
  return (
    <Card title="Profiles">
      <p class="figure figures">{figure(active)}</p>
      <p class="soft">active now</p>
      <div class="connect-places figures">
        <span class="split">
          <span>Places taken</span>
          <span>
            {figure(living)} <span class="soft">of {figure(places)}</span>
          </span>
        </span>
        <Bar percent={places > 0 ? (living / places) * 100 : 0} label="Places taken" tone={living >= places ? 'bad' : 'quiet'} />
      </div>
      <p class="soft small connect-note">
        They are made in the portal, or at the counter in a session: <a href="#/sessions">Sessions</a>.
      </p>
    </Card>
  )
}
