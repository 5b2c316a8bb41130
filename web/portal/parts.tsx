import type { ComponentChildren } from 'preact'
import { useEffect, useRef } from 'preact/hooks'
import type { Portal } from '../../server/venue/schema.ts'
import type { ApiError } from '../shared/api.ts'
import { countdown, groupedCode } from '../shared/format.ts'
import { Icon, type IconName } from './icons.tsx'
import { useSecondsLeft } from './state.ts'

// The first screen leaves the focus where the browser put it.
let shown = false

/** The heading of a screen: takes the focus when the screen changes, so that a screen reader and a keyboard follow. */
export function Title({ children, venue }: { children: string; venue?: string | undefined }) {
  const heading = useRef<HTMLHeadingElement>(null)
  useEffect(() => {
    document.title = venue ? `${children} · ${venue}` : children
  }, [children, venue])
  useEffect(() => {
    if (shown) heading.current?.focus({ preventScroll: true })
    shown = true
  }, [])
  return (
    <h1 ref={heading} tabIndex={-1}>
      {children}
    </h1>
  )
}
export function Brand({ venue }: { venue: Portal['venue'] }) {
  return (
    <p class="brand">
      {venue.logo ? (
        <img class="logo" src={venue.logo} alt="" width="44" height="44" />
      ) : (
        <span class="logo monogram" aria-hidden="true">
          {Array.from(venue.venueName)[0]?.toUpperCase()}
        </span>
      )}
      <span>{venue.venueName}</span>
    </p>
  )
}

/** Top of a screen that leads back to the one before. */
export function BackBar({ venue, onBack }: { venue: Portal['venue']; onBack: () => void }) {
  return (
    <header class="bar">
      <button type="button" class="round" aria-label="Back" onClick={onBack}>
        <Icon name="back" />
      </button>
      <Brand venue={venue} />
    </header>
  )
}

type NoticeProps = { kind: 'bad' | 'warn' | 'good'; icon?: IconName; title?: string; children?: ComponentChildren; live?: boolean }

export function Notice({ kind, icon = 'warn', title, children, live = false }: NoticeProps) {
  return (
    <div class={`notice ${kind}`} {...(live ? { role: 'status' } : {})}>
      <Icon name={icon} />
      <div>
        {title && <p class="notice-title">{title}</p>}
        {children}
      </div>
    </div>
  )
}

/** The line of the venue, and where this device is: what every screen must say when it is not well. */
export function Warnings({ portal, lost }: { portal: Portal; lost: boolean }) {
  return (
    <>
      {lost && (
        <Notice kind="warn" icon="offline" title="The Wi-Fi box does not answer" live>
          <p>
            {portal.profileId === null
              ? 'Stay near the Wi-Fi and check that you are still connected to it. '
              : `Check that ${portal.connect.words.product} is switched on and that you have a connection. `}
            This page tries again by itself; until then its figures may be old.
          </p>
        </Notice>
      )}
      {!lost && !portal.services.internet && (
        <Notice kind="warn" icon="offline" title="The venue's internet line is down" live>
          <p>
            Vouchers still work, but nothing will load until the line is back
            {portal.services.ways.some(({ kind }) => kind === 'push' || kind === 'checkout') && ', and only cash can be taken'}. The clock
            of a session that has begun keeps running.
          </p>
        </Notice>
      )}
    </>
  )
}

/** A refusal, at the place where it belongs. The server's words say what to do. */
export function Failure({ failure, id }: { failure: ApiError; id?: string }) {
  const seconds = Number(failure.details['retryAfterSeconds'] ?? 0)
  const left = useSecondsLeft(seconds > 0 ? seconds : null, failure)
  return (
    <div class="failure" role="alert" {...(id ? { id } : {})}>
      <Icon name="warn" size={20} />
      <p>
        {failure.message}
        {left !== null && (
          <span class="figures" aria-live="off">
            {' '}
            {left > 0 ? `You can try again in ${countdown(left)}.` : 'You can try again now.'}
          </span>
        )}
        {failure.code === 'fault' && failure.requestId && <span class="request-id"> Number of this error: {failure.requestId}</span>}
      </p>
    </div>
  )
}

/** True while the box asks to wait before the next try. */
export function useMustWait(failure: ApiError | null): boolean {
  const seconds = failure ? Number(failure.details['retryAfterSeconds'] ?? 0) : 0
  const left = useSecondsLeft(seconds > 0 ? seconds : null, failure)
  return left !== null && left > 0
}

type ButtonProps = {
  children: ComponentChildren
  onClick?: () => void
  kind?: 'main' | 'second' | 'quiet' | 'danger'
  submit?: boolean
  busy?: boolean
  busyText?: string
  disabled?: boolean
  icon?: IconName
}

export function Button({ children, onClick, kind = 'main', submit = false, busy = false, busyText, disabled = false, icon }: ButtonProps) {
  return (
    <button
      type={submit ? 'submit' : 'button'}
      class={`button ${kind}`}
      aria-disabled={busy || disabled}
      onClick={(event) => {
        if (busy || disabled) event.preventDefault()
        else onClick?.()
      }}
    >
      {busy ? <span class="spinner" aria-hidden="true" /> : icon && <Icon name={icon} />}
      <span>{busy && busyText ? busyText : children}</span>
    </button>
  )
}

/** The code that brings a session back on any phone, as large as it can be. */
export function ResumeCode({ code, children }: { code: string; children: ComponentChildren }) {
  return (
    <section class="card ticketed stub" aria-label="Your resume code">
      <p class="stub-label">Your resume code</p>
      <p class="stub-code" data-code={code}>
        {groupedCode(code)}
      </p>
      <div class="tear" aria-hidden="true" />
      <p>{children}</p>
    </section>
  )
}

export function Support({ phone }: { phone: string }) {
  if (!phone) return null
  return (
    <a class="button quiet" href={`tel:${phone.replace(/[^+0-9]/g, '')}`}>
      <Icon name="call" />
      <span>Call {phone}</span>
    </a>
  )
}
