import { useState } from 'preact/hooks'
import { counted, money } from '../../shared/format.ts'
import { useAccount } from '../account.ts'
import { useChange, useLoaded } from '../asking.ts'
import type { BatchMade, Package, Packages } from '../contract.ts'
import { faultOf } from '../faults.ts'
import { Dialog } from '../parts/dialog.tsx'
import { Arrived, Button, Empty, ErrorNote } from '../parts/feedback.tsx'
import { Choice, Field, NumberField, TextField } from '../parts/form.tsx'
import type { Made } from '../print/made.tsx'
import { packageChoice } from '../words.ts'

type MakeProps = { onMade: (made: Made) => void; onClose: () => void }

/** Asks what vouchers to make, and makes them. */
export function MakeVouchers({ onMade, onClose }: MakeProps) {
  const { api } = useAccount()
  const packages = useLoaded(() => api.get<Packages>('/api/admin/packages'))
  return (
    <Dialog title="Make vouchers" onClose={onClose}>
      {packages.data === null || packages.data.packages.length === 0 ? (
        <div class="dialog-body">
          <Arrived loaded={packages}>
            {() => (
              <Empty icon="packages" title="There is no package yet">
                <p>A voucher is for a package. Make one first.</p>
                <a class="button primary" href="#/packages/new">
                  Make a package
                </a>
              </Empty>
            )}
          </Arrived>
        </div>
      ) : (
        <MakeForm packages={packages.data.packages.filter(({ archived }) => !archived)} onMade={onMade} onClose={onClose} />
      )}
    </Dialog>
  )
}

const MOST = 5000
// The box hashes every code; a large batch may take it a while on a small board.
const PATIENCE_MS = 120_000

function MakeForm({ packages, onMade, onClose }: MakeProps & { packages: Package[] }) {
  const { api } = useAccount()
  const [packageId, setPackageId] = useState(packages[0]?.id ?? 0)
  const [count, setCount] = useState(21)
  const [alphabet, setAlphabet] = useState<'letters' | 'digits'>('letters')
  const [until, setUntil] = useState('')
  const [seller, setSeller] = useState('')
  const [note, setNote] = useState('')
  const chosen = packages.find(({ id }) => id === packageId)
  const making = useChange(async () => {
    if (!chosen) return
    const expiresAt = until ? endOfDay(until) : null
    const input = { packageId, count, alphabet, expiresAt, note: note.trim(), seller: seller.trim() }
    const made = await api.post<BatchMade>('/api/admin/vouchers', input, { timeoutMs: PATIENCE_MS })
    onMade({ batchId: made.batchId, codes: made.codes, offer: chosen, expiresAt })
  })
  const fault = (path: string) => faultOf(making.error, path)

  return (
    <form
      class="dialog-form"
      onSubmit={(event) => {
        event.preventDefault()
        void making.run()
      }}
    >
      <div class="dialog-body stack">
        <Field label="Package" fault={fault('packageId')}>
          {({ id, described }) => (
            <select
              id={id}
              class="input"
              aria-describedby={described}
              value={packageId}
              onChange={(event) => setPackageId(Number(event.currentTarget.value))}
            >
              {packages.map((offer) => (
                <option key={offer.id} value={offer.id}>
                  {packageChoice(offer)}
                </option>
              ))}
            </select>
          )}
        </Field>
        <div>
          <NumberField
            label="How many"
            hint="An A4 page holds 21."
            min={1}
            max={MOST}
            value={count}
            onValue={setCount}
            fault={fault('count')}
          />
          <div class="presets" role="group" aria-label="Often made">
            {[1, 21, 105, 500].map((one) => (
              <button key={one} type="button" class="button small" aria-pressed={count === one} onClick={() => setCount(one)}>
                {one}
              </button>
            ))}
          </div>
        </div>
        <Choice
          label="Codes of"
          value={alphabet}
          onValue={setAlphabet}
          options={[
            { value: 'letters', label: 'Letters and digits' },
            { value: 'digits', label: 'Digits only' },
          ]}
        />
        <div class="pair">
          <TextField label="Redeem by" type="date" hint="Empty: any time." value={until} onValue={setUntil} fault={fault('expiresAt')} />
          <TextField label="Seller" hint="Who gets the batch." value={seller} onValue={setSeller} fault={fault('seller')} maxLength={60} />
        </div>
        <TextField
          label="Note"
          hint="For yourself; it is not printed."
          value={note}
          onValue={setNote}
          fault={fault('note')}
          maxLength={200}
        />
        <ErrorNote error={making.error} />
      </div>
      <footer class="dialog-foot">
        {chosen && chosen.priceMinor > 0 && count > 0 && (
          <p class="soft small figures foot-note">Worth {money(chosen.priceMinor * count, chosen.currency)}</p>
        )}
        <Button onClick={onClose}>Cancel</Button>
        <Button kind="primary" type="submit" busy={making.busy}>
          {making.busy ? 'Making' : `Make ${Number.isFinite(count) ? counted(count, 'voucher') : 'vouchers'}`}
        </Button>
      </footer>
    </form>
  )
}

/** The last moment of a day "2026-11-30", in the reader's own time. */
function endOfDay(date: string): string {
  return new Date(`${date}T23:59:59`).toISOString()
}
