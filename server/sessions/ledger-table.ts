import type { Db, Tx } from '../store/store.ts'

type Row = Record<string, unknown>

/** Adds to the ledger: bytes of a session in an hour. */
export async function addUsage(tx: Tx, entries: { sessionId: number; hour: number; bytes: number; uploaded: number }[]): Promise<void> {
  if (entries.length === 0) return
  await tx.raw(
    `INSERT INTO usage (session_id, hour, bytes, uploaded)
     SELECT value ->> '$.sessionId', value ->> '$.hour', value ->> '$.bytes', value ->> '$.uploaded' FROM json_each(?) WHERE true
     ON CONFLICT (session_id, hour) DO UPDATE SET bytes = bytes + excluded.bytes, uploaded = uploaded + excluded.uploaded`,
    [JSON.stringify(entries)],
  )
}

/** What the ledger says was let through, per session. */
export async function ledgerOf(db: Db, sessionId: number): Promise<number> {
  const row = await db('usage').where({ session_id: sessionId }).sum({ bytes: 'bytes' }).first()
  return Number(row?.bytes ?? 0)
}

/** One point a minute for the charts. */
export async function addTraffic(tx: Tx, point: { minute: number; bytes: number; uploaded: number; online: number }): Promise<void> {
  await tx.raw(
    `INSERT INTO traffic (minute, bytes, uploaded, online) VALUES (:minute, :bytes, :uploaded, :online)
     ON CONFLICT (minute) DO UPDATE SET bytes = bytes + excluded.bytes, uploaded = uploaded + excluded.uploaded, online = excluded.online`,
    point,
  )
}

/** Traffic since a time in steps, oldest first. */
export async function trafficSince(
  db: Db,
  since: number,
  stepMs: number,
): Promise<{ at: number; bytes: number; uploaded: number; online: number }[]> {
  const rows: Row[] = await db('traffic')
    .where('minute', '>=', since)
    .groupByRaw('minute / ?', [stepMs])
    .orderBy('at')
    .select(
      db.raw('min(minute) / ? * ? as at', [stepMs, stepMs]),
      db.raw('sum(bytes) as bytes, sum(uploaded) as uploaded, max(online) as online'),
    )
  return rows.map((row) => ({
    at: Number(row['at']),
    bytes: Number(row['bytes']),
    uploaded: Number(row['uploaded']),
    online: Number(row['online']),
  }))
}

/** Forgets points older than a time. */
export async function dropTraffic(tx: Tx, before: number): Promise<void> {
  await tx('traffic').where('minute', '<', before).delete()
}
