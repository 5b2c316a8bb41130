import test from 'ava'
import {
  bucketsOf,
  daysAfter,
  revenueSeries,
  shortMoney,
  spanWords,
  stacked,
  stepOf,
  sums,
} from '../../web/admin/screens/report-numbers.ts'

const range = (from: string, count: number) => Array.from({ length: count }, (_, at) => daysAfter(from, at))
const sold = (day: string, method: string, amountMinor: number, currency = 'NGN') => ({
  day,
  method,
  currency,
  count: 1,
  soldMinor: Math.max(0, amountMinor),
  refunds: 0,
  refundedMinor: Math.max(0, -amountMinor),
  amountMinor,
})

test('a bar is a day, a week or a month, and every day of the range is in one', (t) => {
  for (const [count, step] of [
    [30, 'day'],
    [365, 'week'],
    [731, 'month'],
  ] as const) {
    const days = range('2025-11-21', count)
    t.is(stepOf(count), step)
    t.deepEqual(
      bucketsOf(days).flatMap((bucket) => bucket.days),
      days,
    )
  }
  t.is(bucketsOf(range('2025-11-21', 365)).at(-1)!.days.length, 7, 'the newest week is whole')
  t.is(bucketsOf(range('2025-11-21', 731))[0]!.name, 'November 2025')
  t.is(bucketsOf(range('2026-11-21', 1))[0]!.name, 'Sat 21 Nov')
})

test('what is in a bar is the sum of its days', (t) => {
  const buckets = bucketsOf(range('2026-01-01', 70))
  const rows = range('2026-01-01', 70).map((day) => ({ day, opened: 2 }))
  t.deepEqual(
    sums(buckets, rows, ({ opened }) => opened),
    Array.from({ length: 10 }, () => 14),
  )
})

test('ways that moved no money are not in the chart, and other currencies are in their own', (t) => {
  const buckets = bucketsOf(range('2026-11-20', 2))
  const revenue = [
    sold('2026-11-20', 'voucher', 500),
    sold('2026-11-21', 'Mobile Money', 300),
    sold('2026-11-21', 'loyalty_points', 0),
    sold('2026-11-21', 'cash', 9, 'UGX'),
  ]
  t.deepEqual(
    revenueSeries(buckets, revenue, 'NGN').map(({ name, values }) => [name, values]),
    [
      ['Mobile money', [0, 300]],
      ['Vouchers', [500, 0]],
    ],
  )
})

test('bars stand on each other, and money given back hangs below', (t) => {
  const series = [
    { name: 'one', tone: '', values: [10, -5, 0] },
    { name: 'two', tone: '', values: [20, 30, 0] },
    { name: 'three', tone: '', values: [5, -1, 4] },
  ]
  t.deepEqual(stacked(series), [
    [10, -5, null],
    [30, 30, null],
    [35, -6, 4],
  ])
})

test('spans and money are short', (t) => {
  t.is(spanWords('2026-10-21', '2026-11-19'), '21 Oct – 19 Nov 2026')
  t.is(spanWords('2025-11-21', '2026-11-20'), '21 Nov 2025 – 20 Nov 2026')
  t.is(spanWords('2026-11-21', '2026-11-21'), '21 Nov 2026')
  t.is(shortMoney(123_456_700, 'NGN'), '₦1.2M')
  t.is(shortMoney(5000, 'UGX'), 'UGX 5K')
})
