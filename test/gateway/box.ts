/** The kernel's gateway alone, inside the namespace of a box: asked over standard input, one JSON line each. */
import { createInterface } from 'node:readline'
import { createKernelGateway } from '#server/gateway/kernel.ts'
import type { Gateway, Grant, Reading } from '#server/gateway/grant.ts'
import type { RulesetFacts } from '#server/gateway/ruleset.ts'
import { createLog } from '#server/log.ts'
import { createLedger } from './ledger.ts'

/** What the ruleset of these tests is made of. */
export const facts: RulesetFacts = {
  lan: 'lan0',
  wan: 'wan0',
  lanAddress: '10.64.0.1',
  portalPort: 8080,
  callbackPort: null,
  tunnel: { device: 'wg0', address: '10.8.0.1', port: 51820, otherPorts: [443] },
}

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
    lan: 'lan0',
    wan: 'wan0',
    tunnel: 'wg0',
    facts: async () => facts,
    publicAddresses: async () => [],
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
