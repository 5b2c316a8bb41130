import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

/** A request as a route sees it. Header names in lower case; `parts` are the groups of the route's path. */
export type Ask = {
  method: string
  path: string
  query: URLSearchParams
  headers: Record<string, string | undefined>
  body: string
  parts: string[]
}

/** An object becomes JSON, a text stays as it is, nothing is an empty body. */
export type Answer = { status: number; body?: unknown; type?: string; headers?: Record<string, string> }

/** `call` is the name by which a test speaks of it: in `failNext`, and in `requests()`. */
export type Route = { call: string; method: string; path: RegExp; handle: (ask: Ask) => Answer }

/** A request that came in, whatever was answered. `status` is null as long as there is no answer, and when there was none. */
export type Seen = {
  at: number
  call: string | null
  method: string
  path: string
  headers: Record<string, string | undefined>
  body: string
  status: number | null
}

/**
 * Calls that go wrong on the way: `-after` means that the work was done all the same, and the asker cannot know. `stall`
 * does the work and never answers.
 */
export type Failing = {
  how: '503' | '503-after' | '429' | 'hang-up' | 'hang-up-after' | 'stall'
  /** The next so many calls; 1 when left out. */
  times?: number
  /** Only calls of this name. */
  call?: string
}

export type Wire = { url: string; seen: Seen[]; failings: Failing[]; stop: () => Promise<void> }

type Listening = {
  host: string
  port: number
  routes: Route[]
  /** Answers what no route knows. */
  noRoute: (ask: Ask) => Answer
  /** How this provider says 503 and 429. */
  trouble: (status: 503 | 429) => Answer
  delayMs: () => number
  /** Answers what comes in under /_control: neither seen, nor late, nor failing. */
  control: (ask: Ask) => Promise<Answer>
}

/** Headers that hold a secret: `requests()` tells that they were there, not what they said. */
const secretHeaders = ['authorization', 'ocp-apim-subscription-key', 'apikey']

/** Starts an HTTP server for an emulator; port 0 takes a free one. */
export async function listen({ host, port, routes, noRoute, trouble, delayMs, control }: Listening): Promise<Wire> {
  const seen: Seen[] = []
  const failings: Failing[] = []
  const server = createServer((request, response) => {
    serve(request, response).catch((error: unknown) => {
      console.error('the emulator itself is wrong:', error)
      if (!response.headersSent) send(response, { status: 500, body: `the emulator itself is wrong: ${String(error)}` })
    })
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, resolve)
  })
  return {
    url: `http://${host}:${(server.address() as AddressInfo).port}`,
    seen,
    failings,
    async stop() {
      const closed = new Promise((resolve) => server.close(resolve))
      server.closeAllConnections()
      await closed
    },
  }

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { ask, pathAndQuery } = await read(request)
    if (ask.path.startsWith('/_control')) return send(response, await control(ask))
    const route = routes.find(({ method, path }) => method === ask.method && path.test(ask.path))
    const note = noteOf(ask, pathAndQuery, route?.call ?? null)
    seen.push(note)
    const failing = nextFailing(route?.call ?? null)
    if (delayMs() > 0) await sleep(delayMs())
    if (failing === 'hang-up') return void request.socket.destroy()
    const refusal = failing === '503' ? trouble(503) : failing === '429' ? trouble(429) : null
    const done = refusal ?? (route ? route.handle({ ...ask, parts: partsOf(route.path, ask.path) }) : noRoute(ask))
    if (failing === 'hang-up-after') return void request.socket.destroy()
    if (failing === 'stall') return
    const answer = failing === '503-after' ? trouble(503) : done
    note.status = answer.status
    send(response, answer)
  }

  function nextFailing(call: string | null): Failing['how'] | null {
    const failing = failings.find((one) => one.call === undefined || one.call === call)
    if (!failing) return null
    failing.times = (failing.times ?? 1) - 1
    if (failing.times <= 0) failings.splice(failings.indexOf(failing), 1)
    return failing.how
  }
}

/** Reads a JSON body or a form, by its content type, with `a[b]` for what is nested in a form. Null when it is neither. */
export function readBody(ask: Ask): Record<string, unknown> | null {
  const isForm = ask.headers['content-type']?.startsWith('application/x-www-form-urlencoded')
  return isForm ? readForm(ask.body) : readJson(ask)
}

/** Reads a body that must be a JSON object, and say so. Null when it is not, or does not. */
export function readJson({ headers, body }: Ask): Record<string, unknown> | null {
  if (!headers['content-type']?.startsWith('application/json')) return null
  try {
    const value: unknown = JSON.parse(body)
    return isObject(value) ? value : null
  } catch {
    return null
  }
}

/** True for a JSON object, neither null nor a list. */
export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

async function read(request: IncomingMessage): Promise<{ ask: Ask; pathAndQuery: string }> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  const url = new URL(request.url ?? '/', 'http://emulator')
  const headers = Object.fromEntries(
    Object.entries(request.headers).map(([name, value]) => [name, Array.isArray(value) ? value.join(', ') : value]),
  )
  const body = Buffer.concat(chunks).toString('utf8')
  const ask = { method: request.method ?? 'GET', path: url.pathname, query: url.searchParams, headers, body, parts: [] }
  return { ask, pathAndQuery: url.pathname + url.search }
}

function partsOf(pattern: RegExp, path: string): string[] {
  return (pattern.exec(path) ?? []).slice(1).map((part) => decodeURIComponent(part))
}

function noteOf({ method, headers, body }: Ask, path: string, call: string | null): Seen {
  const shown = Object.entries(headers).map(([name, value]) => [name, secretHeaders.includes(name) ? '(hidden)' : value])
  return { at: Date.now(), call, method, path, headers: Object.fromEntries(shown), body, status: null }
}

function send(response: ServerResponse, { status, body, type, headers }: Answer): void {
  const text = body === undefined ? '' : typeof body === 'string' ? body : JSON.stringify(body)
  const kind = type ?? (typeof body === 'string' ? 'text/plain; charset=utf-8' : 'application/json; charset=utf-8')
  response.writeHead(status, { ...(text && { 'content-type': kind }), 'content-length': Buffer.byteLength(text), ...headers })
  response.end(text)
}

function readForm(body: string): Record<string, unknown> {
  const fields: Record<string, unknown> = {}
  for (const [name, value] of new URLSearchParams(body)) {
    const [, outer, inner] = /^([^[]+)\[([^\]]+)\]$/.exec(name) ?? []
    if (outer && inner) fields[outer] = { ...(fields[outer] as object | undefined), [inner]: value }
    else fields[name] = value
  }
  return fields
}
