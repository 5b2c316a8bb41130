import { iso, type Now } from '../clock.ts'
import { Refusal } from '../errors.ts'
import type { Payment, Payments } from '../payments/payments.ts'
import { MB, MINUTE } from '../units.ts'
import type { Asker } from './buying.ts'
import * as life from './lifecycle.ts'
import type { Session } from './lifecycle.ts'
import type { Sessions } from './sessions.ts'
import type { Till } from './till.ts'
import type { UserSession, UserSessionInput } from './users-schema.ts'

type Needs = {
  now: Now
  sessions: Sessions
  till: Till
  payments: Payments
  /** Has the worker look at these payments now. */
  hurry: (payments: number[]) => void
}

export type Users = ReturnType<typeof createUsers>

/** The session API of the mission's WiFi sessions document: the same sessions, in its names and units. */
export function createUsers({ now, sessions, till, payments, hurry }: Needs) {
  /** The payment behind a reference, paid. A reference of somebody else is as unknown as one that was never made. */
  async function mustBePaid(reference: string, phone: string): Promise<Payment & { sessionId: number }> {
    const found = (await payments.findByReference(reference.toLowerCase())) ?? (await payments.findByProviderReference(reference))
    if (!found || found.userPhone !== phone)
      throw new Refusal('payment-unknown', 'No payment of this number has this reference. Ask for a payment first: POST /api/payments.')
    if (found.sessionId !== null) return { ...found, sessionId: found.sessionId }
    hurry([found.id])
    if (found.status === 'failed')
      throw new Refusal('payment-failed', 'This payment was not made, so there is no session. Ask for a new one.')
    throw new Refusal('payment-pending', 'This payment is not confirmed yet. Its session opens by itself as soon as it is; ask again then.')
  }

  async function mustBeOf(phone: string, id: number): Promise<Session> {
    const session = await sessions.find(id)
    if (!session || session.userPhone !== phone) throw new Refusal('not-found', 'This number has no such session.')
    return session
  }

  return {
    /** The session that goes on at a hotspot. */
    async status(phone: string, hotspotId: string) {
      const found = await sessions.living(phone, hotspotId)
      if (!found) return { hasActiveSession: false, session: null }
      const { id, packageName, timeRemaining, dataRemaining, startTime, expiresAt } = documentOf(found, now())
      return { hasActiveSession: true, session: { id, packageName, timeRemaining, dataRemaining, startTime, expiresAt } }
    },

    /**
     * Opens what a payment, voucher or points paid for, or resumes what goes on already.
     * @throws Refusal `payment-unknown`, `payment-pending`, `payment-failed`, or what vouchers and points refuse with
     */
    async open(phone: string, input: UserSessionInput, asker: Asker): Promise<{ resumed: boolean; session: UserSession }> {
      const customer: Asker = { ...asker, phone }
      const coordinates =
        input.latitude === undefined || input.longitude === undefined ? undefined : { latitude: input.latitude, longitude: input.longitude }
      const wish = { hotspotId: input.hotspotId, coordinates, topUp: input.topUp }
      if (input.paymentMethod === 'Mobile Money') {
        const payment = await mustBePaid(input.paymentReference, phone)
        if (input.packageId !== undefined && input.packageId !== payment.packageId)
          throw new Refusal('conflict', `This payment was for package_${payment.packageId}.`)
        return answer(true, await till.goOn(payment.sessionId, customer))
      }
      if (input.paymentMethod === 'voucher') {
        const { session, outcome } = await till.redeemVoucher(input.paymentReference, wish, customer)
        return answer(outcome === 'resumed', session)
      }
      if (input.packageId === undefined) throw new Refusal('bad-input', 'Say which package the points are for: packageId.')
      const { session, outcome } = await till.redeemPoints({ ...wish, packageId: input.packageId, key: input.paymentReference }, customer)
      return answer(outcome === 'resumed', session)
    },

    /** Usage that another router counted: only upwards; passing the limit ends the session everywhere. */
    async report(phone: string, id: number, dataUsed: number): Promise<{ session: UserSession }> {
      await mustBeOf(phone, id)
      return { session: documentOf(await sessions.report(id, dataUsed), now()) }
    },

    /** Takes every device of a session off the network; the session stays. */
    async disconnect(phone: string, id: number): Promise<{ session: UserSession }> {
      await mustBeOf(phone, id)
      return { session: documentOf(await sessions.disconnectAll(id), now()) }
    },
  }

  function answer(resumed: boolean, session: Session) {
    return { resumed, session: documentOf(session, now()) }
  }
}

/** A session in the words of the mission: paid and not begun is `active` there. */
export function documentOf(session: Session, now: number): UserSession {
  const leftMs = life.hasEnded(session) ? 0 : session.expiresAt === null ? session.durationMs : Math.max(0, session.expiresAt - now)
  return {
    id: `session_${session.id}`,
    userPhone: session.userPhone ?? '',
    hotspotId: session.hotspotId,
    hotspotName: session.hotspotName,
    packageId: `package_${session.packageId}`,
    packageName: session.packageName,
    paymentMethod: session.paymentMethod,
    paymentReference: session.paymentReference,
    startTime: iso(session.startTime),
    expiresAt: iso(session.expiresAt),
    lastConnected: iso(session.lastConnected),
    status: session.status === 'ready' ? 'active' : session.status,
    dataUsed: session.dataUsed,
    timeRemaining: Math.ceil(leftMs / MINUTE),
    dataRemaining: session.dataLimit === null ? null : Math.round(((session.dataLimit - session.dataUsed) / MB) * 100) / 100,
    createdAt: iso(session.createdAt),
    updatedAt: iso(session.updatedAt),
    disconnectedAt: iso(session.disconnectedAt),
  }
}
