import { render } from 'preact'
import { drawCodes, voucherLink } from './qr.ts'
import { papers, Sheet, type PaperName, type Print } from './sheet.tsx'

const MM_PER_PX = 25.4 / 96
const SPARE_MM = 2

/**
 * Draws every voucher on its paper beside the page, opens the browser's print window, and clears up after it.
 * @param drawn told how many vouchers are drawn
 */
export async function printVouchers(batch: Print & { codes: string[]; paper: PaperName }, drawn: (count: number) => void): Promise<void> {
  const { codes, paper, ...print } = batch
  const shapes = await drawCodes(
    codes.map((code) => voucherLink(code, print.portalHost)),
    drawn,
  )
  const vouchers = codes.flatMap((code, at) => (shapes[at] ? [{ code, qr: shapes[at] }] : []))

  clearPrint()
  const place = document.createElement('div')
  place.id = 'print'
  document.body.append(place)
  render(<Sheet print={print} paper={paper} vouchers={vouchers} />, place)

  const style = document.createElement('style')
  style.id = 'print-page'
  style.textContent = pageRule(paper, place)
  document.head.append(style)

  addEventListener('afterprint', clearPrint, { once: true })
  // Phones return from print() at once and take the page later: the sheet stays until afterprint, or the next print.
  window.print()
}

function clearPrint(): void {
  const place = document.getElementById('print')
  if (place) render(null, place)
  place?.remove()
  document.getElementById('print-page')?.remove()
}

/** Receipt printers cut where the page ends, so the page is as high as the highest voucher. */
function pageRule(paper: PaperName, place: HTMLElement): string {
  const { widthMm, heightMm, marginMm } = papers[paper]
  const tallest = Math.max(0, ...Array.from(place.querySelectorAll('.sheet'), (sheet) => sheet.getBoundingClientRect().height))
  const height = heightMm ?? Math.ceil(tallest * MM_PER_PX) + SPARE_MM
  return `@page { size: ${widthMm}mm ${height}mm; margin: ${marginMm}mm }`
}
