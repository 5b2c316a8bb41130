import type { Tx } from '../store/store.ts'
import type { Day } from './day.ts'

/** A day and its bounds, UTC ms; `until` is the next day's beginning. */
export type DayBounds = { day: Day; since: number; until: number }

const tables = ['report_days', 'report_revenue', 'report_prevented', 'report_points']

/** Counts a day anew from sessions, ledger, purchases, payments and points; what was counted before is replaced. */
export async function countDay(tx: Tx, bounds: DayBounds): Promise<void> {
  for (const table of tables) await tx(table).where({ day: bounds.day }).delete()
  await tx.raw(sessionsOfDay, bounds)
  await tx.raw(revenueOfDay, bounds)
  await tx.raw(
    `INSERT INTO report_prevented (day, hotspot_id, currency, charges, amount_minor)
     SELECT :day, hotspot_id, currency, count(*), sum(amount_minor)
     FROM prevented WHERE at >= :since AND at < :until GROUP BY hotspot_id, currency`,
    bounds,
  )
  await tx.raw(
    `INSERT INTO report_points (day, earned, redeemed, taken_back, corrected)
     SELECT :day, coalesce(sum(delta) FILTER (WHERE kind = 'earned'), 0), coalesce(sum(delta) FILTER (WHERE kind = 'redeemed'), 0),
       coalesce(sum(delta) FILTER (WHERE kind = 'taken-back'), 0), coalesce(sum(delta) FILTER (WHERE kind = 'corrected'), 0)
     FROM points WHERE at >= :since AND at < :until HAVING count(*) > 0`,
    bounds,
  )
}

/** Hours (start, UTC ms) whose facts were changed since they were counted, oldest first. */
export async function changedHours(tx: Tx, limit: number): Promise<number[]> {
  return tx('report_changes').orderBy('hour').limit(limit).pluck('hour')
}

/** They are counted now. */
export async function forgetChanges(tx: Tx, hours: number[]): Promise<void> {
  await tx.raw('DELETE FROM report_changes WHERE hour IN (SELECT value FROM json_each(?))', [JSON.stringify(hours)])
}

/** Notes every hour with a fact, and these (days that are counted but may hold none any more), as if all had just changed. */
export async function markAll(tx: Tx, alsoHours: number[]): Promise<void> {
  const hour = (time: string, table: string) =>
    `SELECT CAST(${time} / 3600000 AS INTEGER) * 3600000 FROM ${table} WHERE ${time} IS NOT NULL`
  await tx.raw(
    `INSERT OR IGNORE INTO report_changes SELECT value FROM json_each(?) UNION ${hour('created_at', 'sessions')} UNION ${hour('ended_at', 'sessions')}
     UNION ${hour('hour', 'usage')} UNION ${hour('at', 'purchases')} UNION ${hour('refunded_at', 'payments')}
     UNION ${hour('at', 'prevented')} UNION ${hour('at', 'points')}`,
    [JSON.stringify(alsoHours)],
  )
}

/** A session that was ended late, by a box that had no power, lasted no longer than it was allowed to. */
const sessionsOfDay = `
  INSERT INTO report_days (day, hotspot_id, opened, reconnected, ended, used, length_ms, used_bytes, bytes)
  SELECT :day, hotspot, sum(opened), sum(reconnected), sum(ended), sum(used), sum(length_ms), sum(used_bytes), sum(bytes) FROM (
    SELECT coalesce(hotspot_id, '') AS hotspot, 1 AS opened, reconnections > 0 AS reconnected, 0 AS ended, 0 AS used,
      0 AS length_ms, 0 AS used_bytes, 0 AS bytes
    FROM sessions WHERE created_at >= :since AND created_at < :until
    UNION ALL
    SELECT coalesce(hotspot_id, ''), 0, 0, 1, start_time IS NOT NULL,
      coalesce(max(0, min(ended_at, expires_at) - start_time), 0), iif(start_time IS NULL, 0, data_used + slow_used), 0
    FROM sessions WHERE ended_at >= :since AND ended_at < :until
    UNION ALL
    SELECT coalesce(hotspot_id, ''), 0, 0, 0, 0, 0, 0, usage.bytes
    FROM usage JOIN sessions ON sessions.id = usage.session_id WHERE hour >= :since AND hour < :until
  ) GROUP BY hotspot`

/** A refund counts where and as its purchase did; money that bought nothing was never counted. */
const revenueOfDay = `
  INSERT INTO report_revenue (day, hotspot_id, method, package_id, currency, sales, sold_minor, refunds, refunded_minor)
  SELECT :day, hotspot, method, package_id, currency, sum(sales), sum(sold), sum(refunds), sum(refunded) FROM (
    SELECT coalesce(p.hotspot_id, s.hotspot_id, '') AS hotspot, p.payment_method AS method, p.package_id, p.currency,
      1 AS sales, p.price_minor AS sold, 0 AS refunds, 0 AS refunded
    FROM purchases p JOIN sessions s ON s.id = p.session_id WHERE p.at >= :since AND p.at < :until
    UNION ALL
    SELECT coalesce(p.hotspot_id, s.hotspot_id, ''), p.payment_method, p.package_id, m.currency, 0, 0, 1, m.amount_minor
    FROM payments m JOIN purchases p ON p.payment_id = m.id JOIN sessions s ON s.id = p.session_id
    WHERE m.refund = 'done' AND m.refunded_at >= :since AND m.refunded_at < :until
  ) GROUP BY hotspot, method, package_id, currency`
