import { plainCode } from '../../shared/format.ts'

/** A QR code as one SVG path in a square of `size` modules. */
export type QrShape = { size: number; path: string }

const AT_ONCE = 40

/** The address in a voucher's QR: opens the portal with the code in it. The part after # stays in the phone. */
export function voucherLink(code: string, portalHost: string): string {
  return `http://${portalHost}/v#${plainCode(code)}`
}

/**
 * Draws many QR codes without freezing the page; the drawing code is fetched the first time.
 * @param drawn told how many are done
 */
export async function drawCodes(texts: string[], drawn: (count: number) => void): Promise<QrShape[]> {
  const { create } = await import('qrcode')
  const shapes: QrShape[] = []
  for (const text of texts) {
    const { modules } = create(text, { errorCorrectionLevel: 'M' })
    shapes.push({ size: modules.size, path: pathOf(modules.size, modules.data) })
    if (shapes.length % AT_ONCE > 0) continue
    drawn(shapes.length)
    await new Promise((go) => setTimeout(go))
  }
  drawn(shapes.length)
  return shapes
}

/** Runs of dark modules, row by row. */
function pathOf(size: number, data: ArrayLike<number>): string {
  let path = ''
  for (let row = 0; row < size; row++) {
    for (let column = 0; column < size; column++) {
      if (!data[row * size + column]) continue
      const start = column
      while (column < size && data[row * size + column]) column++
      path += `M${start} ${row}h${column - start}v1h-${column - start}z`
    }
  }
  return path
}
