import type { Now } from '../clock.ts'
import type { Connect } from '../connect/connect.ts'
import type { Bus, SessionChange } from '../events.ts'
import { SECOND } from '../units.ts'
import { hasEnded, type Session } from './lifecycle.ts'
import type { SessionView } from './schema.ts'
import type { Asker } from './buying.ts'
import type { Sessions } from './sessions.ts'
import { seenBy, staffViewer, viewOf, type Speed, type Viewer } from './view.ts'

/** What was read may be used again for so long when no event said otherwise: events are lost while Redis is down. */
const FRESH_MS = SECOND
/** A speed older than this says nothing. The slowest poll is 30 s. */
const SPEED_MS = 40 * SECOND
/** A screen is told the present at least so often, should events be lost. */
const RETELL_MS = 10 * SECOND
/** A session that ended so long ago is not the asker's business any more. */
const SHOW_ENDED_MS = 24 * 60 * 60 * SECOND

export type LiveUsage = ReturnType<typeof createLiveUsage>

type Hearer = { sessionId: number; viewer: Viewer; tell: (event: string, view: SessionView) => void; toldAt: number }

/** What customers' screens show of sessions, now: views kept fresh by events, and the streams that carry them. */
export function createLiveUsage({ sessions, connect, bus, now }: { sessions: Sessions; connect: Connect; bus: Bus; now: Now }) {
  const views = new Map<number, { readAt: number; view: Promise<SessionView | undefined> }>()
  const ofDevice = new Map<string, { readAt: number; session: Promise<Session | undefined> }>()
  const speeds = new Map<number, Speed & { at: number }>()
  const hearers = new Set<Hearer>()
  let total = { at: 0, downBps: 0, upBps: 0 }

  bus.subscribe('sessions.usage', ({ at, downBps, upBps, readings }) => {
    total = { at, downBps, upBps }
    for (const reading of readings) {
      speeds.set(reading.id, { at, downBps: reading.downBps, upBps: reading.upBps })
      views.delete(reading.id)
    }
    const moved = new Set(readings.map((reading) => reading.id))
    for (const hearer of hearers) if (moved.has(hearer.sessionId)) void tell(hearer, 'usage')
  })
  bus.subscribe('session.changed', ({ id, what }) => {
    views.delete(id)
    ofDevice.clear()
    if (what === 'ended') speeds.delete(id)
    for (const hearer of hearers) if (hearer.sessionId === id) void tell(hearer, eventOf(what))
  })
  const sweep = setInterval(() => {
    const at = performance.now()
    for (const hearer of hearers) if (at - hearer.toldAt > RETELL_MS) void tell(hearer, 'usage')
    for (const [id, one] of views) if (at - one.readAt > FRESH_MS) views.delete(id)
    for (const [mac, one] of ofDevice) if (at - one.readAt > FRESH_MS) ofDevice.delete(mac)
    for (const [id, speed] of speeds) if (now() - speed.at > SPEED_MS) speeds.delete(id)
  }, SECOND)

  async function tell(hearer: Hearer, event: string): Promise<void> {
    hearer.toldAt = performance.now()
    const view = await viewFor(hearer.sessionId, hearer.viewer)
    if (view && hearers.has(hearer)) hearer.tell(event, view)
  }

  async function viewFor(id: number, viewer: Viewer): Promise<SessionView | undefined> {
    const at = performance.now()
    let known = views.get(id)
    if (!known || at - known.readAt > FRESH_MS) {
      known = { readAt: at, view: readView(id) }
      known.view.catch(() => views.delete(id))
      views.set(id, known)
    }
    const view = await known.view
    return view && seenBy(view, viewer, now())
  }

  async function readView(id: number): Promise<SessionView | undefined> {
    const session = await sessions.find(id)
    if (!session) return undefined
    const [devices, waiting, profiles] = await Promise.all([
      sessions.devicesOf([id]),
      sessions.waitingFor(id),
      connect.ofSessions([id]).then((profiles) => connect.views(profiles)),
    ])
    return viewOf(session, { devices, profiles, waiting, speed: speeds.get(id), now: now() })
  }

  async function sessionOfDevice(mac: string): Promise<Session | undefined> {
    const at = performance.now()
    let known = ofDevice.get(mac)
    if (!known || at - known.readAt > FRESH_MS) {
      known = { readAt: at, session: sessions.ofDevice(mac) }
      known.session.catch(() => ofDevice.delete(mac))
      ofDevice.set(mac, known)
    }
    return known.session
  }

  return {
    viewFor,

    /**
     * The session that the asker means: the one its device or profile is in, or else the one its browser remembers, or
     * else one of the number that is signed in.
     */
    async sessionIdOf({ device, profile, sessionId, phone }: Asker): Promise<number | null> {
      const own = device ? await sessionOfDevice(device.mac) : profile ? await sessions.find(profile.sessionId) : undefined
      if (own && !hasEnded(own)) return own.id
      const remembered = sessionId === null ? undefined : await viewFor(sessionId, staffViewer)
      if (remembered && remembered.status !== 'expired') return remembered.id
      // Whoever signs in on another device finds what was paid for.
      const paid = phone === null ? null : await sessions.livingOf(phone)
      if (paid !== null) return paid
      if (own && (!remembered || own.id > remembered.id)) return recent(own.endedAt) ? own.id : null
      return remembered && recent(Date.parse(remembered.endedAt!)) ? remembered.id : null
    },

    /** Tells a screen everything about a session from now on. @returns a function that ends it */
    hear(sessionId: number, viewer: Viewer, tellScreen: Hearer['tell']): () => void {
      const hearer: Hearer = { sessionId, viewer, tell: tellScreen, toldAt: 0 }
      hearers.add(hearer)
      void tell(hearer, 'session')
      return () => void hearers.delete(hearer)
    },

    /** Of all customers together, in the last poll. */
    throughput: () => (now() - total.at > SPEED_MS ? { downBps: 0, upBps: 0 } : { downBps: total.downBps, upBps: total.upBps }),
    speedOf: (id: number) => speeds.get(id),
    close: () => clearInterval(sweep),
  }

  function recent(endedAt: number | null): boolean {
    return endedAt !== null && now() - endedAt < SHOW_ENDED_MS
  }
}

function eventOf(what: SessionChange): string {
  if (what === 'ended') return 'ended'
  if (what === 'topped-up' || what === 'extended') return 'topped-up'
  return 'changed'
}
