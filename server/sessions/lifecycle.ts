import type { Package } from '../packages/schema.ts'
import type { Grant, LanDevice, Reading } from '../gateway/grant.ts'
import { MINUTE, SECOND } from '../units.ts'
import type { EndReason, PaymentMethod, SessionStatus } from './schema.ts'

/** A connected session that used nothing for so long is shown as disconnected; it keeps its grant and goes on by itself. */
export const IDLE_MS = 5 * MINUTE

/** A session as the product knows it. Times UTC ms, sizes bytes, speeds bit/s. */
export type Session = {
  id: number
  userPhone: string | null
  hotspotId: string
  hotspotName: string
  packageId: number
  packageName: string
  paymentMethod: PaymentMethod
  paymentReference: string
  resumeCode: string
  status: SessionStatus
  endReason: EndReason | null
  /** null until activated, as is expiresAt. */
  startTime: number | null
  expiresAt: number | null
  activateBy: number
  lastConnected: number | null
  disconnectedAt: number | null
  endedAt: number | null
  /** null: unlimited. */
  dataLimit: number | null
  /** Never falls, never passes dataLimit. */
  dataUsed: number
  /** Used at the slow speed after the data; dataUsed + slowUsed is what the kernel counted. */
  slowUsed: number
  uploaded: number
  /** Of dataUsed and slowUsed, what went through the tunnel. */
  tunnelled: number
  /** Of dataUsed, what another router reported: this kernel did not count it. */
  elsewhere: number
  /** How often it went on after a break. */
  reconnections: number
  durationMs: number
  downBps: number | null
  upBps: number | null
  maxDevices: number
  afterData: 'stop' | 'slow'
  slowBps: number | null
  /** The live session after which this one begins by itself. */
  follows: number | null
  createdAt: number
  updatedAt: number
}

/** What a package promises, as it stands on the day of the sale. */
export type Terms = Pick<
  Session,
  'packageId' | 'packageName' | 'dataLimit' | 'durationMs' | 'downBps' | 'upBps' | 'maxDevices' | 'afterData' | 'slowBps'
>

/** What is sold with a package today; later changes of the package do not touch it. */
export function termsOf(sold: Package): Terms {
  return {
    packageId: sold.id,
    packageName: sold.name,
    dataLimit: sold.dataLimit,
    durationMs: sold.durationSeconds * SECOND,
    downBps: sold.downBps,
    upBps: sold.upBps,
    maxDevices: sold.maxDevices,
    afterData: sold.afterData,
    slowBps: sold.slowBps,
  }
}

/** Over for good; what happened is in endReason. */
export function hasEnded(session: Session): boolean {
  return session.status === 'expired'
}

/** Its clock runs and it may use the network. */
export function isLive(session: Session, now: number): boolean {
  return !hasEnded(session) && session.expiresAt !== null && session.expiresAt > now
}

/** The data is used up and the session goes on at the slow speed. */
export function isSlow(session: Session): boolean {
  return session.afterData === 'slow' && session.dataLimit !== null && session.dataUsed >= session.dataLimit
}

/** Starts the clock of a paid session. An active one stays as it is. */
export function activate(session: Session, now: number): Session {
  if (session.status !== 'ready') return session
  return { ...session, status: 'active', startTime: now, expiresAt: now + session.durationMs, follows: null, updatedAt: now }
}

/**
 * What a session becomes after the kernel said what it has used in all.
 * Bytes count for an ended session too (its last reading comes after the end), but never wake it.
 */
export function afterReading(
  session: Session,
  reading: Pick<Reading, 'usedBytes' | 'uploadedBytes' | 'tunnelledBytes'>,
  now: number,
): Session {
  const grown = Math.max(0, reading.usedBytes + session.elsewhere - session.dataUsed - session.slowUsed)
  if (grown === 0) return session
  const room = session.dataLimit === null ? Infinity : session.dataLimit - session.dataUsed
  const charged = Math.min(grown, room)
  const slow = session.afterData === 'slow' ? grown - charged : 0
  const all = session.dataUsed + charged + session.slowUsed + slow
  const used: Session = {
    ...session,
    dataUsed: session.dataUsed + charged,
    slowUsed: session.slowUsed + slow,
    uploaded: Math.max(session.uploaded, Math.min(reading.uploadedBytes, all)),
    tunnelled: Math.max(session.tunnelled, Math.min(reading.tunnelledBytes, all)),
    updatedAt: now,
  }
  return inUse(used, now)
}

/**
 * What a session becomes after another router said what it has used in all, this box included. Only upwards; the kernel
 * is left with what remains.
 * @param totalBytes dataUsed as the router knows it
 */
export function afterReport(session: Session, totalBytes: number, now: number): Session {
  if (hasEnded(session) || session.status === 'ready') return session
  const room = session.dataLimit === null ? Infinity : session.dataLimit - session.dataUsed
  // At the slow speed nothing is charged: what was reported of that time is no data of a later top-up.
  const more = Math.min(room, Math.max(0, totalBytes - session.dataUsed - session.slowUsed))
  if (more === 0) return session
  return inUse({ ...session, dataUsed: session.dataUsed + more, elsewhere: session.elsewhere + more, updatedAt: now }, now)
}

/** It was used just now: by its last byte it ends, or it is connected. */
function inUse(used: Session, now: number): Session {
  if (hasEnded(used)) return used
  if (used.dataLimit !== null && used.dataUsed >= used.dataLimit && !isSlow(used)) return end(used, 'data', now)
  return { ...used, status: 'connected', lastConnected: now, reconnections: used.reconnections + (used.status === 'disconnected' ? 1 : 0) }
}

/** What a session becomes as time passes. */
export function atTime(session: Session, now: number): Session {
  if (hasEnded(session)) return session
  if (session.status === 'ready') return now >= session.activateBy && session.follows === null ? end(session, 'time', now) : session
  if (now >= session.expiresAt!) return end(session, 'time', now)
  if (session.status === 'connected' && now - (session.lastConnected ?? now) >= IDLE_MS) return disconnect(session, now)
  return session
}

/** Ends a session; one that has ended already keeps its reason. */
export function end(session: Session, reason: EndReason, now: number): Session {
  if (hasEnded(session)) return session
  return { ...session, status: 'expired', endReason: reason, endedAt: now, disconnectedAt: session.disconnectedAt ?? now, updatedAt: now }
}

/** Nobody uses it at the moment; its clock runs on. */
export function disconnect(session: Session, now: number): Session {
  if (hasEnded(session) || session.status === 'ready') return session
  return { ...session, status: 'disconnected', disconnectedAt: now, updatedAt: now }
}

/** A device is there again, but has used nothing yet. */
export function resume(session: Session, now: number): Session {
  const begun = activate(session, now)
  return begun.status === 'disconnected' ? { ...begun, status: 'active', reconnections: begun.reconnections + 1, updatedAt: now } : begun
}

/**
 * True when new terms can be added to a session: both count data, or both are unlimited. Mixed kinds would make
 * unlimited time out of a small package, or swallow paid data; such a purchase waits for its turn instead.
 */
export function canTopUp(session: Session, terms: Terms): boolean {
  return !hasEnded(session) && (session.dataLimit === null) === (terms.dataLimit === null)
}

/** Adds data and time of another purchase, live; speed and number of devices become the better of both. */
export function topUp(session: Session, terms: Terms, now: number): Session {
  return {
    ...session,
    packageId: terms.packageId,
    packageName: terms.packageName,
    dataLimit: session.dataLimit === null || terms.dataLimit === null ? null : session.dataLimit + terms.dataLimit,
    durationMs: session.durationMs + terms.durationMs,
    expiresAt: session.expiresAt === null ? null : session.expiresAt + terms.durationMs,
    downBps: faster(session.downBps, terms.downBps),
    upBps: faster(session.upBps, terms.upBps),
    maxDevices: Math.max(session.maxDevices, terms.maxDevices),
    afterData: terms.afterData,
    slowBps: terms.slowBps,
    updatedAt: now,
  }
}

/**
 * Takes back what a purchase added, since its money was given back: as much of data and time as was not used. A session
 * that has nothing left by that ends.
 */
export function takeBack(session: Session, terms: Pick<Terms, 'dataLimit' | 'durationMs'>, now: number): Session {
  if (hasEnded(session)) return session
  const dataLimit =
    session.dataLimit === null || terms.dataLimit === null
      ? session.dataLimit
      : Math.max(session.dataUsed, session.dataLimit - terms.dataLimit)
  const expiresAt = session.expiresAt === null ? null : Math.max(now, session.expiresAt - terms.durationMs)
  const durationMs = Math.max(0, session.durationMs - terms.durationMs)
  const spent = dataLimit !== null && dataLimit <= session.dataUsed && session.afterData === 'stop'
  const nothingLeft = expiresAt === now || spent
  const less = { ...session, dataLimit, expiresAt, durationMs, updatedAt: now }
  return nothingLeft ? end(less, 'refunded', now) : less
}

/** Adds time or data as a gift of the staff. @throws RangeError for an ended session */
export function extend(session: Session, more: { ms: number; bytes: number }, now: number): Session {
  if (hasEnded(session)) throw new RangeError('an ended session cannot be extended')
  return {
    ...session,
    durationMs: session.durationMs + more.ms,
    expiresAt: session.expiresAt === null ? null : session.expiresAt + more.ms,
    dataLimit: session.dataLimit === null ? null : session.dataLimit + more.bytes,
    updatedAt: now,
  }
}

/** What a session may do on the network now; undefined is nothing. */
export function grantOf(session: Session, { devices, peers }: { devices: LanDevice[]; peers: string[] }, now: number): Grant | undefined {
  if (!isLive(session, now) || session.status === 'ready' || devices.length + peers.length === 0) return undefined
  const slow = isSlow(session)
  const spent = session.dataLimit !== null && session.dataUsed >= session.dataLimit
  if (spent && !slow) return undefined
  return {
    session: session.id,
    limitBytes: slow || session.dataLimit === null ? null : session.dataLimit + session.slowUsed - session.elsewhere,
    usedBytes: session.dataUsed + session.slowUsed - session.elsewhere,
    uploadedBytes: session.uploaded,
    tunnelledBytes: session.tunnelled,
    until: session.expiresAt!,
    downBps: slow ? session.slowBps : session.downBps,
    upBps: slow ? session.slowBps : session.upBps,
    devices,
    peers,
  }
}

function faster(one: number | null, other: number | null): number | null {
  return one === null || other === null ? null : Math.max(one, other)
}
