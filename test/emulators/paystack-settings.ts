import type { Buyer, SharedSettings } from './control.ts'

export type PaystackSettings = SharedSettings & {
  /** `sk_test_…` or `sk_live_…`: it decides about the domain, the test wallets and the retries, and it signs the webhooks. */
  secretKey: string
  /** A bad key is answered with 401; one page of the documentation shows 400. */
  badKeyStatus: 401 | 400
  /** An unknown reference is answered with 400; 404 was seen too. */
  unknownReferenceStatus: 400 | 404
  /** What the merchant's account may take; the first is used when none is named. */
  currencies: string[]
  /** The one address set in the dashboard; null: none is set. */
  webhookUrl: string | null
  /** Tried again after each of these until 200; null: as Paystack does, for three days. */
  retriesMs: number[] | null
  /** What buyers without a behaviour of their own do; `wait`: they open the page. */
  buyer: Buyer
  /** What verify says of a checkout that nobody has paid yet. */
  unpaidStatus: 'abandoned' | 'ongoing' | 'pending' | 'processing' | 'queued'
  /** Metadata as it was sent, or lost on the way, as `""` or `0`. */
  metadataAs: 'sent' | 'empty' | 'number'
  /** Added to `amount` in verify and webhook, when the customer bears the fees; subunits. */
  customerFee: number
  /** Of the first transaction, as digits: ids are 64 bits wide, more than JavaScript's numbers hold. */
  firstId: string
  /** Phones that can pay by mobile money with a test key; any other is declined there. */
  testPhones: string[]
  /** The one-time password that `vod` asks for. */
  otp: string
  refunds: { does: 'process' | 'fail' | 'wait'; afterMs: number }
}

/** A test that needs another key or currency says so when it starts the emulator. */
export const paystackDefaults: PaystackSettings = {
  secretKey: 'sk_test_emulator',
  badKeyStatus: 401,
  unknownReferenceStatus: 400,
  currencies: ['NGN', 'GHS', 'KES', 'ZAR', 'USD'],
  webhookUrl: null,
  retriesMs: null,
  buyer: { does: 'wait' },
  unpaidStatus: 'abandoned',
  metadataAs: 'sent',
  customerFee: 0,
  firstId: '4099260516',
  testPhones: ['0551234987', '254710000000', '+254710000000'],
  otp: '123456',
  refunds: { does: 'process', afterMs: 0 },
  delayMs: 0,
  deliverTo: null,
  callbacks: { way: 'send', lateMs: 0, times: 1 },
}
