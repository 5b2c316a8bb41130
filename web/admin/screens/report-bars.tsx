import 'uplot/dist/uPlot.min.css'
import { useEffect, useRef } from 'preact/hooks'
import UPlot from 'uplot'
import { useMedia } from '../asking.ts'
import { stacked, type Bucket, type Series } from './report-numbers.ts'

const HEIGHT = 232

export type BarsProps = {
  buckets: Bucket[]
  series: Series[]
  /** A value on the axis, short. */
  axis: (value: number) => string
  /** Distances between the lines that make round words. */
  steps: number[]
  label: string
  onPoint: (at: number | null) => void
}

/** Bars, one a day, week or month; several series stand on top of each other. */
export function ReportBars({ buckets, series, axis, steps, label, onPoint }: BarsProps) {
  const place = useRef<HTMLDivElement>(null)
  const point = useRef(onPoint)
  point.current = onPoint
  const dark = useMedia('(prefers-color-scheme: dark)')

  useEffect(() => {
    const element = place.current
    if (!element) return
    const made = new UPlot(
      optionsFor(element, { buckets, series, axis, steps }, (at) => point.current(at)),
      dataOf(buckets, series),
      element,
    )
    const watcher = new ResizeObserver(() => made.setSize({ width: element.clientWidth, height: HEIGHT }))
    watcher.observe(element)
    return () => {
      watcher.disconnect()
      made.destroy()
    }
  }, [dark, buckets, series])

  return <div ref={place} class="chart-place" role="img" aria-label={label} />
}

/** The last series first: whatever is drawn later stands in front. */
function dataOf(buckets: Bucket[], series: Series[]): UPlot.AlignedData {
  return [buckets.map((_, at) => at), ...stacked(series).toReversed()]
}

function optionsFor(
  element: HTMLElement,
  { buckets, series, axis, steps }: Pick<BarsProps, 'buckets' | 'series' | 'axis' | 'steps'>,
  onPoint: (at: number | null) => void,
): UPlot.Options {
  const style = getComputedStyle(element)
  const colour = (name: string) => style.getPropertyValue(name).trim()
  const look = {
    stroke: colour('--ink-soft'),
    ticks: { show: false },
    font: `12px ${style.fontFamily}`,
  }
  const paths = UPlot.paths.bars!({ size: [0.72, 48], align: 0 })
  return {
    width: element.clientWidth,
    height: HEIGHT,
    padding: [10, 20, 0, 0],
    legend: { show: false },
    cursor: { y: false, drag: { x: false, y: false }, points: { show: false } },
    scales: {
      x: { time: false, range: [-0.6, buckets.length - 0.4] },
      y: { range: (_chart, low, high) => [Math.min(0, low * 1.08), Math.max(high * 1.08, low < 0 ? 0 : (steps[0] ?? 1))] },
    },
    axes: [
      {
        ...look,
        grid: { show: false },
        size: 30,
        space: 62,
        incrs: [1, 2, 3, 4, 5, 7, 10, 14, 21, 28],
        values: (_chart, places) => places.map((at) => buckets[at]?.label ?? ''),
      },
      {
        ...look,
        grid: { stroke: colour('--line'), width: 1 },
        size: 66,
        space: 44,
        incrs: steps,
        values: (_chart, values) => values.map(axis),
      },
    ],
    series: [
      {},
      ...series.toReversed().map(({ tone }) => ({
        stroke: colour('--surface'),
        width: series.length > 1 ? 1 : 0,
        fill: colour(`--report-${tone}`) || colour('--accent-ink'),
        paths,
        points: { show: false },
      })),
    ],
    hooks: { setCursor: [(chart) => onPoint(chart.cursor.idx ?? null)] },
  }
}
