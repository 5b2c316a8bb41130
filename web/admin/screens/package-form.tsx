import { useState } from 'preact/hooks'
import { bytes, duration, price, speed } from '../../shared/format.ts'
import { useAccount } from '../account.ts'
import { useChange } from '../asking.ts'
import type { Package } from '../contract.ts'
import { faultOf } from '../faults.ts'
import { Dialog } from '../parts/dialog.tsx'
import { Button, ErrorNote, useSay } from '../parts/feedback.tsx'
import { AmountField, Choice, NumberField, TextField, Toggle } from '../parts/form.tsx'
import { sizeUnits, speedUnits, timeUnits } from '../words.ts'
import { draftOf, packageOf, type Draft } from './package-draft.ts'

type FormProps = { known: Package | null; others: Package[]; onSaved: () => void; onClose: () => void }

/** Makes or changes one package, in the units that people use, with the portal's card beside it. */
export function PackageForm({ known, others, onSaved, onClose }: FormProps) {
  const { api, settings } = useAccount()
  const say = useSay()
  const [draft, setDraft] = useState<Draft>(() => draftOf(known, settings.currency))
  const set = (part: Partial<Draft>) => setDraft((before) => ({ ...before, ...part }))
  const saving = useChange(() => {
    if (known) return api.patch(`/api/admin/packages/${known.id}`, packageOf(draft))
    const position = Math.max(0, ...others.map((other) => other.position)) + 10
    return api.post('/api/admin/packages', { ...packageOf(draft), position })
  })
  const save = async () => {
    if (!(await saving.run())) return
    say(known ? `${draft.name} is saved.` : `${draft.name} is on the portal.`)
    onSaved()
    onClose()
  }
  const fault = (path: string) => faultOf(saving.error, path)

  return (
    <Dialog title={known ? `Edit ${known.name}` : 'New package'} shape="panel" onClose={onClose}>
      <form
        class="dialog-form"
        onSubmit={(event) => {
          event.preventDefault()
          void save()
        }}
      >
        <div class="dialog-body stack">
          <PortalCard draft={draft} />
          <TextField label="Name" value={draft.name} onValue={(name) => set({ name })} fault={fault('name')} maxLength={60} required />
          <TextField
            label="A line about it"
            hint="Optional: what it is good for."
            value={draft.description}
            onValue={(description) => set({ description })}
            fault={fault('description')}
            maxLength={200}
          />
          <NumberField
            label="Price"
            hint="0 is free."
            unit={draft.currency}
            step="any"
            min={0}
            value={draft.price}
            onValue={(value) => set({ price: value })}
            fault={fault('priceMinor')}
          />
          <Toggle
            label="Also for points"
            hint="Customers who collected enough may have it without paying."
            on={draft.isForPoints}
            onValue={(isForPoints) => set({ isForPoints })}
          />
          {draft.isForPoints && (
            <NumberField
              label="Price in points"
              unit="points"
              min={1}
              max={100_000_000}
              value={draft.pointsPrice}
              onValue={(pointsPrice) => set({ pointsPrice })}
              fault={fault('pointsPrice')}
            />
          )}
          <fieldset class="group">
            <legend>Data and time</legend>
            <Toggle label="Unlimited data" on={!draft.hasDataLimit} onValue={(on) => set({ hasDataLimit: !on })} />
            {draft.hasDataLimit && (
              <>
                <AmountField
                  label="Data"
                  hint="Down and up together. 1 GB is 1,024 MB."
                  value={draft.dataLimit}
                  onValue={(dataLimit) => set({ dataLimit })}
                  units={sizeUnits}
                  fault={fault('dataLimit')}
                />
                <Choice
                  label="When the data is used up"
                  shape="list"
                  value={draft.afterData}
                  onValue={(afterData) => set({ afterData })}
                  options={[
                    { value: 'stop', label: 'Stop', hint: 'The customer sees “used up” and can buy again.' },
                    { value: 'slow', label: 'Go on slowly', hint: 'Until the time is over, at a speed that you set.' },
                  ]}
                />
                {draft.afterData === 'slow' && (
                  <AmountField
                    label="Slow speed"
                    value={draft.slowBps}
                    onValue={(slowBps) => set({ slowBps })}
                    units={speedUnits}
                    fault={fault('slowBps')}
                  />
                )}
              </>
            )}
            <AmountField
              label="Time"
              hint="Counts from the moment it is begun."
              value={draft.durationSeconds}
              onValue={(durationSeconds) => set({ durationSeconds })}
              units={timeUnits}
              fault={fault('durationSeconds')}
            />
          </fieldset>
          <fieldset class="group">
            <legend>Speed and devices</legend>
            <Toggle label="As fast as the line" on={!draft.hasSpeedLimit} onValue={(on) => set({ hasSpeedLimit: !on })} />
            {draft.hasSpeedLimit && (
              <div class="pair">
                <AmountField
                  label="Down"
                  value={draft.downBps}
                  onValue={(downBps) => set({ downBps })}
                  units={speedUnits}
                  fault={fault('downBps')}
                />
                <AmountField label="Up" value={draft.upBps} onValue={(upBps) => set({ upBps })} units={speedUnits} fault={fault('upBps')} />
              </div>
            )}
            <NumberField
              label="Devices"
              hint="How many phones or laptops may share it at once."
              min={1}
              max={50}
              value={draft.maxDevices}
              onValue={(maxDevices) => set({ maxDevices })}
              fault={fault('maxDevices')}
            />
          </fieldset>
          <fieldset class="group">
            <legend>Rules</legend>
            <Toggle
              label="Limit how much one customer may have"
              hint="For free packages: the customer is known by phone number or device."
              on={draft.isLimited}
              onValue={(isLimited) => set({ isLimited })}
            />
            {draft.isLimited && <CustomerLimit draft={draft} set={set} fault={fault} />}
            <AmountField
              label="Must be begun within"
              hint="A paid session that nobody begins ends after this."
              value={draft.activateWithinSeconds}
              onValue={(activateWithinSeconds) => set({ activateWithinSeconds })}
              units={timeUnits}
              fault={fault('activateWithinSeconds')}
            />
          </fieldset>
          {known && <p class="soft small">Sessions that were already opened keep what they were sold with.</p>}
          <ErrorNote error={saving.error} />
        </div>
        <footer class="dialog-foot">
          <Button onClick={onClose}>Cancel</Button>
          <Button kind="primary" type="submit" busy={saving.busy}>
            {known ? 'Save' : 'Put it on the portal'}
          </Button>
        </footer>
      </form>
    </Dialog>
  )
}

type LimitProps = { draft: Draft; set: (part: Partial<Draft>) => void; fault: (path: string) => string | undefined }

function CustomerLimit({ draft, set, fault }: LimitProps) {
  return (
    <>
      <Choice
        label="Count"
        value={draft.limitBy}
        onValue={(limitBy) => set({ limitBy })}
        options={[
          { value: 'count', label: 'Times' },
          { value: 'bytes', label: 'Data' },
        ]}
      />
      <div class="pair">
        {draft.limitBy === 'count' ? (
          <NumberField
            label="At most"
            unit="times"
            min={1}
            max={1000}
            value={draft.limitCount}
            onValue={(limitCount) => set({ limitCount })}
            fault={fault('customerLimit.count')}
          />
        ) : (
          <AmountField
            label="At most"
            value={draft.limitBytes}
            onValue={(limitBytes) => set({ limitBytes })}
            units={sizeUnits}
            fault={fault('customerLimit.bytes')}
          />
        )}
        <NumberField
          label="In"
          unit="days"
          min={1}
          max={366}
          value={draft.limitDays}
          onValue={(limitDays) => set({ limitDays })}
          fault={fault('customerLimit.days')}
        />
      </div>
      <TextField
        label="Shared with"
        hint="Packages with the same word here share the limit. Leave it empty for this package alone."
        value={draft.limitGroup}
        onValue={(limitGroup) => set({ limitGroup })}
        fault={fault('customerLimit.group')}
        maxLength={30}
      />
    </>
  )
}

/** How the package will look to a customer. */
function PortalCard({ draft }: { draft: Draft }) {
  const offer = packageOf(draft)
  const size = (value: number | null) => (value === null ? 'Unlimited' : Number.isFinite(value) ? bytes(value) : '…')
  return (
    <figure class="portal-card">
      <figcaption>On the portal</figcaption>
      <div>
        <p class="split">
          <strong>{offer.name || 'Name'}</strong>
          <strong class="figures">{Number.isFinite(offer.priceMinor) ? price(offer.priceMinor, offer.currency) : '…'}</strong>
        </p>
        {offer.description && <p class="soft small">{offer.description}</p>}
        <p class="portal-card-size figures">{size(offer.dataLimit)}</p>
        <p class="soft small figures">
          {Number.isFinite(offer.durationSeconds) ? duration(offer.durationSeconds) : '…'} ·{' '}
          {offer.downBps === null ? 'full speed' : Number.isFinite(offer.downBps) ? speed(offer.downBps) : '…'}
          {offer.maxDevices > 1 ? ` · ${offer.maxDevices} devices` : ''}
        </p>
      </div>
    </figure>
  )
}
