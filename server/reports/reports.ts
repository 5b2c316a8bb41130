import type { Now } from '../clock.ts'
import type { Store, Tx } from '../store/store.ts'
import { SECOND } from '../units.ts'
import { dayOf, daysAfter, daysBetween, daysOfHour, startOf, timeZone } from './day.ts'
import type { Report, ReportFilter } from './schema.ts'
import * as table from './table.ts'
import type { Money, PointsDay, Span } from './table.ts'
import * as truth from './truth-table.ts'

/** A week of changed hours a transaction: a year that is counted anew keeps nobody waiting for long. */
const HOURS_AT_ONCE = 7 * 24

/** Days that are shown when nobody says which. */
const USUAL_DAYS = 30

export type Reports = ReturnType<typeof createReports>

/**
 * The owner's numbers, a row for each of the venue's days and hotspot.
 *
 * A fact counts on the day it happened: a purchase and a session on the day it was bought, an end, a refund and a point
 * on its own day, however much later than the purchase. Whatever is written marks its hour (triggers of migration 004),
 * and a day with a marked hour is counted anew from the truth. So no day is ever closed to a late fact, and days of
 * which nothing changed cost nothing.
 */
export function createReports({ store, now }: { store: Store; now: Now }) {
  /** Counts the next changed days. @returns how many; 0 when all is counted */
  async function rollSome(tx: Tx): Promise<number> {
    const hours = await truth.changedHours(tx, HOURS_AT_ONCE)
    const days = [...new Set(hours.flatMap(daysOfHour))]
    for (const day of days) await truth.countDay(tx, { day, since: startOf(day), until: startOf(daysAfter(day, 1)) })
    await truth.forgetChanges(tx, hours)
    return days.length
  }

  /** Brings all days up to date with the truth; may be called at any time, twice, and by two processes. @returns days counted */
  async function roll(): Promise<number> {
    // In another time zone, every day begins at another moment.
    if ((await table.zone(store.db)) !== timeZone()) await markAll()
    let counted = 0
    while (await table.hasChanges(store.db)) counted += await store.transaction(rollSome)
    return counted
  }

  async function markAll(): Promise<void> {
    await store.transaction(async (tx) => {
      const hours = (await table.countedDays(tx)).map(startOf)
      await truth.markAll(tx, hours)
      await table.setZone(tx, timeZone())
    })
  }

  function spanOf({ from, to, hotspot }: ReportFilter): Span {
    const last = to ?? (from ? later(from, dayOf(now())) : dayOf(now()))
    return { from: from ?? daysAfter(last, 1 - USUAL_DAYS), to: last, hotspot: hotspot ?? null }
  }

  return {
    roll,

    /** Counts every day anew, while the old numbers can still be read. @returns days counted */
    async rebuild(): Promise<number> {
      await markAll()
      return roll()
    },

    /** The days for which these numbers were asked, both included, and the hotspot. */
    spanOf,

    /** All numbers of some days, as of the last roll. Money in minor units, each currency by itself. */
    async read(filter: ReportFilter): Promise<Report> {
      const span = spanOf(filter)
      const [counted, revenue, packages, prevented, moved, before, hotspots] = await Promise.all([
        table.days(store.db, span),
        table.revenueByDay(store.db, span),
        table.revenueByPackage(store.db, span),
        table.prevented(store.db, span),
        table.points(store.db, span),
        table.pointsBefore(store.db, span.from),
        table.hotspots(store.db, span),
      ])
      const points = withOutstanding(moved, before)
      return {
        from: span.from,
        to: span.to,
        today: dayOf(now()),
        days: everyDay(span, counted),
        revenue,
        packages,
        prevented,
        points,
        totals: {
          ...totalsOf(counted),
          revenue: byCurrency(revenue, addMoney),
          prevented: byCurrency(prevented, addPrevented),
          pointsOutstanding: points.at(-1)?.outstanding ?? before,
        },
        hotspots,
      }
    },

    /** The rows behind the numbers, for a spreadsheet: each day and hotspot by itself. */
    async daysByHotspot(span: Span) {
      return table.daysByHotspot(store.db, span)
    },
    /** Each day, hotspot, method, package and currency by itself. */
    async revenueInFull(span: Span) {
      return table.revenueInFull(store.db, span)
    },
    /** Charges that were not made, by day and currency. */
    async prevented(span: Span) {
      return table.prevented(store.db, span)
    },
    /** Days on which a point moved, with what customers had at their end. */
    async points(span: Span) {
      return withOutstanding(await table.points(store.db, span), await table.pointsBefore(store.db, span.from))
    },
  }
}

function withOutstanding(moved: PointsDay[], before: number): Report['points'] {
  let outstanding = before
  return moved.map((one) => {
    outstanding += one.earned + one.redeemed + one.takenBack + one.corrected
    return { ...one, redeemed: 0 - one.redeemed, takenBack: 0 - one.takenBack, outstanding }
  })
}

function everyDay(span: Span, counted: table.CountedDay[]): Report['days'] {
  const byDay = new Map(counted.map((one) => [one.day, one]))
  const quiet = { opened: 0, reconnected: 0, ended: 0, used: 0, lengthMs: 0, usedBytes: 0, bytes: 0 }
  return daysBetween(span.from, span.to).map((day) => {
    const { lengthMs, ...rest } = byDay.get(day) ?? { day, ...quiet }
    return { ...rest, lengthSeconds: Math.round(lengthMs / SECOND) }
  })
}

function totalsOf(days: table.CountedDay[]) {
  const sum = (of: (day: table.CountedDay) => number) => days.reduce((total, day) => total + of(day), 0)
  const [opened, used] = [sum((day) => day.opened), sum((day) => day.used)]
  return {
    opened,
    ended: sum((day) => day.ended),
    bytes: sum((day) => day.bytes),
    averageSeconds: used === 0 ? null : Math.round(sum((day) => day.lengthMs) / used / SECOND),
    averageBytes: used === 0 ? null : Math.round(sum((day) => day.usedBytes) / used),
    reconnectionRate: opened === 0 ? null : sum((day) => day.reconnected) / opened,
  }
}

function byCurrency<T extends { currency: string }, S>(rows: T[], add: (rows: T[], currency: string) => S): S[] {
  return [...Map.groupBy(rows, (row) => row.currency)].map(([currency, same]) => add(same, currency))
}

function addMoney(rows: Money[], currency: string): Money {
  const sum = (of: (row: Money) => number) => rows.reduce((total, row) => total + of(row), 0)
  return {
    currency,
    count: sum((row) => row.count),
    soldMinor: sum((row) => row.soldMinor),
    refunds: sum((row) => row.refunds),
    refundedMinor: sum((row) => row.refundedMinor),
    amountMinor: sum((row) => row.amountMinor),
  }
}

function addPrevented(rows: { count: number; amountMinor: number }[], currency: string) {
  const sum = (of: (row: { count: number; amountMinor: number }) => number) => rows.reduce((total, row) => total + of(row), 0)
  return { currency, count: sum((row) => row.count), amountMinor: sum((row) => row.amountMinor) }
}

function later(one: string, other: string): string {
  return one > other ? one : other
}
