import { money } from '../../shared/format.ts'
import { NumberField, TextField, Toggle } from '../parts/form.tsx'
import { Card } from '../parts/page.tsx'
import { moneyDigits } from '../words.ts'
import type { PartProps } from './settings-part.ts'

/** How payment companies reach the box, and what a purchase earns. */
export function MoneySettings({ draft, set, fault }: PartProps) {
  const scale = 10 ** moneyDigits(draft.currency)
  return (
    <Card title="Payments and points">
      <div class="stack">
        <TextField
          label="Public address of this box"
          code
          hint="Such as https://pay.example.com, if payment companies can reach the box there. Empty: the box asks them itself, which only takes a little longer."
          value={draft.publicUrl}
          onValue={(publicUrl) => set({ publicUrl: publicUrl.trim() })}
          fault={fault('publicUrl')}
          maxLength={200}
          autocomplete="off"
        />
        <Toggle
          label="Purchases earn points"
          hint="Customers use points for the packages to which you gave a price in points. Off: no new points; those they have stay good."
          on={draft.pointsOn}
          onValue={(pointsOn) => set({ pointsOn })}
        />
        {draft.pointsOn && (
          <NumberField
            label="One point for each"
            unit={draft.currency}
            hint={
              Number.isFinite(draft.pointsPerMinor)
                ? `A purchase of ${money(draft.pointsPerMinor * 10, draft.currency)} earns 10 points.`
                : 'How much a customer pays for one point.'
            }
            step="any"
            min={1 / scale}
            value={draft.pointsPerMinor / scale}
            onValue={(amount) => set({ pointsPerMinor: Math.round(amount * scale) })}
            fault={fault('pointsPerMinor')}
          />
        )}
      </div>
    </Card>
  )
}
