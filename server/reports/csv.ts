import { toDecimal } from '../money.ts'
import { SECOND } from '../units.ts'
import type { Reports } from './reports.ts'
import type { ReportTable } from './schema.ts'
import type { Span } from './table.ts'

/** A text, or a number as it is written. */
type Cell = string | { number: string }

/**
 * One of the tables for a spreadsheet: UTF-8 with its mark, CRLF, a header row. Money is decimal, in a column beside its
 * currency; texts that a spreadsheet would take for a formula stay text.
 */
export async function csvOf(reports: Reports, which: ReportTable, span: Span): Promise<string> {
  const [head, rows] = await tables[which](reports, span)
  return `\uFEFF${[head, ...rows].map((row) => row.map(cell).join(',')).join('\r\n')}\r\n`
}

const tables: Record<ReportTable, (reports: Reports, span: Span) => Promise<[string[], Cell[][]]>> = {
  days: async (reports, span) => [
    [
      'day',
      'hotspot',
      'sessions opened',
      'of those reconnected',
      'sessions ended',
      'of those used',
      'seconds used',
      'bytes of ended sessions',
      'bytes that day',
    ],
    (await reports.daysByHotspot(span)).map((row) => [
      row.day,
      row.hotspot,
      ...[row.opened, row.reconnected, row.ended, row.used, Math.round(row.lengthMs / SECOND), row.usedBytes, row.bytes].map(whole),
    ]),
  ],
  revenue: async (reports, span) => [
    ['day', 'hotspot', 'method', 'package', 'currency', 'sales', 'sold', 'refunds', 'refunded', 'revenue'],
    (await reports.revenueInFull(span)).map(({ currency, ...row }) => [
      row.day,
      row.hotspot,
      row.method,
      row.packageName,
      currency,
      whole(row.count),
      decimal(row.soldMinor, currency),
      whole(row.refunds),
      decimal(row.refundedMinor, currency),
      decimal(row.amountMinor, currency),
    ]),
  ],
  prevented: async (reports, span) => [
    ['day', 'currency', 'charges prevented', 'amount'],
    (await reports.prevented(span)).map(({ day, currency, count, amountMinor }) => [
      day,
      currency,
      whole(count),
      decimal(amountMinor, currency),
    ]),
  ],
  points: async (reports, span) => [
    ['day', 'earned', 'redeemed', 'taken back', 'corrected', 'outstanding'],
    (await reports.points(span)).map((row) => [
      row.day,
      ...[row.earned, row.redeemed, row.takenBack, row.corrected, row.outstanding].map(whole),
    ]),
  ],
}

function whole(number: number): Cell {
  return { number: String(number) }
}

function decimal(minor: number, currency: string): Cell {
  return { number: `${minor < 0 ? '-' : ''}${toDecimal(Math.abs(minor), currency)}` }
}

/** Spreadsheets run a text that begins like a formula; the apostrophe keeps it text. A number with a minus is none. */
function cell(value: Cell): string {
  if (typeof value !== 'string') return value.number
  const safe = /^[\s]*[=+\-@＝＋－＠\t\r\n]/.test(value) ? `'${value}` : value
  return `"${safe.replace(/"/g, '""')}"`
}
