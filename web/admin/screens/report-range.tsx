import { useState } from 'preact/hooks'
import { Choice, Field, TextField } from '../parts/form.tsx'
import { daysAfter } from './report-numbers.ts'

/** Nothing said: the box's own last 30 days. */
export type Range = { from?: string; to?: string; hotspot?: string }
type Preset = '7' | '30' | 'month' | '12' | 'custom'

const MAX_DAYS = 731
const presets: { value: Preset; label: string }[] = [
  { value: '7', label: '7 days' },
  { value: '30', label: '30 days' },
  { value: 'month', label: 'This month' },
  { value: '12', label: '12 months' },
  { value: 'custom', label: 'Other' },
]

type Props = {
  today: string | undefined
  /** The days that are on the screen. */
  shown: { from: string; to: string } | null
  hotspots: { id: string; name: string }[]
  onRange: (range: Range) => void
}

/** Which days, and of which hotspot when there are several. What cannot be asked for is said at once, and not asked. */
export function RangePicker({ today, shown, hotspots, onRange }: Props) {
  const [preset, setPreset] = useState<Preset>('30')
  const [from, setFrom] = useState('')
  const [to, setTo] = useState('')
  const [hotspot, setHotspot] = useState('')
  const several = hotspots.length > 1 || hotspot !== ''

  const tell = (days: Range, where = hotspot) => onRange({ ...days, ...(where ? { hotspot: where } : {}) })
  const choose = (next: Preset) => {
    if (!today) return
    setPreset(next)
    const days = next === 'custom' && shown ? { from: shown.from, to: shown.to } : daysOf(next, today)
    setFrom(days.from)
    setTo(days.to)
    if (next !== 'custom') tell(days)
  }
  const write = (nextFrom: string, nextTo: string) => {
    setFrom(nextFrom)
    setTo(nextTo)
    if (nextFrom && nextTo && !faultOf(nextFrom, nextTo)) tell({ from: nextFrom, to: nextTo })
  }
  return (
    <div class="report-range">
      <Choice label="Days" value={preset} options={presets} onValue={choose} />
      {preset === 'custom' && (
        <div class="report-days">
          <TextField label="From" type="date" value={from} onValue={(value) => write(value, to)} />
          <TextField
            label="To"
            type="date"
            value={to}
            onValue={(value) => write(from, value)}
            fault={from && to ? faultOf(from, to) : undefined}
          />
        </div>
      )}
      {several && (
        <Field label="Hotspot">
          {({ id }) => (
            <select
              id={id}
              class="input"
              value={hotspot}
              onChange={(event) => {
                setHotspot(event.currentTarget.value)
                tell(from && to ? { from, to } : {}, event.currentTarget.value)
              }}
            >
              <option value="">All hotspots</option>
              {hotspots.map(({ id: code, name }) => (
                <option key={code} value={code}>
                  {name || 'Without a hotspot'}
                </option>
              ))}
            </select>
          )}
        </Field>
      )}
    </div>
  )
}

function daysOf(preset: Preset, today: string): { from: string; to: string } {
  if (preset === 'month') return { from: `${today.slice(0, 8)}01`, to: today }
  return { from: daysAfter(today, preset === '7' ? -6 : preset === '12' ? -364 : -29), to: today }
}

function faultOf(from: string, to: string): string | undefined {
  if (to < from) return 'This is before the first day.'
  const days = (Date.parse(to) - Date.parse(from)) / 86_400_000 + 1
  return days > MAX_DAYS ? 'At most two years at once.' : undefined
}
