import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'

/** 256 random bits for a cookie or header. */
export const makeToken = (): string => randomBytes(32).toString('base64url')

/** What is kept of a token or key: so many random bits need no slow hash. */
export const hashToken = (token: string): string => createHash('sha256').update(token).digest('hex')

/** Compares two texts in a time that tells nothing of where they differ. */
export const sameToken = (a: string, b: string): boolean => timingSafeEqual(Buffer.from(hashToken(a)), Buffer.from(hashToken(b)))
