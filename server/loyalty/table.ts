import { iso } from '../clock.ts'
import type { Db } from '../store/store.ts'
import type { PointsEntry } from './schema.ts'

export type NewEntry = {
  phone: string
  delta: number
  kind: PointsEntry['kind']
  purchaseId: number | null
  key: string | null
  reason: string
  by: string
  at: number
}

/** A purchase has one entry of a kind: false when it was there. */
export async function insertOnce(db: Db, entry: NewEntry): Promise<boolean> {
  const rows = await db('points').insert(rowOf(entry)).onConflict(['kind', 'purchase_id']).ignore().returning('id')
  return rows.length === 1
}

export async function insert(db: Db, entry: NewEntry): Promise<void> {
  await db('points').insert(rowOf(entry))
}

export async function sumOf(db: Db, phone: string): Promise<number> {
  return sum(await db('points').where({ user_phone: phone }).sum({ sum: 'delta' }).first())
}

/** What a purchase gave and took, without what was taken back. */
export async function sumOfPurchase(db: Db, purchaseId: number): Promise<{ phone: string; delta: number } | undefined> {
  const rows: { phone: string; delta: number }[] = await db('points')
    .where({ purchase_id: purchaseId })
    .whereIn('kind', ['earned', 'redeemed'])
    .groupBy('user_phone')
    .select({ phone: 'user_phone' })
    .sum({ delta: 'delta' })
  return rows[0]
}

export async function findEarned(db: Db, purchaseId: number): Promise<number> {
  return sum(await db('points').where({ kind: 'earned', purchase_id: purchaseId }).sum({ sum: 'delta' }).first())
}

/** The purchase that a key paid for. */
export async function findByKey(db: Db, phone: string, key: string): Promise<{ purchaseId: number } | undefined> {
  return db('points').where({ user_phone: phone, key }).first({ purchaseId: 'purchase_id' })
}

/** Newest first. */
export async function listLast(db: Db, phone: string, limit: number): Promise<PointsEntry[]> {
  const rows: { id: number; delta: number; kind: PointsEntry['kind']; reason: string; by: string; at: number }[] = await db('points')
    .where({ user_phone: phone })
    .orderBy('id', 'desc')
    .limit(limit)
  return rows.map(({ id, delta, kind, reason, by, at }) => ({ id, delta, kind, reason, by, at: iso(at) }))
}

export async function sumOutstanding(db: Db): Promise<number> {
  const balances = db('points').groupBy('user_phone').having(db.raw('sum(delta) > 0')).sum({ balance: 'delta' }).as('balances')
  return sum(await db.from(balances).sum({ sum: 'balance' }).first())
}

export async function deleteOf(db: Db, phone: string): Promise<void> {
  await db('points').where({ user_phone: phone }).delete()
}

function rowOf({ phone, purchaseId, ...entry }: NewEntry) {
  return { ...entry, user_phone: phone, purchase_id: purchaseId }
}

function sum(row: Record<string, unknown> | undefined): number {
  return Number(row?.['sum'] ?? 0)
}
