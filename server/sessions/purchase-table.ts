import type { Db, Tx } from '../store/store.ts'

type Row = Record<string, unknown>

/** What one payment bought. */
export type Purchased = {
  sessionId: number
  packageId: number
  paymentMethod: string
  paymentReference: string
  paymentId: number | null
  hotspotId: string
  priceMinor: number
  currency: string
  dataLimit: number | null
  durationMs: number
  userPhone: string | null
  mac: string | null
  at: number
}

export async function insertPurchase(tx: Tx, bought: Purchased): Promise<number> {
  const [row] = await tx('purchases')
    .insert({
      session_id: bought.sessionId,
      package_id: bought.packageId,
      payment_method: bought.paymentMethod,
      payment_reference: bought.paymentReference,
      payment_id: bought.paymentId,
      hotspot_id: bought.hotspotId,
      price_minor: bought.priceMinor,
      currency: bought.currency,
      data_limit: bought.dataLimit,
      duration_ms: bought.durationMs,
      user_phone: bought.userPhone,
      mac: bought.mac,
      at: bought.at,
    })
    .returning('id')
  return row.id
}

/** The purchase that a payment made, or that points made under a key. */
export async function findPurchase(
  db: Db,
  by: { paymentId: number } | { method: string; reference: string; phone: string },
): Promise<{ id: number; sessionId: number; dataLimit: number | null; durationMs: number } | undefined> {
  const where =
    'paymentId' in by ? { payment_id: by.paymentId } : { payment_method: by.method, payment_reference: by.reference, user_phone: by.phone }
  const row = await db('purchases').where(where).first('id', 'session_id', 'data_limit', 'duration_ms')
  return row && { id: row.id, sessionId: row.session_id, dataLimit: row.data_limit, durationMs: row.duration_ms ?? 0 }
}

/** How many purchases a session is made of. */
export async function countPurchases(db: Db, sessionId: number): Promise<number> {
  const row = await db('purchases').where({ session_id: sessionId }).count({ count: '*' }).first()
  return Number(row?.['count'])
}

/** What a customer (known by phone or device) bought of these packages since a time: for limits. */
export async function findBought(
  db: Db,
  who: { phone: string | null; mac: string | null },
  packageIds: number[],
  since: number,
): Promise<{ at: number; dataLimit: number | null }[]> {
  const rows: Row[] = await db('purchases')
    .whereIn('package_id', packageIds)
    .where('at', '>=', since)
    .where((query) => {
      if (who.phone) void query.orWhere('user_phone', who.phone)
      if (who.mac) void query.orWhere('mac', who.mac)
    })
  return rows.map((row) => ({ at: Number(row['at']), dataLimit: row['data_limit'] as number | null }))
}
