/** Every "no" that an asker may see, with its HTTP status. The code is stable; the words may be mended. */
const statusOf = {
  'bad-input': 400,
  'not-signed-in': 401,
  'not-allowed': 403,
  csrf: 403,
  'not-found': 404,
  'not-on-wifi': 409,
  'no-session': 404,
  'session-ended': 409,
  'devices-full': 409,
  'profiles-full': 409,
  'connect-full': 409,
  'connect-unavailable': 409,
  'link-unknown': 404,
  'limit-reached': 409,
  'voucher-unknown': 404,
  'voucher-used': 409,
  'voucher-expired': 409,
  'voucher-void': 409,
  'hotspot-closed': 409,
  'out-of-range': 409,
  'where-are-you': 409,
  'points-short': 409,
  'provider-unavailable': 409,
  'payment-unknown': 404,
  'payment-pending': 409,
  'payment-failed': 409,
  conflict: 409,
  'too-large': 413,
  'not-json': 415,
  'too-many-tries': 429,
  'storage-full': 507,
  unavailable: 503,
} as const

export type RefusalCode = keyof typeof statusOf

/**
 * A refusal: an expected "no", shown to the asker as it is.
 * `words` say what to do about it; `facts` are plain JSON, never a secret.
 * Everything else that is thrown is a fault: the asker sees a 500 and a request id.
 */
export class Refusal extends Error {
  readonly code: RefusalCode
  readonly status: number
  readonly facts: Record<string, unknown> | undefined

  constructor(code: RefusalCode, words: string, facts?: Record<string, unknown>) {
    super(words)
    this.code = code
    this.status = statusOf[code]
    this.facts = facts
  }
}

/** True for SQLite's and the file system's ways to say that the disk is full. */
export function isDiskFull(error: unknown): boolean {
  const code = (error as { code?: string } | null)?.code
  return code === 'SQLITE_FULL' || code === 'ENOSPC'
}
