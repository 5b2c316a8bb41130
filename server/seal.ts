import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto'

const VERSION = 'v1'

export type Seal = ReturnType<typeof createSeal>

/**
 * Keeps secrets that have to be read again (keys of payment and SMS companies) out of the database and its backups:
 * AES-256-GCM under a key that follows from the box's own secret.
 * @param use what is sealed; a text sealed for one use does not open for another
 */
export function createSeal(secret: string, use: string) {
  const key = Buffer.from(hkdfSync('sha256', secret, '', `kswifi seal ${use}`, 32))

  return {
    /** @returns `v1.` and nonce, tag and text in base64url */
    close(text: string): string {
      const nonce = randomBytes(12)
      const cipher = createCipheriv('aes-256-gcm', key, nonce)
      const sealed = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()])
      return `${VERSION}.${Buffer.concat([nonce, cipher.getAuthTag(), sealed]).toString('base64url')}`
    },

    /** @throws Error when it was sealed by another box, or damaged */
    open(sealed: string): string {
      const [version, text = ''] = sealed.split('.')
      const bytes = Buffer.from(text, 'base64url')
      if (version !== VERSION || bytes.length < 28) throw new Error('this was not sealed by this box')
      const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, 12))
      decipher.setAuthTag(bytes.subarray(12, 28))
      return Buffer.concat([decipher.update(bytes.subarray(28)), decipher.final()]).toString('utf8')
    },
  }
}
