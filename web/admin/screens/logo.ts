import { ApiError } from '../../shared/api.ts'

const LONGEST_SIDE_PX = 256
const LONGEST_TEXT = 150_000

/**
 * Makes a small PNG of a picture that the owner chose.
 * @returns a data URL that settings accept
 * @throws ApiError `bad-input` when it is no picture, or stays too large
 */
export async function logoFromFile(file: File): Promise<string> {
  const address = URL.createObjectURL(file)
  try {
    const picture = await pictureAt(address)
    for (let side = LONGEST_SIDE_PX; side >= 64; side /= 2) {
      const small = shrunk(picture, side)
      if (small.length <= LONGEST_TEXT) return small
    }
  } finally {
    URL.revokeObjectURL(address)
  }
  throw new ApiError('bad-input', 'This picture stays too large even when made small. Choose a simpler one.')
}

async function pictureAt(address: string): Promise<HTMLImageElement> {
  const picture = new Image()
  picture.src = address
  try {
    await picture.decode()
  } catch {
    throw new ApiError('bad-input', 'This file is not a picture that the browser can read. Choose a PNG, JPEG, WebP or SVG.')
  }
  return picture
}

function shrunk(picture: HTMLImageElement, side: number): string {
  // A drawing (SVG) may have no size of its own.
  const width = picture.naturalWidth || side
  const height = picture.naturalHeight || side
  const scale = Math.min(1, side / Math.max(width, height))
  const canvas = document.createElement('canvas')
  canvas.width = Math.max(1, Math.round(width * scale))
  canvas.height = Math.max(1, Math.round(height * scale))
  const pen = canvas.getContext('2d')
  if (!pen) throw new ApiError('bad-input', 'This browser cannot make pictures small. Use another one for the logo.')
  pen.imageSmoothingQuality = 'high'
  pen.drawImage(picture, 0, 0, canvas.width, canvas.height)
  return canvas.toDataURL('image/png')
}
