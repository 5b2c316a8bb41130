import type { Log } from '../log.ts'
import type { Advance } from '../payments/advance.ts'
import type { Payments } from '../payments/payments.ts'
import type { Windows } from '../payments/windows.ts'
import type { Meter } from './meter.ts'
import type { Credit } from './credit.ts'

type Needs = {
  advance: Advance
  payments: Payments
  meter: Pick<Meter, 'grants' | 'devicesOf'>
  windows: Pick<Windows, 'marksOf'>
  log: Log
  /** Makes the kernel agree with these sessions, or all. */
  enforce: (sessions?: number[]) => Promise<void>
}

type Bank = Pick<Credit, 'credit' | 'settleRefund'>

export type Collect = ReturnType<typeof createCollect>

/** The worker's part in the way of the money: brings payments on, and notes when the gateway lets in who paid. */
export function createCollect({ advance, payments, meter, windows, log, enforce }: Needs) {
  const underWay = new Set<number>()

  /** Callbacks that came while their payment was being asked about: the answer under way may be from before. */
  const again = new Set<number>()

  async function bringOn(id: number, bank: Bank): Promise<void> {
    underWay.add(id)
    try {
      do {
        again.delete(id)
        const due = await advance.advance(id)
        if (due && 'truth' in due) await bank.credit(due.payment, due.truth)
        else if (due) await bank.settleRefund(due.payment, due.refundReference)
      } while (again.has(id))
    } catch (error) {
      await advance.putOff(id)
      log.error({ err: error, payment: id }, 'a payment could not be credited; it is tried again later')
    } finally {
      underWay.delete(id)
      again.delete(id)
    }
  }

  return {
    /** Brings these payments on, or all that are due; one that is under way is looked at once more after. Never fails. */
    async step(bank: Bank, ids?: number[]): Promise<void> {
      const wanted = ids ?? (await advance.due([...underWay]))
      if (ids) for (const id of ids) if (underWay.has(id)) again.add(id)
      await Promise.all(wanted.filter((id) => !underWay.has(id)).map((id) => bringOn(id, bank)))
    },

    /** Enforces, and notes which paid sessions are let in by it. */
    async enforce(sessions?: number[]): Promise<void> {
      const waiting = await letIn(sessions)
      // A device that leaves its window for a session must leave it in the same run.
      await enforce(sessions && [...sessions, ...(await windows.marksOf(() => meter.devicesOf(sessions)))])
      await payments.markGranted(waiting)
    },

    /** Notes who was let in by a poll. */
    async noteGranted(): Promise<void> {
      await payments.markGranted(await letIn())
    },
  }

  /** Payments whose sessions have a grant now. Asked before enforcing: who comes later is not let in by that run for sure. */
  async function letIn(sessions?: number[]): Promise<number[]> {
    const waiting = await payments.ungranted(sessions)
    if (waiting.length === 0) return []
    const granted = new Set((await meter.grants(waiting.map((one) => one.sessionId))).map((grant) => grant.session))
    return waiting.filter((one) => granted.has(one.sessionId)).map((one) => one.id)
  }
}
