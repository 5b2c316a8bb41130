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

/** Counts it once for a session or payment and package: whoever taps a hundred times would have paid once. */
export async function note(tx: Tx, prevented: Prevented): Promise<void> {
  const same = { payer: prevented.payer, package_id: prevented.packageId, session_id: prevented.sessionId, payment_id: prevented.paymentId }
  if (await tx('prevented').where(same).first('id')) return
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
