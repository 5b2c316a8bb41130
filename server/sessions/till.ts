import { randomUUID } from 'node:crypto'
import type { Now } from '../clock.ts'
import type { Customers } from '../customers/customers.ts'
import { Refusal } from '../errors.ts'
import type { Bus } from '../events.ts'
import type { Hotspots } from '../hotspots/hotspots.ts'
import type { Coordinates, Hotspot } from '../hotspots/schema.ts'
import type { Loyalty } from '../loyalty/loyalty.ts'
import type { Packages } from '../packages/packages.ts'
import type { Package } from '../packages/schema.ts'
import type { Payment, Payments } from '../payments/payments.ts'
import type { Provider } from '../payments/provider.ts'
import type { Providers } from '../payments/providers.ts'
import type { ProviderName } from '../payments/schema.ts'
import type { Settings as Choices } from '../settings/schema.ts'
import type { Settings } from '../settings/settings.ts'
import type { Store, Tx } from '../store/store.ts'
import { MINUTE } from '../units.ts'
import type { Vouchers } from '../vouchers/vouchers.ts'
import type { Asker, Buying, Outcome } from './buying.ts'
import { changeOf, createTell, type Changed } from './changed.ts'
import type { Credit } from './credit.ts'
import { attach } from './devices.ts'
import * as life from './lifecycle.ts'
import type { Session } from './lifecycle.ts'
import * as purchases from './purchase-table.ts'
import * as table from './table.ts'

type Needs = {
  store: Store
  now: Now
  bus: Bus
  packages: Packages
  hotspots: Hotspots
  customers: Pick<Customers, 'ensure'>
  loyalty: Loyalty
  payments: Payments
  providers: Providers
  vouchers: Vouchers
  settings: Settings
  buying: Buying
  credit: Pick<Credit, 'creditIn'>
  enforce: (sessions: number[]) => Promise<void>
}

/** What somebody wants to buy. `key` names the wish: the same key never buys twice. */
export type Wish = { packageId: number; hotspotId?: string | undefined; coordinates?: Coordinates | undefined; topUp: boolean; key: string }

/** `asked`: a new payment. `pending`: one that is open already. `resumed`: paid before, nothing was charged. */
export type Answer = { outcome: 'asked' | 'pending' | 'paid' | 'resumed'; payment: Payment | null; session: Session | null }

export type Till = ReturnType<typeof createTill>

/**
 * Where customers pay. Before anything is charged it looks for what the customer has paid already; money, session and
 * points are written in one transaction, whoever brings the news that somebody paid.
 */
export function createTill(needs: Needs) {
  const { store, now, bus, packages, hotspots, customers, loyalty, payments, providers, vouchers, settings, buying, credit, enforce } =
    needs
  const tell = createTell({ bus, enforce })

  async function mustSell(id: number): Promise<Package> {
    const found = await packages.find(store.db, id)
    if (!found || found.archived) throw new Refusal('not-found', 'This package is not on sale any more. Please choose another one.')
    return found
  }

  /** What the customer, or the device that asks, has paid for at this hotspot and not used up. */
  async function livingOf(tx: Tx, asker: Asker, hotspot: Hotspot): Promise<Session | undefined> {
    const own = await buying.liveSessionOf(tx, asker)
    const isTheirs = own && (own.userPhone === null || asker.phone === null || own.userPhone === asker.phone)
    if (isTheirs && own.hotspotId === hotspot.hotspotId) return own
    return asker.phone ? buying.livingOf(tx, asker.phone, hotspot.hotspotId) : undefined
  }

  /** The customer goes on with what was paid for; on this device, if it is here. */
  async function resume(tx: Tx, living: Session, { device }: Asker, choices: Choices): Promise<Changed> {
    const session = device || living.status !== 'ready' ? life.resume(living, now()) : living
    await table.saveSessions(tx, [session])
    const places = { maxDevices: session.maxDevices, whenFull: choices.whenDevicesFull, now: now() }
    return { session, others: device ? await attach(tx, session, device, places) : [], what: 'resumed' }
  }

  async function goOnIn(tx: Tx, found: Session, asker: Asker, choices: Choices): Promise<Changed | undefined> {
    const session = life.atTime(found, now())
    return life.hasEnded(session) || session.follows !== null ? undefined : resume(tx, session, asker, choices)
  }

  async function where(wish: Pick<Wish, 'hotspotId' | 'coordinates'>, { device, profile }: Asker): Promise<Hotspot> {
    return hotspots.mustReach(wish.hotspotId, { onLan: device !== null || profile !== null, coordinates: wish.coordinates ?? null })
  }

  /** The look before every purchase. @returns the session that goes on, when the wish is not to add to it */
  async function beforePurchase(
    tx: Tx,
    wish: Wish,
    { asker, payer, sold, hotspot, choices }: { asker: Asker; payer: string; sold: Package; hotspot: Hotspot; choices: Choices },
  ): Promise<{ living: Session | undefined; resumed: Changed | undefined }> {
    const living = await livingOf(tx, asker, hotspot)
    if (!living || wish.topUp) return { living, resumed: undefined }
    await payments.prevent(tx, { ...charge(wish, payer, sold, hotspot), sessionId: living.id, paymentId: null })
    return { living, resumed: await resume(tx, living, asker, choices) }
  }

  function charge(wish: Wish, payer: string, sold: Package, hotspot: Hotspot) {
    const { priceMinor: amountMinor, currency } = sold
    return { payer, key: wish.key, packageId: sold.id, amountMinor, currency, hotspotId: hotspot.hotspotId }
  }

  return {
    /**
     * Asks for money for a package, unless it was paid already.
     * @throws Refusal `not-found`, `out-of-range`, `not-signed-in`, `limit-reached`, `provider-unavailable` …
     */
    async ask(wish: Wish & { provider: ProviderName; byProgram: boolean }, asker: Asker): Promise<Answer> {
      const [choices, sold, hotspot] = await Promise.all([settings.get(), mustSell(wish.packageId), where(wish, asker)])
      const { patienceMs, kind } = await mustTake(wish.provider, sold, asker)
      const provesPhone = kind === 'push' && !wish.byProgram
      const payer = payerOf(asker)
      const { changed, ...answer } = await store.transaction(async (tx): Promise<Answer & { changed?: Changed | undefined }> => {
        const same = await payments.findByKey(tx, payer, wish.key)
        if (same) return { outcome: same.status === 'paid' ? 'paid' : 'pending', payment: same, session: await sessionOf(tx, same) }
        const { living, resumed } = await beforePurchase(tx, wish, { asker, payer, sold, hotspot, choices })
        if (resumed) return { outcome: 'resumed', payment: null, session: resumed.session, changed: resumed }
        // A number for the counter on the same phone is of no use any more: it must not be paid as well.
        if (asker.device) await payments.dropCash(tx, { mac: asker.device.mac, but: wish.provider === 'cash' ? payer : null })
        const open = await payments.findOpen(tx, payer, hotspot.hotspotId)
        if (open && now() < open.expiresAt) {
          await payments.prevent(tx, { ...charge(wish, payer, sold, hotspot), sessionId: null, paymentId: open.id })
          return { outcome: 'pending', payment: open, session: null }
        }
        if (open) await payments.giveUp(tx, open)
        await buying.checkCustomer(tx, sold, asker.phone, asker.device)
        if (kind === 'push' || kind === 'checkout') await payments.mayAsk(tx, { phone: asker.phone, mac: asker.device?.mac ?? null })
        if (asker.phone) await customers.ensure(tx, asker.phone)
        const order = {
          reference: randomUUID(),
          key: wish.key,
          payer,
          provider: wish.provider,
          topUp: wish.topUp,
          provesPhone,
          ...whoOf(asker),
        }
        const targetSessionId = living?.id ?? null
        const payment = await payments.order(tx, { ...order, sold, hotspotId: hotspot.hotspotId, targetSessionId }, patienceMs)
        if (wish.provider !== 'free') return { outcome: 'asked', payment, session: null }
        const changed = await credit.creditIn(tx, payment.id, { hotspot, choices, asker, by: null, providerReference: null })
        return { outcome: 'paid', payment: (await payments.findIn(tx, payment.id))!, session: changed!.session, changed }
      })
      if (changed) await tell([changed])
      if (answer.payment) payments.tell(answer.payment)
      return answer
    },

    /**
     * Redeems points for a package; the same rules, and nothing to wait for.
     * @throws Refusal `points-short`, and what `ask` throws
     */
    async redeemPoints(wish: Wish, asker: Asker): Promise<{ outcome: Outcome | 'resumed'; session: Session }> {
      const phone = asker.phone
      if (!phone) throw signInFirst()
      const [choices, sold, hotspot] = await Promise.all([settings.get(), mustSell(wish.packageId), where(wish, asker)])
      const points = sold.pointsPrice
      if (points === null) throw new Refusal('conflict', 'This package cannot be had for points. Please choose another one.')
      const reference = wish.key
      const done = await store.transaction(async (tx): Promise<{ outcome: Outcome | 'resumed'; session: Session; changed?: Changed }> => {
        const same = await purchases.findPurchase(tx, { method: 'loyalty_points', reference, phone })
        if (same) {
          const session = (await table.findSession(tx, same.sessionId))!
          const changed = await goOnIn(tx, session, asker, choices)
          return { outcome: 'resumed', session: changed?.session ?? session, ...(changed ? { changed } : {}) }
        }
        const { living, resumed } = await beforePurchase(tx, wish, { asker, payer: phone, sold, hotspot, choices })
        if (resumed) return { outcome: 'resumed', session: resumed.session, changed: resumed }
        await buying.checkCustomer(tx, sold, phone, asker.device)
        await customers.ensure(tx, phone)
        const paid = { method: 'loyalty_points' as const, reference, paymentId: null, customer: phone, typedPhone: null }
        const bought = await buying.buy(tx, sold, { ...paid, packageId: sold.id, hotspot, targetId: living?.id ?? null }, asker, choices)
        await loyalty.spend(tx, { phone, points, purchaseId: bought.purchaseId, key: wish.key })
        return { outcome: bought.outcome, session: bought.session, changed: changeOf(bought) }
      })
      if (done.changed) await tell([done.changed])
      return { outcome: done.outcome, session: done.session }
    },

    /**
     * Redeems a voucher for a customer by the same rules: whoever has a living session resumes it, and keeps the voucher.
     * @throws Refusal of vouchers/, and what `ask` throws
     */
    async redeemVoucher(
      code: string,
      wish: Omit<Wish, 'packageId' | 'key'>,
      asker: Asker,
    ): Promise<{ outcome: Outcome | 'resumed'; session: Session }> {
      const payer = payerOf(asker)
      const [choices, hotspot] = await Promise.all([settings.get(), where(wish, asker)])
      const done = await store.transaction(async (tx): Promise<{ outcome: Outcome | 'resumed'; changed: Changed }> => {
        const usedFor = await vouchers.usedFor(tx, code)
        const used = usedFor === null ? undefined : await table.findSession(tx, usedFor)
        // The answer to the first time was lost, or it is sent twice: it is theirs all the same.
        if (used && asker.phone && used.userPhone === asker.phone) {
          const again = await goOnIn(tx, used, asker, choices)
          return { outcome: 'resumed', changed: again ?? { session: used, others: [], what: 'resumed' } }
        }
        const { voucherId, packageId, last4 } = await vouchers.look(tx, code)
        const sold = (await packages.find(tx, packageId))!
        const named = { ...wish, packageId, key: `voucher-${voucherId}` }
        const { living, resumed } = await beforePurchase(tx, named, { asker, payer, sold, hotspot, choices })
        if (resumed) return { outcome: 'resumed', changed: resumed }
        await buying.checkCustomer(tx, sold, asker.phone, asker.device)
        if (asker.phone) await customers.ensure(tx, asker.phone)
        await vouchers.claim(tx, code)
        const paid = { method: 'voucher' as const, reference: `…${last4}`, paymentId: null, customer: asker.phone, typedPhone: null }
        const bought = await buying.buy(tx, sold, { ...paid, packageId, hotspot, targetId: living?.id ?? null }, asker, choices)
        await vouchers.bind(tx, voucherId, bought.session.id)
        return { outcome: bought.outcome, changed: changeOf(bought) }
      })
      await tell([done.changed])
      return { outcome: done.outcome, session: done.changed.session }
    },

    /** Goes on with what was paid for, on this device if it is here. One that has ended stays so. */
    async goOn(sessionId: number, asker: Asker): Promise<Session> {
      const choices = await settings.get()
      const { session, changed } = await store.transaction(async (tx) => {
        const session = (await table.findSession(tx, sessionId))!
        return { session, changed: await goOnIn(tx, session, asker, choices) }
      })
      if (changed) await tell([changed])
      return changed?.session ?? session
    },

    /** The buyer starts over. Only their own payment. */
    async giveUp(payment: Payment): Promise<void> {
      await store.transaction(async (tx) => payments.giveUp(tx, (await payments.findIn(tx, payment.id))!))
      payments.tell(payment)
    },
  }

  /** @returns what kind of payment it is, and how long the buyer has to confirm */
  async function mustTake(
    name: ProviderName,
    sold: Package,
    asker: Asker,
  ): Promise<Pick<Provider, 'patienceMs'> & { kind: Provider['kind'] | 'free' }> {
    if ((sold.priceMinor === 0) !== (name === 'free'))
      throw new Refusal(
        'bad-input',
        sold.priceMinor === 0 ? 'This package is free: there is nothing to pay.' : 'This package is not free. Choose how to pay.',
      )
    if (name === 'free') return { kind: 'free', patienceMs: MINUTE }
    const enabled = (await providers.enabled(sold.currency)).find((provider) => provider.name === name)
    if (!enabled) throw new Refusal('provider-unavailable', 'This way to pay is not offered here at the moment. Please choose another one.')
    if (enabled.kind !== 'desk' && !asker.phone) throw signInFirst()
    return enabled
  }

  async function sessionOf(tx: Tx, { sessionId }: Payment): Promise<Session | null> {
    return sessionId === null ? null : ((await table.findSession(tx, sessionId)) ?? null)
  }
}

/** Whom a payment belongs to. @throws Refusal when nobody can say who asks */
export function payerOf({ phone, device }: Pick<Asker, 'phone' | 'device'>): string {
  if (phone) return phone
  if (device) return `device ${device.mac}`
  throw signInFirst()
}

function whoOf({ phone, device, profile }: Asker) {
  return { userPhone: phone, mac: device?.mac ?? null, deviceName: device?.name ?? '', profileId: profile?.id ?? null }
}

function signInFirst(): Refusal {
  return new Refusal('not-signed-in', 'Sign in with your phone number first, so that what you pay for is yours.')
}
