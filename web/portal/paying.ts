import { useCallback, useEffect, useRef, useState } from 'preact/hooks'
import type { PaymentView } from '../../server/payments/schema.ts'
import type { Portal } from '../../server/venue/schema.ts'
import { endAttempt } from './attempt.ts'
import { followPayment, isSettled } from './till.ts'

export type Paying = { payment: PaymentView | null; put: (payment: PaymentView) => void; ask: () => void }

/** The asker's latest payment, kept true until nothing more comes of it. */
export function usePayment(portal: Portal | null): Paying {
  const [held, hold] = useState<{ of: Portal | null; payment: PaymentView } | null>(null)
  const newest = useRef(portal)
  newest.current = portal
  const put = useCallback((payment: PaymentView) => hold({ of: newest.current, payment }), [])
  const told = portal?.payment ?? null
  // What the portal tells later is newer, unless it knows only of an earlier payment.
  const payment = held && (held.of === portal || !told || told.number < held.payment.number) ? held.payment : told
  const follower = useRef<{ ask: () => void } | null>(null)
  const open = payment && !isSettled(payment) ? payment.reference : null
  useEffect(() => {
    if (open === null) return
    const following = followPayment(open, put)
    follower.current = following
    return () => {
      follower.current = null
      following.stop()
      // It is over: whoever buys again means another purchase.
      endAttempt()
    }
  }, [open])
  const ask = useCallback(() => follower.current?.ask(), [])
  return { payment, put, ask }
}
