import { createHash, randomBytes, randomInt, timingSafeEqual } from 'node:crypto'

const keySigns = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789'

/** 256 random bits for a cookie or header. */
export const makeToken = (): string => randomBytes(32).toString('base64url')

/** `ksw_` and 40 letters and digits: 238 bits. */
export const makeApiKey = (): string => `ksw_${Array.from({ length: 40 }, () => keySigns[randomInt(keySigns.length)]).join('')}`

export const apiKeyPattern = /^ksw_[A-Za-z0-9]{40}$/

/** What is kept of a token or key: so many random bits need no slow hash. */
export const hashToken = (token: string): string => createHash('sha256').update(token).digest('hex')

/** Compares two texts in a time that tells nothing of where they differ. */
export const sameToken = (a: string, b: string): boolean => timingSafeEqual(Buffer.from(hashToken(a)), Buffer.from(hashToken(b)))
