import { useEffect, useState } from 'preact/hooks'
import { groupedCode, price } from '../../shared/format.ts'
import { useAccount } from '../account.ts'
import { useChange } from '../asking.ts'
import type { Package, SellAnswer } from '../contract.ts'
import { Dialog } from '../parts/dialog.tsx'
import { Button, ErrorNote } from '../parts/feedback.tsx'
import { drawCodes, voucherLink, type QrShape } from '../print/qr.ts'
import { packageLine } from '../words.ts'

/** A voucher just sold: only this answer holds its code. */
export type Sale = { code: string; offer: Package }

type SellProps = { offer: Package; onSold: (sale: Sale) => void; onClose: () => void }

/** The second tap: the money is in the cashier's hand. */
export function SellPackage({ offer, onSold, onClose }: SellProps) {
  const { api } = useAccount()
  // One key for as long as this question stands: a second try after a lost answer sells nothing twice.
  const [key] = useState(newKey)
  const amount = price(offer.priceMinor, offer.currency)
  const selling = useChange(async () => {
    const { code } = await api.post<SellAnswer>('/api/admin/sell', { packageId: offer.id, key })
    onSold({ code, offer })
  })
  return (
    <Dialog title={offer.name} onClose={onClose}>
      <div class="dialog-body stack">
        <p class="sell-asked">
          <strong class="figures">{amount}</strong>
          <span class="soft figures">{packageLine(offer)}</span>
        </p>
        <ErrorNote error={selling.error} />
      </div>
      <footer class="dialog-foot sell-foot">
        <Button kind="primary" icon="check" busy={selling.busy} onClick={() => void selling.run()}>
          Cash received: {amount}
        </Button>
        <Button onClick={onClose}>Not yet</Button>
      </footer>
    </Dialog>
  )
}

/** The code as large as the screen allows, to be read across the counter, and as a QR code to be scanned. */
export function Sold({ sale, onClose }: { sale: Sale; onClose: () => void }) {
  const { settings, portalHost } = useAccount()
  const code = groupedCode(sale.code)
  const qr = useQr(voucherLink(sale.code, portalHost))
  return (
    <Dialog title={`Sold: ${sale.offer.name}`} shape="full" onClose={onClose}>
      <div class="dialog-body sold" tabIndex={0}>
        <p class="sold-code code" style={{ '--signs': code.length }}>
          {code}
        </p>
        <p class="sold-qr">
          {qr && (
            <svg
              viewBox={`-2 -2 ${qr.size + 4} ${qr.size + 4}`}
              role="img"
              aria-label="QR code that opens the portal with this code"
              shape-rendering="crispEdges"
            >
              <path d={qr.path} />
            </svg>
          )}
        </p>
        <p class="sold-how">
          Join {settings.ssid ? `“${settings.ssid}”` : 'the Wi-Fi'} and scan, or type the code at <strong>{portalHost}</strong>
        </p>
        <p class="soft small figures">
          {price(sale.offer.priceMinor, sale.offer.currency)} · {packageLine(sale.offer)}
        </p>
      </div>
      <footer class="dialog-foot sell-foot">
        <Button kind="primary" onClick={onClose}>
          Next customer
        </Button>
      </footer>
    </Dialog>
  )
}

/** The drawing; null while it comes, and for good where it cannot be had: the code is there to be typed. */
function useQr(link: string): QrShape | null {
  const [qr, setQr] = useState<QrShape | null>(null)
  useEffect(() => {
    drawCodes([link], () => {}).then(
      ([shape]) => setQr(shape ?? null),
      () => setQr(null),
    )
  }, [link])
  return qr
}

/** A random key; randomUUID() would need https. */
function newKey(): string {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, '0')).join('')
}
