import type { Db, Tx } from '../store/store.ts'
import type { SessionFilter } from './schema.ts'
import type { Session } from './lifecycle.ts'

/** A device of a session. `pausedAt`: the customer disconnected it; `detachedAt`: it left, or moved to another session. */
export type Device = {
  id: number
  sessionId: number
  mac: string
  name: string
  attachedAt: number
  lastSeen: number
  pausedAt: number | null
  detachedAt: number | null
}

type Row = Record<string, unknown>

const live = ['active', 'connected', 'disconnected']

export async function insertSession(tx: Tx, session: Omit<Session, 'id'>): Promise<Session> {
  const [row] = await tx('sessions').insert(toRow(session)).returning('id')
  return { ...session, id: row.id }
}

export async function findSession(db: Db, id: number): Promise<Session | undefined> {
  return fromRow(await db('sessions').where({ id }).first())
}

export async function findByResumeCode(db: Db, resumeCode: string): Promise<Session | undefined> {
  return fromRow(await db('sessions').where({ resume_code: resumeCode }).first())
}

/** Sessions by number, in no order; numbers that don't exist are left out. */
export async function findSessions(db: Db, ids: number[]): Promise<Session[]> {
  const rows: Row[] = await db('sessions').whereRaw('id in (select value from json_each(?))', [JSON.stringify(ids)])
  return rows.map((row) => fromRow(row)!)
}

/** The session to which this device belongs, or belonged last. */
export async function findByMac(db: Db, mac: string): Promise<Session | undefined> {
  const row = await db('sessions')
    .join('devices', 'devices.session_id', 'sessions.id')
    .where('devices.mac', mac)
    .orderByRaw('devices.detached_at is null desc, devices.attached_at desc')
    .select('sessions.*')
    .first()
  return fromRow(row)
}

/** What a customer has at a hotspot, or everywhere, that is not known to have ended: what runs comes first. */
export async function findOfPhone(db: Db, phone: string, hotspotId?: string): Promise<Session[]> {
  const rows: Row[] = await db('sessions')
    .where({ user_phone: phone, ...(hotspotId === undefined ? {} : { hotspot_id: hotspotId }) })
    .whereNot('status', 'expired')
    .orderByRaw("status = 'ready', id desc")
  return rows.map((row) => fromRow(row)!)
}

/** A customer's sessions, newest first. */
export async function historyOf(db: Db, phone: string, limit: number): Promise<Session[]> {
  const rows: Row[] = await db('sessions').where({ user_phone: phone }).orderBy('id', 'desc').limit(limit)
  return rows.map((row) => fromRow(row)!)
}

/** Takes a customer's number off what they had. */
export async function forgetPhone(tx: Tx, phone: string): Promise<void> {
  await tx('sessions').where({ user_phone: phone }).update({ user_phone: null })
  await tx('purchases').where({ user_phone: phone }).update({ user_phone: null })
}

/** Sessions that may be granted something, all or of these numbers. */
export async function findLive(db: Db, ids?: number[]): Promise<Session[]> {
  const rows: Row[] = await db('sessions')
    .whereIn('status', live)
    .modify((query) => void (ids && query.whereRaw('id in (select value from json_each(?))', [JSON.stringify(ids)])))
  return rows.map((row) => fromRow(row)!)
}

/** Sessions that time must move on: over, never activated, or idle since `idleSince`. */
export async function findDue(db: Db, now: number, idleSince: number): Promise<Session[]> {
  const rows: Row[] = await db('sessions')
    .where((query) => query.whereIn('status', live).where('expires_at', '<=', now))
    .orWhere((query) => query.where('status', 'ready').whereNull('follows').where('activate_by', '<=', now))
    .orWhere((query) => query.where('status', 'connected').where('last_connected', '<=', idleSince))
  return rows.map((row) => fromRow(row)!)
}

export async function findFollowers(db: Db, sessionId: number): Promise<Session[]> {
  const rows: Row[] = await db('sessions').where({ follows: sessionId, status: 'ready' }).orderBy('id')
  return rows.map((row) => fromRow(row)!)
}

/** Saves sessions in one statement, however many. */
export async function saveSessions(tx: Tx, sessions: Session[]): Promise<void> {
  if (sessions.length === 0) return
  const rows = sessions.map((session) => ({ id: session.id, ...toRow(session) }))
  const columns = Object.keys(rows[0]!).filter((column) => column !== 'id' && column !== 'created_at')
  const sets = columns.map((column) => `${column} = c.value ->> '$.${column}'`).join(', ')
  await tx.raw(`UPDATE sessions SET ${sets} FROM json_each(?) AS c WHERE sessions.id = c.value ->> '$.id'`, [JSON.stringify(rows)])
}

export async function devicesOf(db: Db, sessionIds: number[]): Promise<Device[]> {
  const rows: Row[] = await db('devices')
    .whereRaw('session_id in (select value from json_each(?))', [JSON.stringify(sessionIds)])
    .whereNull('detached_at')
    .orderBy('attached_at')
  return rows.map(deviceFromRow)
}

export async function findAttached(db: Db, mac: string): Promise<Device | undefined> {
  const row = await db('devices').where({ mac }).whereNull('detached_at').first()
  return row && deviceFromRow(row)
}

/** Which of these devices may use a session now. */
export async function findInSession(db: Db, macs: string[]): Promise<Set<string>> {
  const found: string[] = await db('devices')
    .join('sessions', 'sessions.id', 'devices.session_id')
    .whereIn('mac', macs)
    .whereIn('status', live)
    .whereNull('detached_at')
    .whereNull('paused_at')
    .pluck('mac')
  return new Set(found)
}

export async function insertDevice(tx: Tx, device: { sessionId: number; mac: string; name: string; now: number }): Promise<void> {
  await tx('devices').insert({
    session_id: device.sessionId,
    mac: device.mac,
    name: device.name,
    attached_at: device.now,
    last_seen: device.now,
  })
}

export async function updateDevice(
  tx: Tx,
  id: number,
  change: { pausedAt?: number | null; detachedAt?: number; lastSeen?: number },
): Promise<void> {
  await tx('devices')
    .where({ id })
    .update({
      ...('pausedAt' in change ? { paused_at: change.pausedAt } : {}),
      ...(change.detachedAt === undefined ? {} : { detached_at: change.detachedAt }),
      ...(change.lastSeen === undefined ? {} : { last_seen: change.lastSeen }),
    })
}

/** Devices of sessions that are in use now, and how many sessions these are. */
export async function countOnline(db: Db): Promise<{ sessions: number; devices: number; live: number }> {
  const row = await db('sessions')
    .leftJoin(
      'devices',
      (join) => void join.on('devices.session_id', 'sessions.id').onNull('devices.detached_at').onNull('devices.paused_at'),
    )
    .whereIn('status', live)
    .select(
      db.raw("count(distinct case when status = 'connected' then sessions.id end) as sessions"),
      db.raw("count(case when status = 'connected' then devices.id end) as devices"),
      db.raw('count(distinct sessions.id) as live'),
    )
    .first()
  return { sessions: Number(row?.sessions ?? 0), devices: Number(row?.devices ?? 0), live: Number(row?.live ?? 0) }
}

/** Purchases and sessions made since a time, and the bytes used since then (by whole hours). `salesMinor` counts one currency. */
export async function tallySince(
  db: Db,
  since: number,
  currency: string,
): Promise<{ purchases: number; sessions: number; salesMinor: number; bytes: number }> {
  const [bought, opened, used] = await Promise.all([
    db('purchases')
      .where('at', '>=', since)
      .select(db.raw('count(*) as purchases, sum(case when currency = ? then price_minor else 0 end) as sales', [currency]))
      .first(),
    db('sessions').where('created_at', '>=', since).count({ count: '*' }).first(),
    db('usage').where('hour', '>=', since).sum({ bytes: 'bytes' }).first(),
  ])
  return {
    purchases: Number(bought?.purchases ?? 0),
    sessions: Number(opened?.['count'] ?? 0),
    salesMinor: Number(bought?.sales ?? 0),
    bytes: Number(used?.['bytes'] ?? 0),
  }
}

export async function pageOfSessions(db: Db, filter: SessionFilter): Promise<{ sessions: Session[]; total: number }> {
  const query = db('sessions').modify((q) => {
    if (filter.status === 'live') void q.whereIn('status', live)
    else if (filter.status !== 'all') void q.where('status', filter.status)
    if (!filter.search) return
    const like = `%${filter.search.replace(/[\\%_]/g, '\\$&')}%`
    const code = filter.search.toUpperCase().replace(/[\s-]/g, '')
    void q.where((by) =>
      by
        .where('sessions.id', Number(filter.search) || -1)
        .orWhere('resume_code', code)
        .orWhereRaw("package_name like ? escape '\\'", [like])
        .orWhereRaw("user_phone like ? escape '\\'", [like])
        .orWhereExists(
          db('purchases').whereRaw('purchases.session_id = sessions.id').whereRaw("purchases.user_phone like ? escape '\\'", [like]),
        )
        .orWhereExists(db('devices').whereRaw('devices.session_id = sessions.id').whereRaw("mac like ? escape '\\'", [like.toLowerCase()])),
    )
  })
  const [count] = await query.clone().count({ total: '*' })
  const rows: Row[] = await query
    .clone()
    .orderBy('id', 'desc')
    .limit(filter.pageSize)
    .offset((filter.page - 1) * filter.pageSize)
  return { sessions: rows.map((row) => fromRow(row)!), total: Number(count?.['total'] ?? 0) }
}

function toRow(session: Omit<Session, 'id'>): Row {
  return {
    user_phone: session.userPhone,
    hotspot_id: session.hotspotId,
    hotspot_name: session.hotspotName,
    package_id: session.packageId,
    package_name: session.packageName,
    payment_method: session.paymentMethod,
    payment_reference: session.paymentReference,
    resume_code: session.resumeCode,
    start_time: session.startTime,
    expires_at: session.expiresAt,
    activate_by: session.activateBy,
    last_connected: session.lastConnected,
    disconnected_at: session.disconnectedAt,
    status: session.status,
    end_reason: session.endReason,
    ended_at: session.endedAt,
    data_limit: session.dataLimit,
    data_used: session.dataUsed,
    slow_used: session.slowUsed,
    uploaded: session.uploaded,
    tunnelled: session.tunnelled,
    elsewhere: session.elsewhere,
    reconnections: session.reconnections,
    duration_ms: session.durationMs,
    down_bps: session.downBps,
    up_bps: session.upBps,
    max_devices: session.maxDevices,
    after_data: session.afterData,
    slow_bps: session.slowBps,
    follows: session.follows,
    created_at: session.createdAt,
    updated_at: session.updatedAt,
  }
}

function fromRow(row: Row | undefined): Session | undefined {
  if (!row) return undefined
  return {
    id: row['id'],
    userPhone: row['user_phone'],
    hotspotId: row['hotspot_id'],
    hotspotName: row['hotspot_name'],
    packageId: row['package_id'],
    packageName: row['package_name'],
    paymentMethod: row['payment_method'],
    paymentReference: row['payment_reference'],
    resumeCode: row['resume_code'],
    startTime: row['start_time'],
    expiresAt: row['expires_at'],
    activateBy: row['activate_by'],
    lastConnected: row['last_connected'],
    disconnectedAt: row['disconnected_at'],
    status: row['status'],
    endReason: row['end_reason'],
    endedAt: row['ended_at'],
    dataLimit: row['data_limit'],
    dataUsed: row['data_used'],
    slowUsed: row['slow_used'],
    uploaded: row['uploaded'],
    tunnelled: row['tunnelled'],
    elsewhere: row['elsewhere'],
    reconnections: row['reconnections'],
    durationMs: row['duration_ms'],
    downBps: row['down_bps'],
    upBps: row['up_bps'],
    maxDevices: row['max_devices'],
    afterData: row['after_data'],
    slowBps: row['slow_bps'],
    follows: row['follows'],
    createdAt: row['created_at'],
    updatedAt: row['updated_at'],
  } as Session
}

function deviceFromRow(row: Row): Device {
  return {
    id: row['id'],
    sessionId: row['session_id'],
    mac: row['mac'],
    name: row['name'],
    attachedAt: row['attached_at'],
    lastSeen: row['last_seen'],
    pausedAt: row['paused_at'],
    detachedAt: row['detached_at'],
  } as Device
}
