import { iso } from '../clock.ts'
import type { Asker } from './buying.ts'
import type { ProfileView } from '../connect/schema.ts'
import { hasEnded, isSlow, type Session } from './lifecycle.ts'
import type { SessionView } from './schema.ts'
import type { Device } from './table.ts'

/** Speeds of the last poll, bit/s. */
export type Speed = { downBps: number; upBps: number }

/** A resume code as people read and type it. */
export function formatResumeCode(code: string): string {
  return `${code.slice(0, 4)}-${code.slice(4)}`
}

/** Who looks: the MAC of the device on the Wi-Fi, or the profile through which it comes, and the number that is signed in. */
export type Viewer = { mac: string | null; profileId: number | null; phone: string | null; isStaff: boolean }

export const staffViewer: Viewer = { mac: null, profileId: null, phone: null, isStaff: true }

/** Which device or profile of a session is the asker's own. */
export function viewerOf({ device, profile, phone }: Asker): Viewer {
  return { mac: device?.mac ?? null, profileId: profile?.id ?? null, phone, isStaff: false }
}

/** Shapes a session for the outside, for nobody in particular: see `seenBy`. */
export function viewOf(
  session: Session,
  around: { devices: Device[]; profiles: ProfileView[]; waiting: Session[]; speed: Speed | undefined; now: number },
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
    viaConnect: session.tunnelled,
    reconnections: session.reconnections,
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
      current: false,
      paused: device.pausedAt !== null,
      lastSeen: iso(device.lastSeen),
    })),
    profiles: around.profiles,
    resumeCode: formatResumeCode(session.resumeCode),
    waiting: around.waiting.map((one) => ({ id: one.id, packageName: one.packageName, resumeCode: formatResumeCode(one.resumeCode) })),
    createdAt: iso(session.createdAt),
    updatedAt: iso(session.updatedAt),
  }
}

/** The same with the time that is left now, and the viewer's own device and profile marked. */
export function seenBy(view: SessionView, { mac, profileId, phone, isStaff }: Viewer, now: number): SessionView {
  const isOwn = isStaff || view.userPhone === null || view.userPhone === phone
  const expiresAt = view.expiresAt === null ? null : Date.parse(view.expiresAt)
  return {
    ...view,
    // Friends who share a session, and whoever has the phone next, need not know whose it is.
    ...(isOwn ? {} : { userPhone: null, paymentReference: '' }),
    secondsRemaining: secondsRemaining({ status: view.status, expiresAt }, now),
    devices: view.devices.map((device) => ({ ...device, current: device.mac === mac })),
    profiles: view.profiles.map((profile) => ({ ...profile, current: profile.id === profileId })),
  }
}

/** Whole seconds until the end, rounded up; null while the clock has not begun. */
function secondsRemaining(session: Pick<Session, 'status' | 'expiresAt'>, now: number): number | null {
  if (session.status === 'expired') return 0
  return session.expiresAt === null ? null : Math.max(0, Math.ceil((session.expiresAt - now) / 1000))
}
