import type { Db, Tx } from '../store/store.ts'
import type { AccountName } from './schema.ts'

/** What is stored of an account; `sealed` holds the secrets. */
export type Account = { name: AccountName; enabled: boolean; options: string; sealed: string | null; updatedAt: number }

export async function readAll(db: Db): Promise<Account[]> {
  const rows: Record<string, unknown>[] = await db('accounts').select('*')
  return rows.map(accountOf)
}

export async function read(db: Db, name: AccountName): Promise<Account | undefined> {
  const row: Record<string, unknown> | undefined = await db('accounts').where({ name }).first()
  return row && accountOf(row)
}

export async function write(tx: Tx, { name, enabled, options, sealed, updatedAt }: Account): Promise<void> {
  await tx('accounts').insert({ name, enabled, options, sealed, updated_at: updatedAt }).onConflict('name').merge()
}

function accountOf(row: Record<string, unknown>): Account {
  return {
    name: row['name'] as AccountName,
    enabled: Boolean(row['enabled']),
    options: String(row['options']),
    sealed: row['sealed'] as string | null,
    updatedAt: Number(row['updated_at']),
  }
}
