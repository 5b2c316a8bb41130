import type { ComponentType } from 'preact'
import { useEffect, useMemo, useRef, useState } from 'preact/hooks'
import { applyAccent } from '../shared/accent.ts'
import { ApiError, type Api } from '../shared/api.ts'
import { AccountContext, createStaffApi, unknownVenue, usualPortalHost, type Account } from './account.ts'
import type { Me, Role, Settings } from './contract.ts'
import { LiveContext, openLive, useHear, type Live } from './live.ts'
import { ErrorNote, Saying, Waiting } from './parts/feedback.tsx'
import type { IconName } from './parts/icons.tsx'
import { Frame } from './frame.tsx'
import { MadeVouchers, type Made } from './print/made.tsx'
import { go, usePlace } from './router.ts'
import { Audit } from './screens/audit.tsx'
import { ConnectScreen } from './screens/connect.tsx'
import { CustomersScreen } from './screens/customers.tsx'
import { HotspotsScreen } from './screens/hotspots.tsx'
import { OverviewScreen } from './screens/overview.tsx'
import { PackagesScreen } from './screens/packages.tsx'
import { PaymentsScreen } from './screens/payments.tsx'
import { ProvidersScreen } from './screens/providers.tsx'
import { ReportsScreen } from './screens/reports.tsx'
import { SellScreen } from './screens/sell.tsx'
import { Sessions } from './screens/sessions.tsx'
import { SettingsScreen } from './screens/settings.tsx'
import { SignIn } from './screens/sign-in.tsx'
import { StaffScreen } from './screens/staff.tsx'
import { Vouchers } from './screens/vouchers.tsx'

type ScreenProps = { rest: string[]; onMade: (made: Made) => void }
export type Screen = { path: string; name: string; icon: IconName; for: Role; view: ComponentType<ScreenProps> }

const screens: Screen[] = [
  { path: 'sell', name: 'Sell', icon: 'sell', for: 'cashier', view: SellScreen },
  { path: 'overview', name: 'Overview', icon: 'overview', for: 'cashier', view: OverviewScreen },
  { path: 'sessions', name: 'Sessions', icon: 'sessions', for: 'cashier', view: Sessions },
  { path: 'payments', name: 'Payments', icon: 'payments', for: 'cashier', view: PaymentsScreen },
  { path: 'customers', name: 'Customers', icon: 'customers', for: 'cashier', view: CustomersScreen },
  { path: 'packages', name: 'Packages', icon: 'packages', for: 'cashier', view: PackagesScreen },
  { path: 'vouchers', name: 'Vouchers', icon: 'vouchers', for: 'cashier', view: Vouchers },
  { path: 'hotspots', name: 'Hotspots', icon: 'hotspots', for: 'cashier', view: HotspotsScreen },
  { path: 'reports', name: 'Reports', icon: 'reports', for: 'owner', view: ReportsScreen },
  { path: 'connect', name: 'Connect', icon: 'connect', for: 'cashier', view: ConnectScreen },
  { path: 'providers', name: 'Providers', icon: 'providers', for: 'owner', view: ProvidersScreen },
  { path: 'settings', name: 'Settings', icon: 'settings', for: 'owner', view: SettingsScreen },
  { path: 'staff', name: 'Staff and keys', icon: 'staff', for: 'owner', view: StaffScreen },
  { path: 'audit', name: 'Audit', icon: 'audit', for: 'owner', view: Audit },
]

/** The admin: asks who is signed in, then shows the sign-in or the screens. */
export function App() {
  const [me, setMe] = useState<Me | null | 'unknown'>('unknown')
  const [error, setError] = useState<ApiError | null>(null)
  const csrf = useRef('')
  const api = useMemo(
    () =>
      createStaffApi(
        () => csrf.current,
        () => setMe(null),
      ),
    [],
  )

  const take = (next: Me) => {
    csrf.current = next.csrfToken
    setMe(next)
  }
  const ask = () => {
    setError(null)
    api.get<Me>('/api/admin/me').then(take, (thrown: ApiError) => thrown.status !== 401 && setError(thrown))
  }
  useEffect(ask, [])

  if (error) return <Alone>{<ErrorNote error={error} retry={ask} />}</Alone>
  if (me === 'unknown') return <Alone>{<Waiting />}</Alone>
  if (me === null) return <SignIn onSignedIn={take} />
  return (
    <Saying>
      <SignedIn key={me.username} me={me} api={api} onSignedOut={() => setMe(null)} />
    </Saying>
  )
}

function SignedIn({ me, api, onSignedOut }: { me: Me; api: Api; onSignedOut: () => void }) {
  const [settings, setSettings] = useState<Settings>(unknownVenue)
  const [portalHost, setPortalHost] = useState(usualPortalHost)
  const [live, setLive] = useState<Live | null>(null)
  const [made, setMade] = useState<Made | null>(null)

  useEffect(() => {
    const opened = openLive('/api/admin/events')
    setLive(opened)
    return opened.close
  }, [])
  useEffect(() => applyAccent(settings.accent, document.documentElement), [settings.accent])

  const account: Account = {
    me,
    api,
    settings,
    portalHost,
    setSettings,
    signOut: async () => {
      await api.post('/api/admin/logout')
      onSignedOut()
    },
  }
  if (!live) return null
  return (
    <AccountContext.Provider value={account}>
      <LiveContext.Provider value={live}>
        <VenueKeeper api={api} onSettings={setSettings} onPortalHost={setPortalHost} />
        <Places role={me.role} onMade={setMade} />
        {made && <MadeVouchers made={made} onDone={() => setMade(null)} />}
      </LiveContext.Provider>
    </AccountContext.Provider>
  )
}

type KeeperProps = { api: Api; onSettings: (settings: Settings) => void; onPortalHost: (host: string) => void }

/** Keeps name, colour and currency of the venue true for every screen. A screen that needs them says itself when they cannot be had. */
function VenueKeeper({ api, onSettings, onPortalHost }: KeeperProps) {
  const askSettings = () => void api.get<Settings>('/api/admin/settings').then(onSettings, () => undefined)
  const askAll = () => {
    askSettings()
    void api.get<{ portalHost: string }>('/api/admin/box').then(
      (box) => onPortalHost(box.portalHost),
      () => undefined,
    )
  }
  useEffect(askAll, [])
  useHear('catalogue', ({ what }) => what === 'settings' && askSettings())
  useHear('resync', askAll)
  return null
}

function Places({ role, onMade }: { role: Role; onMade: (made: Made) => void }) {
  const place = usePlace()
  const allowed = screens.filter((screen) => role === 'owner' || screen.for === 'cashier')
  const screen = allowed.find(({ path }) => path === place.screen)
  useEffect(() => {
    if (!screen) go(role === 'cashier' ? 'sell' : 'overview')
  }, [screen])
  if (!screen) return null
  const View = screen.view
  return (
    <Frame screens={allowed} current={screen}>
      <View key={screen.path} rest={place.rest} onMade={onMade} />
    </Frame>
  )
}

function Alone({ children }: { children: preact.ComponentChildren }) {
  return (
    <main class="alone">
      <h1 class="visually-hidden">KSWiFi Box</h1>
      {children}
    </main>
  )
}
