import type { Db, Tx } from '../store/store.ts'

/** A device that may reach a payment's page. Times UTC ms, sizes bytes. */
export type OpenWindow = { id: number; mac: string; until: number; used: number }

/**
 * Windows that are open: the payment is still to be made, and its time is not over. A device has one, that of its newest
 * payment. All, or of these payments.
 */
export async function openWindows(db: Db, now: number, ids?: number[]): Promise<OpenWindow[]> {
  const rows: { id: number; mac: string; window_until: number; window_used: number }[] = await db('payments')
    .where('window_until', '>', now)
    .where({ status: 'pending', given_up_at: null })
    .whereIn('id', newest(db, now))
    .modify((query) => void (ids && query.whereIn('id', ids)))
    .select('id', 'mac', 'window_until', 'window_used')
  return rows.map((row) => ({ id: row.id, mac: row.mac, until: row.window_until, used: row.window_used }))
}

/** Windows whose time is not over, whatever became of their payments: the kernel may hold them. */
export async function windowsBefore(db: Db, now: number): Promise<{ id: number; mac: string }[]> {
  return db('payments').where('window_until', '>', now).select('id', 'mac')
}

/** How many windows a device or its number had since a time, whichever is more, and how many are open on this box. */
export async function countWindows(
  db: Db,
  { mac, phone, since, now }: { mac: string; phone: string | null; since: number; now: number },
): Promise<{ theirs: number; open: number }> {
  const row = await db('payments')
    .where('window_until', '>', since)
    .select(
      db.raw('sum(mac = ?) as of_device, sum(user_phone = ?) as of_phone, sum(window_until > ? and status = ?) as open', [
        mac,
        phone,
        now,
        'pending',
      ]),
    )
    .first()
  return { theirs: Math.max(Number(row?.of_device ?? 0), Number(row?.of_phone ?? 0)), open: Number(row?.open ?? 0) }
}

function newest(db: Db, now: number) {
  return db('payments').where('window_until', '>', now).where({ status: 'pending', given_up_at: null }).groupBy('mac').max('id')
}

/** What was used never falls. */
export async function saveUse(tx: Tx, used: { id: number; bytes: number }[]): Promise<void> {
  await tx.raw(
    `UPDATE payments SET window_used = max(window_used, u.value ->> '$.bytes') FROM json_each(?) AS u
     WHERE payments.id = u.value ->> '$.id'`,
    [JSON.stringify(used)],
  )
}
