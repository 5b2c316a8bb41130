import { startLab, type Lab } from '#lab/lab.ts'
import { inside, run } from '#lab/run.ts'
import { admin, populate, redeem, vouchers } from './bed.ts'
import { atLeast, median, type Figure } from './figure.ts'

const ROUNDS = 5
const SECONDS = 2

/** Throughput with 1500-byte packets and no offloads, beside plain NAT over the same kind of wires; the beds take turns. */
export async function forwarding(): Promise<Figure[]> {
  const [plain, few, many] = (await Promise.all([plainBed(), enforcedBed('few', 10), enforcedBed('many', 10_000)])) as [Lab, Lab, Lab]
  const shaped = await enforcedBed('shaped', 10_000, 5_000_000_000)
  try {
    const rates = { down: new Map<Lab, number[]>(), up: new Map<Lab, number[]>() }
    for (let round = 0; round < ROUNDS; round++) {
      for (const direction of ['down', 'up'] as const) {
        for (const bed of [plain, few, many, shaped]) {
          const rate = await measure(bed, direction)
          rates[direction].set(bed, [...(rates[direction].get(bed) ?? []), rate])
        }
      }
    }
    // A ratio of each round, and their median: what else the machine does hits neighbours alike.
    const ratio = (direction: 'down' | 'up', over: Lab, under: Lab) =>
      median(rates[direction].get(over)!.map((rate, round) => rate / rates[direction].get(under)![round]!))
    return (['down', 'up'] as const).flatMap((direction) => [
      { what: `plain NAT, ${direction}`, measured: median(rates[direction].get(plain)!) / 1e9, unit: 'Gbit/s' },
      {
        what: `10,000 live sessions to plain NAT, ${direction}`,
        measured: ratio(direction, many, plain),
        unit: '',
        must: atLeast(0.8),
        mustWords: '≥ 0.80',
        aim: atLeast(0.9),
        aimWords: '≥ 0.90',
      },
      {
        what: `the same through a class of 5 Gbit/s (HTB), ${direction}`,
        measured: ratio(direction, shaped, plain),
        unit: '',
        aim: atLeast(0.8),
        aimWords: '≥ 0.80',
      },
      {
        what: `10,000 to 10 live sessions, ${direction}`,
        measured: ratio(direction, many, few),
        unit: '',
        must: atLeast(0.95),
        mustWords: '≥ 0.95',
      },
    ])
  } finally {
    await Promise.all([plain, few, many, shaped].map((bed) => bed.stop()))
  }
}

async function plainBed(): Promise<Lab> {
  const lab = await startLab({ prefix: 'kbeplain', phones: 1, without: ['server', 'worker', 'redis'] })
  const rules = 'table ip plain { chain nat { type nat hook postrouting priority srcnat; oifname "wan0" masquerade; }; }'
  await run(inside(lab.box.namespace, ['/usr/sbin/nft', '-f', '-']), { input: rules })
  await lab.exec(lab.box.namespace, ['/usr/sbin/sysctl', '-q', '-w', 'net.ipv4.ip_forward=1'])
  return lab
}

async function enforcedBed(name: string, sessions: number, bps: number | null = null): Promise<Lab> {
  const lab = await startLab({ prefix: `kbe${name}`, phones: 1 })
  await populate(lab, sessions - 1, { downBps: null, upBps: null })
  const [code] = (await vouchers(lab, { dataLimit: 2 ** 49, downBps: bps, upBps: bps }, 1)) as [string]
  await redeem(lab, lab.phones[0]!.namespace, code)
  // The data plane alone is measured: nothing of the control plane works meanwhile.
  await admin(lab, 'PATCH', 'settings', { pollSeconds: 30 })
  return lab
}

/** bit/s that one TCP flow carries through the box. */
async function measure(lab: Lab, direction: 'down' | 'up'): Promise<number> {
  const args = ['-c', lab.internet.address, '-t', String(SECONDS), '-J', ...(direction === 'down' ? ['-R'] : [])]
  const { stdout } = await lab.exec(lab.phones[0]!.namespace, ['iperf3', ...args])
  return (JSON.parse(stdout) as { end: { sum_received: { bits_per_second: number } } }).end.sum_received.bits_per_second
}
