import type { Db } from '../store/store.ts'

export type SentCode = { id: number; codeHash: string; tries: number; sentAt: number; expiresAt: number; usedAt: number | null }

/** How many there were since a time, and when the first of them was; `at` is 0 when there were none. */
export type Counted = { count: number; firstAt: number }

export async function insertCode(
  db: Db,
  code: { phone: string; address: string; codeHash: string; sentAt: number; expiresAt: number },
): Promise<void> {
  await db('sign_in_codes').insert({
    phone: code.phone,
    address: code.address,
    code_hash: code.codeHash,
    sent_at: code.sentAt,
    expires_at: code.expiresAt,
  })
}

export async function findNewestCode(db: Db, phone: string): Promise<SentCode | undefined> {
  return db('sign_in_codes').where({ phone }).orderBy('id', 'desc').first({
    id: 'id',
    codeHash: 'code_hash',
    tries: 'tries',
    sentAt: 'sent_at',
    expiresAt: 'expires_at',
    usedAt: 'used_at',
  })
}

export async function countCodeTry(db: Db, id: number): Promise<void> {
  await db('sign_in_codes').where({ id }).increment('tries')
}

export async function useCode(db: Db, id: number, at: number): Promise<void> {
  await db('sign_in_codes').where({ id }).update({ used_at: at })
}

/** Of a number, of an address, or of everybody. */
export async function countCodes(db: Db, whose: { phone?: string; address?: string }, since: number): Promise<Counted> {
  return countedOf(
    await db('sign_in_codes').where(whose).where('sent_at', '>', since).count({ count: '*' }).min({ first: 'sent_at' }).first(),
  )
}

export async function sweepCodes(db: Db, before: number): Promise<void> {
  await db('sign_in_codes').where('sent_at', '<=', before).delete()
}

export async function insertPinTry(db: Db, phone: string, address: string, at: number): Promise<void> {
  await db('pin_tries').insert({ phone, address, at })
}

export async function countPinTries(db: Db, whose: { phone: string; address?: string }, since: number): Promise<Counted> {
  return countedOf(await db('pin_tries').where(whose).where('at', '>', since).count({ count: '*' }).min({ first: 'at' }).first())
}

export async function sweepPinTries(db: Db, before: number): Promise<void> {
  await db('pin_tries').where('at', '<=', before).delete()
}

/** Of a number, from everywhere or from one address. */
export async function deletePinTries(db: Db, whose: { phone: string; address?: string }): Promise<void> {
  await db('pin_tries').where(whose).delete()
}

export async function deleteCodesOf(db: Db, phone: string): Promise<void> {
  await db('sign_in_codes').where({ phone }).delete()
}

function countedOf(row: Record<string, unknown> | undefined): Counted {
  return { count: Number(row?.['count']), firstAt: Number(row?.['first'] ?? 0) }
}
