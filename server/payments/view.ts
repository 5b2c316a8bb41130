import { iso, type Now } from '../clock.ts'
import { SECOND } from '../units.ts'
import { stepOf, wordsFor } from './progress.ts'
import type { Providers } from './providers.ts'
import type { PaymentView, StaffPayment } from './schema.ts'
import type { Payment } from './table.ts'

/** Whom nobody has to ask. */
const free = { kind: 'free', title: 'Free' } as const

/** Shapes payments for the outside. */
export function createPaymentViews(providers: Providers, now: Now) {
  function view(payment: Payment): PaymentView {
    const { kind, title } =
      payment.provider === 'free' ? free : (providers.find(payment.provider) ?? { kind: 'push' as const, title: payment.provider })
    return {
      reference: payment.reference,
      number: payment.id,
      provider: payment.provider,
      kind,
      title,
      step: stepOf(payment),
      status: payment.status,
      amountMinor: payment.amountMinor,
      currency: payment.currency,
      packageId: payment.packageId,
      packageName: payment.packageName,
      hotspotId: payment.hotspotId,
      userPhone: payment.userPhone,
      topUp: payment.topUp,
      reason: payment.reason,
      words: wordsFor(payment, { kind, title }, now()),
      checkoutUrl: payment.status === 'pending' ? payment.checkoutUrl : null,
      sessionId: payment.sessionId,
      outcome: payment.outcome,
      pointsEarned: payment.pointsEarned,
      providerReference: payment.providerReference,
      createdAt: iso(payment.createdAt),
      expiresAt: iso(payment.expiresAt),
      secondsLeft: Math.max(0, payment.expiresAt - now()) / SECOND,
      pendingAt: iso(payment.pendingAt),
      paidAt: iso(payment.paidAt),
      openedAt: iso(payment.openedAt),
      grantedAt: iso(payment.grantedAt),
      firstByteAt: iso(payment.firstByteAt),
      failedAt: iso(payment.failedAt),
      givenUpAt: iso(payment.givenUpAt),
      refund: payment.refund,
      refundedAt: iso(payment.refundedAt),
    }
  }

  return {
    view,
    staffView(payment: Payment): StaffPayment {
      const provider = payment.provider === 'free' ? undefined : providers.find(payment.provider)
      return {
        ...view(payment),
        detail: payment.detail,
        confirmedBy: payment.confirmedBy,
        attempts: payment.attempts,
        nextAt: iso(payment.nextAt),
        canRefund:
          (payment.paidAt !== null || payment.reason === 'wrong-amount') &&
          payment.amountMinor > 0 &&
          (payment.refund === null || payment.refund === 'failed'),
        refundByHand: !provider?.refund,
        refundReason: payment.refundReason,
        refundBy: payment.refundBy,
        refundDetail: payment.refundDetail,
      }
    },
  }
}
