/** Everything that happens in the box that another room or a screen may want to know at once. Plain JSON, no secrets. */
export type Events = {
  /** Fires after every poll, with the sessions whose use grew or just stopped growing. `at` UTC ms; speeds
   * are of all customers, since the reading before; `online` counts sessions seen in the last minutes. */
  'sessions.usage': { at: number; downBps: number; upBps: number; online: number; readings: UsageReading[] }
  /** Fires after a session was committed in a new state. */
  'session.changed': { id: number; what: SessionChange }
  /** Fires after a payment moved on. */
  'payment.changed': { id: number }
  /** Fires after packages, settings, vouchers or accounts changed. */
  'catalogue.changed': { what: 'packages' | 'settings' | 'vouchers' | 'accounts' }
}

export type SessionChange = 'opened' | 'topped-up' | 'extended' | 'resumed' | 'disconnected' | 'devices' | 'connected' | 'slowed' | 'ended'

/** `used`, `slowUsed`, and of both what was uploaded and what went through Connect, are totals in bytes; speeds bit/s. */
export type UsageReading = {
  id: number
  used: number
  slowUsed: number
  uploaded: number
  viaConnect: number
  downBps: number
  upBps: number
}

export type EventName = keyof Events

/** Carries events from one process to the other. At most once: whoever hears nothing must look at the database. */
export type Bus = {
  publish: <N extends EventName>(name: N, event: Events[N]) => void
  subscribe: <N extends EventName>(name: N, hear: (event: Events[N]) => void) => () => void
}

/** A bus within one process; the Redis bus of jobs/ wraps one. */
export function createBus(): Bus {
  const hearers = new Map<string, Set<(event: never) => void>>()
  return {
    publish: (name, event) => hearers.get(name)?.forEach((hear) => hear(event as never)),
    subscribe: (name, hear) => {
      const set = hearers.get(name) ?? new Set()
      hearers.set(name, set.add(hear as never))
      return () => void set.delete(hear as never)
    },
  }
}
