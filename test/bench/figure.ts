/** One measured figure of the bench, beside what it must be and should be. */
export type Figure = {
  what: string
  measured: number
  unit: string
  /** The worst that is allowed. */
  must?: (value: number) => boolean
  mustWords?: string
  /** What we want. */
  aim?: (value: number) => boolean
  aimWords?: string
  /** How it was measured, where the name does not say it all. */
  note?: string
}

export const atMost = (limit: number) => (value: number) => value <= limit
export const atLeast = (limit: number) => (value: number) => value >= limit

export function median(values: number[]): number {
  return quantile(values, 0.5)
}

/** @param q 0 … 1 */
export function quantile(values: number[], q: number): number {
  const sorted = values.toSorted((one, other) => one - other)
  return sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? Number.NaN
}

export function verdict(figure: Figure): 'ok' | 'weak' | 'failed' {
  if (figure.must && !figure.must(figure.measured)) return 'failed'
  return figure.aim && !figure.aim(figure.measured) ? 'weak' : 'ok'
}

/** A table for people. */
export function table(figures: Figure[]): string {
  const rows = figures.map((one) => [
    one.what,
    `${round(one.measured)} ${one.unit}`.trim(),
    one.mustWords ?? '',
    one.aimWords ?? '',
    verdict(one),
  ])
  const all = [['figure', 'measured', 'must', 'aim', ''], ...rows]
  const widths = all[0]!.map((_, column) => Math.max(...all.map((row) => row[column]!.length)))
  return all.map((row) => row.map((cell, column) => cell.padEnd(widths[column]!)).join('  ')).join('\n')
}

export function round(value: number): number {
  return Math.abs(value) >= 100 ? Math.round(value) : Number(value.toPrecision(4))
}
