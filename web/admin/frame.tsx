import type { ComponentChildren } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'
import { useAccount } from './account.ts'
import type { Screen } from './app.tsx'
import { useChange, useMedia } from './asking.ts'
import { useConnected } from './live.ts'
import { Dialog } from './parts/dialog.tsx'
import { Button, ErrorNote } from './parts/feedback.tsx'
import { Icon, Mark } from './parts/icons.tsx'

const PHONE_TABS = 4
/** The daily work in the order in which it is needed, then what is set up once. The first ones are the tabs of a phone. */
const daily = ['sell', 'overview', 'sessions', 'payments', 'customers', 'packages', 'vouchers', 'reports']
const setUp = ['hotspots', 'connect', 'providers', 'settings', 'staff', 'audit']
const wide = '(min-width: 900px)'

function rankOf({ path }: Screen): number {
  return [...daily, ...setUp].indexOf(path)
}

type FrameProps = { screens: Screen[]; current: Screen; children: ComponentChildren }

/** What stands around every screen: a side bar on a laptop, tabs at the bottom of a phone. */
export function Frame({ screens: unordered, current, children }: FrameProps) {
  const screens = unordered.toSorted((one, other) => rankOf(one) - rankOf(other))
  const { settings } = useAccount()
  const isWide = useMedia(wide)
  const main = useRef<HTMLElement>(null)
  const first = useRef(true)
  useEffect(() => {
    document.title = `${current.name} · ${settings.venueName}`
  }, [current, settings.venueName])
  useEffect(() => {
    // Somebody who hears the page is taken to the new screen's name; not at the first sight of the page.
    if (!first.current) main.current?.querySelector('h1')?.focus({ preventScroll: true })
    if (!first.current) scrollTo(0, 0)
    first.current = false
  }, [current])

  return (
    <div class="frame">
      <button type="button" class="skip" onClick={() => main.current?.focus()}>
        Skip to the content
      </button>
      {isWide ? <SideBar screens={screens} current={current} /> : <TopBar />}
      <main ref={main} tabIndex={-1} class="main">
        {children}
      </main>
      {!isWide && <Tabs screens={screens} current={current} />}
    </div>
  )
}

function SideBar({ screens, current }: { screens: Screen[]; current: Screen }) {
  return (
    <header class="side">
      <Brand />
      <nav aria-label="Screens">
        <NavList screens={screens} current={current} />
      </nav>
      <div class="side-foot">
        <LineState />
        <Who />
      </div>
    </header>
  )
}

function TopBar() {
  return (
    <header class="top">
      <Brand />
      <LineState />
    </header>
  )
}

function Tabs({ screens, current }: { screens: Screen[]; current: Screen }) {
  const [open, setOpen] = useState(false)
  const rest = screens.slice(PHONE_TABS)
  return (
    <nav class="tabs" aria-label="Screens">
      {screens.slice(0, PHONE_TABS).map((screen) => (
        <NavLink key={screen.path} screen={screen} current={current} />
      ))}
      <button type="button" class={rest.includes(current) ? 'tab-here' : ''} aria-haspopup="dialog" onClick={() => setOpen(true)}>
        <Icon name="more" size={22} />
        <span>More</span>
      </button>
      {open && (
        <Dialog title="More" onClose={() => setOpen(false)}>
          <div class="dialog-body stack">
            {rest.length > 0 && (
              <div onClick={() => setOpen(false)}>
                <NavList screens={rest} current={current} />
              </div>
            )}
            <Who />
          </div>
        </Dialog>
      )}
    </nav>
  )
}

function NavList({ screens, current }: { screens: Screen[]; current: Screen }) {
  const first = screens.find(({ path }) => setUp.includes(path))
  return (
    <ul class="nav-list">
      {screens.map((screen) => (
        <li key={screen.path} class={screen === first && screen !== screens[0] ? 'nav-apart' : ''}>
          <NavLink screen={screen} current={current} />
        </li>
      ))}
    </ul>
  )
}

function NavLink({ screen, current }: { screen: Screen; current: Screen }) {
  return (
    <a href={`#/${screen.path}`} aria-current={screen === current ? 'page' : undefined}>
      <Icon name={screen.icon} size={22} />
      <span>{screen.name}</span>
    </a>
  )
}

function Brand() {
  const { settings } = useAccount()
  return (
    <div class="brand">
      {settings.logo ? <img src={settings.logo} alt="" width="34" height="34" /> : <Mark size={34} />}
      <p>
        <strong>{settings.venueName}</strong>
        <small>KSWiFi Box</small>
      </p>
    </div>
  )
}

/** Whether what is on the screen is the present. */
function LineState() {
  const connected = useConnected()
  return (
    <p class={`line-state ${connected ? 'on' : 'off'}`} role="status">
      <i aria-hidden="true" />
      {connected ? 'Live' : 'Connecting'}
    </p>
  )
}

function Who() {
  const { me, signOut } = useAccount()
  const leaving = useChange(signOut)
  return (
    <div class="who">
      <p>
        <strong>{me.username}</strong>
        <small>{me.role === 'owner' ? 'Owner' : 'Cashier'}</small>
      </p>
      <Button icon="signout" busy={leaving.busy} onClick={() => void leaving.run()}>
        Sign out
      </Button>
      <ErrorNote error={leaving.error} />
    </div>
  )
}
