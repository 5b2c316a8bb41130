import type { Payments } from '../payments/payments.ts'
import type { Sms } from '../sms/sms.ts'
import type { Overview } from './schema.ts'

type Needs = { payments: Pick<Payments, 'notOnline' | 'needingSomebody' | 'accountTroubles'>; sms: Pick<Sms, 'trouble'> }

/** What needs somebody, the most urgent first: customers who paid and are not online. */
export async function alarmsOf({ payments, sms }: Needs): Promise<Overview['alarms']> {
  const [notOnline, needing, accounts, smsTrouble] = await Promise.all([
    payments.notOnline(),
    payments.needingSomebody(),
    payments.accountTroubles(),
    sms.trouble(),
  ])
  return [
    ...notOnline.map(({ id, packageName, userPhone, mac }) => ({
      kind: 'not-online' as const,
      words: `Payment ${id} (${packageName}${userPhone ? `, +${userPhone}` : ''}) was made over a minute ago and its buyer is not online. ${
        mac ? 'The box goes on trying; look whether the device is on the Wi-Fi.' : 'No device of theirs was on the Wi-Fi when they paid.'
      }`,
      paymentId: id,
    })),
    ...needing.map(({ id, refund, refundDetail, detail }) =>
      refund === 'failed'
        ? { kind: 'refund-failed' as const, words: `Payment ${id} could not be given back: ${refundDetail ?? ''}`, paymentId: id }
        : {
            kind: 'wrong-amount' as const,
            words: `Payment ${id}: ${detail}. Nothing was opened; give it back or open a session by hand.`,
            paymentId: id,
          },
    ),
    ...accounts.map(({ provider, words }) => ({ kind: 'provider' as const, words: `${provider}: ${words}`, paymentId: null })),
    ...(smsTrouble ? [{ kind: 'sms' as const, words: smsTrouble, paymentId: null }] : []),
  ]
}
