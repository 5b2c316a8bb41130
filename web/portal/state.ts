import { useCallback, useEffect, useRef, useState } from 'preact/hooks'
import type { Portal } from '../../server/venue/schema.ts'
import type { SessionView } from '../../server/sessions/schema.ts'
import { applyAccent } from '../shared/accent.ts'
import { ApiError } from '../shared/api.ts'
import { askPortal, followSession, type Line } from './box.ts'

const plainPlaces = ['voucher', 'resume', 'setup', 'account', 'history', 'points', 'map'] as const
const codedPlaces = ['buy', 'pay', 'receipt'] as const

/**
 * Where the reader is: the front page (which is the session's page once there is one), one of two forms, the setup of a
 * Connect profile, a one-time link to one, a purchase, or the pages of the customer's own. `code` is what the address
 * held: a voucher's code, the token of the link, the package's number for `buy`, the payment's reference for `pay` and
 * `receipt`.
 */
export type Place = {
  at: 'home' | 'claim' | (typeof plainPlaces)[number] | (typeof codedPlaces)[number]
  code: string
  afterGrant: boolean
}

/** Leads to a place; `instead` takes the present one out of the way back. */
export type Go = (at: Place['at'], code?: string, instead?: boolean) => void

/** The place as the address says it. Real addresses, so that "back" works in every mini-browser. */
export function usePlace(): [Place, Go] {
  const [place, setPlace] = useState(readPlace)
  useEffect(() => {
    const moved = () => setPlace(readPlace())
    addEventListener('popstate', moved)
    return () => removeEventListener('popstate', moved)
  }, [])
  const go = useCallback<Go>((at, code = '', instead = false) => {
    const address = at === 'home' ? '/' : `/#${at}${code && `=${code}`}`
    if (instead) history.replaceState(null, '', address)
    else history.pushState(null, '', address)
    setPlace(readPlace())
    scrollTo(0, 0)
  }, [])
  return [place, go]
}

export type PortalState = { portal: Portal | null; failure: ApiError | null; refresh: () => Promise<void> }

/** The venue and its packages; asked again now and then, more often while something is wrong. */
export function usePortal(): PortalState {
  const [portal, setPortal] = useState<Portal | null>(null)
  const [failure, setFailure] = useState<ApiError | null>(null)
  const refresh = useCallback(async () => {
    try {
      const answer = await askPortal()
      applyAccent(answer.venue.accent, document.documentElement)
      setPortal(answer)
      setFailure(null)
    } catch (error) {
      setFailure(error as ApiError)
    }
  }, [])
  useEffect(() => void refresh(), [refresh])
  // Whoever comes from a voucher has a session: an answer that knows none came too early, and nothing else would ask again soon.
  const asked = useRef(0)
  useEffect(() => {
    if (!portal || isLive(portal.session) || location.pathname !== '/connected' || asked.current === 4) return
    const timer = setTimeout(refresh, 1000 * 2 ** asked.current++)
    return () => clearTimeout(timer)
  }, [portal, refresh])
  const lineDown = portal?.services.internet === false
  useEffect(() => {
    if (!portal) return
    const timer = setInterval(
      () => {
        if (document.visibilityState === 'visible') void refresh()
      },
      lineDown ? 15_000 : 120_000,
    )
    return () => clearInterval(timer)
  }, [portal === null, lineDown, refresh])
  return { portal, failure, refresh }
}

export type Followed = { session: SessionView | null; line: Line; put: (session: SessionView | null) => void; ask: () => void }

/** This device's session, kept true while it lives. */
export function useSession(portal: Portal | null): Followed {
  const [held, hold] = useState<{ of: Portal | null; session: SessionView | null }>({ of: null, session: null })
  const newest = useRef(portal)
  newest.current = portal
  const put = useCallback((session: SessionView | null) => hold({ of: newest.current, session }), [])
  // What came with the portal counts in the same frame, so that no other screen flashes up before the session's.
  const session = held.of === portal ? held.session : (portal?.session ?? null)
  const [line, setLine] = useState<Line>('live')
  const follower = useRef<{ ask: () => void; stop: () => void } | null>(null)
  // Events are those of one session: another one needs another stream.
  const live = isLive(session) ? session.id : null
  useEffect(() => {
    if (live === null) return
    setLine('live')
    const following = followSession(put, setLine)
    follower.current = following
    return () => {
      follower.current = null
      following.stop()
    }
  }, [live])
  const ask = useCallback(() => follower.current?.ask(), [])
  return { session, line, put, ask }
}

export function isLive(session: SessionView | null): session is SessionView {
  return session !== null && session.status !== 'expired'
}

/** Neither on the venue's Wi-Fi nor here through a profile. */
export function isAway(portal: Portal): boolean {
  return portal.device === null && portal.profileId === null
}

/**
 * Seconds that run down between two answers of the box, by the page's own timer: the phone's date may be wrong.
 * @param onZero called once when nothing is left
 */
export function useSecondsLeft(seconds: number | null, stamp: unknown, onZero: () => void = () => {}): number | null {
  const [left, setLeft] = useState(seconds)
  useEffect(() => {
    setLeft(seconds)
    if (seconds === null) return
    const from = performance.now()
    const timer = setInterval(() => {
      const now = Math.max(0, seconds - (performance.now() - from) / 1000)
      setLeft(now)
      if (now > 0) return
      clearInterval(timer)
      onZero()
    }, 1000)
    return () => clearInterval(timer)
  }, [seconds, stamp])
  return left
}

export type Task = { busy: boolean; failure: ApiError | null; run: (work: () => Promise<void>) => Promise<void>; clear: () => void }

/** One thing the reader asked for: under way, or refused. */
export function useTask(): Task {
  const [busy, setBusy] = useState(false)
  const [failure, setFailure] = useState<ApiError | null>(null)
  const running = useRef(false)
  const run = async (work: () => Promise<void>) => {
    if (running.current) return
    running.current = true
    setBusy(true)
    setFailure(null)
    try {
      await work()
    } catch (error) {
      setFailure(error instanceof ApiError ? error : new ApiError('fault', 'Something went wrong on this page. Load it again.'))
    } finally {
      running.current = false
      setBusy(false)
    }
  }
  return { busy, failure, run, clear: () => setFailure(null) }
}

function readPlace(): Place {
  const { pathname, hash, search } = location
  const afterGrant = pathname === '/connected'
  const token = /^#connect=([\w-]{1,80})$/.exec(hash)?.[1]
  if (token) {
    // The link works once: it must stay neither in the address bar nor in the history.
    history.replaceState(null, '', '/')
    return { at: 'claim', code: token, afterGrant: false }
  }
  if (pathname === '/v' || pathname.startsWith('/v/')) return { at: 'voucher', code: fragment(hash), afterGrant }
  // Where a payment company sends its payers back to.
  const paid = /[?&]payment=([\w-]{8,64})/.exec(search)?.[1]
  if (paid && !hash) history.replaceState(null, '', `/#pay=${paid}`)
  const [, named, code = ''] = /^#(\w+)=([\w-]{1,64})$/.exec(location.hash) ?? []
  const coded = codedPlaces.find((name) => name === named)
  if (coded) return { at: coded, code, afterGrant }
  const at = plainPlaces.find((name) => hash === `#${name}`)
  if (at) return { at, code: '', afterGrant }
  return { at: 'home', code: '', afterGrant }
}

function fragment(hash: string): string {
  try {
    return decodeURIComponent(hash.slice(1)).slice(0, 40)
  } catch {
    return ''
  }
}
