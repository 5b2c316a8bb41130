import type { Connect } from '../connect/connect.ts'
import type { Bus, SessionChange } from '../events.ts'
import type { Now } from '../clock.ts'
import { Refusal } from '../errors.ts'
import type { Packages } from '../packages/packages.ts'
import type { Package } from '../packages/schema.ts'
import type { Settings as Choices } from '../settings/schema.ts'
import type { Settings } from '../settings/settings.ts'
import type { Store, Tx } from '../store/store.ts'
import { DAY, SECOND } from '../units.ts'
import { makeCode, normaliseCode } from '../vouchers/codes.ts'
import type { Vouchers } from '../vouchers/vouchers.ts'
import { attach, type AskingDevice } from './devices.ts'
import { sessionEnded } from './ended.ts'
import * as ledger from './ledger-table.ts'
import * as life from './lifecycle.ts'
import type { Session, Terms } from './lifecycle.ts'
import { checkLimit } from './limits.ts'
import type { EndReason, PaymentMethod, SessionFilter } from './schema.ts'
import * as table from './table.ts'

type Needs = {
  store: Store
  now: Now
  bus: Bus
  packages: Packages
  vouchers: Vouchers
  connect: Connect
  settings: Settings
  /** Makes the gateway agree with these sessions, and answers when it does; see gateway/. */
  enforce: (sessions: number[]) => Promise<void>
}

export type Sessions = ReturnType<typeof createSessions>

export type Purchase = { packageId: number; method: PaymentMethod; reference: string; phone: string | null }
export type Outcome = 'opened' | 'topped-up' | 'waiting'

/** Who asks: the device on the Wi-Fi or the Connect profile through which it comes, and the session that the browser's cookie names. */
export type Asker = { device: AskingDevice | null; profile: { id: number; sessionId: number } | null; sessionId: number | null }

/**
 * The heart: what customers and staff do to sessions. Every change is committed first and enforced after;
 * should the gateway not answer, the next poll brings it about.
 */
export function createSessions({ store, now, bus, packages, vouchers, connect, settings, enforce }: Needs) {
  async function tell(what: SessionChange, session: Session, others: number[] = []): Promise<void> {
    await enforce([session.id, ...others])
    bus.publish('session.changed', { id: session.id, what })
    for (const id of others) bus.publish('session.changed', { id, what: 'devices' })
  }

  /** Lets a paid package do its work, and writes down that it was bought. */
  async function buy(tx: Tx, purchase: Purchase, asker: Asker, choices: Choices) {
    const sold = await packages.find(tx, purchase.packageId)
    if (!sold) throw new Refusal('not-found', 'This package does not exist any more. Please ask the staff.')
    if (sold.customerLimit) await checkCustomer(tx, sold, purchase.phone, asker.device)
    const bought = await openOrTopUp(tx, sold, purchase, asker, choices)
    await table.insertPurchase(tx, {
      sessionId: bought.session.id,
      packageId: sold.id,
      paymentMethod: purchase.method,
      paymentReference: purchase.reference,
      priceMinor: sold.priceMinor,
      currency: sold.currency,
      dataLimit: sold.dataLimit,
      userPhone: purchase.phone,
      mac: asker.device?.mac ?? null,
      at: now(),
    })
    return bought
  }

  async function openOrTopUp(tx: Tx, sold: Package, purchase: Purchase, asker: Asker, choices: Choices) {
    const terms = life.termsOf(sold)
    const current = await liveSessionOf(tx, asker)
    if (current && life.canTopUp(current, terms)) {
      const session = life.topUp(current, terms, now())
      await table.saveSessions(tx, [session])
      const others = asker.device ? await attachTo(tx, session, asker.device, choices) : []
      return { session, others, outcome: 'topped-up' as Outcome }
    }
    const paid = await insertPaid(tx, terms, sold.activateWithinSeconds * SECOND, purchase, current?.id ?? null, choices)
    if (current) return { session: paid, others: [current.id], outcome: 'waiting' as Outcome }
    if (!asker.device && !asker.profile) return { session: paid, others: [], outcome: 'opened' as Outcome }
    const session = life.activate(paid, now())
    await table.saveSessions(tx, [session])
    await takeProfilesAlong(tx, session, asker)
    const others = asker.device ? await attachTo(tx, session, asker.device, choices) : []
    return { session, others, outcome: 'opened' as Outcome }
  }

  async function checkCustomer(tx: Tx, sold: Package, phone: string | null, device: AskingDevice | null) {
    if (!phone && !device)
      throw new Refusal(
        'not-on-wifi',
        "Connect to the venue's Wi-Fi first, or give your phone number: this package is limited per customer.",
      )
    const { group, days } = sold.customerLimit!
    const ids = group === null ? [sold.id] : await packages.idsOfGroup(tx, group)
    checkLimit(sold, await table.findBought(tx, { phone, mac: device?.mac ?? null }, ids, now() - days * DAY), now())
  }

  async function insertPaid(
    tx: Tx,
    terms: Terms,
    activateWithinMs: number,
    purchase: Purchase,
    follows: number | null,
    choices: Choices,
  ): Promise<Session> {
    const at = now()
    return table.insertSession(tx, {
      ...terms,
      userPhone: purchase.phone,
      hotspotId: choices.hotspotId || null,
      hotspotName: choices.venueName,
      paymentMethod: purchase.method,
      paymentReference: purchase.reference,
      resumeCode: makeCode('letters').slice(0, 8),
      status: 'ready',
      endReason: null,
      startTime: null,
      expiresAt: null,
      activateBy: at + activateWithinMs,
      lastConnected: null,
      disconnectedAt: null,
      endedAt: null,
      dataUsed: 0,
      slowUsed: 0,
      uploaded: 0,
      tunnelled: 0,
      follows,
      createdAt: at,
      updatedAt: at,
    })
  }

  function attachTo(tx: Tx, session: Session, device: AskingDevice, choices: Choices): Promise<number[]> {
    return attach(tx, session, device, { maxDevices: session.maxDevices, whenFull: choices.whenDevicesFull, now: now() })
  }

  /** The session that a further purchase of this asker would top up. */
  async function liveSessionOf(tx: Tx, { device, profile, sessionId }: Asker): Promise<Session | undefined> {
    const attached = device ? await table.findAttached(tx, device.mac) : profile
    const id = attached?.sessionId ?? (device ? null : sessionId)
    const session = id === null ? undefined : await table.findSession(tx, id)
    return session && life.isLive(session, now()) ? session : undefined
  }

  /**
   * Whoever renews an ended session goes on with its profiles, so that nothing must be set up anew on a device that is
   * far away: the one through which they ask, or all if nobody else was in that session, whose they might be.
   */
  async function takeProfilesAlong(tx: Tx, session: Session, { device, profile }: Asker): Promise<void> {
    if (profile) return connect.bring(tx, profile.id, session)
    const before = device ? await table.findByMac(tx, device.mac) : undefined
    if (!before || !life.hasEnded(life.atTime(before, now()))) return
    const others = (await table.devicesOf(tx, [before.id])).filter((one) => one.mac !== device!.mac)
    if (others.length === 0) await connect.follow(tx, before.id, session)
  }

  async function mustFind(tx: Tx, id: number): Promise<Session> {
    const session = await table.findSession(tx, id)
    if (!session) throw new Refusal('not-found', 'There is no such session.')
    return session
  }

  return {
    /** Redeems a voucher: opens a session, tops up the live one, or keeps it waiting for that one's end. */
    async redeem(code: string, phone: string | null, asker: Asker): Promise<{ session: Session; outcome: Outcome }> {
      const choices = await settings.get()
      const { session, others, outcome } = await store.transaction(async (tx) => {
        const claim = await vouchers.claim(tx, code)
        const reference = `…${claim.last4}`
        const bought = await buy(tx, { packageId: claim.packageId, method: 'voucher', reference, phone }, asker, choices)
        await vouchers.bind(tx, claim.voucherId, bought.session.id)
        return bought
      })
      await tell(outcome === 'topped-up' ? 'topped-up' : 'opened', session, others)
      bus.publish('catalogue.changed', { what: 'vouchers' })
      return { session, outcome }
    },

    /** Continues a session on this device or profile, by its resume code: a new phone, a changed address, or a waiting session. */
    async resume(code: string, { device, profile }: Asker): Promise<Session> {
      if (!device && !profile) throw new Refusal('not-on-wifi', "Connect to the venue's Wi-Fi first, then enter the code again.")
      const choices = await settings.get()
      const { session, others } = await store.transaction(async (tx) => {
        const found = await table.findByResumeCode(tx, normaliseCode(code))
        if (!found) throw new Refusal('no-session', 'No session has this code. Look at it again, or ask the staff.')
        const session = life.resume(life.atTime(found, now()), now())
        if (life.hasEnded(session)) throw sessionEnded(session)
        await table.saveSessions(tx, [session])
        if (device) return { session, others: await attachTo(tx, session, device, choices) }
        await connect.bring(tx, profile!.id, session)
        return { session, others: [profile!.sessionId] }
      })
      await tell('resumed', session, others)
      return session
    },

    /** Takes this device off the network; the session stays, and goes on by its resume code. */
    async disconnect(sessionId: number, mac: string): Promise<Session> {
      const session = await store.transaction(async (tx) => {
        const found = await mustFind(tx, sessionId)
        if (life.hasEnded(found)) throw sessionEnded(found)
        const devices = await table.devicesOf(tx, [sessionId])
        const device = devices.find((one) => one.mac === mac)
        if (!device) throw new Refusal('not-found', 'This device is not in the session.')
        await table.updateDevice(tx, device.id, { pausedAt: now() })
        const othersOn = devices.some((one) => one.id !== device.id && one.pausedAt === null)
        const session = othersOn ? found : life.disconnect(found, now())
        await table.saveSessions(tx, [session])
        return session
      })
      await tell('disconnected', session)
      return session
    },

    /** Removes a device from a session. */
    async removeDevice(sessionId: number, deviceId: number): Promise<Session> {
      const session = await store.transaction(async (tx) => {
        const device = (await table.devicesOf(tx, [sessionId])).find((one) => one.id === deviceId)
        if (!device) throw new Refusal('not-found', 'This device is not in your session.')
        await table.updateDevice(tx, device.id, { detachedAt: now() })
        return mustFind(tx, sessionId)
      })
      await tell('devices', session)
      return session
    },

    /** Ends a session by hand. Ending it again changes nothing. */
    async end(id: number, reason: EndReason): Promise<Session> {
      const session = await store.transaction(async (tx) => {
        const found = await mustFind(tx, id)
        if (life.hasEnded(found)) throw sessionEnded(found)
        const ended = life.end(found, reason, now())
        // What waits for this session stays ready, with its code: nobody may be on the Wi-Fi to begin it now.
        await table.saveSessions(tx, [ended])
        return ended
      })
      await tell('ended', session)
      return session
    },

    /** Adds time or data to a living session. */
    async extend(id: number, more: { ms: number; bytes: number }): Promise<Session> {
      const session = await store.transaction(async (tx) => {
        const found = life.atTime(await mustFind(tx, id), now())
        if (life.hasEnded(found)) throw sessionEnded(found)
        if (more.bytes > 0 && found.dataLimit === null)
          throw new Refusal('conflict', 'This session has unlimited data already. Add time instead.')
        const extended = life.extend(found, more, now())
        await table.saveSessions(tx, [extended])
        return extended
      })
      await tell('extended', session)
      return session
    },

    find: (id: number) => table.findSession(store.db, id),
    /** The session to which a device belongs, or belonged last. */
    ofDevice: (mac: string) => table.findByMac(store.db, mac),
    devicesOf: (ids: number[]) => table.devicesOf(store.db, ids),
    waitingFor: (id: number) => table.findFollowers(store.db, id),
    page: (filter: SessionFilter) => table.pageOfSessions(store.db, filter),
    online: () => table.countOnline(store.db),
    tallySince: (sinceMs: number, currency: string) => table.tallySince(store.db, sinceMs, currency),
    traffic: (sinceMs: number, stepMs: number) => ledger.trafficSince(store.db, sinceMs, stepMs),
  }
}
