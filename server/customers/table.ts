import { iso } from '../clock.ts'
import type { Db } from '../store/store.ts'
import type { Customer, CustomerFilter, CustomerRow } from './schema.ts'

type Row = { phone: string; confirmed_at: number | null; created_at: number; seen_at: number }
type StaffRow = Row & { has_pin: number; points: number; sessions: number; live_session_id: number | null }

/**
 * What decides about a PIN. `hasThings`: something that cost money, a voucher or points belongs to this number, or money for
 * it is on its way.
 */
export type Secrets = { pinHash: string | null; confirmedAt: number | null; pinOpenUntil: number | null; hasThings: boolean }

export type Login = { phone: string; confirmed: boolean; expiresAt: number }

export async function find(db: Db, phone: string): Promise<Customer | undefined> {
  const row: Row | undefined = await db('customers').where({ phone }).first()
  return row && customerOf(row)
}

/** With the hash of the PIN: only for signing in. For any number, whether it is a customer's or not. */
export async function findSecrets(db: Db, phone: string): Promise<Secrets> {
  const row: { pin_hash: string | null; confirmed_at: number | null; pin_open_until: number | null } | undefined = await db('customers')
    .where({ phone })
    .first('pin_hash', 'confirmed_at', 'pin_open_until')
  const things = await db
    .select(db.raw('1'))
    .whereExists(db('sessions').where({ user_phone: phone }).whereNot('payment_method', 'free'))
    .orWhereExists(boughtToo(db, phone))
    .orWhereExists(moneyOf(db, phone))
    .orWhereExists(db('points').where({ user_phone: phone }))
  return {
    pinHash: row?.pin_hash ?? null,
    confirmedAt: row?.confirmed_at ?? null,
    pinOpenUntil: row?.pin_open_until ?? null,
    hasThings: things.length > 0,
  }
}

export async function insertMissing(db: Db, phone: string, at: number): Promise<void> {
  await db('customers').insert({ phone, created_at: at, seen_at: at }).onConflict('phone').ignore()
}

/** A number that was confirmed before keeps that time; one without a row gets one. */
export async function confirm(db: Db, phone: string, at: number): Promise<void> {
  await db('customers')
    .insert({ phone, created_at: at, seen_at: at, confirmed_at: at })
    .onConflict('phone')
    .merge({ confirmed_at: db.raw('coalesce(customers.confirmed_at, excluded.confirmed_at)') })
}

export async function setPin(db: Db, phone: string, pinHash: string): Promise<void> {
  await db('customers').where({ phone }).update({ pin_hash: pinHash, pin_open_until: null })
}

/** @param openUntil null: nobody may choose a new one */
export async function dropPin(db: Db, phone: string, openUntil: number | null): Promise<boolean> {
  return (await db('customers').where({ phone }).update({ pin_hash: null, pin_open_until: openUntil })) === 1
}

export async function deleteCustomer(db: Db, phone: string): Promise<void> {
  await db('customers').where({ phone }).delete()
}

export async function insertLogin(db: Db, login: { tokenHash: string; phone: string; expiresAt: number }, at: number): Promise<void> {
  await db('customer_logins').insert({
    token_hash: login.tokenHash,
    phone: login.phone,
    created_at: at,
    expires_at: login.expiresAt,
  })
  await db('customers').where({ phone: login.phone }).update({ seen_at: at })
}

/** A login that still lasts. */
export async function findLogin(db: Db, tokenHash: string, at: number): Promise<Login | undefined> {
  const row: { phone: string; confirmed_at: number | null; expires_at: number } | undefined = await db('customer_logins')
    .join('customers', 'customers.phone', 'customer_logins.phone')
    .where({ token_hash: tokenHash })
    .where('expires_at', '>', at)
    .first('customers.phone', 'confirmed_at', 'expires_at')
  return row && { phone: row.phone, confirmed: row.confirmed_at !== null, expiresAt: row.expires_at }
}

export async function moveLogin(db: Db, tokenHash: string, expiresAt: number, seenAt: number): Promise<void> {
  const phone = db('customer_logins').where({ token_hash: tokenHash }).select('phone')
  await db('customer_logins').where({ token_hash: tokenHash }).update({ expires_at: expiresAt })
  await db('customers').where({ phone }).update({ seen_at: seenAt })
}

export async function deleteLogin(db: Db, tokenHash: string): Promise<void> {
  await db('customer_logins').where({ token_hash: tokenHash }).delete()
}

export async function deleteLoginsOf(db: Db, phone: string): Promise<void> {
  await db('customer_logins').where({ phone }).delete()
}

export async function sweepLogins(db: Db, at: number): Promise<void> {
  await db('customer_logins').where('expires_at', '<=', at).delete()
}

export async function findForStaff(db: Db, phone: string, at: number): Promise<CustomerRow | undefined> {
  const row: StaffRow | undefined = await selectForStaff(db, at).where('customers.phone', phone).first()
  return row && staffRowOf(row)
}

/** Who was seen last comes first. */
export async function pageForStaff(
  db: Db,
  { search, page, pageSize }: CustomerFilter,
  at: number,
): Promise<{ customers: CustomerRow[]; total: number }> {
  const among = () => db('customers').modify((query) => void (search && query.where('customers.phone', 'like', `%${searched(search)}%`)))
  const rows: StaffRow[] = await selectForStaff(db, at)
    .whereIn(
      'customers.phone',
      among()
        .select('phone')
        .orderBy('seen_at', 'desc')
        .orderBy('phone')
        .offset((page - 1) * pageSize)
        .limit(pageSize),
    )
    .orderBy('seen_at', 'desc')
    .orderBy('customers.phone')
  const count = await among().count({ count: '*' }).first()
  return { customers: rows.map(staffRowOf), total: Number(count?.['count']) }
}

/** What was added to a session of this number that had cost nothing. */
function boughtToo(db: Db, phone: string) {
  return db('purchases')
    .where({ user_phone: phone })
    .whereNot('payment_method', 'free')
    .whereIn('session_id', db('sessions').where({ user_phone: phone }).select('id'))
}

/**
 * Money that came, or may still come: a checkout page is asked about after it failed, as its buyer may try another card.
 * A number for the counter costs nobody anything until the cashier takes the money.
 */
function moneyOf(db: Db, phone: string) {
  return db('payments')
    .where({ user_phone: phone })
    .whereNot('provider', 'free')
    .where((money) =>
      money
        .whereNotNull('paid_at')
        .orWhere((open) =>
          open.whereNot('provider', 'cash').where((look) => look.whereIn('status', ['asked', 'pending']).orWhereNotNull('next_at')),
        ),
    )
}

/** 0771 234 is found in 256771234567 too. Signs that no number has find nobody. */
function searched(typed: string): string {
  return typed
    .replace(/[\s()+-]/g, '')
    .replace(/^0+(?=\d)/, '')
    .replace(/[%_]/g, 'x')
}

function selectForStaff(db: Db, at: number) {
  const own = (table: string) => db(table).whereRaw('user_phone = customers.phone')
  return db('customers').select(
    'customers.*',
    db.raw('pin_hash is not null as has_pin'),
    db.raw('coalesce((?), 0) as points', [own('points').sum('delta')]),
    own('sessions').count('*').as('sessions'),
    own('sessions').whereIn('status', ['active', 'connected', 'disconnected']).where('expires_at', '>', at).max('id').as('live_session_id'),
  )
}

function customerOf(row: Row): Customer {
  return { phone: row.phone, confirmed: row.confirmed_at !== null, createdAt: iso(row.created_at), seenAt: iso(row.seen_at) }
}

function staffRowOf(row: StaffRow): CustomerRow {
  return {
    ...customerOf(row),
    hasPin: row.has_pin === 1,
    points: row.points,
    sessions: row.sessions,
    liveSessionId: row.live_session_id,
  }
}
