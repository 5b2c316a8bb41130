import { createCallbacks, createTimers, type CallbackPlan, type Callbacks, type Delivery, type Timers } from './callbacks.ts'
import { listen, type Answer, type Ask, type Failing, type Route, type Seen } from './http.ts'

/** Settings that every emulator has; all can be changed while it runs. */
export type SharedSettings = {
  /** Each call is answered so much later. */
  delayMs: number
  /** The origin to which callbacks are really brought, path and Host header unchanged; null: to where their address says. */
  deliverTo: string | null
  callbacks: CallbackPlan
}

/** What a buyer does when they are asked. `wait`: nothing, ever, unless `approve()` or `decline()` is called. */
export type Buyer =
  | { does: 'approve'; afterMs?: number; callbacks?: CallbackPlan }
  | { does: 'decline'; reason: string; afterMs?: number; callbacks?: CallbackPlan }
  | { does: 'ignore'; callbacks?: CallbackPlan }
  | { does: 'wait'; callbacks?: CallbackPlan }

/** The control that every emulator has, in the same process or over HTTP. */
export type SharedControl<Settings> = {
  settings: () => Promise<Settings>
  /** @returns all settings as they are now */
  set: (part: Partial<Settings>) => Promise<Settings>
  failNext: (failing: Failing) => Promise<void>
  /** All requests so far, the oldest first; headers with secrets say only that they were there. */
  requests: () => Promise<Seen[]>
  /** All tries to bring a callback so far, the oldest first. */
  callbacks: () => Promise<Delivery[]>
  /** Waits until each callback so far was tried once: the late ones too, the held ones not. */
  callbacksDone: () => Promise<void>
  /** Sends the callbacks that `callbacks: {way: 'hold'}` kept, one after the other. @returns how many */
  release: (order?: 'as-made' | 'reversed') => Promise<number>
  /** Forgets everything, and goes back to the settings it was started with. */
  reset: () => Promise<void>
}

export type Emulator<Control> = Control & { url: string; stop: () => Promise<void> }

/** What an emulator is built on. `settings` stays the same object for as long as it runs. */
export type Ground<Settings> = { settings: Settings; initial: Settings; timers: Timers; callbacks: Callbacks }

type Verb = (...given: never[]) => Promise<unknown>
type Poster = (
  url: string,
  ask: { method: string; headers: Record<string, string>; body: string },
) => Promise<{ status: number; text: () => Promise<string> }>

type Starting<Settings, Own> = {
  host: string
  port: number
  ground: Ground<Settings>
  routes: (url: () => string) => Route[]
  noRoute: (ask: Ask) => Answer
  trouble: (status: 503 | 429) => Answer
  control: Own
  /** Forgets payments, messages and tokens. */
  forget: () => void
}

/**
 * The control of an emulator that runs elsewhere: `controlOf<MomoControl>('http://10.0.0.2:9101')`. `post` is a fetch that
 * reaches it, such as one inside a network namespace.
 */
export function controlOf<Control extends object>(url: string, post: Poster = fetch): Control {
  const call = async (verb: string, given: unknown[]): Promise<unknown> => {
    const headers = { 'content-type': 'application/json' }
    const answer = await post(`${url}/_control/${verb}`, { method: 'POST', headers, body: JSON.stringify(given) })
    const { result, error } = JSON.parse(await answer.text()) as { result?: unknown; error?: string }
    if (error !== undefined) throw new Error(error)
    return result
  }
  return new Proxy({} as Control, {
    // Whoever awaits an object looks for `then`: this one is no promise.
    get: (_, verb) => (typeof verb === 'symbol' || verb === 'then' ? undefined : (...given: unknown[]) => call(verb, given)),
  })
}

/** Settings, timers and callbacks of one emulator. */
export function createGround<Settings extends SharedSettings>(initial: Settings): Ground<Settings> {
  const settings = structuredClone(initial)
  const timers = createTimers()
  return { settings, initial, timers, callbacks: createCallbacks({ timers, deliverTo: () => settings.deliverTo }) }
}

/** Starts an emulator: its routes, and its control as verbs here and as `POST /_control/<verb>` with a JSON list of what is given. */
export async function startEmulator<Settings extends SharedSettings, Own extends object>({
  host,
  port,
  ground,
  routes,
  noRoute,
  trouble,
  control,
  forget,
}: Starting<Settings, Own>): Promise<Emulator<Own & SharedControl<Settings>>> {
  const { settings, initial, timers, callbacks } = ground
  const shared: SharedControl<Settings> = {
    settings: async () => structuredClone(settings),
    async set(part) {
      const unknown = Object.keys(part).find((name) => !(name in settings))
      if (unknown) throw new Error(`there is no setting ${unknown}`)
      return structuredClone(Object.assign(settings, part))
    },
    failNext: async (failing) => void wire.failings.push({ ...failing }),
    requests: async () => structuredClone(wire.seen),
    callbacks: async () => structuredClone(callbacks.deliveries()),
    callbacksDone: () => callbacks.done(),
    release: (order = 'as-made') => callbacks.release(order),
    async reset() {
      timers.clear()
      await callbacks.done()
      forget()
      callbacks.forget()
      wire.seen.length = 0
      wire.failings.length = 0
      Object.assign(settings, structuredClone(initial))
    },
  }
  const verbs = { ...shared, ...control }
  const wire = await listen({
    host,
    port,
    routes: routes(() => wire.url),
    noRoute,
    trouble,
    delayMs: () => settings.delayMs,
    control: (ask) => answerControl(verbs, ask),
  })
  const stop = async () => {
    timers.clear()
    await wire.stop()
  }
  return { ...verbs, url: wire.url, stop }
}

async function answerControl(verbs: object, { method, path, body }: Ask): Promise<Answer> {
  const verb = (verbs as Record<string, Verb>)[path.slice('/_control/'.length)]
  if (method !== 'POST' || !verb) return { status: 404, body: { error: `POST /_control/{${Object.keys(verbs).join(',')}}` } }
  try {
    const given = (body ? JSON.parse(body) : []) as never[]
    return { status: 200, body: { result: await verb(...given) } }
  } catch (error) {
    return { status: 400, body: { error: error instanceof Error ? error.message : String(error) } }
  }
}
