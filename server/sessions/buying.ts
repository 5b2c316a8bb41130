import type { Connect } from '../connect/connect.ts'
import type { Now } from '../clock.ts'
import { Refusal } from '../errors.ts'
import type { Hotspot } from '../hotspots/schema.ts'
import type { Loyalty } from '../loyalty/loyalty.ts'
import type { Packages } from '../packages/packages.ts'
import type { Package } from '../packages/schema.ts'
import type { Settings as Choices } from '../settings/schema.ts'
import type { Db, Tx } from '../store/store.ts'
import { DAY, SECOND } from '../units.ts'
import { makeCode } from '../vouchers/codes.ts'
import { attach, type AskingDevice } from './devices.ts'
import * as life from './lifecycle.ts'
import type { Session } from './lifecycle.ts'
import { checkLimit } from './limits.ts'
import * as purchases from './purchase-table.ts'
import type { PaymentMethod } from './schema.ts'
import * as table from './table.ts'

type Needs = { now: Now; packages: Packages; connect: Connect; loyalty: Loyalty }

/** Something that was paid for: by money, a voucher or points. */
export type Purchase = {
  packageId: number
  method: PaymentMethod
  reference: string
  /** The number of a customer who is known to have it; null for a voucher on its own. */
  customer: string | null
  /** A number that was only typed: it counts for limits. */
  typedPhone: string | null
  paymentId: number | null
  hotspot: Pick<Hotspot, 'hotspotId' | 'name' | 'here'>
  /** The money came after its buyer had given it up: somebody else may have the phone by now. */
  isLate?: boolean
  /** The session to be topped up, should it still live. */
  targetId?: number | null
}
export type Outcome = 'opened' | 'topped-up' | 'waiting'

/**
 * Who asks: the device on the Wi-Fi or the Connect profile through which it comes, the session that the browser's cookie
 * names, and the number that is signed in.
 */
export type Asker = {
  device: AskingDevice | null
  profile: { id: number; sessionId: number } | null
  sessionId: number | null
  phone: string | null
}

/** What a purchase did. `others`: sessions whose devices or profiles changed besides. */
export type Bought = { session: Session; others: number[]; outcome: Outcome; purchaseId: number; pointsEarned: number; usedBefore: number }

export type Buying = ReturnType<typeof createBuying>

/** Lets what was paid for do its work: opens a session, tops up the living one, or keeps it waiting for that one's end. */
export function createBuying({ now, packages, connect, loyalty }: Needs) {
  async function openOrTopUp(tx: Tx, sold: Package, purchase: Purchase, everyone: Asker, choices: Choices) {
    const asker = await present(tx, purchase, everyone)
    const terms = life.termsOf(sold)
    const current = await liveOf(tx, purchase, asker)
    if (current && life.canTopUp(current, terms)) {
      const more = life.topUp(current, terms, now())
      const session = isHere(purchase, asker) ? life.activate(more, now()) : more
      await table.saveSessions(tx, [session])
      return {
        session,
        others: await attachAsker(tx, session, asker, choices, false),
        outcome: 'topped-up' as const,
        usedBefore: usedOf(current),
      }
    }
    const begins = !current && isHere(purchase, asker)
    const session = await insertPaid(tx, terms, sold, purchase, { follows: current?.id ?? null, begins })
    if (current) return { session, others: [current.id], outcome: 'waiting' as const, usedBefore: 0 }
    if (!begins) return { session, others: [], outcome: 'opened' as const, usedBefore: 0 }
    await takeProfilesAlong(tx, session, asker)
    return { session, others: await attachAsker(tx, session, asker, choices, true), outcome: 'opened' as const, usedBefore: 0 }
  }

  /** The asker, without a device that is somebody else's by now. */
  async function present(tx: Tx, { isLate, customer }: Purchase, asker: Asker): Promise<Asker> {
    const own = isLate ? await liveSessionOf(tx, asker) : undefined
    return own && own.userPhone !== null && own.userPhone !== customer ? { ...asker, device: null, profile: null } : asker
  }

  /** Writes a paid session down, already begun if it begins now. */
  async function insertPaid(
    tx: Tx,
    terms: life.Terms,
    sold: Package,
    purchase: Purchase,
    { follows, begins }: { follows: number | null; begins: boolean },
  ): Promise<Session> {
    const at = now()
    const paid: Session = {
      id: 0,
      ...terms,
      userPhone: purchase.customer,
      hotspotId: purchase.hotspot.hotspotId,
      hotspotName: purchase.hotspot.name,
      paymentMethod: purchase.method,
      paymentReference: purchase.reference,
      resumeCode: makeCode('letters').slice(0, 8),
      status: 'ready',
      endReason: null,
      startTime: null,
      expiresAt: null,
      activateBy: at + sold.activateWithinSeconds * SECOND,
      lastConnected: null,
      disconnectedAt: null,
      endedAt: null,
      dataUsed: 0,
      slowUsed: 0,
      uploaded: 0,
      tunnelled: 0,
      elsewhere: 0,
      reconnections: 0,
      follows,
      createdAt: at,
      updatedAt: at,
    }
    const { id: _, ...fields } = begins ? life.activate(paid, at) : paid
    return table.insertSession(tx, fields)
  }

  /**
   * Gives the asking device its place. What is paid for is paid for: should a session be full where the owner lets no new
   * device in, the purchase stands without it.
   */
  async function attachAsker(tx: Tx, session: Session, { device }: Asker, choices: Choices, isNew: boolean): Promise<number[]> {
    if (!device) return []
    const places = { maxDevices: session.maxDevices, whenFull: choices.whenDevicesFull, now: now(), isNew }
    return attach(tx, session, device, places).catch((error: unknown) => {
      if (error instanceof Refusal && error.code === 'devices-full') return []
      throw error
    })
  }

  /** The session that this purchase adds to: the one meant by the buyer, the asker's, or the customer's at this hotspot. */
  async function liveOf(tx: Tx, { targetId, customer, hotspot }: Purchase, asker: Asker): Promise<Session | undefined> {
    const target = targetId ? await table.findSession(tx, targetId) : undefined
    if (target && !life.hasEnded(life.atTime(target, now()))) return target
    const own = await liveSessionOf(tx, asker)
    // Somebody else may have the phone by now: nobody's money is added to another's session.
    if (own && (own.userPhone === null || own.userPhone === customer)) return own
    return customer ? livingOf(tx, customer, hotspot.hotspotId) : undefined
  }

  /** The session in which the asker is now. */
  async function liveSessionOf(tx: Tx, { device, profile, sessionId }: Asker): Promise<Session | undefined> {
    const attached = device ? await table.findAttached(tx, device.mac) : profile
    const id = attached?.sessionId ?? (device ? null : sessionId)
    const session = id === null ? undefined : await table.findSession(tx, id)
    return session && life.isLive(session, now()) ? session : undefined
  }

  /** A session of this customer, at this hotspot or anywhere, that was paid for and has not ended, begun or not. */
  async function livingOf(db: Db, phone: string, hotspotId?: string): Promise<Session | undefined> {
    const found = await table.findOfPhone(db, phone, hotspotId)
    return found.find((session) => session.follows === null && !life.hasEnded(life.atTime(session, now())))
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

  return {
    liveSessionOf,
    livingOf,

    /** @throws Refusal `limit-reached` when a customer had enough of a package; `not-on-wifi` when nobody can say who asks */
    async checkCustomer(tx: Tx, sold: Package, phone: string | null, device: AskingDevice | null): Promise<void> {
      if (!sold.customerLimit) return
      if (!phone && !device)
        throw new Refusal(
          'not-on-wifi',
          "Connect to the venue's Wi-Fi first, or give your phone number: this package is limited per customer.",
        )
      const { group, days } = sold.customerLimit
      const ids = group === null ? [sold.id] : await packages.idsOfGroup(tx, group)
      checkLimit(sold, await purchases.findBought(tx, { phone, mac: device?.mac ?? null }, ids, now() - days * DAY), now())
    },

    /** Lets a paid package do its work, and writes down that it was bought. Refuses nothing that was paid for. */
    async buy(tx: Tx, sold: Package, purchase: Purchase, asker: Asker, choices: Choices): Promise<Bought> {
      const bought = await openOrTopUp(tx, sold, purchase, asker, choices)
      const purchaseId = await purchases.insertPurchase(tx, {
        sessionId: bought.session.id,
        packageId: sold.id,
        paymentMethod: purchase.method,
        paymentReference: purchase.reference,
        paymentId: purchase.paymentId,
        hotspotId: purchase.hotspot.hotspotId,
        priceMinor: purchase.method === 'loyalty_points' ? 0 : sold.priceMinor,
        currency: sold.currency,
        dataLimit: sold.dataLimit,
        durationMs: sold.durationSeconds * SECOND,
        userPhone: purchase.customer ?? purchase.typedPhone,
        mac: asker.device?.mac ?? null,
        at: now(),
      })
      const earns = choices.pointsOn && purchase.customer !== null && purchase.method !== 'loyalty_points'
      const pointsEarned = earns
        ? await loyalty.earn(tx, {
            phone: purchase.customer!,
            purchaseId,
            amountMinor: sold.priceMinor,
            pointsPerMinor: choices.pointsPerMinor,
          })
        : 0
      return { ...bought, purchaseId, pointsEarned }
    },
  }
}

/** Whether what is bought begins now: somebody is here to use it, or the place is another box's. */
function isHere({ hotspot }: Purchase, { device, profile }: Asker): boolean {
  return device !== null || profile !== null || !hotspot.here
}

function usedOf(session: Session): number {
  return session.dataUsed + session.slowUsed
}
