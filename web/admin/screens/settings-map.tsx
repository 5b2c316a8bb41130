import { TextField } from '../parts/form.tsx'
import { Card } from '../parts/page.tsx'
import type { PartProps } from './settings-part.ts'

/** Where the map of the hotspots gets its streets from, if from anywhere. */
export function MapSettings({ draft, set, fault }: PartProps) {
  return (
    <Card title="The map">
      <div class="stack">
        <p class="soft">
          The box draws its own map: an outline of the world, distances, and how far each hotspot reaches. A tile server adds streets, for
          customers who are online.
        </p>
        <div class="form-grid">
          <TextField
            label="Tile server"
            code
            hint="Such as https://tiles.example.com/{z}/{x}/{y}.png. Empty: the outline alone, and no page asks another host."
            value={draft.tileUrl}
            onValue={(tileUrl) => set({ tileUrl: tileUrl.trim() })}
            fault={fault('tileUrl')}
            maxLength={300}
            autocomplete="off"
          />
          <TextField
            label="Credit of the tiles"
            hint="Shown on the map. Whoever makes them says what they want there, such as © OpenStreetMap contributors."
            value={draft.tileCredit}
            onValue={(tileCredit) => set({ tileCredit })}
            fault={fault('tileCredit')}
            maxLength={120}
          />
        </div>
      </div>
    </Card>
  )
}
