import type { Now } from '../clock.ts'
import type { Connect } from '../connect/connect.ts'
import type { Bus, SessionChange, UsageReading } from '../events.ts'
import type { Leases } from '../gateway/dhcp.ts'
import type { Grant, Reading } from '../gateway/grant.ts'
import type { Payments } from '../payments/payments.ts'
import type { Store, Tx } from '../store/store.ts'
import { DAY, HOUR, MINUTE } from '../units.ts'
import { createFollowers } from './followers.ts'
import * as ledger from './ledger-table.ts'
import * as life from './lifecycle.ts'
import type { Session } from './lifecycle.ts'
import * as table from './table.ts'

const KEEP_TRAFFIC_MS = 31 * DAY

export type Meter = ReturnType<typeof createMeter>

type Needs = { store: Store; now: Now; bus: Bus; leases: Leases; connect: Connect; payments: Pick<Payments, 'markUsed' | 'tell'> }

/**
 * The worker's side of sessions: which grants follow from them, and what the kernel's readings make of them.
 * `enforce` is called for sessions that began because another ended.
 */
export function createMeter({ store, now, bus, leases, connect, payments }: Needs) {
  const followers = createFollowers({ now, connect })
  /** When and at what count each session was last read, what of it the kernel counted, and how fast it was. */
  const last = new Map<number, { at: number; used: number; counted: number; uploaded: number; downBps: number; upBps: number }>()

  /** Saves sessions that moved on, begins those that waited for them, and tells everybody. @returns sessions that began */
  async function save(
    tx: Tx,
    before: Map<number, Session>,
    after: Session[],
  ): Promise<{ began: number[]; news: [number, SessionChange][] }> {
    const moved = after.filter((session) => session !== before.get(session.id))
    await table.saveSessions(tx, moved)
    const news = moved.flatMap((session): [number, SessionChange][] => {
      const change = changeBetween(before.get(session.id)!, session)
      return change ? [[session.id, change]] : []
    })
    const began: number[] = []
    for (const session of moved) {
      const next = life.hasEnded(session) && !life.hasEnded(before.get(session.id)!) ? await followers.begin(tx, session) : undefined
      if (next) began.push(next.id)
    }
    return { began, news: [...news, ...began.map((id): [number, SessionChange] => [id, 'opened'])] }
  }

  function publish(news: [number, SessionChange][]): void {
    for (const [id, what] of news) bus.publish('session.changed', { id, what })
  }

  /** What the screens are told of a session; undefined when it stood still before and still does. */
  function usageOf(session: Session, at: number): UsageReading | undefined {
    const used = session.dataUsed + session.slowUsed
    const before = last.get(session.id)
    const seconds = before ? Math.max(0.2, (at - before.at) / 1000) : Infinity
    const upBps = before ? Math.round(((session.uploaded - before.uploaded) * 8) / seconds) : 0
    const downBps = before ? Math.max(0, Math.round(((used - before.used) * 8) / seconds) - upBps) : 0
    last.set(session.id, { at, used, counted: used - session.elsewhere, uploaded: session.uploaded, downBps, upBps })
    const stoodStill = before?.used === used && before.downBps === 0 && before.upBps === 0
    if (stoodStill) return undefined
    const { id, dataUsed, slowUsed, uploaded, tunnelled } = session
    return { id, used: dataUsed, slowUsed, uploaded, viaConnect: tunnelled, downBps, upBps }
  }

  /** True when a reading says nothing that is not in the ledger already. */
  function isStill({ session, usedBytes, depleted }: Reading): boolean {
    const known = last.get(session)
    return known?.counted === usedBytes && known.downBps === 0 && known.upBps === 0 && !depleted
  }

  async function publishUsage(sessions: Session[], at: number): Promise<void> {
    const readings = sessions.flatMap((session) => usageOf(session, at) ?? [])
    for (const session of sessions) if (life.hasEnded(session)) last.delete(session.id)
    const speeds = [...last.values()]
    const { sessions: online } = await table.countOnline(store.db)
    bus.publish('sessions.usage', {
      at,
      downBps: speeds.reduce((sum, speed) => sum + speed.downBps, 0),
      upBps: speeds.reduce((sum, speed) => sum + speed.upBps, 0),
      online,
      readings,
    })
  }

  return {
    /** The grants that follow from the live sessions, all or of these numbers. */
    async grants(ids?: number[]): Promise<Grant[]> {
      const sessions = await table.findLive(store.db, ids)
      const living = sessions.map((session) => session.id)
      const devices = Map.groupBy(await table.devicesOf(store.db, living), (device) => device.sessionId)
      const profiles = Map.groupBy(await connect.addressesOf(living), (profile) => profile.sessionId)
      const leased = await leases.addresses()
      const at = now()
      return sessions.flatMap((session) => {
        const present = (devices.get(session.id) ?? []).filter((device) => device.pausedAt === null)
        const ways = {
          devices: present.flatMap((device) => leased(device.mac).map(({ mac, ip }) => ({ mac, ip }))),
          peers: (profiles.get(session.id) ?? []).map((profile) => profile.address),
        }
        const grant = life.grantOf(session, ways, at)
        return grant ? [grant] : []
      })
    },

    /** Which of these devices are in a session that goes on. */
    inSession: (macs: string[]): Promise<Set<string>> => table.findInSession(store.db, macs),

    /** Devices of these sessions, on the network or not. */
    async devicesOf(ids: number[]): Promise<string[]> {
      return (await table.devicesOf(store.db, ids)).map((device) => device.mac)
    },

    /**
     * Brings readings of the kernel into the ledger and moves the sessions on.
     * @returns sessions that began because one of these ended: enforce them
     */
    async settle(all: Reading[]): Promise<number[]> {
      const at = now()
      const readings = all.filter((reading) => !isStill(reading))
      if (readings.length === 0) {
        if (all.length !== 1) await publishUsage([], at)
        return []
      }
      const { began, news, after, firstUse } = await store.transaction(async (tx) => {
        const sessions = await table.findSessions(
          tx,
          readings.map((reading) => reading.session),
        )
        const before = new Map(sessions.map((session) => [session.id, session]))
        const after = readings.flatMap((reading) => {
          const session = before.get(reading.session)
          return session ? [life.atTime(life.afterReading(session, reading, at), at)] : []
        })
        const saved = await save(tx, before, after)
        const moved = after.filter((session) => grown(before.get(session.id)!, session) > 0)
        await ledger.addUsage(
          tx,
          moved.map((session) => ({
            sessionId: session.id,
            hour: Math.floor(at / HOUR) * HOUR,
            bytes: grown(before.get(session.id)!, session),
            uploaded: session.uploaded - before.get(session.id)!.uploaded,
          })),
        )
        const sum = (of: (session: Session) => number) => moved.reduce((total, session) => total + of(session), 0)
        if (moved.length > 0) {
          await ledger.addTraffic(tx, {
            minute: Math.floor(at / MINUTE) * MINUTE,
            bytes: sum((session) => grown(before.get(session.id)!, session)),
            uploaded: sum((session) => session.uploaded - before.get(session.id)!.uploaded),
            online: moved.length,
          })
        }
        const used = moved.map(({ id, dataUsed, slowUsed }) => ({ id, bytes: dataUsed + slowUsed }))
        return { ...saved, after, firstUse: await payments.markUsed(tx, used) }
      })
      publish(news)
      for (const id of firstUse) payments.tell({ id })
      await publishUsage(after, at)
      return began
    },

    /**
     * Moves on the sessions whose time has come.
     * @returns sessions that ended or began: enforce them
     */
    async tick(): Promise<number[]> {
      const at = now()
      const due = await table.findDue(store.db, at, at - life.IDLE_MS)
      if (due.length === 0) return []
      const { began, news } = await store.transaction(async (tx) => {
        const sessions = await table.findSessions(
          tx,
          due.map((session) => session.id),
        )
        const before = new Map(sessions.map((session) => [session.id, session]))
        return save(
          tx,
          before,
          sessions.map((session) => life.atTime(session, at)),
        )
      })
      publish(news)
      return [...news.filter(([, what]) => what === 'ended').map(([id]) => id), ...began]
    },

    /** Drops the chart points that nobody looks at any more. */
    tidy: () => store.transaction((tx) => ledger.dropTraffic(tx, now() - KEEP_TRAFFIC_MS)),
  }
}

function grown(before: Session, after: Session): number {
  return after.dataUsed + after.slowUsed - before.dataUsed - before.slowUsed
}

function changeBetween(before: Session, after: Session): SessionChange | undefined {
  if (after.status === 'expired' && before.status !== 'expired') return 'ended'
  if (life.isSlow(after) && !life.isSlow(before)) return 'slowed'
  if (after.status === 'disconnected' && before.status !== 'disconnected') return 'disconnected'
  if (after.status === 'connected' && before.status !== 'connected') return 'connected'
  return undefined
}
