import type { FailReason, ProviderName } from './schema.ts'

/** What a provider is asked to do. `reference` was written down before: asking again with it never charges twice. */
export type Asking = {
  /** A random UUID, the payment's own number. */
  reference: string
  amountMinor: number
  currency: string
  /** Of the buyer: digits of E.164 without the plus; null only where a provider needs none. */
  phone: string | null
  /** What is bought, ASCII, at most 80 signs: shown on the buyer's phone. */
  words: string
  /** Where the provider may call back; null when the box has no public address. */
  callbackUrl: string | null
  /** Where the buyer's browser is sent after a checkout page. */
  returnUrl: string
  /** The checkout page that was given to the buyer; null when there is none, or none yet. */
  checkoutUrl: string | null
  /** When the payment was written down, UTC ms. */
  at: number
}

/** The provider's answer to being asked. */
export type Asked =
  /** The question is on its way to the buyer; `checkoutUrl` is the page to be opened, for providers with one. */
  | { state: 'pending'; checkoutUrl: string | null }
  /** It will never be paid under this reference. `detail` is for staff, never a secret. */
  | { state: 'failed'; reason: FailReason; detail: string }

/** What the provider says of a payment when it is asked for the truth. */
export type Truth =
  | { state: 'pending' }
  /** The provider never heard of it, or its checkout page was lost: it must be asked again, with the same reference. */
  | { state: 'unknown' }
  | { state: 'paid'; amountMinor: number; currency: string; providerReference: string }
  | { state: 'failed'; reason: FailReason; detail: string }

/** A callback as it came over HTTP. Header names in lower case. */
export type Callback = { headers: Record<string, string | undefined>; body: string; pathReference: string | null }

/** What a callback speaks of: a hint where to look, never a truth. */
export type Hint = {
  /** The payment's own number, if it can be told. */
  reference: string | null
  /** The same for the same message sent twice, another for another. */
  eventKey: string
  /** It carries a signature that is right. */
  trusted: boolean
}

export type Refunding = { reference: string; providerReference: string | null; amountMinor: number; currency: string }
export type Refunded =
  | { state: 'done'; refundReference: string }
  /** Under way at the provider: ask again. */
  | { state: 'pending'; refundReference: string }
  | { state: 'failed'; detail: string }

/**
 * A way to pay: one file each in providers/. All verbs may be called again after a crash, with the same reference, and
 * none may be called inside a database transaction.
 *
 * Errors: `ProviderTrouble` for "no answer that can be used"; the payment stays as it is, and is asked about again.
 */
export type Provider = {
  name: ProviderName
  title: string
  /** push: a question on the buyer's phone. checkout: a page of the provider. desk: the cashier confirms. */
  kind: 'push' | 'checkout' | 'desk'
  /** How long the buyer has to confirm. */
  patienceMs: number
  /** Whether it takes this currency. */
  takes: (currency: string) => boolean
  ask: (asking: Asking) => Promise<Asked>
  /** Reads a callback; fast, asks nobody outside, and never trusts it. Never rejects: rubbish is a hint without a reference. */
  hear: (callback: Callback) => Promise<Hint>
  /** The body of a callback, without what need not be kept, such as a card. Left out where nothing of the kind is in it. */
  redact?: (body: string) => string
  verify: (asking: Asking) => Promise<Truth>
  /** Left out where the provider cannot give money back by itself. */
  refund?: (refunding: Refunding) => Promise<Refunded>
  /** Asks the provider whether the account works, without money. @returns words for the owner */
  test: () => Promise<string>
}

/**
 * The provider gave no answer that can be used.
 * `isOurs`: the account or its settings are wrong, and no waiting mends that: the owner must be told.
 */
export class ProviderTrouble extends Error {
  readonly isOurs: boolean
  /** The provider asked to be left alone for so long. */
  readonly waitMs: number
  constructor(words: string, { isOurs = false, waitMs = 0, cause }: { isOurs?: boolean; waitMs?: number; cause?: unknown } = {}) {
    super(words, { cause })
    this.isOurs = isOurs
    this.waitMs = waitMs
  }
}
