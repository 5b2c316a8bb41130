/** The kernel's gateway alone, inside the namespace of a box: asked over standard input, one JSON line each. */
import { createInterface } from 'node:readline'
import { createKernelGateway } from '#server/gateway/kernel.ts'
import type { Gateway, Grant, Reading } from '#server/gateway/grant.ts'
import { createLog } from '#server/log.ts'
import { createLedger } from './ledger.ts'

export type Ask =
  | { do: 'want'; grants: Grant[] }
  | { do: 'enforce' | 'poll'; sessions?: number[] | undefined }
  | { do: 'settle'; readings: Reading[] }
  | { do: 'readings' }

if (import.meta.main) {
  const ledger = createLedger()
  const gateway = createKernelGateway({
    wanted: ledger.wanted,
    settle: ledger.settle,
    now: Date.now,
    lan: { device: 'lan0', address: '10.64.0.1' },
    wan: { device: 'wan0' },
    portalPort: 8080,
    log: createLog('box', 'silent'),
  })
  const answer = async (ask: Ask): Promise<unknown> => {
    if (ask.do === 'want') return ledger.want(ask.grants)
    if (ask.do === 'settle') return ledger.settle(ask.readings)
    if (ask.do === 'readings') return ledger.readings()
    return run(await gateway, ask)
  }
  createInterface({ input: process.stdin }).on('line', (text) => {
    const { id, ask } = JSON.parse(text) as { id: number; ask: Ask }
    answer(ask).then(
      (value) => console.log(JSON.stringify({ id, value })),
      (error: Error) => console.log(JSON.stringify({ id, error: error.message })),
    )
  })
  process.on('SIGTERM', () => void gateway.then((one) => one.close()).then(() => process.exit(0)))
}

function run(gateway: Gateway, ask: { do: 'enforce' | 'poll'; sessions?: number[] | undefined }): Promise<void> {
  return gateway[ask.do](ask.sessions)
}
