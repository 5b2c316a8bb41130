import { iso } from '../clock.ts'
import type { Db } from '../store/store.ts'
import type { Batch, BatchInput, Voucher } from './schema.ts'

/** SQLite takes no more than 500 rows in one of knex's inserts. */
const rowsAtOnce = 500

export type FoundVoucher = {
  id: number
  batchId: number
  packageId: number
  last4: string
  status: Voucher['status']
  sessionId: number | null
}

type NamelessBatch = Omit<Batch, 'packageName'>
type BatchRow = {
  id: number
  package_id: number
  count: number
  used: number
  alphabet: Batch['alphabet']
  expires_at: number | null
  note: string
  seller: string
  created_by: string
  created_at: number
  voided_at: number | null
}

export async function insertBatch(db: Db, input: BatchInput, createdBy: string, at: number): Promise<number> {
  const [row] = await db('voucher_batches')
    .insert({
      package_id: input.packageId,
      count: input.count,
      alphabet: input.alphabet,
      expires_at: input.expiresAt ?? null,
      note: input.note,
      seller: input.seller,
      created_by: createdBy,
      created_at: at,
    })
    .returning('id')
  return row.id
}

/** A batch that was begun since a time and is still good. */
export async function findBatchOf(
  db: Db,
  { packageId, note, seller, since }: { packageId: number; note: string; seller: string; since: number },
): Promise<number | undefined> {
  const row = await db('voucher_batches')
    .where({ package_id: packageId, note, seller, voided_at: null })
    .where('created_at', '>=', since)
    .first('id')
  return row?.id
}

export async function growBatch(db: Db, id: number): Promise<void> {
  await db('voucher_batches').where({ id }).increment('count', 1)
}

export async function insertVouchers(db: Db, batchId: number, vouchers: { codeHash: string; last4: string }[]): Promise<void> {
  for (const chunk of chunks(vouchers)) {
    await db('vouchers').insert(chunk.map(({ codeHash, last4 }) => ({ batch_id: batchId, code_hash: codeHash, last4 })))
  }
}

export async function knownHashes(db: Db, hashes: string[]): Promise<string[]> {
  const known: string[] = []
  for (const chunk of chunks(hashes)) known.push(...(await db('vouchers').whereIn('code_hash', chunk).pluck('code_hash')))
  return known
}

export async function listBatches(db: Db): Promise<NamelessBatch[]> {
  const rows: BatchRow[] = await selectBatches(db).orderBy('id', 'desc')
  return rows.map(batchOf)
}

export async function findBatch(db: Db, id: number): Promise<NamelessBatch | undefined> {
  const row: BatchRow | undefined = await selectBatches(db).where({ id }).first()
  return row && batchOf(row)
}

export async function listVouchers(db: Db, batchId: number): Promise<Voucher[]> {
  const rows: { id: number; last4: string; status: Voucher['status']; redeemed_at: number | null; session_id: number | null }[] = await db(
    'vouchers',
  )
    .where({ batch_id: batchId })
    .orderBy('id')
  return rows.map(({ id, last4, status, redeemed_at, session_id }) => ({
    id,
    last4,
    status,
    redeemedAt: iso(redeemed_at),
    sessionId: session_id,
  }))
}

export async function voidBatch(db: Db, id: number, at: number): Promise<void> {
  await db('voucher_batches').where({ id }).whereNull('voided_at').update({ voided_at: at })
  await db('vouchers').where({ batch_id: id, status: 'unused' }).update({ status: 'void' })
}

/** One statement, so that two who come at once cannot both find it unused. */
export async function claim(db: Db, codeHash: string, at: number): Promise<boolean> {
  const inTime = db('voucher_batches')
    .select('id')
    .where((batch) => batch.whereNull('expires_at').orWhere('expires_at', '>=', at))
  const changed = await db('vouchers')
    .where({ code_hash: codeHash, status: 'unused' })
    .whereIn('batch_id', inTime)
    .update({ status: 'used', redeemed_at: at })
  return changed === 1
}

export async function findByHash(db: Db, codeHash: string): Promise<FoundVoucher | undefined> {
  return db('vouchers')
    .join('voucher_batches', 'voucher_batches.id', 'vouchers.batch_id')
    .where({ code_hash: codeHash })
    .first({ id: 'vouchers.id', batchId: 'batch_id', packageId: 'package_id', last4: 'last4', status: 'status', sessionId: 'session_id' })
}

export async function bind(db: Db, id: number, sessionId: number): Promise<void> {
  const changed = await db('vouchers').where({ id, status: 'used', session_id: null }).update({ session_id: sessionId })
  if (changed !== 1) throw new Error(`voucher ${id} is not one that was just claimed`)
}

export async function countRedeemed(db: Db, sinceMs: number): Promise<number> {
  const row = await db('vouchers').where('redeemed_at', '>=', sinceMs).count({ count: '*' }).first()
  return Number(row?.['count'])
}

function selectBatches(db: Db) {
  const used = db('vouchers').count('*').whereRaw('vouchers.batch_id = voucher_batches.id').where({ status: 'used' })
  return db('voucher_batches').select('*', used.as('used'))
}

function batchOf(row: BatchRow): NamelessBatch {
  return {
    id: row.id,
    packageId: row.package_id,
    count: row.count,
    used: row.used,
    alphabet: row.alphabet,
    expiresAt: iso(row.expires_at),
    note: row.note,
    seller: row.seller,
    createdBy: row.created_by,
    createdAt: iso(row.created_at),
    voidedAt: iso(row.voided_at),
  }
}

function chunks<T>(items: T[]): T[][] {
  return Array.from({ length: Math.ceil(items.length / rowsAtOnce) }, (_, index) =>
    items.slice(index * rowsAtOnce, (index + 1) * rowsAtOnce),
  )
}
