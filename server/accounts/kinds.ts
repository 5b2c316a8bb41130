import type { AccountName } from './schema.ts'

/** How a value must look; `text` is anything. */
export type FieldShape = 'text' | 'url' | 'uuid' | 'domain'

/** A field as the kind of account declares it. Those without `optional` and without a default must be filled in. */
export type Field = {
  key: string
  label: string
  help: string
  secret?: true
  optional?: true
  shape?: FieldShape
  choices?: string[]
  default?: string
}

export type Kind = {
  title: string
  use: 'payments' | 'sms'
  /** The company may call back, so the owner has an address to enter with it. */
  callsBack: boolean
  /** On a new box, before the owner chose. */
  startsEnabled: boolean
  fields: Field[]
}

/** Every outside company that the box can have an account with, and what it needs to know for that. */
export const kinds: Record<AccountName, Kind> = {
  'mtn-momo': {
    title: 'MTN Mobile Money',
    use: 'payments',
    callsBack: true,
    startsEnabled: false,
    fields: [
      {
        key: 'baseUrl',
        label: 'Address',
        help: "Of MTN's open API. Rwanda has its own, https://proxy.momoapi.mtn.co.rw; for tries without money it is https://sandbox.momodeveloper.mtn.com.",
        shape: 'url',
        default: 'https://proxy.momoapi.mtn.com',
      },
      {
        key: 'targetEnvironment',
        label: 'Country',
        help: "MTN's name for the country of the account. The sandbox takes euros only.",
        choices: [
          'mtnuganda',
          'mtnghana',
          'mtnivorycoast',
          'mtnzambia',
          'mtncameroon',
          'mtnbenin',
          'mtncongo',
          'mtnswaziland',
          'mtnguineaconakry',
          'mtnsouthafrica',
          'mtnliberia',
          'mtnnigeria',
          'mtnrwanda',
          'mtnsouthsudan',
          'sandbox',
        ],
        default: 'mtnuganda',
      },
      { key: 'subscriptionKey', label: 'Subscription key', help: 'Primary or secondary key of the product "Collection".', secret: true },
      { key: 'apiUser', label: 'API user', help: 'A UUID, from the partner portal.', shape: 'uuid' },
      { key: 'apiKey', label: 'API key', help: 'Belongs to the API user.', secret: true },
      {
        key: 'callbacks',
        label: 'Callbacks',
        help: 'MTN calls back only at the host that was registered for the API user. Off: this box asks MTN every few seconds, which works as well.',
        choices: ['on', 'off'],
        default: 'on',
      },
    ],
  },
  paystack: {
    title: 'Paystack',
    use: 'payments',
    callsBack: true,
    startsEnabled: false,
    fields: [
      {
        key: 'baseUrl',
        label: 'Address',
        help: 'The same for tries and for money: the key decides.',
        shape: 'url',
        default: 'https://api.paystack.co',
      },
      { key: 'secretKey', label: 'Secret key', help: 'Begins with sk_live_, or with sk_test_ for tries without money.', secret: true },
      {
        key: 'emailDomain',
        label: 'Domain for buyers',
        help: 'Paystack wants an e-mail address of every buyer, so it gets the phone number at this domain. Receipts mailed to example.com reach nobody.',
        shape: 'domain',
        default: 'example.com',
      },
    ],
  },
  cash: { title: 'Cash at the desk', use: 'payments', callsBack: false, startsEnabled: true, fields: [] },
  sandbox: { title: 'Test payment', use: 'payments', callsBack: false, startsEnabled: true, fields: [] },
  'africas-talking': {
    title: "Africa's Talking",
    use: 'sms',
    callsBack: false,
    startsEnabled: false,
    fields: [
      {
        key: 'baseUrl',
        label: 'Address',
        help: 'For tries without money it is https://api.sandbox.africastalking.com, with the user name sandbox.',
        shape: 'url',
        default: 'https://api.africastalking.com',
      },
      { key: 'username', label: 'User name', help: 'Of the app in their dashboard.' },
      { key: 'apiKey', label: 'API key', help: 'From the settings of the app.', secret: true },
      {
        key: 'senderId',
        label: 'Sender',
        help: 'A registered sender id or short code; empty: theirs. Networks block senders that are not registered.',
        optional: true,
      },
    ],
  },
}
