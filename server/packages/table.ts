import { SECOND } from '../units.ts'
import type { Db } from '../store/store.ts'
import type { Package } from './schema.ts'

type Row = {
  id: number
  name: string
  description: string
  data_limit: number | null
  duration_ms: number
  activate_within_ms: number
  down_bps: number | null
  up_bps: number | null
  max_devices: number
  price_minor: number
  currency: string
  after_data: 'stop' | 'slow'
  slow_bps: number | null
  limit_group: string | null
  limit_count: number | null
  limit_bytes: number | null
  limit_days: number | null
  points_price: number | null
  position: number
  archived_at: number | null
}

export type Fields = Omit<Package, 'id' | 'archived'>

export async function list(db: Db, { archived }: { archived: boolean }): Promise<Package[]> {
  const query = db<Row>('packages').orderBy(['position', 'id'])
  const rows: Row[] = await (archived ? query : query.whereNull('archived_at'))
  return rows.map(packageOf)
}

export async function find(db: Db, id: number): Promise<Package | undefined> {
  const row: Row | undefined = await db('packages').where({ id }).first()
  return row && packageOf(row)
}

export async function idsOfGroup(db: Db, group: string): Promise<number[]> {
  return db('packages').where({ limit_group: group }).pluck('id')
}

export async function count(db: Db): Promise<number> {
  const row = await db('packages').count({ count: '*' }).first()
  return Number(row?.['count'])
}

export async function insert(db: Db, fields: Fields, at: number): Promise<Package> {
  const [row] = await db('packages')
    .insert({ ...rowOf(fields), created_at: at, updated_at: at })
    .returning('*')
  return packageOf(row)
}

export async function update(db: Db, id: number, fields: Fields, at: number): Promise<Package> {
  const [row] = await db('packages')
    .where({ id })
    .update({ ...rowOf(fields), updated_at: at })
    .returning('*')
  return packageOf(row)
}

export async function archive(db: Db, id: number, at: number): Promise<void> {
  await db('packages').where({ id }).update({ archived_at: at, updated_at: at })
}

function packageOf(row: Row): Package {
  return {
    id: row.id,
    name: row.name,
    description: row.description,
    dataLimit: row.data_limit,
    durationSeconds: row.duration_ms / SECOND,
    activateWithinSeconds: row.activate_within_ms / SECOND,
    downBps: row.down_bps,
    upBps: row.up_bps,
    maxDevices: row.max_devices,
    priceMinor: row.price_minor,
    currency: row.currency,
    afterData: row.after_data,
    slowBps: row.slow_bps,
    customerLimit:
      row.limit_days === null ? null : { group: row.limit_group, count: row.limit_count, bytes: row.limit_bytes, days: row.limit_days },
    pointsPrice: row.points_price,
    position: row.position,
    archived: row.archived_at !== null,
  }
}

function rowOf(fields: Fields): Omit<Row, 'id' | 'archived_at'> {
  return {
    name: fields.name,
    description: fields.description,
    data_limit: fields.dataLimit,
    duration_ms: fields.durationSeconds * SECOND,
    activate_within_ms: fields.activateWithinSeconds * SECOND,
    down_bps: fields.downBps,
    up_bps: fields.upBps,
    max_devices: fields.maxDevices,
    price_minor: fields.priceMinor,
    currency: fields.currency,
    after_data: fields.afterData,
    slow_bps: fields.slowBps,
    limit_group: fields.customerLimit?.group ?? null,
    limit_count: fields.customerLimit?.count ?? null,
    limit_bytes: fields.customerLimit?.bytes ?? null,
    limit_days: fields.customerLimit?.days ?? null,
    points_price: fields.pointsPrice,
    position: fields.position,
  }
}
