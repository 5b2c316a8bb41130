import type { Db } from '../store/store.ts'
import type { Hotspot } from './schema.ts'

type Row = {
  id: number
  code: string
  name: string
  place: string
  ssid: string
  latitude: number | null
  longitude: number | null
  radius_m: number
  status: 'open' | 'closed'
  here: number
}

export type Fields = Omit<Hotspot, 'id'>

export async function list(db: Db): Promise<Hotspot[]> {
  const rows: Row[] = await db<Row>('hotspots').orderBy('id')
  return rows.map(hotspotOf)
}

export async function find(db: Db, code: string): Promise<Hotspot | undefined> {
  const row: Row | undefined = await db('hotspots').where({ code }).first()
  return row && hotspotOf(row)
}

export async function insert(db: Db, fields: Fields, at: number): Promise<Hotspot> {
  const [row] = await db('hotspots')
    .insert({ ...rowOf(fields), created_at: at, updated_at: at })
    .returning('*')
  return hotspotOf(row)
}

export async function update(db: Db, id: number, fields: Fields, at: number): Promise<Hotspot> {
  const [row] = await db('hotspots')
    .where({ id })
    .update({ ...rowOf(fields), updated_at: at })
    .returning('*')
  return hotspotOf(row)
}

export async function remove(db: Db, id: number): Promise<void> {
  await db('hotspots').where({ id }).delete()
}

function hotspotOf(row: Row): Hotspot {
  return {
    id: row.id,
    hotspotId: row.code,
    name: row.name,
    place: row.place,
    ssid: row.ssid,
    latitude: row.latitude,
    longitude: row.longitude,
    radiusM: row.radius_m,
    status: row.status,
    here: Boolean(row.here),
  }
}

function rowOf(fields: Fields): Omit<Row, 'id' | 'here'> & { here: boolean } {
  return {
    code: fields.hotspotId,
    name: fields.name,
    place: fields.place,
    ssid: fields.ssid,
    latitude: fields.latitude,
    longitude: fields.longitude,
    radius_m: fields.radiusM,
    status: fields.status,
    here: fields.here,
  }
}
