import type { Now } from '../clock.ts'
import { Refusal } from '../errors.ts'
import type { Db, Store, Tx } from '../store/store.ts'
import type { PointsAnswer } from './schema.ts'
import * as table from './table.ts'

export type Loyalty = ReturnType<typeof createLoyalty>

/** How many entries a customer or cashier sees. */
const SHOWN = 50

/** A purchase that earns. `pointsPerMinor`: how much money, in minor units, earns one point. */
export type Earning = { phone: string; purchaseId: number; amountMinor: number; pointsPerMinor: number }

/** A purchase paid for with points. `key`: the asker's idempotency key. */
export type Spending = { phone: string; points: number; purchaseId: number; key: string }

/** Points of customers, in a ledger: a balance is the sum of its entries and is kept nowhere else. */
export function createLoyalty({ store, now }: { store: Store; now: Now }) {
  return {
    /**
     * Gives whole points for a purchase, rounded down. A second call for the same purchase changes nothing.
     * @returns the points that this purchase earned
     */
    async earn(tx: Tx, { phone, purchaseId, amountMinor, pointsPerMinor }: Earning): Promise<number> {
      const points = Math.floor(amountMinor / pointsPerMinor)
      if (points <= 0) return 0
      const isNew = await table.insertOnce(tx, {
        phone,
        delta: points,
        kind: 'earned',
        purchaseId,
        key: null,
        reason: '',
        by: '',
        at: now(),
      })
      return isNew ? points : table.findEarned(tx, purchaseId)
    },

    /**
     * Takes points for a package. The same key for the same purchase takes them once.
     * @throws Refusal `points-short` with `balance` and `price`; `conflict` when this key paid for another purchase
     */
    async spend(tx: Tx, { phone, points, purchaseId, key }: Spending): Promise<void> {
      const before = await table.findByKey(tx, phone, key)
      if (before?.purchaseId === purchaseId) return
      if (before) throw new Refusal('conflict', 'These points were redeemed already. Look at your session, or begin the purchase anew.')
      const balance = await table.sumOf(tx, phone)
      if (balance < points)
        throw new Refusal(
          'points-short',
          `This needs ${points} points, and you have ${balance}. Choose another package, or another way to pay.`,
          {
            balance,
            price: points,
          },
        )
      await table.insert(tx, { phone, delta: -points, kind: 'redeemed', purchaseId, key, reason: '', by: '', at: now() })
    },

    /**
     * Undoes a purchase that was refunded: what it earned goes, what it cost in points comes back. The balance may become
     * negative. May be called twice.
     */
    async takeBack(tx: Tx, purchaseId: number, reason: string): Promise<void> {
      const given = await table.sumOfPurchase(tx, purchaseId)
      if (!given || given.delta === 0) return
      await table.insertOnce(tx, {
        phone: given.phone,
        delta: -given.delta,
        kind: 'taken-back',
        purchaseId,
        key: null,
        reason,
        by: '',
        at: now(),
      })
    },

    /** Gives or takes points by hand. @param by member of staff */
    correct: (phone: string, { delta, reason }: { delta: number; reason: string }, by: string): Promise<void> =>
      table.insert(store.db, { phone, delta, kind: 'corrected', purchaseId: null, key: null, reason, by, at: now() }),

    /** Inside a transaction give it as `db`. */
    balance: (db: Db, phone: string): Promise<number> => table.sumOf(db, phone),

    /** A customer's balance and last entries, newest first. */
    async page(phone: string): Promise<PointsAnswer> {
      return { balance: await table.sumOf(store.db, phone), entries: await table.listLast(store.db, phone, SHOWN) }
    },

    /** All points that customers could redeem now; a negative balance owes nobody anything and does not count. */
    outstanding: (db: Db = store.db): Promise<number> => table.sumOutstanding(db),

    /** Deletes a customer's entries, at the customer's wish. */
    forget: (tx: Tx, phone: string): Promise<void> => table.deleteOf(tx, phone),
  }
}
