import { createContext, type ComponentChildren } from 'preact'
import { useContext, useEffect, useRef, useState } from 'preact/hooks'
import type { ApiError } from '../../shared/api.ts'
import type { Loaded } from '../asking.ts'
import { faultsOf } from '../faults.ts'
import { Icon, type IconName } from './icons.tsx'

type Kind = 'bad' | 'warn' | 'good' | 'info'
const kindIcons: Record<Kind, IconName> = { bad: 'alert', warn: 'alert', good: 'check', info: 'info' }

/** Something to know, in place. Bad and warn are read out at once. */
export function Notice({ kind, children }: { kind: Kind; children: ComponentChildren }) {
  return (
    <div class={`notice ${kind}`} role={kind === 'bad' ? 'alert' : 'status'}>
      <Icon name={kindIcons[kind]} />
      <div>{children}</div>
    </div>
  )
}

/** A refusal, in the server's own words. */
export function ErrorNote({ error, retry }: { error: ApiError | null; retry?: () => void }) {
  if (!error || error.code === 'stopped') return null
  return (
    <Notice kind="bad">
      {faultsOf(error).length === 0 && <p>{error.message}</p>}
      {faultsOf(error).map(({ path, message }) => (
        <p key={path}>
          {path && <strong>{pathWords(path)}: </strong>}
          {message}
        </p>
      ))}
      {error.status >= 500 && error.requestId && <p class="small">Number for support: {error.requestId}</p>}
      {retry && (
        <button type="button" class="button small" onClick={retry}>
          Try again
        </button>
      )}
    </Notice>
  )
}

/** "customerLimit.bytes" is "customer limit, bytes" to people, and "ports.1" is "ports". */
function pathWords(path: string): string {
  return path
    .replace(/^values\.|\.\d+/g, '')
    .replace(/\./g, ', ')
    .replace(/([A-Z])/g, (sign) => ` ${sign.toLowerCase()}`)
}

/** Nothing here yet, and what to do about it. */
export function Empty({ icon, title, children }: { icon: IconName; title: string; children?: ComponentChildren }) {
  return (
    <div class="empty">
      <span class="empty-icon">
        <Icon name={icon} size={28} />
      </span>
      <h2>{title}</h2>
      {children}
    </div>
  )
}

/** Draws what was loaded: grey lines while it comes the first time, the error with a way out, then the thing itself. */
export function Arrived<T>({ loaded, children }: { loaded: Loaded<T>; children: (data: T) => ComponentChildren }) {
  if (loaded.data === null && loaded.error) return <ErrorNote error={loaded.error} retry={loaded.reload} />
  if (loaded.data === null) return <Waiting />
  return (
    <>
      <Busy when={loaded.loading} />
      <ErrorNote error={loaded.error} retry={loaded.reload} />
      {children(loaded.data)}
    </>
  )
}

export function Waiting() {
  return (
    <div class="waiting" role="status">
      <span class="visually-hidden">Loading</span>
      <i />
      <i />
      <i />
      <i />
    </div>
  )
}

/** A thin moving line at the top of the window, for work that takes longer than a blink. */
export function Busy({ when }: { when: boolean }) {
  const [late, setLate] = useState(false)
  useEffect(() => {
    if (!when) return setLate(false)
    const timer = setTimeout(() => setLate(true), 400)
    return () => clearTimeout(timer)
  }, [when])
  return late ? <div class="busy-line" role="progressbar" aria-label="Loading" /> : null
}

type ButtonProps = {
  busy?: boolean
  kind?: 'primary' | 'danger' | 'plain'
  icon?: IconName
  type?: 'button' | 'submit'
  disabled?: boolean
  onClick?: () => void
  children: ComponentChildren
}

/** A button that shows that it is at work and cannot be pressed twice. */
export function Button({ busy = false, kind = 'plain', icon, type = 'button', disabled = false, onClick, children }: ButtonProps) {
  return (
    <button type={type} class={`button ${kind}`} aria-busy={busy} disabled={disabled || busy} onClick={onClick}>
      {busy ? <span class="spinner" /> : icon && <Icon name={icon} />}
      <span>{children}</span>
    </button>
  )
}

const SayContext = createContext<(words: string) => void>(() => {})
const SHOWN_MS = 4500

/** Says that something was done, in one short line that goes away by itself. */
export const useSay = () => useContext(SayContext)

export function Saying({ children }: { children: ComponentChildren }) {
  const [words, setWords] = useState('')
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined)
  const line = useRef<HTMLDivElement>(null)
  useEffect(() => {
    // Only the browser's top layer is above an open dialog; browsers without popovers show it beside.
    if (!words || !line.current?.isConnected) return
    line.current.hidePopover?.()
    line.current.showPopover?.()
  }, [words])
  const say = useRef((text: string) => {
    setWords(text)
    clearTimeout(timer.current)
    timer.current = setTimeout(() => setWords(''), SHOWN_MS)
  })
  return (
    <SayContext.Provider value={say.current}>
      {children}
      <div ref={line} class="said" role="status" popover="manual">
        {words && (
          <p>
            <Icon name="check" size={18} />
            {words}
          </p>
        )}
      </div>
    </SayContext.Provider>
  )
}
