import { randomInt } from 'node:crypto'

const keySigns = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789'

/** `ksw_` and 40 letters and digits: 238 bits. */
export const makeApiKey = (): string => `ksw_${Array.from({ length: 40 }, () => keySigns[randomInt(keySigns.length)]).join('')}`

export const apiKeyPattern = /^ksw_[A-Za-z0-9]{40}$/
