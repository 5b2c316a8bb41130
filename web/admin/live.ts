import { createContext } from 'preact'
import { useContext, useEffect, useRef, useState } from 'preact/hooks'
import type { Events, UsageReading } from '../../server/events.ts'
import type { PaymentView } from '../../server/payments/schema.ts'
import { hearEvents, type LineState } from '../shared/api.ts'

export type Usage = Events['sessions.usage']
type Heard = {
  usage: Usage
  session: Events['session.changed']
  catalogue: Events['catalogue.changed']
  payment: { id: number; step: PaymentView['step'] }
  /** The line to the box was away and is back: whatever is on the screen may be old. */
  resync: null
  line: boolean
}
type Hear<N extends keyof Heard> = (event: Heard[N]) => void

/** What the box says by itself. `points` holds the last minutes of throughput; speeds bit/s. */
export type Live = {
  connected: () => boolean
  points: () => Usage[]
  reading: (sessionId: number) => UsageReading | undefined
  on: <N extends keyof Heard>(name: N, hear: Hear<N>) => () => void
  close: () => void
}

const KEPT_POINTS = 90

/** Opens the stream of events and keeps it open until `close()`. */
export function openLive(address: string): Live {
  const hearers = new Map<keyof Heard, Set<(event: never) => void>>()
  const readings = new Map<number, UsageReading>()
  const points: Usage[] = []
  let connected = false
  let wasAway = false

  const tell = <N extends keyof Heard>(name: N, event: Heard[N]): void => hearers.get(name)?.forEach((hear) => hear(event as never))

  const takeUsage = (usage: Usage): void => {
    // Only sessions whose use grew are named: the others stand still now.
    for (const [id, reading] of readings) readings.set(id, { ...reading, downBps: 0, upBps: 0 })
    for (const reading of usage.readings) readings.set(reading.id, reading)
    points.push(usage)
    if (points.length > KEPT_POINTS) points.shift()
    tell('usage', usage)
  }

  const takeLine = (state: LineState): void => {
    if (connected === (state === 'live')) return
    connected = state === 'live'
    tell('line', connected)
    if (connected && wasAway) tell('resync', null)
    if (!connected) wasAway = true
  }

  const close = hearEvents(
    address,
    ['usage', 'session', 'catalogue', 'payment'],
    (name, data) => {
      if (name === 'usage') takeUsage(data as Usage)
      if (name === 'session') tell('session', data as Heard['session'])
      if (name === 'catalogue') tell('catalogue', data as Heard['catalogue'])
      if (name === 'payment') tell('payment', data as Heard['payment'])
    },
    takeLine,
  )

  return {
    connected: () => connected,
    points: () => points,
    reading: (sessionId) => readings.get(sessionId),
    on: (name, hear) => {
      const set = hearers.get(name) ?? new Set()
      hearers.set(name, set.add(hear as never))
      return () => void set.delete(hear as never)
    },
    close,
  }
}

export const LiveContext = createContext<Live | null>(null)

/** Calls `hear` for every event of that name while the component is on the screen. */
export function useHear<N extends keyof Heard>(name: N, hear: Hear<N>): void {
  const live = useContext(LiveContext)
  const latest = useRef(hear)
  latest.current = hear
  useEffect(() => live?.on(name, (event) => latest.current(event)), [live, name])
}

/** Whether the box is heard right now. */
export function useConnected(): boolean {
  const live = useContext(LiveContext)
  const [connected, setConnected] = useState(live?.connected() ?? false)
  useHear('line', setConnected)
  // The line may have come up between the first drawing and the listening.
  useEffect(() => setConnected(live?.connected() ?? false), [live])
  return connected
}

/** The last minutes of throughput, oldest first; the component is drawn again with every new point. */
export function useUsagePoints(): Usage[] {
  const live = useContext(LiveContext)
  const [, redraw] = useState(0)
  useHear('usage', (usage) => redraw(usage.at))
  return live?.points() ?? []
}

/** The newest reading of one session; undefined until it was heard of. */
export function useReading(sessionId: number): UsageReading | undefined {
  const live = useContext(LiveContext)
  const [, redraw] = useState(0)
  useHear('usage', (usage) => redraw(usage.at))
  return live?.reading(sessionId)
}

const GATHER_MS = 700

/** Calls `refresh` soon after events of that name, at most about once a second however many come. */
export function useRefreshOn(name: 'session' | 'catalogue' | 'payment', refresh: () => void): void {
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined)
  const soon = () => {
    timer.current ??= setTimeout(() => {
      timer.current = undefined
      refresh()
    }, GATHER_MS)
  }
  useHear(name, soon)
  useHear('resync', soon)
  useEffect(() => () => clearTimeout(timer.current), [])
}
