import { money } from '../../shared/format.ts'
import type { Report } from '../contract.ts'
import { Card } from '../parts/page.tsx'
import { wayOf } from './report-numbers.ts'

type Sum = { key: string; name: string; currency: string; count: number; refunds: number; refundedMinor: number; amountMinor: number }
type Row = Omit<Sum, 'key' | 'name'>

/** What each way to pay brought in. */
export function ByMethod({ report }: { report: Report }) {
  const rows = added(report.packages, ({ method }) => [method, wayOf(method).name])
  return <MoneyTable title="By way to pay" first="Way to pay" rows={rows} />
}

/** What each package brought in. */
export function ByPackage({ report }: { report: Report }) {
  const rows = added(report.packages, ({ packageId, packageName }) => [String(packageId), packageName])
  return <MoneyTable title="By package" first="Package" rows={rows} />
}

function MoneyTable({ title, first, rows }: { title: string; first: string; rows: Sum[] }) {
  return (
    <Card title={title} flush>
      <div class="report-scroll report-money" role="region" aria-label={title} tabIndex={0}>
        <table class="table figures">
          <thead>
            <tr>
              <th scope="col">{first}</th>
              <th scope="col" class="to-right">
                Sales
              </th>
              <th scope="col" class="to-right">
                Revenue
              </th>
            </tr>
          </thead>
          <tbody>
            {rows.map((row) => (
              <tr key={row.key}>
                <th scope="row">{row.name}</th>
                <td class="to-right">{row.count.toLocaleString('en-US')}</td>
                <td class="to-right">
                  {money(row.amountMinor, row.currency)}
                  {row.refunds > 0 && <small>{money(row.refundedMinor, row.currency)} given back</small>}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </Card>
  )
}

/** Currencies are never added to each other: each has its own rows. */
function added<T extends Row>(rows: T[], of: (row: T) => [key: string, name: string]): Sum[] {
  const sums = new Map<string, Sum>()
  for (const row of rows) {
    const [what, name] = of(row)
    const key = `${what} ${row.currency}`
    const sum = sums.get(key) ?? { key, name, currency: row.currency, count: 0, refunds: 0, refundedMinor: 0, amountMinor: 0 }
    sum.count += row.count
    sum.refunds += row.refunds
    sum.refundedMinor += row.refundedMinor
    sum.amountMinor += row.amountMinor
    sums.set(key, sum)
  }
  return [...sums.values()].toSorted(
    (one, other) => one.currency.localeCompare(other.currency) || other.amountMinor - one.amountMinor || other.count - one.count,
  )
}
