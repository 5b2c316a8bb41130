import 'uplot/dist/uPlot.min.css'
import { useEffect, useRef, useState } from 'preact/hooks'
import UPlot from 'uplot'
import { bytes, counted, moment, speed } from '../../shared/format.ts'
import { useMedia } from '../asking.ts'
import type { Overview } from '../contract.ts'

const HEIGHT = 232
const STEP_SECONDS = 300

/** A day of traffic as average speeds of five minutes, down and up. Pointing at it tells one moment. */
export function TrafficChart({ traffic }: { traffic: Overview['traffic'] }) {
  const place = useRef<HTMLDivElement>(null)
  const chart = useRef<UPlot | null>(null)
  const [at, setAt] = useState<number | null>(null)
  const dark = useMedia('(prefers-color-scheme: dark)')
  const data = chartData(traffic)

  useEffect(() => {
    const element = place.current
    if (!element) return
    const made = new UPlot(chartOptions(element, setAt), data, element)
    chart.current = made
    const watcher = new ResizeObserver(() => made.setSize({ width: element.clientWidth, height: HEIGHT }))
    watcher.observe(element)
    return () => {
      watcher.disconnect()
      made.destroy()
      chart.current = null
    }
  }, [dark])
  useEffect(() => chart.current?.setData(data), [traffic])

  const down = traffic.reduce((sum, point) => sum + point.downBytes, 0)
  const up = traffic.reduce((sum, point) => sum + point.upBytes, 0)
  const point = at === null ? undefined : traffic[at]
  return (
    <figure class="chart">
      <figcaption class="figures">
        <span class="key down">Down {point ? speed(rate(point.downBytes)) : bytes(down)}</span>
        <span class="key up">Up {point ? speed(rate(point.upBytes)) : bytes(up)}</span>
        <span class="soft">{point ? `${moment(point.at)}, ${counted(point.online, 'customer')} online` : 'in all'}</span>
      </figcaption>
      <div ref={place} class="chart-place" role="img" aria-label={`Traffic of the last 24 hours: ${bytes(down)} down, ${bytes(up)} up.`} />
    </figure>
  )
}

function chartData(traffic: Overview['traffic']): UPlot.AlignedData {
  return [
    traffic.map(({ at }) => Date.parse(at) / 1000),
    traffic.map(({ downBytes }) => rate(downBytes)),
    traffic.map(({ upBytes }) => rate(upBytes)),
  ]
}

function rate(size: number): number {
  return (size * 8) / STEP_SECONDS
}

function chartOptions(element: HTMLElement, onPoint: (at: number | null) => void): UPlot.Options {
  const style = getComputedStyle(element)
  const colour = (name: string) => style.getPropertyValue(name).trim()
  const axis = {
    stroke: colour('--ink-soft'),
    grid: { stroke: colour('--line'), width: 1 },
    ticks: { show: false },
    font: `12px ${style.fontFamily}`,
  }
  return {
    width: element.clientWidth,
    height: HEIGHT,
    padding: [10, 24, 0, 0],
    legend: { show: false },
    cursor: { y: false, drag: { x: false, y: false }, points: { size: 7 } },
    scales: { x: { range: () => lastDay() }, y: { range: (_chart, _low, high) => [0, Math.max(high * 1.08, 100_000)] } },
    axes: [
      { ...axis, size: 30, space: 64, incrs: [3600, 4 * 3600, 6 * 3600], values: (_chart, seconds) => seconds.map(clock) },
      { ...axis, size: 70, space: 44, values: (_chart, values) => values.map((value) => (value === 0 ? '0' : speed(value))) },
    ],
    series: [
      {},
      { stroke: colour('--accent-ink'), width: 2, fill: `${colour('--accent-ink')}26`, points: { show: false } },
      { stroke: colour('--ink-soft'), width: 1.5, points: { show: false } },
    ],
    hooks: { setCursor: [(chart) => onPoint(chart.cursor.idx ?? null)] },
  }
}

/** A new box has little to show yet: the day is there all the same. */
function lastDay(): [number, number] {
  const now = Date.now() / 1000
  return [now - 86_400, now]
}

function clock(seconds: number): string {
  return new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit' }).format(new Date(seconds * 1000))
}
