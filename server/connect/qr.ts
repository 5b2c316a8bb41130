import { toDataURL, toString } from 'qrcode'

/** M reads well from a screen; L where the text is too long for that at a size which cheap cameras still read. */
const levels = ['M', 'L'] as const

/** Modules of the quiet zone, as the standard asks for. */
const MARGIN = 4

/** One text as a QR code in both shapes. `png` is a data URL. */
export async function qrOf(text: string): Promise<{ png: string; svg: string }> {
  const errorCorrectionLevel = text.length <= 420 ? levels[0] : levels[1]
  const [png, svg] = await Promise.all([
    toDataURL(text, { errorCorrectionLevel, margin: MARGIN, scale: 5, type: 'image/png' }),
    toString(text, { errorCorrectionLevel, margin: MARGIN, type: 'svg' }),
  ])
  return { png, svg }
}
