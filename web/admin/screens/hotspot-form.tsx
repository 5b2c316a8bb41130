import { useState } from 'preact/hooks'
import { useAccount } from '../account.ts'
import { useChange } from '../asking.ts'
import type { Hotspot } from '../contract.ts'
import { faultOf } from '../faults.ts'
import { Dialog } from '../parts/dialog.tsx'
import { Button, ErrorNote, useSay } from '../parts/feedback.tsx'
import { NumberField, TextField, Toggle } from '../parts/form.tsx'
import { HotspotMap, placesOf } from './hotspot-map.tsx'

type Draft = { name: string; hotspotId: string; place: string; ssid: string; position: string; radiusM: number; here: boolean }
type FormProps = { known: Hotspot | null; others: Hotspot[]; onSaved: () => void; onClose: () => void }

/** Adds or changes a hotspot; its place is typed, pasted from another map, or pressed on this one. */
export function HotspotForm({ known, others, onSaved, onClose }: FormProps) {
  const { api, settings } = useAccount()
  const say = useSay()
  const [draft, setDraft] = useState<Draft>(() => draftOf(known, settings.ssid))
  const set = (part: Partial<Draft>) => setDraft((before) => ({ ...before, ...part }))
  const point = pointOf(draft.position)
  const saving = useChange(async () => {
    const { position: _, hotspotId, ...fields } = draft
    const body = { ...fields, ...(point ?? { latitude: null, longitude: null }) }
    if (known) return api.patch(`/api/admin/hotspots/${known.id}`, body)
    return api.post('/api/admin/hotspots', { ...body, ...(hotspotId.trim() ? { hotspotId: hotspotId.trim() } : {}) })
  })
  const save = async () => {
    if (point === undefined || !(await saving.run())) return
    say(known ? `${draft.name.trim()} is saved.` : `${draft.name.trim()} is added.`)
    onSaved()
    onClose()
  }
  const fault = (path: string) => faultOf(saving.error, path)
  return (
    <Dialog title={known ? `Edit ${known.name}` : 'New hotspot'} shape="panel" onClose={onClose}>
      <form
        class="dialog-form"
        onSubmit={(event) => {
          event.preventDefault()
          void save()
        }}
      >
        <div class="dialog-body stack">
          <ErrorNote error={saving.error} />
          <TextField
            label="Name"
            hint="Customers see it in the list and on the map."
            value={draft.name}
            onValue={(name) => set({ name })}
            fault={fault('name')}
            maxLength={60}
            required
          />
          <TextField
            label="Place"
            hint="The address, as people say it. May stay empty."
            value={draft.place}
            onValue={(place) => set({ place })}
            fault={fault('place')}
            maxLength={120}
          />
          <TextField label="Wi-Fi name (SSID)" value={draft.ssid} onValue={(ssid) => set({ ssid })} fault={fault('ssid')} maxLength={32} />
          <TextField
            label="Position"
            code
            hint="Latitude and longitude, such as 0.3136, 32.5811: copied from the map of your phone, or press on the map below. Empty: not on the map."
            value={draft.position}
            onValue={(position) => set({ position })}
            fault={
              point === undefined
                ? 'Write two numbers with a comma between: latitude, -90 to 90, then longitude, -180 to 180.'
                : (fault('latitude') ?? fault('longitude'))
            }
            maxLength={60}
            autocomplete="off"
          />
          <HotspotMap
            view="near"
            label="Map to set the position on; the field above does the same"
            places={[
              ...(point ? [{ ...pinOf(draft), ...point }] : []),
              ...placesOf(
                others.filter(({ id }) => id !== known?.id),
                'unknown',
              ),
            ]}
            onPoint={({ latitude, longitude }) => set({ position: `${latitude}, ${longitude}` })}
          />
          <NumberField
            label="Reaches"
            unit="metres"
            hint="Who is farther away is out of range and cannot buy for it. 500 m suits most."
            min={10}
            max={50_000}
            value={draft.radiusM}
            onValue={(radiusM) => set({ radiusM })}
            fault={fault('radiusM')}
          />
          <Toggle
            label="This box serves it"
            hint="Whoever is on the Wi-Fi of this box is in range of it, wherever their phone says to be."
            on={draft.here}
            onValue={(here) => set({ here })}
          />
          {known ? (
            <p class="soft small">
              Its number is <span class="code">{known.hotspotId}</span>; programs know it by that, so it stays.
            </p>
          ) : (
            <TextField
              label="Number"
              code
              hint={`Letters, digits, - and _. Programs know the hotspot by it, and it stays. Empty: the box takes the next${others.length > 0 ? ` after ${others.at(-1)!.hotspotId}` : ''}.`}
              value={draft.hotspotId}
              onValue={(hotspotId) => set({ hotspotId })}
              fault={fault('hotspotId')}
              maxLength={60}
              autocomplete="off"
            />
          )}
        </div>
        <footer class="dialog-foot">
          <Button onClick={onClose}>Cancel</Button>
          <Button kind="primary" type="submit" busy={saving.busy}>
            {known ? 'Save' : 'Add it'}
          </Button>
        </footer>
      </form>
    </Dialog>
  )
}

function draftOf(known: Hotspot | null, ssid: string): Draft {
  if (!known) return { name: '', hotspotId: '', place: '', ssid, position: '', radiusM: 500, here: false }
  const { name, hotspotId, place, latitude, longitude, radiusM, here } = known
  return { name, hotspotId, place, ssid: known.ssid, position: latitude === null ? '' : `${latitude}, ${longitude}`, radiusM, here }
}

/** The point that was typed; null when nothing was, undefined when it is none. */
function pointOf(position: string): { latitude: number; longitude: number } | null | undefined {
  if (position.trim() === '') return null
  const [latitude, longitude, ...more] = position
    .split(/[\s,;]+/)
    .filter(Boolean)
    .map(Number)
  const isPoint = more.length === 0 && Math.abs(latitude ?? Number.NaN) <= 90 && Math.abs(longitude ?? Number.NaN) <= 180
  return isPoint ? { latitude: latitude!, longitude: longitude! } : undefined
}

/** The pin of the hotspot itself; a radius that is being typed anew keeps no circle from being drawn. */
function pinOf({ name, radiusM }: Draft) {
  const drawnM = radiusM > 0 ? Math.min(radiusM, 50_000) : 500
  return { key: 0, label: '', name: name || 'Here', radiusM: drawnM, look: 'in' as const }
}
