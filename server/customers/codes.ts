import { createHmac, randomInt, timingSafeEqual } from 'node:crypto'

/** Six digits, for a message to a phone. */
export const makeSignInCode = (): string => String(randomInt(1_000_000)).padStart(6, '0')

/**
 * What is kept of a code. Without the box's secret, which is in no backup, it tells nothing, although there are only a
 * million codes. The number is part of it, so that a code works for nobody else.
 */
export function hashSignInCode(code: string, phone: string, secret: string): string {
  return createHmac('sha256', secret).update(`kswifi sign-in code ${phone} ${code}`).digest('hex')
}

/**
 * What is hashed slowly instead of the PIN itself. Ten thousand PINs are tried out in minutes, however slow the hash; with
 * the box's secret in it a copy of the database is not enough.
 */
export const keyPin = (pin: string, secret: string): string => createHmac('sha256', secret).update(`kswifi pin ${pin}`).digest('base64url')

/** Compares two hashes in a time that tells nothing of where they differ. */
export function sameHash(a: string, b: string): boolean {
  return a.length === b.length && timingSafeEqual(Buffer.from(a), Buffer.from(b))
}
