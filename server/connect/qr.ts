import { PNG } from 'pngjs'
import { create, toString } from 'qrcode'

/** M reads well from a screen; L where the text is too long for that at a size which cheap cameras still read. */
const M_AT_MOST = 420

/** Modules of the quiet zone, as the standard asks for. */
const MARGIN = 4
/** Pixels of one module. */
const SCALE = 5

/** One text as a QR code in both shapes. `png` is a data URL. */
export async function qrOf(text: string): Promise<{ png: string; svg: string }> {
  const errorCorrectionLevel = text.length <= M_AT_MOST ? 'M' : 'L'
  const svg = await toString(text, { errorCorrectionLevel, margin: MARGIN, type: 'svg' })
  return { png: pngOf(create(text, { errorCorrectionLevel }).modules), svg }
}

/** In shades of grey: qrcode's own pictures have four channels, and take five times as long to pack. */
function pngOf({ size, data }: { size: number; data: Uint8Array }): string {
  const side = (size + 2 * MARGIN) * SCALE
  const grey = { colorType: 0, inputColorType: 0, bitDepth: 8, inputHasAlpha: false } as const
  const image = new PNG({ width: side, height: side, ...grey })
  image.data = Buffer.alloc(side * side, 0xff)
  for (let y = 0; y < size * SCALE; y++) {
    for (let x = 0; x < size; x++) {
      const at = (y + MARGIN * SCALE) * side + (x + MARGIN) * SCALE
      if (data[Math.floor(y / SCALE) * size + x]) image.data.fill(0, at, at + SCALE)
    }
  }
  return `data:image/png;base64,${PNG.sync.write(image, grey).toString('base64')}`
}
