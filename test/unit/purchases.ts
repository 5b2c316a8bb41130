import type { Store } from '#server/store/store.ts'

/** A session of a customer, begun, with its first purchase; written as rows, for rooms that stand below sessions/. */
export async function insertSession(
  store: Store,
  userPhone: string | null,
  at: number,
  over: Record<string, unknown> = {},
): Promise<number> {
  const packageId = await anyPackage(store, at)
  const [row] = await store
    .db('sessions')
    .insert({
      user_phone: userPhone,
      hotspot_id: 'hotspot_1',
      hotspot_name: 'V',
      package_id: packageId,
      package_name: 'Day',
      payment_method: 'Mobile Money',
      payment_reference: 'r',
      resume_code: crypto.randomUUID(),
      activate_by: at,
      start_time: at,
      expires_at: at + 1000,
      status: 'active',
      duration_ms: 1000,
      max_devices: 1,
      after_data: 'stop',
      created_at: at,
      updated_at: at,
      ...over,
    })
    .returning('id')
  return row.id
}

/** @returns the numbers of `count` new purchases of one session */
export async function insertPurchases(store: Store, at: number, count: number): Promise<number[]> {
  const sessionId = await insertSession(store, null, at)
  const packageId = await anyPackage(store, at)
  const rows: { id: number }[] = await store
    .db('purchases')
    .insert(
      Array.from({ length: count }, () => ({
        session_id: sessionId,
        package_id: packageId,
        payment_method: 'Mobile Money',
        payment_reference: 'r',
        price_minor: 100,
        currency: 'UGX',
        at,
      })),
    )
    .returning('id')
  return rows.map(({ id }) => id)
}

/** A payment that somebody is being asked for, or that came in. */
export async function insertPayment(store: Store, userPhone: string, at: number, over: Record<string, unknown> = {}): Promise<number> {
  const [row] = await store
    .db('payments')
    .insert({
      reference: crypto.randomUUID(),
      key: crypto.randomUUID(),
      payer: userPhone,
      user_phone: userPhone,
      provider: 'sandbox',
      hotspot_id: 'hotspot_1',
      package_id: await anyPackage(store, at),
      package_name: 'Day',
      amount_minor: 100,
      currency: 'UGX',
      status: 'pending',
      created_at: at,
      expires_at: at + 1000,
      ...over,
    })
    .returning('id')
  return row.id
}

async function anyPackage(store: Store, at: number): Promise<number> {
  const found: { id: number } | undefined = await store.db('packages').first('id')
  if (found) return found.id
  const [row] = await store
    .db('packages')
    .insert({ name: 'Day', duration_ms: 1000, activate_within_ms: 1000, price_minor: 100, currency: 'UGX', created_at: at, updated_at: at })
    .returning('id')
  return row.id
}
