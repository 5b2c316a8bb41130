import type { Buyer, SharedSettings } from './control.ts'

export type MomoSettings = SharedSettings & {
  subscriptionKey: string
  /** As good as the first: two are valid at a time. */
  secondaryKey: string
  apiUser: string
  apiKey: string
  /** The providerCallbackHost of `apiUser`. */
  callbackHost: string
  /** sandbox: test numbers, EUR and provisioning. production: `targetEnvironment`, UGX, callbacks by https only. */
  mode: 'sandbox' | 'production'
  targetEnvironment: string
  /** Null: EUR alone in the sandbox, UGX alone in production. */
  currencies: string[] | null
  tokenLifeMs: number
  /** How long the question stands on the buyer's phone. */
  promptMs: number
  /** Until 46733123454 pays. */
  sandboxSuccessAfterMs: number
  /** What buyers without a behaviour of their own do. */
  buyer: Buyer
  callbackMethod: 'PUT' | 'POST'
  reasonAs: 'string' | 'object'
  /** Sources disagree on the answer to a callback address on another host. */
  wrongHostStatus: 500 | 400
  /** Calls for a payment's status per second before they are answered with 429; null: no limit. MTN documents 10. */
  statusPerSecond: number | null
}

/** A test that needs other credentials or another currency says so when it starts the emulator. */
export const momoDefaults: MomoSettings = {
  subscriptionKey: 'momo-subscription',
  secondaryKey: 'momo-subscription-2',
  apiUser: '4f1c2a0e-8a53-4c7b-9f0e-2d5b7a6c1e90',
  apiKey: 'momo-key',
  callbackHost: 'pay.example.com',
  mode: 'sandbox',
  targetEnvironment: 'mtnuganda',
  currencies: null,
  tokenLifeMs: 3_600_000,
  promptMs: 300_000,
  sandboxSuccessAfterMs: 30_000,
  buyer: { does: 'approve', afterMs: 0 },
  callbackMethod: 'PUT',
  reasonAs: 'string',
  wrongHostStatus: 500,
  statusPerSecond: null,
  delayMs: 0,
  deliverTo: null,
  callbacks: { way: 'send', lateMs: 0, times: 1 },
}
