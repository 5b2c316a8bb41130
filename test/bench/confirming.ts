/** MTN MoMo in the lab's internet, and the hands of its buyers: they confirm when they are told to. Usage: node confirming.ts HOST SETTINGS */
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import type { CallbackPlan } from '#test/emulators/callbacks.ts'
import { startMomo, type MomoCharge, type MomoSettings } from '#test/emulators/momo.ts'

export type Ask =
  /** How callbacks go out from now on. */
  | { callbacks: CallbackPlan['way'] }
  /** Everybody who is asked confirms: one after the other within `withinMs`, or all at the very same moment (0). */
  | { confirmWithinMs: number }
  | { charges: true }

export type Charge = MomoCharge & {
  /** When MTN was first asked about it after it was paid, UTC ms. */
  verifiedAt: number | null
  /** When its callback set out. */
  calledAt: number | null
}

if (import.meta.main) {
  const [host = '', settings = '{}'] = process.argv.slice(2)
  const momo = await startMomo({ ...(JSON.parse(settings) as Partial<MomoSettings>), host, port: 9101, buyer: { does: 'wait' } })

  const confirm = async (withinMs: number) => {
    const waiting = (await momo.charges()).filter(({ status }) => status === 'PENDING')
    const begun = performance.now()
    for (const [index, { reference }] of waiting.entries()) {
      const due = begun + (index * withinMs) / waiting.length
      if (due > performance.now()) await sleep(due - performance.now())
      await momo.approve(reference)
    }
  }

  const charges = async (): Promise<Charge[]> => {
    const [all, asked, called] = await Promise.all([momo.charges(), momo.requests(), momo.callbacks()])
    const looks = Map.groupBy(
      asked.filter(({ call }) => call === 'status'),
      ({ path }) => path.split('/').at(-1)!,
    )
    const firstCall = new Map(called.toReversed().map(({ about, at }) => [about, at]))
    return all.map((charge) => ({
      ...charge,
      verifiedAt: looks.get(charge.reference)?.find(({ at }) => at >= (charge.decidedAt ?? Infinity))?.at ?? null,
      calledAt: firstCall.get(charge.reference) ?? null,
    }))
  }

  const answer = async (ask: Ask): Promise<unknown> => {
    if ('callbacks' in ask) return momo.set({ callbacks: { way: ask.callbacks, lateMs: 0, times: 1 } })
    return 'confirmWithinMs' in ask ? confirm(ask.confirmWithinMs) : charges()
  }
  createInterface({ input: process.stdin }).on('line', (text) => {
    const { id, ask } = JSON.parse(text) as { id: number; ask: Ask }
    answer(ask).then(
      (value = null) => console.log(JSON.stringify({ id, value })),
      (error: Error) => console.log(JSON.stringify({ id, error: error.message })),
    )
  })
  process.stdin.on('end', () => process.exit(0))
}
