import type { Db, Tx } from '../store/store.ts'
import type { Day } from './day.ts'

export type Span = { from: Day; to: Day; hotspot: string | null }
type Row = Record<string, unknown>

/** Sums of one day; money in minor units, sizes bytes. */
export type CountedDay = {
  day: Day
  opened: number
  reconnected: number
  ended: number
  used: number
  lengthMs: number
  usedBytes: number
  bytes: number
}
export type Money = { currency: string; count: number; soldMinor: number; refunds: number; refundedMinor: number; amountMinor: number }
export type PointsDay = { day: Day; earned: number; redeemed: number; takenBack: number; corrected: number }

const daySums = {
  opened: 'opened',
  reconnected: 'reconnected',
  ended: 'ended',
  used: 'used',
  lengthMs: 'length_ms',
  usedBytes: 'used_bytes',
  bytes: 'bytes',
}
const moneySums = `sum(sales) AS count, sum(sold_minor) AS soldMinor, sum(refunds) AS refunds, sum(refunded_minor) AS refundedMinor,
  sum(sold_minor) - sum(refunded_minor) AS amountMinor`

export async function days(db: Db, span: Span): Promise<CountedDay[]> {
  return within(db, 'report_days', span).groupBy('day').orderBy('day').select('day').sum(daySums)
}

export async function daysByHotspot(db: Db, span: Span): Promise<(CountedDay & { hotspot: string })[]> {
  return within(db, 'report_days', span)
    .orderBy(['day', 'hotspot_id'])
    .select('day', { hotspot: 'hotspot_id', ...daySums })
}

export async function revenueByDay(db: Db, span: Span): Promise<(Money & { day: Day; method: string })[]> {
  const by = ['day', 'currency', 'method']
  return within(db, 'report_revenue', span).groupBy(by).orderBy(by).select(by).select(db.raw(moneySums))
}

export async function revenueByPackage(
  db: Db,
  span: Span,
): Promise<(Money & { packageId: number; packageName: string; method: string })[]> {
  return named(within(db, 'report_revenue', span))
    .groupBy('package_id', 'method', 'report_revenue.currency')
    .orderByRaw('amountMinor DESC, count DESC, package_id, method')
    .select('method', 'report_revenue.currency', { packageId: 'package_id', packageName: 'packages.name' })
    .select(db.raw(moneySums))
}

export async function revenueInFull(
  db: Db,
  span: Span,
): Promise<(Money & { day: Day; hotspot: string; method: string; packageName: string })[]> {
  return named(within(db, 'report_revenue', span))
    .orderBy(['day', 'hotspot_id', 'method', 'package_id', 'report_revenue.currency'])
    .select('day', 'method', 'report_revenue.currency', 'refunds')
    .select({
      hotspot: 'hotspot_id',
      packageName: 'packages.name',
      count: 'sales',
      soldMinor: 'sold_minor',
      refundedMinor: 'refunded_minor',
    })
    .select(db.raw('sold_minor - refunded_minor AS amountMinor'))
}

export async function prevented(db: Db, span: Span): Promise<{ day: Day; currency: string; count: number; amountMinor: number }[]> {
  const by = ['day', 'currency']
  return within(db, 'report_prevented', span).groupBy(by).orderBy(by).select(by).sum({ count: 'charges', amountMinor: 'amount_minor' })
}

/** Days on which a point moved; a place has no points of its own. */
export async function points(db: Db, { from, to }: Span): Promise<PointsDay[]> {
  return db('report_points')
    .whereBetween('day', [from, to])
    .orderBy('day')
    .select('day', 'earned', 'redeemed', 'corrected', { takenBack: 'taken_back' })
}

/** What all customers together had at the beginning of a day. */
export async function pointsBefore(db: Db, day: Day): Promise<number> {
  const [row]: Row[] = await db('report_points')
    .where('day', '<', day)
    .select(db.raw('coalesce(sum(earned + redeemed + taken_back + corrected), 0) AS points'))
  return Number(row?.['points'])
}

/** Hotspots with numbers in these days, whichever is asked for. */
export async function hotspots(db: Db, { from, to }: Span): Promise<{ id: string; name: string }[]> {
  const counted = db('report_days').select('hotspot_id').whereBetween('day', [from, to])
  const sold = db('report_revenue').select('hotspot_id').whereBetween('day', [from, to])
  const spared = db('report_prevented').select('hotspot_id').whereBetween('day', [from, to])
  return db
    .from(counted.union([sold, spared]).as('seen'))
    .leftJoin('hotspots', 'hotspots.code', 'seen.hotspot_id')
    .orderBy('name')
    .select({ id: 'seen.hotspot_id' }, db.raw('coalesce(hotspots.name, seen.hotspot_id) AS name'))
}

/** Every day that has numbers. */
export async function countedDays(db: Db): Promise<Day[]> {
  const rest = ['report_revenue', 'report_prevented', 'report_points'].map((table) => db(table).select('day'))
  return db.from(db('report_days').select('day').union(rest).as('counted')).pluck('day')
}

/** True when a fact has changed that is not counted yet. */
export async function hasChanges(db: Db): Promise<boolean> {
  return (await db('report_changes').first()) !== undefined
}

/** In whose time zone the days are counted; null before the first time. */
export async function zone(db: Db): Promise<string | null> {
  const row = await db('report_zone').first()
  return row?.time_zone ?? null
}

export async function setZone(tx: Tx, timeZone: string): Promise<void> {
  await tx('report_zone').delete()
  await tx('report_zone').insert({ time_zone: timeZone })
}

function within(db: Db, table: string, { from, to, hotspot }: Span) {
  return db(table)
    .whereBetween('day', [from, to])
    .modify((query) => void (hotspot !== null && query.where('hotspot_id', hotspot)))
}

function named(query: ReturnType<typeof within>) {
  return query.join('packages', 'packages.id', 'report_revenue.package_id')
}
