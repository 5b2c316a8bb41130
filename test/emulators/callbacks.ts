import { request as plainRequest } from 'node:http'
import { request as secureRequest } from 'node:https'

/** How callbacks go out. `hold` keeps them until `release()`; `times: 2` sends the same one twice, at the same moment. */
export type CallbackPlan = { way: 'send' | 'hold' | 'drop'; lateMs: number; times: number }

/** A callback to be sent. `about` is the reference or id it speaks of. */
export type Message = {
  about: string
  url: string
  method: 'PUT' | 'POST'
  headers: Record<string, string>
  body: string
  forged?: boolean
  /** Tried again after each of these, until it is answered with 200. None when left out. */
  retriesMs?: number[]
}

/** A try to bring a callback: either `status`, or the `problem`. */
export type Delivery = Pick<Message, 'about' | 'url' | 'method' | 'body'> & {
  forged: boolean
  at: number
  status: number | null
  problem: string | null
}

export type Timers = ReturnType<typeof createTimers>
export type Callbacks = ReturnType<typeof createCallbacks>

const patienceMs = 10_000

/**
 * Waits that can be given up together: `wait` is true when the time has come, false when `clear` was called before. They keep no
 * process alive: a retry may be days away.
 */
export function createTimers() {
  const waiting = new Map<NodeJS.Timeout, (due: boolean) => void>()
  return {
    wait(ms: number): Promise<boolean> {
      return new Promise((resolve) => {
        const timer = setTimeout(() => {
          waiting.delete(timer)
          resolve(true)
        }, ms)
        timer.unref()
        waiting.set(timer, resolve)
      })
    },
    clear(): void {
      for (const [timer, resolve] of waiting) {
        clearTimeout(timer)
        resolve(false)
      }
      waiting.clear()
    },
  }
}

/** Sends callbacks over real HTTP. `deliverTo` is the origin they really go to, for names that no resolver knows. */
export function createCallbacks({ timers, deliverTo }: { timers: Timers; deliverTo: () => string | null }) {
  const deliveries: Delivery[] = []
  const underWay = new Set<Promise<void>>()
  let held: { message: Message; times: number }[] = []
  return {
    send(message: Message, { way, lateMs, times }: CallbackPlan): void {
      if (way === 'drop') return
      if (way === 'hold') return void held.push({ message, times })
      for (let sent = 0; sent < times; sent++) track(bring(message, lateMs))
    },
    /** One try, now, whatever the plan. @returns once it was answered, or was not */
    async sendNow(message: Message): Promise<void> {
      await attempt(message)
    },
    /** Sends what is held, one after the other, and tries none of it again. @returns how many */
    async release(order: 'as-made' | 'reversed'): Promise<number> {
      const messages = held.flatMap(({ message, times }) => Array.from({ length: times }, () => message))
      held = []
      for (const message of order === 'reversed' ? messages.toReversed() : messages) await attempt(message)
      return messages.length
    },
    deliveries: () => deliveries,
    /** Resolves when each callback so far was tried once: the late ones too, the held ones not. */
    async done(): Promise<void> {
      while (underWay.size > 0) await Promise.all(underWay)
    },
    forget(): void {
      held = []
      deliveries.length = 0
    },
  }

  function track(work: Promise<void>): void {
    const tracked = work.finally(() => underWay.delete(tracked))
    underWay.add(tracked)
  }

  async function bring(message: Message, lateMs: number): Promise<void> {
    if (lateMs > 0 && !(await timers.wait(lateMs))) return
    if (!(await attempt(message))) void tryAgain(message)
  }

  async function tryAgain(message: Message): Promise<void> {
    for (const ms of message.retriesMs ?? []) {
      if (!(await timers.wait(ms)) || (await attempt(message))) return
    }
  }

  async function attempt(message: Message): Promise<boolean> {
    const { about, url, method, body, forged = false } = message
    const delivery: Delivery = { about, url, method, body, forged, at: Date.now(), status: null, problem: null }
    try {
      delivery.status = await bringOnce(message, deliverTo())
    } catch (error) {
      delivery.problem = String(error)
    }
    deliveries.push(delivery)
    return delivery.status === 200
  }
}

function bringOnce({ url, method, headers, body }: Message, origin: string | null): Promise<number> {
  const named = new URL(url)
  const to = origin === null ? named : new URL(named.pathname + named.search, origin)
  const ask = to.protocol === 'https:' ? secureRequest : plainRequest
  const sent = { ...headers, host: named.host, 'content-length': Buffer.byteLength(body) }
  return new Promise((resolve, reject) => {
    const request = ask(to, { method, headers: sent, timeout: patienceMs, agent: false }, (response) => {
      response.on('end', () => resolve(response.statusCode ?? 0)).on('error', reject)
      response.resume()
    })
    request.on('timeout', () => request.destroy(new Error('no answer in time')))
    request.on('error', reject)
    request.end(body)
  })
}
