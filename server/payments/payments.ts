import type { Now } from '../clock.ts'
import { Refusal } from '../errors.ts'
import type { Bus } from '../events.ts'
import { createGather } from '../gather.ts'
import type { Package } from '../packages/schema.ts'
import type { Settings } from '../settings/settings.ts'
import type { Db, Store, Tx } from '../store/store.ts'
import { DAY, MINUTE, SECOND } from '../units.ts'
import * as inbox from './inbox-table.ts'
import * as prevented from './prevented-table.ts'
import type { Callback } from './provider.ts'
import type { Providers } from './providers.ts'
import type { PaymentFilter, ProviderName } from './schema.ts'
import * as table from './table.ts'
import type { Payment } from './table.ts'
import { createPaymentViews } from './view.ts'

export type { Payment } from './table.ts'
export type Payments = ReturnType<typeof createPayments>

/** Paid for so long and not online: somebody must look. */
export const NOT_ONLINE_AFTER_MS = MINUTE
const KEEP_INBOX_MS = 90 * DAY
/** Of one payment: who knows its reference may send what they like. */
const INBOX_AT_MOST = 20
const INBOX_BODY_CHARS = 8192
/** Questions for money that were not answered by paying, of one number or device. */
const ASKED_AT_MOST = [
  { most: 4, ms: 15 * MINUTE },
  { most: 12, ms: DAY },
]
const SHOW_TROUBLE_MS = 14 * DAY
/** Who pays for what, before it is written down. */
export type Order = Pick<
  Payment,
  | 'reference'
  | 'key'
  | 'payer'
  | 'userPhone'
  | 'provesPhone'
  | 'provider'
  | 'hotspotId'
  | 'topUp'
  | 'targetSessionId'
  | 'mac'
  | 'deviceName'
  | 'profileId'
> & { sold: Package }

type Needs = {
  store: Store
  now: Now
  bus: Bus
  providers: Providers
  settings: Pick<Settings, 'noted'>
}

/**
 * The book of payments. A payment is written down before its provider hears of it, and its provider is asked for the
 * truth before anything is credited (advance.ts); what is done with the money is for sessions/till.ts to say.
 */
export function createPayments({ store, now, bus, providers, settings }: Needs) {
  const tell = (payment: Pick<Payment, 'id'>) => bus.publish('payment.changed', { id: payment.id })
  const views = createPaymentViews(providers, now)
  const hurriedAt = new Map<number, number>()
  /** Many callbacks at once are one write: each by itself would keep those who are being credited waiting. */
  const keep = createGather<inbox.Heard>((heard) => store.transaction((tx) => inbox.noteAll(tx, heard, INBOX_AT_MOST)))

  return {
    /** How packages can be paid for here, in a currency. */
    async ways(currency: string) {
      const found = await providers.enabled(currency)
      return found.map(({ name, kind, title }) => ({ provider: name, kind, title, needsPhone: kind !== 'desk' }))
    },

    /**
     * Writes an order down. Belongs into the caller's transaction, where it has looked for what was paid already.
     * A free package counts as paid at once.
     */
    async order(tx: Tx, { sold, ...order }: Order, patienceMs: number): Promise<Payment> {
      const at = now()
      const isFree = order.provider === 'free'
      const isDesk = order.provider === 'cash'
      return table.insert(tx, {
        ...order,
        packageId: sold.id,
        packageName: sold.name,
        amountMinor: sold.priceMinor,
        currency: sold.currency,
        status: isFree || isDesk ? 'pending' : 'asked',
        reason: null,
        detail: '',
        checkoutUrl: null,
        windowUntil: null,
        windowUsed: 0,
        receivedMinor: null,
        refundEnds: false,
        providerReference: null,
        confirmedBy: null,
        outcome: null,
        sessionId: null,
        pointsEarned: 0,
        usedBefore: 0,
        attempts: 0,
        nextAt: isFree ? null : isDesk ? at + patienceMs : at,
        createdAt: at,
        pendingAt: isFree || isDesk ? at : null,
        expiresAt: at + patienceMs,
        givenUpAt: null,
        paidAt: null,
        failedAt: null,
        openedAt: null,
        grantedAt: null,
        firstByteAt: null,
        refund: null,
        refundReason: null,
        refundBy: null,
        refundReference: null,
        refundDetail: null,
        refundAskedAt: null,
        refundedAt: null,
      })
    },

    /** Credits a payment: of any number who try, one succeeds and gets it. Belongs into the transaction that opens the session. */
    claim: (tx: Tx, id: number, providerReference: string | null): Promise<Payment | undefined> =>
      table.claimPaid(tx, id, { paidAt: now(), providerReference }),

    /** Says in the same transaction what the money did. */
    bind: (tx: Tx, id: number, change: Pick<Payment, 'sessionId' | 'outcome' | 'usedBefore' | 'pointsEarned'> & { confirmedBy?: string }) =>
      table.update(tx, id, { ...change, openedAt: now(), nextAt: null, failedAt: null, givenUpAt: null, detail: '' }),

    /** Writes down that a charge was not made; the same again is the same. */
    prevent: (tx: Tx, what: Omit<prevented.Prevented, 'at'>): Promise<void> => prevented.note(tx, { ...what, at: now() }),

    /**
     * Whether somebody may be asked for money once more: each question rings a phone, whoever typed its number.
     * @throws Refusal `too-many-tries` with `retryAfterSeconds`
     */
    async mayAsk(tx: Tx, who: { phone: string | null; mac: string | null }): Promise<void> {
      for (const { most, ms } of ASKED_AT_MOST) {
        const asked = await table.unpaidSince(tx, who, now() - ms)
        if (asked.length < most) continue
        const retryAfterSeconds = Math.max(1, Math.ceil((asked[0]! + ms - now()) / SECOND))
        const wait = retryAfterSeconds > 5400 ? `${Math.ceil(retryAfterSeconds / 3600)} hours` : `${Math.ceil(retryAfterSeconds / 60)} min`
        throw new Refusal('too-many-tries', `Too many payments were begun and not made. Wait ${wait}, pay cash, or ask the staff.`, {
          retryAfterSeconds,
        })
      }
    },

    /** Takes a device's numbers for the counter back; those of one payer may stay. */
    dropCash: (tx: Tx, of: { mac: string; but: string | null }): Promise<void> => table.dropCash(tx, of, now()),

    /** The buyer wants no more of it. Money that comes all the same is honoured. */
    async giveUp(tx: Tx, payment: Payment): Promise<void> {
      if (payment.status !== 'asked' && payment.status !== 'pending') return
      const atDesk = payment.provider === 'cash'
      await table.update(tx, payment.id, {
        givenUpAt: now(),
        ...(atDesk ? { status: 'failed', reason: 'given-up', failedAt: now(), nextAt: null } : {}),
      })
    },

    /** Begins giving money back; the worker does it. */
    async askRefund(tx: Tx, payment: Payment, { reason, by, ends }: { reason: string; by: string; ends: boolean }): Promise<void> {
      if ((payment.paidAt === null && payment.reason !== 'wrong-amount') || payment.amountMinor === 0)
        throw new Refusal('conflict', 'This payment was never paid, so there is nothing to give back.')
      if (payment.refund !== null && payment.refund !== 'failed') throw new Refusal('conflict', 'This payment was given back already.')
      await table.update(tx, payment.id, {
        refund: 'asked',
        refundReason: reason,
        refundEnds: ends,
        refundBy: by,
        refundAskedAt: now(),
        refundDetail: null,
        attempts: 0,
        nextAt: now(),
      })
    },

    /**
     * Has the payment looked at of which a callback speaks, and keeps it as it came. It is only a hint: nothing is
     * credited by it, and one that speaks of nothing of ours leaves no trace.
     */
    async hear(name: ProviderName, callback: Callback, hurry: (payment: number) => void): Promise<void> {
      const hint = await providers.find(name)?.hear(callback)
      const payment = hint?.reference ? await table.findByReference(store.db, hint.reference) : undefined
      if (!hint || !payment || payment.provider !== name) return
      for (const [id, at] of hurriedAt) if (at + SECOND <= now()) hurriedAt.delete(id)
      const isOver = payment.paidAt !== null && payment.refund !== 'asked'
      if (!isOver && !hurriedAt.has(payment.id)) {
        hurriedAt.set(payment.id, now())
        hurry(payment.id)
      }
      const { reference } = payment
      const { eventKey, trusted } = hint
      const body = (providers.find(name)!.redact?.(callback.body) ?? callback.body).slice(0, INBOX_BODY_CHARS)
      await keep({ provider: name, eventKey, reference, trusted, body, at: now() })
    },

    /** The money is back. @returns false when somebody settled it before */
    settleRefund: (tx: Tx, id: number, refundReference: string): Promise<boolean> =>
      table.settleRefund(tx, id, { refundReference: refundReference || null, refundedAt: now() }),

    find: (id: number): Promise<Payment | undefined> => table.find(store.db, id),
    findByReference: (reference: string, db: Db = store.db) => table.findByReference(db, reference),
    findByProviderReference: (reference: string, db: Db = store.db) => table.findByProviderReference(db, reference),
    findByKey: (tx: Tx, payer: string, key: string) => table.findByKey(tx, payer, key),
    findOpen: (tx: Tx, payer: string, hotspotId: string) => table.findOpen(tx, payer, hotspotId),
    findIn: (tx: Tx, id: number) => table.find(tx, id),
    latestOf: (payers: string[]) => table.findLatest(store.db, payers),
    ofPhone: (phone: string, limit = 50): Promise<Payment[]> => table.ofPhone(store.db, phone, limit),
    forget: table.forget,

    /** Paid sessions that nobody has seen let in. */
    ungranted: (sessions?: number[]) => table.ungranted(store.db, sessions),
    async markGranted(ids: number[]): Promise<void> {
      if (ids.length === 0) return
      await store.transaction((tx) => table.markGranted(tx, ids, now()))
      for (const id of ids) tell({ id })
    },
    /** Notes first use, from the readings of a poll, in its transaction. @returns numbers of the payments, to be told after it */
    markUsed: (tx: Tx, used: { id: number; bytes: number }[]): Promise<number[]> => table.markUsed(tx, used, now()),
    tell,

    ...views,
    page: (filter: PaymentFilter) => table.page(store.db, filter, now() - NOT_ONLINE_AFTER_MS),
    inboxOf: (payment: Payment) => inbox.ofReference(store.db, payment.reference),
    inbox: (page: number, pageSize: number) => inbox.page(store.db, (page - 1) * pageSize, pageSize),
    notOnline: () => table.notOnline(store.db, now() - NOT_ONLINE_AFTER_MS),
    needingSomebody: () => table.troubled(store.db, now() - SHOW_TROUBLE_MS),
    /** What a provider holds against this box's account, for the owner. */
    async accountTroubles(): Promise<{ provider: ProviderName; words: string }[]> {
      const names: ProviderName[] = ['mtn-momo', 'paystack', 'sandbox']
      const noted = await Promise.all(names.map((name) => settings.noted(`provider.${name}`)))
      return names.flatMap((provider, index) => (typeof noted[index] === 'string' ? [{ provider, words: noted[index] }] : []))
    },
    sweep: () => inbox.sweep(store.db, now() - KEEP_INBOX_MS),
  }
}
