import { fileURLToPath } from 'node:url'
import { openBed, populate, vouchers } from './bed.ts'
import { atMost, quantile, type Figure } from './figure.ts'

const ROUNDS = 100

/** Voucher POST to first packet, with 1,000 live sessions. */
export async function latency(): Promise<Figure[]> {
  const lab = await openBed('la', 1)
  try {
    await populate(lab, 1000, { downBps: 10_000_000, upBps: 5_000_000 })
    const codes = await vouchers(lab, { dataLimit: 1_000_000_000, downBps: 20_000_000, upBps: 20_000_000 }, ROUNDS + 5)
    const program = fileURLToPath(new URL('first-packet.ts', import.meta.url))
    const job = JSON.stringify({ codes, portal: lab.portalHost, internet: lab.internet.address, apiKey: lab.admin.apiKey })
    const { stdout } = await lab.exec(lab.phones[0]!.namespace, [process.execPath, program], { input: job, timeoutMs: 180_000 })
    const times = (JSON.parse(stdout) as number[]).slice(5)
    return [
      {
        what: 'voucher POST to first packet, 1,000 live sessions, p50',
        measured: quantile(times, 0.5),
        unit: 'ms',
        aim: atMost(20),
        aimWords: '≤ 20',
        note: `${times.length} redemptions; a datagram every ms to an echo on the internet`,
      },
      { what: 'the same, p99', measured: quantile(times, 0.99), unit: 'ms', must: atMost(150), mustWords: '≤ 150' },
    ]
  } finally {
    await lab.stop()
  }
}
