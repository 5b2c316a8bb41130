import type { Tx } from '../store/store.ts'

/** A charge that was not made, since the customer had paid already. */
export type Prevented = {
  payer: string
  key: string
  packageId: number
  amountMinor: number
  currency: string
  hotspotId: string
  sessionId: number | null
  paymentId: number | null
  at: number
}

/** Counts it once for each request that its asker meant as one. */
export async function note(tx: Tx, prevented: Prevented): Promise<void> {
  await tx('prevented')
    .insert({
      payer: prevented.payer,
      key: prevented.key,
      package_id: prevented.packageId,
      amount_minor: prevented.amountMinor,
      currency: prevented.currency,
      hotspot_id: prevented.hotspotId,
      session_id: prevented.sessionId,
      payment_id: prevented.paymentId,
      at: prevented.at,
    })
    .onConflict(['payer', 'key'])
    .ignore()
}
