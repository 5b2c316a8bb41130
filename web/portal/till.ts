import type { Customer } from '../../server/customers/schema.ts'
import type { Coordinates } from '../../server/hotspots/schema.ts'
import type { PointsAnswer } from '../../server/loyalty/schema.ts'
import type { payWay, PaymentView, ProviderName } from '../../server/payments/schema.ts'
import type { SessionView } from '../../server/sessions/schema.ts'
import type { Redeemed } from './box.ts'
import { createApi } from '../shared/api.ts'
import { follow, type Following } from './follow.ts'

export type PayWay = (typeof payWay)['_output']

/** What somebody wants. `key` is that of the attempt: the same key never buys twice. */
export type Wish = { packageId: number; topUp: boolean; key: string; coordinates?: Coordinates }
export type Paid = { outcome: 'asked' | 'pending' | 'paid' | 'resumed'; payment: PaymentView | null; session: SessionView | null }
export type Redemption = { outcome: Redeemed['outcome'] | 'resumed'; session: SessionView }
export type History = { sessions: SessionView[]; payments: PaymentView[] }
export type SignIn = { phone: string; code: string } | { phone: string; pin: string; isNew: boolean }

const api = createApi()
type Answer = { payment: PaymentView }

export const pay = (wish: Wish, provider: ProviderName) => api.post<Paid>('/api/payments', { ...wish, provider }, { timeoutMs: 20_000 })
export const payByPoints = (wish: Wish) => api.post<Redemption>('/api/points/redeem', wish, { timeoutMs: 20_000 })
export const askPayment = (reference: string) => api.get<Answer>(pathOf(reference), { timeoutMs: 8000 }).then(paymentOf)
export const giveUp = (reference: string) => api.post<Answer>(`${pathOf(reference)}/give-up`).then(paymentOf)

export const sendCode = (phone: string) => api.post<{ expiresInSeconds: number; resendInSeconds: number }>('/api/customers/code', { phone })
export const signIn = (who: SignIn) => api.post<{ customer: Customer }>('/api/customers/sign-in', who)
export const signOut = () => api.post<unknown>('/api/customers/sign-out')

export const askHistory = () => api.get<History>('/api/me/history')
export const askPoints = () => api.get<PointsAnswer>('/api/me/points')
export const forgetMe = () => api.remove<unknown>('/api/me')

/** Nothing more comes of it that the buyer waits for. */
export function isSettled({ status, step, outcome, givenUpAt }: PaymentView): boolean {
  if (status === 'paid') return step === 'granted' || step === 'used' || outcome === 'waiting'
  return status === 'failed' || givenUpAt !== null
}

/**
 * Follows a payment: by events, and by asking while they don't come.
 * @returns ask (now) and stop
 */
export function followPayment(reference: string, put: (payment: PaymentView) => void): Following {
  return follow<PaymentView>({
    path: `${pathOf(reference)}/events`,
    events: ['payment'],
    read: (data) => (data as Answer).payment,
    ask: () => askPayment(reference),
    everyMs: { flowing: 15_000, alone: 3000 },
    put,
  })
}

function pathOf(reference: string): string {
  return `/api/payments/${encodeURIComponent(reference)}`
}

function paymentOf({ payment }: Answer): PaymentView {
  return payment
}
