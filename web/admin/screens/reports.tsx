import type { ComponentChildren } from 'preact'
import { useEffect, useMemo, useState } from 'preact/hooks'
import { bytes, countdown, counted, money } from '../../shared/format.ts'
import { useAccount } from '../account.ts'
import { useLoaded } from '../asking.ts'
import type { Report } from '../contract.ts'
import { useHear } from '../live.ts'
import { Arrived, Empty } from '../parts/feedback.tsx'
import { Icon, type IconName } from '../parts/icons.tsx'
import { Card, Page } from '../parts/page.tsx'
import { GB, MB, moneyDigits } from '../words.ts'
import { Figure } from './report-figure.tsx'
import { bucketsOf, revenueSeries, shortMoney, spanWords, stepOf, sums } from './report-numbers.ts'
import { RangePicker, type Range } from './report-range.tsx'
import { ByMethod, ByPackage } from './report-tables.tsx'

/** The box counts once a minute. */
const REFRESH_MS = 60_000

/** What came in, what was used, and what was prevented, over any days. */
export function ReportsScreen() {
  const { api } = useAccount()
  const [range, setRange] = useState<Range>({})
  const report = useLoaded(() => api.get<Report>(`/api/admin/reports?${queryOf(range)}`), [range])
  useHear('resync', report.reload)
  useEffect(() => {
    const timer = setInterval(report.reload, REFRESH_MS)
    return () => clearInterval(timer)
  }, [])
  const { data } = report
  return (
    <Page title="Reports" note={data ? `${spanWords(data.from, data.to)}.` : undefined}>
      <RangePicker today={data?.today} shown={data} hotspots={data?.hotspots ?? []} onRange={setRange} />
      <Arrived loaded={report}>{(loaded) => (isEmpty(loaded) ? <Nothing /> : <Numbers report={loaded} range={range} />)}</Arrived>
    </Page>
  )
}

function Nothing() {
  return (
    <Empty icon="reports" title="Nothing happened in these days">
      <p>As soon as somebody buys or uses something, it is counted here. Look at other days, or sell the first package.</p>
    </Empty>
  )
}

function Numbers({ report, range }: { report: Report; range: Range }) {
  const { settings } = useAccount()
  const buckets = useMemo(() => bucketsOf(report.days.map(({ day }) => day)), [report])
  const step = stepOf(report.days.length)
  const currencies = report.totals.revenue.map(({ currency }) => currency)
  const charted = currencies.length > 0 ? currencies : [settings.currency]
  return (
    <div class="reports">
      <Totals report={report} />
      {charted.map((currency) => (
        <Revenue
          key={currency}
          report={report}
          currency={currency}
          title={charted.length > 1 ? `Revenue a ${step}, ${currency}` : `Revenue a ${step}`}
        />
      ))}
      <div class="report-pair">
        <Figure
          title={`Sessions a ${step}`}
          buckets={buckets}
          series={useMemo(() => [{ name: 'Opened', tone: 'sessions', values: sums(buckets, report.days, (day) => day.opened) }], [buckets])}
          words={whole}
          axis={whole}
          steps={decimalSteps}
          quiet="No session was opened in these days."
        />
        <Figure
          title={`Data a ${step}`}
          buckets={buckets}
          series={useMemo(() => [{ name: 'Used', tone: 'data', values: sums(buckets, report.days, (day) => day.bytes) }], [buckets])}
          words={bytes}
          axis={(size) => (size === 0 ? '0' : bytes(size))}
          steps={byteSteps}
          quiet="No data was used in these days."
        />
      </div>
      {report.packages.length > 0 && (
        <div class="report-pair">
          <ByMethod report={report} />
          <ByPackage report={report} />
        </div>
      )}
      <Files report={report} range={range} />
    </div>
  )
}

function Revenue({ report, currency, title }: { report: Report; currency: string; title: string }) {
  const buckets = useMemo(() => bucketsOf(report.days.map(({ day }) => day)), [report])
  const series = useMemo(() => revenueSeries(buckets, report.revenue, currency), [buckets, currency])
  return (
    <Figure
      title={title}
      buckets={buckets}
      series={series}
      words={(minor) => money(minor, currency)}
      axis={(minor) => (minor === 0 ? '0' : shortMoney(minor, currency))}
      steps={decimalSteps.map((size) => size * 10 ** moneyDigits(currency))}
      quiet="No money came in in these days."
    />
  )
}

function Totals({ report: { totals } }: { report: Report }) {
  const { settings } = useAccount()
  const spared = totals.prevented.reduce((sum, { count }) => sum + count, 0)
  const refunds = totals.revenue.filter((one) => one.refunds > 0)
  return (
    <ul class="tiles report-tiles">
      <Tile icon="payments" name="Revenue" note={refunds.map((one) => `${money(one.refundedMinor, one.currency)} given back`).join(', ')}>
        {totals.revenue.length === 0
          ? money(0, settings.currency)
          : totals.revenue.map(({ currency, amountMinor }) => <span key={currency}>{money(amountMinor, currency)}</span>)}
      </Tile>
      <Tile icon="sessions" name="Sessions" note={`${whole(totals.ended)} ended`}>
        {whole(totals.opened)}
      </Tile>
      <Tile icon="down" name="Data used">
        {bytes(totals.bytes)}
      </Tile>
      <Tile
        icon="check"
        name="Revenue protected"
        note={spared > 0 ? `${counted(spared, 'charge')} prevented` : 'nobody had to be stopped from paying twice'}
      >
        {totals.prevented.length === 0
          ? money(0, settings.currency)
          : totals.prevented.map(({ currency, amountMinor }) => <span key={currency}>{money(amountMinor, currency)}</span>)}
      </Tile>
      <Tile icon="clock" name="Average length" note="of sessions that ended">
        {totals.averageSeconds === null ? '–' : countdown(totals.averageSeconds)}
      </Tile>
      <Tile icon="reports" name="Average data" note="of sessions that ended">
        {totals.averageBytes === null ? '–' : bytes(totals.averageBytes)}
      </Tile>
      <Tile icon="link" name="Reconnected" note="of sessions opened went on after a break">
        {totals.reconnectionRate === null ? '–' : `${Math.round(totals.reconnectionRate * 100)} %`}
      </Tile>
      <Tile icon="customers" name="Points outstanding" note="with all customers, at the end of these days">
        {whole(totals.pointsOutstanding)}
      </Tile>
    </ul>
  )
}

function Tile({ icon, name, note, children }: { icon: IconName; name: string; note?: string; children: ComponentChildren }) {
  return (
    <li class="card tile">
      <p class="soft">
        <Icon name={icon} size={18} />
        {name}
      </p>
      <p class="tile-figure figures">{children}</p>
      {note && <p class="soft small figures">{note}</p>}
    </li>
  )
}

const files = [
  ['days', 'Sessions and data by day'],
  ['revenue', 'Revenue by day'],
  ['prevented', 'Prevented charges'],
  ['points', 'Points'],
] as const

/** The rows behind the numbers, as files. */
function Files({ report, range }: { report: Report; range: Range }) {
  return (
    <Card title="For a spreadsheet">
      <p class="soft">The same days as CSV files, each hotspot, way to pay and package by itself.</p>
      <p class="row report-files">
        {files.map(([table, name]) => (
          <a
            key={table}
            class="button"
            download
            href={`/api/admin/reports.csv?table=${table}&${queryOf({ ...range, from: report.from, to: report.to })}`}
          >
            <Icon name="file" />
            {name}
          </a>
        ))}
      </p>
    </Card>
  )
}

const decimalSteps = Array.from({ length: 13 }, (_, power) => [1, 2, 5].map((step) => step * 10 ** power)).flat()
const byteSteps = [MB, GB, 1024 * GB].flatMap((unit) => [1, 2, 5, 10, 20, 50, 100, 250, 500].map((step) => step * unit))

function isEmpty({ totals, points }: Report): boolean {
  return totals.opened + totals.ended + totals.bytes + totals.revenue.length + totals.prevented.length + points.length === 0
}

function queryOf(range: Range): string {
  return new URLSearchParams(Object.entries(range)).toString()
}

function whole(value: number): string {
  return value.toLocaleString('en-US')
}
