import type { ComponentType } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import { useHear } from '../live.ts'
import { Waiting } from '../parts/feedback.tsx'
import { Card } from '../parts/page.tsx'
import type { BarsProps } from './report-bars.tsx'
import type { Bucket, Series } from './report-numbers.ts'

type Props = {
  title: string
  buckets: Bucket[]
  series: Series[]
  /** A value in full, for a reader. */
  words: (value: number) => string
  axis: (value: number) => string
  steps: number[]
  /** What to say when there is nothing to draw. */
  quiet: string
}

/** A chart that is a table too, for those who cannot see it or want the very numbers. Pointing at a bar tells it. */
export function Figure({ title, buckets, series, words, axis, steps, quiet }: Props) {
  const [asTable, setAsTable] = useState(false)
  const [at, setAt] = useState<number | null>(null)
  const total = (values: number[]) => values.reduce((sum, value) => sum + value, 0)
  const all = series.reduce((sum, { values }) => sum + total(values), 0)
  const isQuiet = series.every(({ values }) => values.every((value) => value === 0))
  const bucket = at === null ? undefined : buckets[at]
  const shown = (values: number[]) => words(bucket && at !== null ? (values[at] ?? 0) : total(values))

  if (isQuiet)
    return (
      <Card title={title}>
        <p class="chart-empty soft">{quiet}</p>
      </Card>
    )
  return (
    <Card
      title={title}
      aside={
        <button type="button" class="button small" aria-pressed={asTable} onClick={() => setAsTable(!asTable)}>
          As table<span class="visually-hidden">: {title}</span>
        </button>
      }
    >
      {asTable ? (
        <Numbers title={title} buckets={buckets} series={series} words={words} />
      ) : (
        <figure class="chart">
          <figcaption class="figures">
            {series.map(({ name, tone, values }) => (
              <span key={name} class={`key report-key way-${tone}`}>
                {name} {shown(values)}
              </span>
            ))}
            <span class="soft">{bucket ? bucket.name : 'in all'}</span>
          </figcaption>
          <Bars
            buckets={buckets}
            series={series}
            axis={axis}
            steps={steps}
            label={`${title}: ${words(all)} in all. The same as numbers: press “As table”.`}
            onPoint={setAt}
          />
        </figure>
      )}
    </Card>
  )
}

/** The chart comes in its own file, so that the numbers need not wait for it. */
function Bars(props: BarsProps) {
  const [Chart, setChart] = useState<ComponentType<BarsProps> | null>(null)
  const [failed, setFailed] = useState(false)
  const fetchChart = () =>
    import('./report-bars.tsx').then(
      (file) => setChart(() => file.ReportBars),
      () => setFailed(true),
    )
  useEffect(() => void fetchChart(), [])
  useHear('resync', () => void (Chart ?? fetchChart()))
  if (Chart) return <Chart {...props} />
  if (failed) return <p class="chart-empty soft">The chart could not be fetched from the box. It comes when the line is back.</p>
  return (
    <div class="chart-place">
      <Waiting />
    </div>
  )
}

function Numbers({ title, buckets, series, words }: Pick<Props, 'title' | 'buckets' | 'series' | 'words'>) {
  const newestFirst = buckets.map((bucket, at) => ({ bucket, at })).toReversed()
  return (
    <div class="report-scroll" role="region" aria-label={`${title}, as a table`} tabIndex={0}>
      <table class="table figures">
        <thead>
          <tr>
            <th scope="col">When</th>
            {series.map(({ name }) => (
              <th key={name} scope="col" class="to-right">
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {newestFirst.map(({ bucket, at }) => (
            <tr key={bucket.name}>
              <th scope="row">{bucket.name}</th>
              {series.map(({ name, values }) => (
                <td key={name} class="to-right">
                  {words(values[at] ?? 0)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}
