import type { Now } from '../clock.ts'
import type { Connect } from '../connect/connect.ts'
import type { Customers } from '../customers/customers.ts'
import { Refusal } from '../errors.ts'
import type { Bus } from '../events.ts'
import { createGather } from '../gather.ts'
import type { Hotspots } from '../hotspots/hotspots.ts'
import type { Hotspot } from '../hotspots/schema.ts'
import type { Log } from '../log.ts'
import type { Loyalty } from '../loyalty/loyalty.ts'
import type { Packages } from '../packages/packages.ts'
import type { Package } from '../packages/schema.ts'
import type { PaidTruth } from '../payments/advance.ts'
import type { Payment, Payments } from '../payments/payments.ts'
import type { ProviderName } from '../payments/schema.ts'
import type { Settings as Choices } from '../settings/schema.ts'
import type { Settings } from '../settings/settings.ts'
import type { Store, Tx } from '../store/store.ts'
import type { Asker, Buying } from './buying.ts'
import { changeOf, createTell, type Changed } from './changed.ts'
import { createFollowers } from './followers.ts'
import * as life from './lifecycle.ts'
import type { Session } from './lifecycle.ts'
import * as purchases from './purchase-table.ts'
import type { PaymentMethod } from './schema.ts'
import * as table from './table.ts'

type Needs = {
  store: Store
  now: Now
  bus: Bus
  packages: Packages
  connect: Connect
  hotspots: Hotspots
  customers: Pick<Customers, 'confirm'>
  loyalty: Loyalty
  payments: Payments
  settings: Settings
  buying: Buying
  enforce: (sessions: number[]) => Promise<void>
  log: Log
}

/** The provider's truth, or the name of the cashier. */
type Proof = PaidTruth | { cashier: string }
type How = { hotspot: Hotspot; choices: Choices; asker: Asker; by: string | null; providerReference: string | null }
/** One that is to be credited, and what became of it. */
type Due = { payment: Payment; how: How; changed: Changed | undefined; error: unknown }

export type Credit = ReturnType<typeof createCredit>

/**
 * What money does when it has come, and when it goes back: payment, session and points are written in one transaction,
 * whoever brings the news.
 */
export function createCredit({
  store,
  now,
  bus,
  packages,
  connect,
  hotspots,
  customers,
  loyalty,
  payments,
  settings,
  buying,
  enforce,
  log,
}: Needs) {
  const tell = createTell({ bus, enforce })
  const followers = createFollowers({ now, connect })

  /** Lets money do its work, once: payment, session and points, or none of them. */
  async function creditIn(tx: Tx, id: number, how: How, sellable = new Map<number, Package>()): Promise<Changed | undefined> {
    const { hotspot, choices, asker, by, providerReference } = how
    if (by !== null && (await payments.findIn(tx, id))?.givenUpAt)
      throw new Refusal('conflict', 'The customer chose another way to pay since then. Ask them to choose cash once more.')
    const payment = await payments.claim(tx, id, providerReference)
    if (!payment) return undefined
    const sold = sellable.get(payment.packageId) ?? (await packages.find(tx, payment.packageId))!
    sellable.set(sold.id, sold)
    const bought = await buying.buy(
      tx,
      { ...sold, priceMinor: payment.amountMinor },
      { ...purchaseOf(payment, hotspot), isLate: payment.givenUpAt !== null || now() > payment.expiresAt },
      asker,
      choices,
    )
    const { session, outcome, usedBefore, pointsEarned } = bought
    await payments.bind(tx, id, { sessionId: session.id, outcome, usedBefore, pointsEarned, ...(by ? { confirmedBy: by } : {}) })
    if (payment.userPhone && payment.provesPhone) await customers.confirm(tx, payment.userPhone)
    return changeOf(bought)
  }

  async function howTo(payment: Payment, proof: Proof): Promise<How> {
    const [choices, own] = await Promise.all([settings.get(), hotspots.own()])
    const found = own.hotspotId === payment.hotspotId ? own : await hotspots.find(payment.hotspotId)
    const [by, providerReference] = 'cashier' in proof ? [proof.cashier, null] : [null, proof.providerReference]
    return { hotspot: found ?? own, choices, asker: askerOf(payment), by, providerReference }
  }

  /**
   * Many who paid at the same moment are one transaction and one run of the gateway: one by one, the last would wait for
   * all. Should one of them not be credited, the others are, each by itself.
   */
  const together = createGather<Due>(async (dues) => {
    try {
      await inOneTransaction(dues)
    } catch (error) {
      if (dues.length === 1) dues[0]!.error = error
      else for (const due of dues) await inOneTransaction([due]).catch((alone: unknown) => (due.error = alone))
    }
  })

  async function inOneTransaction(dues: Due[]): Promise<void> {
    const changed = await store.transaction(async (tx) => {
      const all: (Changed | undefined)[] = []
      const sellable = new Map<number, Package>()
      for (const { payment, how } of dues) all.push(await creditIn(tx, payment.id, how, sellable))
      return all
    })
    dues.forEach((due, index) => (due.changed = changed[index]))
    // Who pays meanwhile goes into the next transaction: few runs of the gateway carry more than many.
    await tell(changed.filter((one) => one !== undefined)).catch((error: unknown) =>
      log.error({ err: error }, 'who paid is not let in yet; every poll tries again'),
    )
  }

  /** The device that asked, should it still be a device without a session. */
  function askerOf({ mac, deviceName, profileId, targetSessionId, userPhone }: Payment): Asker {
    const profile = profileId === null || targetSessionId === null ? null : { id: profileId, sessionId: targetSessionId }
    return { device: mac === null ? null : { mac, ip: '', name: deviceName }, profile, sessionId: null, phone: userPhone }
  }

  return {
    /** Within the caller's transaction. @returns nothing when somebody credited it before */
    creditIn,

    /**
     * Credits a payment of which the provider, or the cashier, says that it was paid. Called again it changes nothing.
     */
    async credit(payment: Payment, proof: Proof): Promise<Session | undefined> {
      const due: Due = { payment, how: await howTo(payment, proof), changed: undefined, error: undefined }
      await together(due)
      if (due.error) throw due.error
      payments.tell(payment)
      return due.changed?.session
    },

    /**
     * Begins giving money back. What it bought goes when the provider has given it back: see `settleRefund`.
     * @param endSession takes back the data and time too
     * @throws Refusal `conflict` for what was never paid, or was given back
     */
    async refund(payment: Payment, { reason, by, endSession }: { reason: string; by: string; endSession: boolean }): Promise<void> {
      await store.transaction(async (tx) => {
        await payments.askRefund(tx, (await payments.findIn(tx, payment.id))!, { reason, by, ends: endSession })
      })
      payments.tell(payment)
    },

    /**
     * The money is back: the points that it earned go, and, if that was wished, the data and time that it bought, as far
     * as they are not used. A session that has nothing else ends. Called again it changes nothing.
     */
    async settleRefund(payment: Payment, refundReference: string): Promise<void> {
      const changed = await store.transaction(async (tx) => {
        if (!(await payments.settleRefund(tx, payment.id, refundReference))) return undefined
        const purchase = await purchases.findPurchase(tx, { paymentId: payment.id })
        if (!purchase) return undefined
        await loyalty.takeBack(tx, purchase.id, payment.refundReason ?? '')
        const session = await table.findSession(tx, purchase.sessionId)
        if (!session || !payment.refundEnds || life.hasEnded(session)) return undefined
        const isAll = (await purchases.countPurchases(tx, session.id)) === 1
        const less = isAll ? life.end(session, 'refunded', now()) : life.takeBack(session, purchase, now())
        await table.saveSessions(tx, [less])
        if (life.hasEnded(less)) await followers.release(tx, less)
        return less
      })
      if (changed) {
        await enforce([changed.id])
        bus.publish('session.changed', { id: changed.id, what: life.hasEnded(changed) ? 'ended' : 'extended' })
      }
      payments.tell(payment)
    },
  }
}

const methodOf = (provider: ProviderName): PaymentMethod => (provider === 'cash' || provider === 'free' ? provider : 'Mobile Money')

function purchaseOf(payment: Payment, hotspot: Hotspot) {
  return {
    packageId: payment.packageId,
    method: methodOf(payment.provider),
    reference: payment.reference,
    customer: payment.userPhone,
    typedPhone: null,
    paymentId: payment.id,
    hotspot,
    targetId: payment.targetSessionId,
  }
}
