import type { ConnectWords } from '../contract.ts'
import { TextField, Toggle } from '../parts/form.tsx'
import { ListField } from '../parts/list-field.tsx'
import { Card } from '../parts/page.tsx'
import type { PartProps } from './settings-part.ts'

const names: { key: keyof ConnectWords; label: string; hint: string; longest: number }[] = [
  { key: 'product', label: 'What the service is called', hint: 'Also the name under which it stands in the phone.', longest: 30 },
  { key: 'code', label: 'What the QR code is called', hint: 'Over the code itself.', longest: 30 },
  { key: 'access', label: 'What the customer gets', hint: 'On the button and in the steps.', longest: 40 },
  { key: 'profile', label: 'What a profile is called', hint: 'Where customers see their own.', longest: 40 },
]

/** Whether and under which names customers use Connect, and what is inside the tunnel. */
export function ConnectSettings({ draft, set, fault, faultIn }: PartProps) {
  return (
    <Card title="KSWiFi Connect">
      <div class="stack">
        <Toggle
          label="Customers may make Connect profiles"
          hint="Off: no new profiles. Those in use go on until their session ends."
          on={draft.connectOn}
          onValue={(connectOn) => set({ connectOn })}
        />
        <fieldset class="group">
          <legend>Names that customers see</legend>
          <div class="form-grid">
            {names.map(({ key, label, hint, longest }) => (
              <TextField
                key={key}
                label={label}
                hint={hint}
                value={draft.connectWords[key]}
                onValue={(words) => set({ connectWords: { ...draft.connectWords, [key]: words } })}
                fault={fault(`connectWords.${key}`)}
                maxLength={longest}
                required
              />
            ))}
          </div>
        </fieldset>
        <fieldset class="group">
          <legend>Inside the tunnel</legend>
          <div class="form-grid">
            <TextField
              label="Range of addresses"
              code
              hint="A private /16 such as 10.8.0.0/16, not the Wi-Fi's own. Changing it is only possible while no profile uses the old one."
              value={draft.connectRange}
              onValue={(connectRange) => set({ connectRange: connectRange.trim() })}
              fault={fault('connectRange')}
              maxLength={18}
              required
            />
            <ListField
              label="Name servers"
              hint="IPv4 addresses with commas between, three at most. Empty: this box, so that the status page has a name."
              placeholder="this box"
              value={draft.connectDns}
              onValue={(connectDns) => set({ connectDns })}
              fault={faultIn('connectDns')}
              maxLength={60}
            />
          </div>
        </fieldset>
      </div>
    </Card>
  )
}
