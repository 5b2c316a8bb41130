/** The one shape of an error that the box answers with. */
export type ErrorAnswer = { error: { code: string; message: string; details?: Record<string, unknown>; requestId: string } }

/**
 * A request that did not end well.
 * `code` is the server's stable code; `unreachable` (nothing answered), `fault` (an answer that isn't ours) or `stopped` come from here.
 * `message` is for people and can be shown as it is; `status` is 0 when nothing answered.
 */
export class ApiError extends Error {
  readonly code: string
  readonly status: number
  readonly details: Record<string, unknown>
  readonly requestId: string

  constructor(code: string, message: string, status = 0, details: Record<string, unknown> = {}, requestId = '') {
    super(message)
    this.code = code
    this.status = status
    this.details = details
    this.requestId = requestId
  }
}

type Ask = { signal?: AbortSignal; timeoutMs?: number }

/** What a screen needs of HTTP. Every call throws only ApiError. */
export type Api = {
  get: <T>(path: string, ask?: Ask) => Promise<T>
  post: <T>(path: string, body?: unknown, ask?: Ask) => Promise<T>
  patch: <T>(path: string, body: unknown, ask?: Ask) => Promise<T>
  remove: <T>(path: string, ask?: Ask) => Promise<T>
}

/**
 * A client of the box that served this page; the cookie goes along by itself.
 * @param headers asked before every request that changes something (admin sends its CSRF token so)
 */
export function createApi(headers: () => Record<string, string> = () => ({})): Api {
  const send = async <T>(method: string, path: string, body: unknown, { signal, timeoutMs = 15_000 }: Ask = {}): Promise<T> => {
    const control = new AbortController()
    const stop = () => control.abort()
    if (signal?.aborted) stop()
    signal?.addEventListener('abort', stop)
    const timer = setTimeout(stop, timeoutMs)
    try {
      const response = await fetch(path, {
        method,
        credentials: 'same-origin',
        cache: 'no-store',
        signal: control.signal,
        headers: {
          Accept: 'application/json',
          ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
          ...(method === 'GET' ? {} : headers()),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      })
      return await read<T>(response)
    } catch (error) {
      if (error instanceof ApiError) throw error
      if (signal?.aborted) throw new ApiError('stopped', 'Stopped.')
      throw new ApiError('unreachable', 'The box does not answer. Stay near the Wi-Fi and check that you are still connected to it.')
    } finally {
      clearTimeout(timer)
      signal?.removeEventListener('abort', stop)
    }
  }
  return {
    get: (path, ask) => send('GET', path, undefined, ask),
    post: (path, body = {}, ask) => send('POST', path, body, ask),
    patch: (path, body, ask) => send('PATCH', path, body, ask),
    remove: (path, ask) => send('DELETE', path, undefined, ask),
  }
}

/** `live`: events arrive. `lost`: they don't for now; it tries again by itself, so ask with GET meanwhile. */
export type LineState = 'live' | 'lost'

/**
 * Hears server-sent events and comes back after every loss, with a growing pause.
 * @param names event names to hear; their data must be JSON
 * @returns stops it
 */
export function hearEvents(
  path: string,
  names: string[],
  hear: (name: string, data: unknown) => void,
  line: (state: LineState) => void = () => {},
): () => void {
  let source: EventSource | undefined
  let again: ReturnType<typeof setTimeout> | undefined
  let pauseMs = 1000
  let stopped = false

  const open = () => {
    source?.close()
    if (typeof EventSource === 'undefined') return line('lost')
    source = new EventSource(path)
    source.addEventListener('open', () => {
      pauseMs = 1000
      line('live')
    })
    source.addEventListener('error', () => {
      line('lost')
      // The browser gives up for good after an answer that is no stream (a 404, a 502): begin anew ourselves.
      if (source?.readyState !== EventSource.CLOSED || stopped) return
      clearTimeout(again)
      again = setTimeout(open, pauseMs)
      pauseMs = Math.min(pauseMs * 2, 30_000)
    })
    for (const name of names) {
      source.addEventListener(name, (event) => {
        const data = parse((event as MessageEvent<string>).data)
        if (data !== undefined) hear(name, data)
      })
    }
  }

  open()
  return () => {
    stopped = true
    clearTimeout(again)
    source?.close()
  }
}

async function read<T>(response: Response): Promise<T> {
  const text = await response.text()
  const answer = text === '' ? undefined : parse(text)
  if (response.ok && (text === '' || answer !== undefined)) return answer as T
  const error = (answer as ErrorAnswer | undefined)?.error
  if (error) throw new ApiError(error.code, error.message, response.status, error.details, error.requestId)
  throw new ApiError('fault', 'The box gave an answer that makes no sense. Try again in a moment.', response.status)
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
