import { useEffect, useRef, useState } from 'preact/hooks'
import { ApiError } from '../shared/api.ts'

/** Something asked of the box. `data` stays while it is asked again, so that nothing flickers. */
export type Loaded<T> = { data: T | null; error: ApiError | null; loading: boolean; reload: () => void }

/** Asks when the component appears, whenever `inputs` change, and on `reload()`. A late answer to an older question is dropped. */
export function useLoaded<T>(ask: () => Promise<T>, inputs: unknown[] = []): Loaded<T> {
  const [state, setState] = useState<{ data: T | null; error: ApiError | null; loading: boolean }>({
    data: null,
    error: null,
    loading: true,
  })
  const asked = useRef(0)
  const latest = useRef(ask)
  latest.current = ask

  const reload = () => {
    const mine = ++asked.current
    setState((before) => ({ ...before, loading: true }))
    latest.current().then(
      (data) => mine === asked.current && setState({ data, error: null, loading: false }),
      (error: unknown) => mine === asked.current && setState((before) => ({ ...before, error: asApiError(error), loading: false })),
    )
  }
  useEffect(() => {
    reload()
    return () => void asked.current++
  }, inputs)
  return { ...state, reload }
}

/** One change at a time: `busy` while it runs, `error` in the server's words when it is refused. */
export function useChange<A extends unknown[]>(change: (...input: A) => Promise<unknown>) {
  const [busy, setBusy] = useState(false)
  const [error, setError] = useState<ApiError | null>(null)
  const running = useRef(false)
  const run = async (...input: A): Promise<boolean> => {
    if (running.current) return false
    running.current = true
    setBusy(true)
    setError(null)
    try {
      await change(...input)
      return true
    } catch (thrown) {
      setError(asApiError(thrown))
      return false
    } finally {
      running.current = false
      setBusy(false)
    }
  }
  return { busy, error, run }
}

/** The value, once it has not changed for a while: for searching while somebody types. */
export function useSettled<T>(value: T, pauseMs: number): T {
  const [settled, setSettled] = useState(value)
  useEffect(() => {
    const timer = setTimeout(() => setSettled(value), pauseMs)
    return () => clearTimeout(timer)
  }, [value, pauseMs])
  return settled
}

/** The present moment in UTC ms, renewed every `everyMs`: for countdowns. */
export function useNow(everyMs: number): number {
  const [now, setNow] = useState(Date.now)
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), everyMs)
    return () => clearInterval(timer)
  }, [everyMs])
  return now
}

/** Whether a media query holds; follows the window. */
export function useMedia(query: string): boolean {
  const [holds, setHolds] = useState(() => matchMedia(query).matches)
  useEffect(() => {
    const list = matchMedia(query)
    const follow = () => setHolds(list.matches)
    follow()
    list.addEventListener('change', follow)
    return () => list.removeEventListener('change', follow)
  }, [query])
  return holds
}

function asApiError(thrown: unknown): ApiError {
  if (thrown instanceof ApiError) return thrown
  console.error(thrown)
  return new ApiError('fault', 'Something on this page went wrong. Try again; if it stays so, reload the page.')
}
