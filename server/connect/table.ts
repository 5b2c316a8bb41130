import type { Db, Tx } from '../store/store.ts'

/** A right to open the tunnel, of one session at a time. Times UTC ms. */
export type Profile = {
  id: number
  sessionId: number
  name: string
  publicKey: string
  /** Inside the tunnel; `place` is its number within the range. */
  address: string
  place: number
  endpointId: number
  port: number
  createdAt: number
  handshakeAt: number | null
  revokedAt: number | null
}

/** The one-time link that is open for a profile; UTC ms. */
export type Link = { hash: string; expiresAt: number }

/** A way to this box from outside. */
export type Endpoint = { id: number; name: string; region: string; host: string | null; ports: number[]; self: boolean }

type Row = Record<string, unknown>

const living = (db: Db) => db('profiles').whereNull('revoked_at')
const among = (column: string) => `${column} in (select value from json_each(?))`

export async function insertProfile(tx: Tx, profile: Omit<Profile, 'id'>, link: Link): Promise<Profile> {
  const [row] = await tx('profiles')
    .insert({ ...toRow(profile), link_hash: link.hash, link_expires_at: link.expiresAt })
    .returning('id')
  return { ...profile, id: row.id }
}

export async function findLiving(db: Db, id: number): Promise<Profile | undefined> {
  return fromRow(await living(db).where({ id }).first())
}

export async function findByAddress(db: Db, address: string): Promise<Profile | undefined> {
  return fromRow(await living(db).where({ address }).first())
}

export async function findByLink(db: Db, linkHash: string, now: number): Promise<Profile | undefined> {
  return fromRow(await living(db).where({ link_hash: linkHash }).where('link_expires_at', '>', now).first())
}

/** All that live, or those of these numbers. */
export async function allLiving(db: Db, ids?: number[]): Promise<Profile[]> {
  const rows: Row[] = await living(db).modify((query) => void (ids && query.whereRaw(among('id'), [JSON.stringify(ids)])))
  return rows.map((row) => fromRow(row)!)
}

/** Of all that live, or of these numbers, what the tunnel needs; there may be thousands, and every poll asks. */
export async function findPeers(db: Db, ids?: number[]): Promise<Pick<Profile, 'id' | 'publicKey' | 'address'>[]> {
  return living(db)
    .modify((query) => void (ids && query.whereRaw(among('id'), [JSON.stringify(ids)])))
    .select('id', 'public_key as publicKey', 'address')
}

/** Where the living profiles of these sessions are in the tunnel; there may be thousands, and every poll asks. */
export async function findAddresses(db: Db, sessionIds: number[]): Promise<Pick<Profile, 'sessionId' | 'address'>[]> {
  return living(db)
    .whereRaw(among('session_id'), [JSON.stringify(sessionIds)])
    .select('session_id as sessionId', 'address')
}

export async function livingOf(db: Db, sessionIds: number[]): Promise<Profile[]> {
  const rows: Row[] = await living(db)
    .whereRaw(among('session_id'), [JSON.stringify(sessionIds)])
    .orderBy('id')
  return rows.map((row) => fromRow(row)!)
}

export async function sessionsWithProfiles(db: Db): Promise<number[]> {
  const rows: Row[] = await living(db).distinct('session_id')
  return rows.map((row) => Number(row['session_id']))
}

export async function countLiving(db: Db, activeSince: number): Promise<{ living: number; active: number }> {
  const row: Row | undefined = await living(db)
    .select(db.raw('count(*) as living, count(case when handshake_at > ? then 1 end) as active', [activeSince]))
    .first()
  return { living: Number(row?.['living'] ?? 0), active: Number(row?.['active'] ?? 0) }
}

/** How many living profiles have an address that does not begin with `range` (`10.8.`). */
export async function countOutside(db: Db, range: string): Promise<number> {
  const [row] = await living(db).whereRaw("address not like ? || '%'", [range]).count({ count: '*' })
  return Number(row?.['count'] ?? 0)
}

/** The place given last, by which the next one is chosen: an address rests as long as possible before it is used again. */
export async function lastPlace(db: Db): Promise<number> {
  const row: Row | undefined = await db('profiles').orderBy('id', 'desc').select('place').first()
  return Number(row?.['place'] ?? 0)
}

/** The first free place from `from` on; may lie beyond the end of the range. */
export async function freePlace(db: Db, from: number): Promise<number> {
  if (!(await living(db).where({ place: from }).select('id').first())) return from
  const row: Row | undefined = await db('profiles as p')
    .whereNull('p.revoked_at')
    .where('p.place', '>=', from)
    .whereNotExists(db('profiles as next').whereNull('next.revoked_at').whereRaw('next.place = p.place + 1'))
    .orderBy('p.place')
    .select('p.place')
    .first()
  return Number(row!['place']) + 1
}

export async function updateProfile(
  tx: Tx,
  id: number,
  change: Partial<Pick<Profile, 'name' | 'publicKey' | 'endpointId' | 'port' | 'sessionId' | 'handshakeAt'>>,
): Promise<void> {
  await tx('profiles').where({ id }).update(toRow(change))
}

export async function setLink(tx: Tx, id: number, link: Link): Promise<void> {
  await tx('profiles').where({ id }).update({ link_hash: link.hash, link_expires_at: link.expiresAt })
}

export async function setHandshakes(tx: Tx, handshakes: { id: number; at: number }[]): Promise<void> {
  await tx.raw(
    `UPDATE profiles SET handshake_at = max(coalesce(handshake_at, 0), h.value ->> '$.at') FROM json_each(?) AS h WHERE profiles.id = h.value ->> '$.id'`,
    [JSON.stringify(handshakes)],
  )
}

export async function revoke(tx: Tx, ids: number[], at: number): Promise<void> {
  await tx('profiles')
    .whereNull('revoked_at')
    .whereRaw(among('id'), [JSON.stringify(ids)])
    .update({ revoked_at: at, link_hash: null, link_expires_at: null })
}

export async function endpoints(db: Db): Promise<Endpoint[]> {
  const rows: Row[] = await db('endpoints').orderBy([{ column: 'self', order: 'desc' }, { column: 'id' }])
  return rows.map(endpointFromRow)
}

export async function insertEndpoint(tx: Tx, endpoint: Omit<Endpoint, 'id'>, at: number): Promise<Endpoint> {
  const [row] = await tx('endpoints')
    .insert({ ...endpoint, ports: JSON.stringify(endpoint.ports), created_at: at })
    .returning('id')
  return { ...endpoint, id: row.id }
}

export async function updateEndpoint(tx: Tx, { id, ...endpoint }: Endpoint): Promise<void> {
  await tx('endpoints')
    .where({ id })
    .update({ ...endpoint, ports: JSON.stringify(endpoint.ports) })
}

export async function deleteEndpoint(tx: Tx, id: number): Promise<void> {
  await tx('endpoints').where({ id }).delete()
}

const columns = {
  sessionId: 'session_id',
  name: 'name',
  publicKey: 'public_key',
  address: 'address',
  place: 'place',
  endpointId: 'endpoint_id',
  port: 'port',
  createdAt: 'created_at',
  handshakeAt: 'handshake_at',
  revokedAt: 'revoked_at',
} as const

function toRow(profile: Partial<Omit<Profile, 'id'>>): Row {
  return Object.fromEntries(Object.entries(profile).map(([key, value]) => [columns[key as keyof typeof columns], value]))
}

function fromRow(row: Row | undefined): Profile | undefined {
  if (!row) return undefined
  return { id: row['id'], ...Object.fromEntries(Object.entries(columns).map(([key, column]) => [key, row[column]])) } as Profile
}

function endpointFromRow(row: Row): Endpoint {
  return {
    id: Number(row['id']),
    name: String(row['name']),
    region: String(row['region']),
    host: row['host'] as string | null,
    ports: JSON.parse(String(row['ports'])) as number[],
    self: Boolean(row['self']),
  }
}
