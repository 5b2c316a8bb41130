import { iso } from '../clock.ts'
import type { Db, Tx } from '../store/store.ts'
import type { ProviderName } from './schema.ts'

export type Entry = {
  id: number
  provider: ProviderName
  reference: string | null
  trusted: boolean
  body: string
  times: number
  receivedAt: string
  lastAt: string
}

/** A callback as it came. `at` UTC ms. */
export type Heard = { provider: ProviderName; eventKey: string; reference: string; trusted: boolean; body: string; at: number }

/** Writes callbacks down; the same one again is counted. */
export async function noteAll(tx: Tx, heard: Heard[], mostOfOne: number): Promise<void> {
  for (const one of heard) {
    const row = await tx('payment_inbox').where({ reference: one.reference }).count({ count: '*' }).first()
    const isFull = Number(row?.['count']) >= mostOfOne && !one.trusted
    if (isFull)
      await tx('payment_inbox')
        .where('id', tx('payment_inbox').where({ reference: one.reference }).max('id'))
        .increment('times', 1)
    else await note(tx, one)
  }
}

async function note(db: Db, entry: Heard): Promise<void> {
  await db('payment_inbox')
    .insert({
      provider: entry.provider,
      event_key: entry.eventKey,
      reference: entry.reference,
      trusted: entry.trusted,
      body: entry.body,
      received_at: entry.at,
      last_at: entry.at,
    })
    .onConflict(['provider', 'event_key'])
    .merge({ times: db.raw('payment_inbox.times + 1'), last_at: entry.at })
}

export async function ofReference(db: Db, reference: string): Promise<Entry[]> {
  return (await db('payment_inbox').where({ reference }).orderBy('id')).map(entryOf)
}

export async function page(db: Db, offset: number, limit: number): Promise<{ entries: Entry[]; total: number }> {
  const [count] = await db('payment_inbox').count({ total: '*' })
  const found = await db('payment_inbox').orderBy('id', 'desc').limit(limit).offset(offset)
  return { entries: found.map(entryOf), total: Number(count?.['total'] ?? 0) }
}

/** Forged and forgotten callbacks must not fill the disk. */
export async function sweep(db: Db, before: number): Promise<void> {
  await db('payment_inbox').where('last_at', '<', before).delete()
}

function entryOf(row: Record<string, unknown>): Entry {
  return {
    id: Number(row['id']),
    provider: row['provider'] as ProviderName,
    reference: row['reference'] as string | null,
    trusted: Boolean(row['trusted']),
    body: String(row['body']),
    times: Number(row['times']),
    receivedAt: iso(Number(row['received_at'])),
    lastAt: iso(Number(row['last_at'])),
  }
}
