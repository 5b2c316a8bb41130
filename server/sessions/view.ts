import { iso } from '../clock.ts'
import { hasEnded, isSlow, type Session } from './lifecycle.ts'
import type { SessionView } from './schema.ts'
import type { Device } from './table.ts'

/** Speeds of the last poll, bit/s. */
export type Speed = { downBps: number; upBps: number }

/** A resume code as people read and type it. */
export function formatResumeCode(code: string): string {
  return `${code.slice(0, 4)}-${code.slice(4)}`
}

/** Shapes a session for the outside. @param mac of the device that asks */
export function viewOf(
  session: Session,
  around: { devices: Device[]; waiting: Session[]; speed: Speed | undefined; mac: string | null; now: number },
): SessionView {
  const ended = hasEnded(session)
  return {
    id: session.id,
    status: session.status,
    endReason: session.endReason,
    userPhone: session.userPhone,
    hotspotId: session.hotspotId,
    hotspotName: session.hotspotName,
    packageId: session.packageId,
    packageName: session.packageName,
    paymentMethod: session.paymentMethod,
    paymentReference: session.paymentReference,
    startTime: iso(session.startTime),
    expiresAt: iso(session.expiresAt),
    activateBy: iso(session.activateBy),
    lastConnected: iso(session.lastConnected),
    disconnectedAt: iso(session.disconnectedAt),
    endedAt: iso(session.endedAt),
    dataLimit: session.dataLimit,
    dataUsed: session.dataUsed,
    dataRemaining: session.dataLimit === null ? null : session.dataLimit - session.dataUsed,
    uploaded: session.uploaded,
    slowUsed: session.slowUsed,
    slow: !ended && isSlow(session),
    secondsRemaining: secondsRemaining(session, around.now),
    downBps: session.downBps,
    upBps: session.upBps,
    currentDownBps: ended ? 0 : (around.speed?.downBps ?? 0),
    currentUpBps: ended ? 0 : (around.speed?.upBps ?? 0),
    maxDevices: session.maxDevices,
    devices: around.devices.map((device) => ({
      id: device.id,
      mac: device.mac,
      name: device.name,
      current: device.mac === around.mac,
      paused: device.pausedAt !== null,
      lastSeen: iso(device.lastSeen),
    })),
    resumeCode: formatResumeCode(session.resumeCode),
    waiting: around.waiting.map((one) => ({ id: one.id, packageName: one.packageName, resumeCode: formatResumeCode(one.resumeCode) })),
    createdAt: iso(session.createdAt),
    updatedAt: iso(session.updatedAt),
  }
}

/** Whole seconds until the end, rounded up; null while the clock has not begun. */
export function secondsRemaining(session: Pick<Session, 'status' | 'expiresAt'>, now: number): number | null {
  if (session.status === 'expired') return 0
  return session.expiresAt === null ? null : Math.max(0, Math.ceil((session.expiresAt - now) / 1000))
}
