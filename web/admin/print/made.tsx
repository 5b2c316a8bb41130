import { useEffect, useState } from 'preact/hooks'
import { counted } from '../../shared/format.ts'
import { useAccount } from '../account.ts'
import { useChange } from '../asking.ts'
import type { Package } from '../contract.ts'
import { copyText } from '../parts/copy.ts'
import { Confirm, Dialog } from '../parts/dialog.tsx'
import { Button, ErrorNote, Notice, useSay } from '../parts/feedback.tsx'
import { Choice } from '../parts/form.tsx'
import { packageLine } from '../words.ts'
import { csvOf, saveFile } from './csv.ts'
import { printVouchers } from './print.tsx'
import { drawCodes, voucherLink, type QrShape } from './qr.ts'
import { VoucherLabel, type PaperName, type Print } from './sheet.tsx'

/** A batch just made: the only moment at which its codes are known. */
export type Made = { batchId: number; codes: string[]; offer: Package; expiresAt: string | null }

const SAMPLES = 3

/** What to do with new codes: print, save, copy. It does not go away by accident. */
export function MadeVouchers({ made, onDone }: { made: Made; onDone: () => void }) {
  const { settings, portalHost } = useAccount()
  const say = useSay()
  const [paper, setPaper] = useState<PaperName>('a4')
  const [drawn, setDrawn] = useState(0)
  const [taken, setTaken] = useState(false)
  const [leaving, setLeaving] = useState(false)
  const samples = useSamples(made, portalHost)
  const print: Print = { venue: settings, offer: made.offer, expiresAt: made.expiresAt, portalHost }

  useEffect(() => {
    const warn = (event: BeforeUnloadEvent) => event.preventDefault()
    addEventListener('beforeunload', warn)
    return () => removeEventListener('beforeunload', warn)
  }, [])

  const printing = useChange(async () => {
    setDrawn(0)
    await printVouchers({ ...print, codes: made.codes, paper }, setDrawn)
    setTaken(true)
  })
  const copying = useChange(async () => {
    await copyText(made.codes.join('\n'))
    setTaken(true)
    say('The codes are copied.')
  })
  const save = () => {
    saveFile(`vouchers-batch-${made.batchId}.csv`, csvOf(print, made.codes))
    setTaken(true)
    say('The CSV file is saved.')
  }

  return (
    <Dialog title={`${counted(made.codes.length, 'voucher')} for ${made.offer.name}`} shape="full" onClose={() => setLeaving(true)}>
      <div class="dialog-body made">
        <div class="stack">
          <Notice kind="warn">
            <p>
              <strong>Print or save them now: the codes are not shown again.</strong> The box keeps only a fingerprint of each.
            </p>
          </Notice>
          <Choice
            label="Paper"
            value={paper}
            onValue={setPaper}
            options={[
              { value: 'a4', label: 'A4 labels' },
              { value: 'r80', label: '80 mm' },
              { value: 'r58', label: '58 mm' },
            ]}
          />
          <div class="row">
            <Button kind="primary" icon="print" busy={printing.busy} onClick={() => void printing.run()}>
              Print
            </Button>
            <Button icon="file" onClick={save}>
              Save as CSV
            </Button>
            <Button icon="copy" busy={copying.busy} onClick={() => void copying.run()}>
              Copy the codes
            </Button>
          </div>
          {printing.busy && (
            <label class="drawing">
              Drawing {drawn.toLocaleString('en-US')} of {counted(made.codes.length, 'voucher')}
              <progress max={made.codes.length} value={drawn} />
            </label>
          )}
          <ErrorNote error={printing.error} />
          <ErrorNote error={copying.error} />
          {!settings.ssid && (
            <Notice kind="info">
              <p>The name of your Wi-Fi is not printed yet: the owner can write it down under Settings.</p>
            </Notice>
          )}
          <section>
            <h3>
              The codes <span class="soft">({packageLine(made.offer)})</span>
            </h3>
            <ul class="made-codes code" tabIndex={0} aria-label="Codes">
              {made.codes.map((code) => (
                <li key={code}>{code}</li>
              ))}
            </ul>
          </section>
        </div>
        <figure class={`preview ${paper}`}>
          <figcaption class="soft small">How {paper === 'a4' ? 'a label' : 'a receipt'} looks</figcaption>
          {samples.slice(0, paper === 'a4' ? SAMPLES : 1).map(({ code, qr }) => (
            <div key={code} class={`voucher-paper ${paper}`}>
              <VoucherLabel code={code} qr={qr} print={print} paper={paper} />
            </div>
          ))}
        </figure>
      </div>
      <footer class="dialog-foot">
        <Button kind={taken ? 'primary' : 'plain'} onClick={() => setLeaving(true)}>
          Done
        </Button>
      </footer>
      {leaving && (
        <Confirm
          title="Are the codes safe?"
          verb="Close, I have them"
          keep="Go back"
          danger={!taken}
          act={async () => onDone()}
          onClose={() => setLeaving(false)}
        >
          <p>
            {taken
              ? 'After this the codes are not shown again. Check that the print came out whole, or that the file is saved.'
              : 'You have neither printed, saved nor copied them. After this nobody can see the codes again, and the batch is lost.'}
          </p>
        </Confirm>
      )}
    </Dialog>
  )
}

/** The first few, drawn with their QR, to look at before printing. */
function useSamples(made: Made, portalHost: string): { code: string; qr: QrShape }[] {
  const [samples, setSamples] = useState<{ code: string; qr: QrShape }[]>([])
  useEffect(() => {
    const codes = made.codes.slice(0, SAMPLES)
    drawCodes(
      codes.map((code) => voucherLink(code, portalHost)),
      () => {},
    ).then(
      (shapes) => setSamples(codes.flatMap((code, at) => (shapes[at] ? [{ code, qr: shapes[at] }] : []))),
      // Printing asks again, and says why it cannot.
      () => setSamples([]),
    )
  }, [made, portalHost])
  return samples
}
