import { bytes, duration, price, speed } from '../../shared/format.ts'
import type { Package, Settings } from '../contract.ts'
import { day } from '../words.ts'
import type { QrShape } from './qr.ts'

export type PaperName = 'a4' | 'r80' | 'r58'
export type Paper = { widthMm: number; heightMm: number | null; marginMm: number; perPage: number }

/** Paper sizes. A receipt's height follows from what is on it. */
export const papers: Record<PaperName, Paper> = {
  a4: { widthMm: 210, heightMm: 297, marginMm: 8, perPage: 21 },
  r80: { widthMm: 80, heightMm: null, marginMm: 0, perPage: 1 },
  r58: { widthMm: 58, heightMm: null, marginMm: 0, perPage: 1 },
}

/** What is the same on every voucher of a batch. */
export type Print = {
  venue: Pick<Settings, 'venueName' | 'ssid' | 'supportPhone'>
  offer: Package
  expiresAt: string | null
  portalHost: string
}

type SheetProps = { print: Print; paper: PaperName; vouchers: { code: string; qr: QrShape }[] }

/** All pages of a batch. */
export function Sheet({ print, paper, vouchers }: SheetProps) {
  const { perPage } = papers[paper]
  const pages = Array.from({ length: Math.ceil(vouchers.length / perPage) }, (_, at) => vouchers.slice(at * perPage, (at + 1) * perPage))
  return (
    <>
      {pages.map((page) => (
        <div key={page[0]?.code} class={`sheet ${paper}`}>
          {page.map(({ code, qr }) => (
            <VoucherLabel key={code} code={code} qr={qr} print={print} paper={paper} />
          ))}
        </div>
      ))}
    </>
  )
}

type LabelProps = { code: string; qr: QrShape; print: Print; paper: PaperName }

/** One voucher, black on white. */
export function VoucherLabel({ code, qr, print: { venue, offer, expiresAt, portalHost }, paper }: LabelProps) {
  const gives = [
    offer.dataLimit === null ? 'Unlimited data' : bytes(offer.dataLimit),
    duration(offer.durationSeconds),
    offer.downBps === null ? '' : speed(offer.downBps),
  ]
  return (
    <article class={`voucher ${paper}`}>
      <header>
        <strong>{venue.venueName}</strong>
        <span>{price(offer.priceMinor, offer.currency)}</span>
      </header>
      <div class="voucher-middle">
        <div class="voucher-words">
          <p class="voucher-package">{offer.name}</p>
          <p>{gives.filter(Boolean).join(' · ')}</p>
          <p class="voucher-code" style={{ '--signs': code.length }}>
            {code}
          </p>
        </div>
        <svg
          class="voucher-qr"
          viewBox={`-2 -2 ${qr.size + 4} ${qr.size + 4}`}
          role="img"
          aria-label="QR code that opens the portal with this code"
          shape-rendering="crispEdges"
        >
          <path d={qr.path} />
        </svg>
      </div>
      <footer>
        <p class="voucher-how">
          Join {venue.ssid ? `“${venue.ssid}”` : 'the Wi-Fi'} and scan, or open {portalHost}
        </p>
        <p class="voucher-small">
          {expiresAt && <span>Redeem by {day(expiresAt)}</span>}
          {venue.supportPhone && <span>Help {venue.supportPhone}</span>}
        </p>
      </footer>
    </article>
  )
}
