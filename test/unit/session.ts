import type { Session, Terms } from '#server/sessions/lifecycle.ts'
import { DAY } from '#server/units.ts'

/** A session as it is when it was paid for at `at` (UTC ms) and has not begun; `over` says what is different. */
export function paidSession(terms: Terms, at: number, over: Partial<Session> = {}): Omit<Session, 'id'> {
  return {
    ...terms,
    userPhone: null,
    hotspotId: 'hotspot_1',
    hotspotName: 'V',
    paymentMethod: 'voucher',
    paymentReference: '…AAAA',
    resumeCode: 'AAAA2222',
    status: 'ready',
    endReason: null,
    startTime: null,
    expiresAt: null,
    activateBy: at + DAY,
    lastConnected: null,
    disconnectedAt: null,
    endedAt: null,
    dataUsed: 0,
    slowUsed: 0,
    uploaded: 0,
    tunnelled: 0,
    elsewhere: 0,
    reconnections: 0,
    follows: null,
    createdAt: at,
    updatedAt: at,
    ...over,
  }
}
