import type { Db, Tx } from '../store/store.ts'
import type { FailReason, PaymentFilter, ProviderName } from './schema.ts'

/** Detail of a payment that was paid and could not be credited by the box. */
export const NOT_CREDITED = 'It was paid, and this box could not open a session for it; it goes on trying.'

/** A payment as it is written down. Times UTC ms, money minor units. */
export type Payment = {
  id: number
  reference: string
  key: string
  payer: string
  userPhone: string | null
  /** Whoever approves it on that phone is the one who signed in with the number. */
  provesPhone: boolean
  provider: ProviderName
  hotspotId: string
  packageId: number
  packageName: string
  amountMinor: number
  currency: string
  topUp: boolean
  targetSessionId: number | null
  mac: string | null
  deviceName: string
  profileId: number | null
  status: 'asked' | 'pending' | 'paid' | 'failed'
  reason: FailReason | null
  detail: string
  checkoutUrl: string | null
  windowUntil: number | null
  windowUsed: number
  /** What came, when that was not what was asked. */
  receivedMinor: number | null
  refundEnds: boolean
  providerReference: string | null
  confirmedBy: string | null
  outcome: 'opened' | 'topped-up' | 'waiting' | null
  sessionId: number | null
  pointsEarned: number
  usedBefore: number
  attempts: number
  nextAt: number | null
  createdAt: number
  pendingAt: number | null
  expiresAt: number
  givenUpAt: number | null
  paidAt: number | null
  failedAt: number | null
  openedAt: number | null
  grantedAt: number | null
  firstByteAt: number | null
  refund: 'asked' | 'done' | 'failed' | null
  refundReason: string | null
  refundBy: string | null
  refundReference: string | null
  refundDetail: string | null
  refundAskedAt: number | null
  refundedAt: number | null
}

type Row = Record<string, unknown>

/** Fields by their columns, in one place for reading and writing. */
const columns = {
  id: 'id',
  reference: 'reference',
  key: 'key',
  payer: 'payer',
  userPhone: 'user_phone',
  provesPhone: 'proves_phone',
  provider: 'provider',
  hotspotId: 'hotspot_id',
  packageId: 'package_id',
  packageName: 'package_name',
  amountMinor: 'amount_minor',
  currency: 'currency',
  topUp: 'top_up',
  targetSessionId: 'target_session_id',
  mac: 'mac',
  deviceName: 'device_name',
  profileId: 'profile_id',
  status: 'status',
  reason: 'reason',
  detail: 'detail',
  checkoutUrl: 'checkout_url',
  windowUntil: 'window_until',
  windowUsed: 'window_used',
  receivedMinor: 'received_minor',
  refundEnds: 'refund_ends',
  providerReference: 'provider_reference',
  confirmedBy: 'confirmed_by',
  outcome: 'outcome',
  sessionId: 'session_id',
  pointsEarned: 'points_earned',
  usedBefore: 'used_before',
  attempts: 'attempts',
  nextAt: 'next_at',
  createdAt: 'created_at',
  pendingAt: 'pending_at',
  expiresAt: 'expires_at',
  givenUpAt: 'given_up_at',
  paidAt: 'paid_at',
  failedAt: 'failed_at',
  openedAt: 'opened_at',
  grantedAt: 'granted_at',
  firstByteAt: 'first_byte_at',
  refund: 'refund',
  refundReason: 'refund_reason',
  refundBy: 'refund_by',
  refundReference: 'refund_reference',
  refundDetail: 'refund_detail',
  refundAskedAt: 'refund_asked_at',
  refundedAt: 'refunded_at',
} as const satisfies Record<keyof Payment, string>

const open = ['asked', 'pending']

export async function insert(tx: Tx, payment: Omit<Payment, 'id'>): Promise<Payment> {
  const [row] = await tx('payments').insert(toRow(payment)).returning('*')
  return fromRow(row)!
}

export async function update(tx: Tx, id: number, change: Partial<Payment>): Promise<void> {
  await tx('payments').where({ id }).update(toRow(change))
}

/** Writes about a payment that nobody has credited; news that come too late change nothing. */
export async function updateUnpaid(tx: Tx, id: number, change: Partial<Payment>): Promise<void> {
  await tx('payments').where({ id }).whereNull('paid_at').update(toRow(change))
}

/** One statement, so that of any number who learn that the money is back one takes back what it bought. */
export async function settleRefund(tx: Tx, id: number, change: Pick<Payment, 'refundReference' | 'refundedAt'>): Promise<boolean> {
  const changed = await tx('payments')
    .where({ id, refund: 'asked' })
    .update({ ...toRow(change), refund: 'done', refund_detail: null, next_at: null })
  return changed === 1
}

/** Nothing is left to look at, unless money is to be given back. */
export async function rest(tx: Tx, id: number): Promise<void> {
  await tx('payments')
    .where({ id })
    .where((query) => query.whereNull('refund').orWhereNot('refund', 'asked'))
    .update({ next_at: null })
}

/** One statement, so that of any number who learn that it was paid one credits it. */
export async function claimPaid(tx: Tx, id: number, change: Pick<Payment, 'paidAt' | 'providerReference'>): Promise<Payment | undefined> {
  const [row] = await tx('payments')
    .where({ id })
    .whereIn('status', [...open, 'failed'])
    .whereNull('paid_at')
    .whereNull('refund')
    .update({ ...toRow(change), status: 'paid', reason: null })
    .returning('*')
  return fromRow(row)
}

export async function find(db: Db, id: number): Promise<Payment | undefined> {
  return fromRow(await db('payments').where({ id }).first())
}

export async function findByReference(db: Db, reference: string): Promise<Payment | undefined> {
  return fromRow(await db('payments').where({ reference }).first())
}

/** By the number that the provider gave it: what a receipt of theirs shows. */
export async function findByProviderReference(db: Db, providerReference: string): Promise<Payment | undefined> {
  return fromRow(await db('payments').where({ provider_reference: providerReference }).first())
}

export async function findByKey(db: Db, payer: string, key: string): Promise<Payment | undefined> {
  return fromRow(await db('payments').where({ payer, key }).first())
}

export async function findOpen(db: Db, payer: string, hotspotId: string): Promise<Payment | undefined> {
  return fromRow(await db('payments').where({ payer, hotspot_id: hotspotId, given_up_at: null }).whereIn('status', open).first())
}

/** The asker's last payment, by number or device. */
export async function findLatest(db: Db, payers: string[]): Promise<Payment | undefined> {
  return fromRow(await db('payments').whereIn('payer', payers).orderBy('id', 'desc').first())
}

export async function ofPhone(db: Db, phone: string, limit: number): Promise<Payment[]> {
  return rows(db('payments').where({ user_phone: phone }).orderBy('id', 'desc').limit(limit))
}

/** When unpaid questions were put to a number or from a device since a time, oldest first. */
export async function unpaidSince(db: Db, { phone, mac }: { phone: string | null; mac: string | null }, since: number): Promise<number[]> {
  return db('payments')
    .where('created_at', '>', since)
    .whereNull('paid_at')
    .whereNotIn('provider', ['cash', 'free'])
    .where((query) => {
      if (phone) void query.orWhere('user_phone', phone)
      if (mac) void query.orWhere('mac', mac)
    })
    .orderBy('created_at')
    .pluck('created_at')
}

/** Cash that was not taken yet, asked for from a device by others than one payer. */
export async function dropCash(tx: Tx, { mac, but }: { mac: string; but: string | null }, at: number): Promise<void> {
  await tx('payments')
    .where({ mac, provider: 'cash' })
    .whereNot('payer', but ?? '')
    .whereNull('paid_at')
    .whereNull('given_up_at')
    .update({ status: 'failed', reason: 'given-up', given_up_at: at, failed_at: at, next_at: null })
}

/**
 * Numbers of payments that are to be looked at now: of each provider as many, those first whose buyers hold the phone.
 * @param except under way already
 */
export async function due(db: Db, now: number, mostOfEach: number, except: number[]): Promise<number[]> {
  const rows: Row[] = await db.raw(
    `SELECT id FROM (
       SELECT id, row_number() OVER (PARTITION BY provider ORDER BY expires_at < ?, next_at) AS place
       FROM payments WHERE next_at <= ? AND id NOT IN (SELECT value FROM json_each(?))
     ) WHERE place <= ?`,
    [now, now, JSON.stringify(except), mostOfEach],
  )
  return rows.map((row) => Number(row['id']))
}

/** Paid, with a session, and the gateway has not yet been seen to let it in; all, or of these sessions. */
export async function ungranted(db: Db, ids?: number[]): Promise<{ id: number; sessionId: number }[]> {
  const found: Row[] = await db('payments')
    .join('sessions', 'sessions.id', 'payments.session_id')
    .whereNotNull('paid_at')
    .whereNull('granted_at')
    .whereNot('sessions.status', 'expired')
    .modify((query) => void (ids && query.whereRaw('session_id in (select value from json_each(?))', [JSON.stringify(ids)])))
    .select({ id: 'payments.id', sessionId: 'session_id' })
  return found.map((row) => ({ id: Number(row['id']), sessionId: Number(row['sessionId']) }))
}

/** Notes that the gateway lets these in. */
export async function markGranted(tx: Tx, ids: number[], at: number): Promise<void> {
  await tx('payments').whereIn('id', ids).whereNull('granted_at').update({ granted_at: at })
}

/** Notes first use of sessions by what each has used in all. @returns numbers of the payments */
export async function markUsed(tx: Tx, used: { id: number; bytes: number }[], at: number): Promise<number[]> {
  if (used.length === 0) return []
  const found: Row[] = await tx.raw(
    `UPDATE payments SET first_byte_at = ? FROM json_each(?) AS u
     WHERE payments.session_id = u.value ->> '$.id' AND payments.granted_at IS NOT NULL AND payments.first_byte_at IS NULL
       AND (u.value ->> '$.bytes') > payments.used_before RETURNING payments.id`,
    [at, JSON.stringify(used)],
  )
  return found.map((row) => Number(row['id']))
}

/** Paid before a time and still not let in, though the session may go on. */
export async function notOnline(db: Db, paidBefore: number): Promise<Payment[]> {
  return rows(whereNotOnline(db('payments').select('payments.*'), paidBefore).orderBy('paid_at'))
}

/** Payments that need somebody: money that was not what was asked, and refunds that failed, of the last days. */
export async function troubled(db: Db, since: number): Promise<Payment[]> {
  return rows(
    db('payments')
      .where((query) => query.where('refund', 'failed').where('refund_asked_at', '>=', since))
      .orWhere((query) => query.where('reason', 'wrong-amount').where('failed_at', '>=', since).whereNull('refund'))
      .orWhere((query) => query.where('detail', NOT_CREDITED).whereNull('paid_at').where('next_at', '>', 0))
      .orderBy('id', 'desc')
      .limit(20),
  )
}

export async function page(db: Db, filter: PaymentFilter, paidBefore: number): Promise<{ payments: Payment[]; total: number }> {
  const query = db('payments').modify((q) => {
    if (filter.status === 'open') void q.whereIn('payments.status', open)
    if (filter.status === 'paid' || filter.status === 'failed') void q.where('payments.status', filter.status)
    if (filter.status === 'refunds') void q.whereNotNull('refund')
    if (filter.status === 'cash') void q.where({ provider: 'cash', given_up_at: null }).whereIn('payments.status', open)
    if (filter.status === 'not-online') void whereNotOnline(q, paidBefore)
    if (!filter.search) return
    const like = `%${filter.search.replace(/[\\%_]/g, '\\$&').replace(/^\+/, '')}%`
    void q.where((by) =>
      by
        .where('payments.id', Number(filter.search) || -1)
        .orWhere('reference', filter.search!.toLowerCase())
        .orWhere('provider_reference', filter.search!)
        .orWhereRaw("payments.user_phone like ? escape '\\'", [like]),
    )
  })
  const [count] = await query.clone().count({ total: 'payments.id' })
  const payments = await rows(
    query
      .clone()
      .select('payments.*')
      .orderBy('payments.id', 'desc')
      .limit(filter.pageSize)
      .offset((filter.page - 1) * filter.pageSize),
  )
  return { payments, total: Number(count?.['total'] ?? 0) }
}

/** Takes a customer's number off their payments; the money stays in the books. */
export async function forget(tx: Tx, phone: string): Promise<void> {
  const theirs = tx('payments').where({ user_phone: phone }).select('reference')
  await tx('payment_inbox').whereIn('reference', theirs).update({ body: '' })
  await tx('payments')
    .where({ user_phone: phone })
    .update({ user_phone: null, payer: tx.raw("'deleted ' || id") })
  await tx('prevented')
    .where({ payer: phone })
    .update({ payer: tx.raw("'deleted ' || id") })
}

/** Whoever bought from elsewhere, or waits for another session's end, is not expected to be online. */
function whereNotOnline(query: ReturnType<Db>, paidBefore: number) {
  return query
    .leftJoin('sessions', 'sessions.id', 'payments.session_id')
    .where('paid_at', '<=', paidBefore)
    .whereNull('granted_at')
    .whereNull('refund')
    .where((q) => q.whereNull('payments.session_id').orWhereNotIn('sessions.status', ['expired', 'ready']))
}

async function rows(query: PromiseLike<Row[]>): Promise<Payment[]> {
  return (await query).map((row) => fromRow(row)!)
}

function toRow(payment: Partial<Payment>): Row {
  return Object.fromEntries(Object.entries(payment).map(([field, value]) => [columns[field as keyof Payment], value]))
}

function fromRow(row: Row | undefined): Payment | undefined {
  if (!row) return undefined
  const fields = Object.entries(columns).map(([field, column]) => [field, row[column]])
  return {
    ...Object.fromEntries(fields),
    topUp: Boolean(row['top_up']),
    provesPhone: Boolean(row['proves_phone']),
    refundEnds: Boolean(row['refund_ends']),
  } as Payment
}
