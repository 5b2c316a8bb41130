import type { Db, Tx } from '../store/store.ts'

/** A device that may reach a payment's page. Times UTC ms, sizes bytes. */
export type OpenWindow = { id: number; mac: string; until: number; used: number }

/** Windows that are open: the payment is still to be made, and its time is not over. All, or of these payments. */
export async function openWindows(db: Db, now: number, ids?: number[]): Promise<OpenWindow[]> {
  const rows: { id: number; mac: string; window_until: number; window_used: number }[] = await db('payments')
    .where('window_until', '>', now)
    .where({ status: 'pending', given_up_at: null })
    .modify((query) => void (ids && query.whereIn('id', ids)))
    .select('id', 'mac', 'window_until', 'window_used')
  return rows.map((row) => ({ id: row.id, mac: row.mac, until: row.window_until, used: row.window_used }))
}

export async function ofMacs(db: Db, now: number, macs: string[]): Promise<number[]> {
  return db('payments').where('window_until', '>', now).whereIn('mac', macs).pluck('id')
}

export async function countWindows(db: Db, mac: string, since: number): Promise<number> {
  const row = await db('payments').where({ mac }).where('window_until', '>', since).count({ count: '*' }).first()
  return Number(row?.['count'])
}

/** What was used never falls. */
export async function saveUse(tx: Tx, used: { id: number; bytes: number }[]): Promise<void> {
  await tx.raw(
    `UPDATE payments SET window_used = max(window_used, u.value ->> '$.bytes') FROM json_each(?) AS u
     WHERE payments.id = u.value ->> '$.id'`,
    [JSON.stringify(used)],
  )
}
