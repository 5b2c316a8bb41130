import { useRef, useState } from 'preact/hooks'
import { accentColours, contrast } from '../../shared/accent.ts'
import { useAccount } from '../account.ts'
import { useChange, useLoaded } from '../asking.ts'
import type { Settings } from '../contract.ts'
import { faultOf, faultWithin } from '../faults.ts'
import { Arrived, Button, ErrorNote, useSay } from '../parts/feedback.tsx'
import { Choice, Field, NumberField, TextField } from '../parts/form.tsx'
import { Card, Page } from '../parts/page.tsx'
import { logoFromFile } from './logo.ts'
import { ConnectSettings } from './settings-connect.tsx'
import { MapSettings } from './settings-map.tsx'
import { MoneySettings } from './settings-money.tsx'
import type { PartProps } from './settings-part.ts'

/** The owner's choices. Nothing is sent until they press save. */
export function SettingsScreen() {
  const { api } = useAccount()
  const settings = useLoaded(() => api.get<Settings>('/api/admin/settings'))
  return (
    <Page title="Settings" note="How your venue looks to customers, and how the box behaves.">
      <Arrived loaded={settings}>{(saved) => <SettingsForm saved={saved} />}</Arrived>
    </Page>
  )
}

function SettingsForm({ saved: first }: { saved: Settings }) {
  const { api, setSettings } = useAccount()
  const say = useSay()
  const [saved, setSaved] = useState(first)
  const [draft, setDraft] = useState(first)
  const changes = changed(saved, draft)
  const count = Object.keys(changes).length
  const saving = useChange(async () => {
    const next = await api.patch<Settings>('/api/admin/settings', changes)
    setSaved(next)
    setDraft(next)
    setSettings(next)
    say('Saved. The portal shows it already.')
  })
  const parts: PartProps = {
    draft,
    set: (part) => setDraft((before) => ({ ...before, ...part })),
    fault: (path) => faultOf(saving.error, path),
    faultIn: (path) => faultWithin(saving.error, path),
  }
  return (
    <form
      class="settings"
      onSubmit={(event) => {
        event.preventDefault()
        void saving.run()
      }}
    >
      <Venue {...parts} />
      <Looks {...parts} />
      <Behaviour {...parts} />
      <MoneySettings {...parts} />
      <MapSettings {...parts} />
      <ConnectSettings {...parts} />
      <div class="save-bar" hidden={count === 0}>
        <ErrorNote error={saving.error} />
        <div class="split">
          <p role="status">{count > 0 && 'Not saved yet'}</p>
          <span class="row">
            <Button disabled={count === 0 || saving.busy} onClick={() => setDraft(saved)}>
              Undo
            </Button>
            <Button kind="primary" type="submit" busy={saving.busy} disabled={count === 0}>
              Save
            </Button>
          </span>
        </div>
      </div>
    </form>
  )
}

function Venue({ draft, set, fault }: PartProps) {
  return (
    <Card title="The venue">
      <div class="form-grid">
        <TextField
          label="Name"
          value={draft.venueName}
          onValue={(venueName) => set({ venueName })}
          fault={fault('venueName')}
          maxLength={60}
          required
        />
        <TextField
          label="Wi-Fi name (SSID)"
          hint="Printed on vouchers. It does not rename your access points."
          value={draft.ssid}
          onValue={(ssid) => set({ ssid })}
          fault={fault('ssid')}
          maxLength={32}
        />
        <TextField
          label="One line under the name"
          value={draft.venueMessage}
          onValue={(venueMessage) => set({ venueMessage })}
          fault={fault('venueMessage')}
          maxLength={200}
        />
        <TextField
          label="Phone for help"
          hint="Shown on the portal and on vouchers."
          type="tel"
          value={draft.supportPhone}
          onValue={(supportPhone) => set({ supportPhone })}
          fault={fault('supportPhone')}
          maxLength={30}
        />
        <TextField
          label="Currency"
          hint="Three letters, such as NGN, UGX or KES. New packages are priced in it."
          value={draft.currency}
          onValue={(currency) => set({ currency: currency.toUpperCase() })}
          fault={fault('currency')}
          maxLength={3}
          required
        />
        <TextField
          label="Country"
          hint={`Two letters, such as NG, UG or KE. Phone numbers typed without a country are from ${countryName(draft.country)}.`}
          value={draft.country}
          onValue={(country) => set({ country: country.toUpperCase() })}
          fault={fault('country')}
          maxLength={2}
          required
        />
      </div>
    </Card>
  )
}

const swatches = ['#0b7a4b', '#0f6e84', '#1f4fb4', '#6a3fa0', '#b0245c', '#b3470c', '#8a6a00', '#2b2b2b']

function Looks({ draft, set, fault }: PartProps) {
  const picker = useRef<HTMLInputElement>(null)
  const choosing = useChange(async (file: File) => set({ logo: await logoFromFile(file) }))
  const known = /^#[0-9a-f]{6}$/i.test(draft.accent)
  const colours = accentColours(known ? draft.accent : '#0b7a4b')
  return (
    <Card title="How it looks">
      <div class="form-grid">
        <div class="field">
          <p class="label" id="logo-label">
            Logo
          </p>
          <div class="logo-row">
            {draft.logo ? <img class="logo-shown" src={draft.logo} alt="Your logo" /> : <span class="logo-shown none">None</span>}
            <div class="row">
              <Button icon="picture" busy={choosing.busy} onClick={() => picker.current?.click()}>
                Choose a picture
              </Button>
              {draft.logo && <Button onClick={() => set({ logo: null })}>Remove</Button>}
            </div>
          </div>
          <input
            ref={picker}
            class="visually-hidden"
            type="file"
            tabIndex={-1}
            aria-labelledby="logo-label"
            accept="image/png,image/jpeg,image/webp,image/svg+xml"
            onChange={(event) => {
              const file = event.currentTarget.files?.[0]
              event.currentTarget.value = ''
              if (file) void choosing.run(file)
            }}
          />
          <p class="hint">It is made small here in the browser: at most 256 pixels.</p>
          <ErrorNote error={choosing.error} />
          {fault('logo') && <p class="fault">{fault('logo')}</p>}
        </div>
        <div>
          <Field
            label="Colour of buttons and the meter"
            fault={known ? fault('accent') : 'Write it as #0b7a4b: a hash and six digits or letters a to f.'}
          >
            {({ id, described }) => (
              <span class="row">
                <input
                  class="colour"
                  type="color"
                  aria-label="Pick a colour"
                  value={known ? draft.accent : '#0b7a4b'}
                  onInput={(event) => set({ accent: event.currentTarget.value })}
                />
                <input
                  id={id}
                  class="input code short"
                  maxLength={7}
                  value={draft.accent}
                  aria-describedby={described}
                  onInput={(event) => set({ accent: event.currentTarget.value })}
                />
              </span>
            )}
          </Field>
          <ul class="swatches">
            {swatches.map((colour) => (
              <li key={colour}>
                <button
                  type="button"
                  aria-label={`Use ${colour}`}
                  aria-pressed={draft.accent.toLowerCase() === colour}
                  style={{ background: colour }}
                  onClick={() => set({ accent: colour })}
                />
              </li>
            ))}
          </ul>
          <p class="accent-sample">
            <span style={{ background: colours.accent, color: colours.onAccent }}>Connect</span>
            <small class="soft">{contrastWords(contrast(colours.accent, colours.onAccent))}</small>
          </p>
        </div>
      </div>
    </Card>
  )
}

function Behaviour({ draft, set, fault }: PartProps) {
  return (
    <Card title="How the box behaves">
      <div class="form-grid">
        <NumberField
          label="Bring the meters up to date every"
          unit="seconds"
          hint="1 to 30. The cut-off itself is exact whatever you choose; this is how often screens and the ledger follow."
          min={1}
          max={30}
          value={draft.pollSeconds}
          onValue={(pollSeconds) => set({ pollSeconds })}
          fault={fault('pollSeconds')}
        />
        <Choice
          label="When a session has no place left for a new device"
          shape="list"
          value={draft.whenDevicesFull}
          onValue={(whenDevicesFull) => set({ whenDevicesFull })}
          options={[
            { value: 'drop-oldest', label: 'Let it in', hint: 'The device that was away the longest loses its place.' },
            { value: 'refuse-new', label: 'Keep it out', hint: 'The customer must disconnect another device first.' },
          ]}
        />
      </div>
    </Card>
  )
}

function countryName(code: string): string {
  try {
    return new Intl.DisplayNames('en', { type: 'region' }).of(code) ?? code
  } catch {
    return 'there'
  }
}

function contrastWords(ratio: number): string {
  const figure = `Contrast of the words on it ${ratio.toFixed(1)} to 1`
  return ratio >= 4.5 ? `${figure}: easy to read.` : `${figure}: hard to read for some. Choose a darker or a lighter colour.`
}

function changed(saved: Settings, draft: Settings): Partial<Settings> {
  const isSame = (one: unknown, other: unknown) => JSON.stringify(one) === JSON.stringify(other)
  const keys = (Object.keys(draft) as (keyof Settings)[]).filter((key) => !isSame(saved[key], draft[key]))
  return Object.fromEntries(keys.map((key) => [key, draft[key]]))
}
