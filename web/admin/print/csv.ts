import { bytes, duration, plainCode, speedLimit } from '../../shared/format.ts'
import { moneyDigits } from '../words.ts'
import { voucherLink } from './qr.ts'
import type { Print } from './sheet.tsx'

/** A table of vouchers for a spreadsheet: UTF-8 with its mark, CRLF, every field quoted. */
export function csvOf({ venue, offer, expiresAt, portalHost }: Print, codes: string[]): string {
  const price = (offer.priceMinor / 10 ** moneyDigits(offer.currency)).toFixed(moneyDigits(offer.currency))
  const head = ['code', 'printed as', 'link', 'venue', 'wifi', 'package', 'data', 'time', 'speed', 'price', 'currency', 'redeem by']
  const same = [
    venue.venueName,
    venue.ssid,
    offer.name,
    offer.dataLimit === null ? 'Unlimited' : bytes(offer.dataLimit),
    duration(offer.durationSeconds),
    speedLimit(offer.downBps),
    price,
    offer.currency,
    expiresAt ?? '',
  ]
  const rows = codes.map((code) => [plainCode(code), code, voucherLink(code, portalHost), ...same])
  return `\uFEFF${[head, ...rows].map((row) => row.map(field).join(',')).join('\r\n')}\r\n`
}

/** Gives the browser a file to keep. */
export function saveFile(name: string, text: string): void {
  const address = URL.createObjectURL(new Blob([text], { type: 'text/csv;charset=utf-8' }))
  const link = document.createElement('a')
  link.href = address
  link.download = name
  link.click()
  setTimeout(() => URL.revokeObjectURL(address), 60_000)
}

/** Spreadsheets run a field that begins like a formula; the apostrophe keeps it text. */
function field(value: string): string {
  const safe = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value
  return `"${safe.replace(/"/g, '""')}"`
}
