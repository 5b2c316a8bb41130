import { moneyDigits } from '../words.ts'
import type { Report } from '../contract.ts'

/** Some days drawn as one: a day, seven of them, or a calendar month, by how long the range is. */
export type Bucket = { label: string; name: string; days: string[] }
export type Series = { name: string; tone: string; values: number[] }

const BY_DAY_UP_TO = 62
const BY_WEEK_UP_TO = 400

const ways: Record<string, { name: string; tone: string }> = {
  'Mobile Money': { name: 'Mobile money', tone: 'mobile' },
  cash: { name: 'Cash', tone: 'cash' },
  voucher: { name: 'Vouchers', tone: 'voucher' },
  loyalty_points: { name: 'Points', tone: 'points' },
  free: { name: 'Free', tone: 'free' },
}

/** A way to pay as people call it, and the name of its colour. */
export function wayOf(method: string): { name: string; tone: string } {
  return ways[method] ?? { name: method, tone: 'free' }
}

/** How the range is cut: "day", "week" or "month". */
export function stepOf(days: number): 'day' | 'week' | 'month' {
  if (days <= BY_DAY_UP_TO) return 'day'
  return days <= BY_WEEK_UP_TO ? 'week' : 'month'
}

/** The days of a range in what one bar shows. Weeks are counted back from the end, so that the newest is whole. */
export function bucketsOf(days: string[]): Bucket[] {
  const step = stepOf(days.length)
  const groups = new Map<string | number, string[]>()
  days.forEach((day, at) => {
    const group = step === 'day' ? day : step === 'month' ? day.slice(0, 7) : Math.floor((days.length - 1 - at) / 7)
    groups.set(group, [...(groups.get(group) ?? []), day])
  })
  return [...groups.values()].map((group) => {
    const [first = '', last = ''] = [group[0], group[group.length - 1]]
    if (step === 'month')
      return { label: dayWords(first, { month: 'short' }), name: dayWords(first, { month: 'long', year: 'numeric' }), days: group }
    const label = dayWords(first, { day: 'numeric', month: 'short' })
    const name = first === last ? dayWords(first, { weekday: 'short', day: 'numeric', month: 'short' }) : spanWords(first, last)
    return { label, name, days: group }
  })
}

/** One number a bucket, of rows that bear a day. */
export function sums<T extends { day: string }>(buckets: Bucket[], rows: T[], of: (row: T) => number): number[] {
  const byDay = new Map<string, number>()
  for (const row of rows) byDay.set(row.day, (byDay.get(row.day) ?? 0) + of(row))
  return buckets.map(({ days }) => days.reduce((sum, day) => sum + (byDay.get(day) ?? 0), 0))
}

/** Revenue of one currency by way to pay; ways that never moved money are left out. */
export function revenueSeries(buckets: Bucket[], revenue: Report['revenue'], currency: string): Series[] {
  const mine = revenue.filter((row) => row.currency === currency && (row.soldMinor !== 0 || row.refundedMinor !== 0))
  return Object.keys(ways)
    .concat(mine.map(({ method }) => method))
    .filter((method, at, all) => all.indexOf(method) === at && mine.some((row) => row.method === method))
    .map((method) => ({
      ...wayOf(method),
      values: sums(
        buckets,
        mine.filter((row) => row.method === method),
        (row) => row.amountMinor,
      ),
    }))
}

/**
 * Bars on top of each other: what each series reaches, from nothing upwards, or downwards where money went back. Drawn
 * from the last to the first, each covers the lower part of the one behind it.
 */
export function stacked(series: Series[]): (number | null)[][] {
  const up = (series[0]?.values ?? []).map(() => 0)
  const down = [...up]
  return series.map(({ values }) =>
    values.map((value, at) => {
      if (value === 0) return null
      const pile = value > 0 ? up : down
      pile[at] = (pile[at] ?? 0) + value
      return pile[at]
    }),
  )
}

/** "21 Oct – 19 Nov 2026" */
export function spanWords(from: string, to: string): string {
  const full = { day: 'numeric', month: 'short', year: 'numeric' } as const
  if (from === to) return dayWords(from, full)
  return `${dayWords(from, from.slice(0, 4) === to.slice(0, 4) ? { day: 'numeric', month: 'short' } : full)} – ${dayWords(to, full)}`
}

/** Money for an axis: "₦1.2M". */
export function shortMoney(minor: number, currency: string): string {
  const amount = minor / 10 ** moneyDigits(currency)
  const options = { style: 'currency', currency, notation: 'compact', maximumFractionDigits: 1, minimumFractionDigits: 0 } as const
  try {
    return new Intl.NumberFormat('en-US', { ...options, currencyDisplay: 'narrowSymbol' }).format(amount).replace(/\u00a0/g, ' ')
  } catch {
    return new Intl.NumberFormat('en-US', options).format(amount)
  }
}

/** The venue's day so many days later. */
export function daysAfter(day: string, days: number): string {
  return new Date(Date.parse(day) + days * 86_400_000).toISOString().slice(0, 10)
}

function dayWords(day: string, options: Intl.DateTimeFormatOptions): string {
  return new Intl.DateTimeFormat('en-GB', { ...options, timeZone: 'UTC' }).format(new Date(day))
}
