import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { startCounting } from '#lab/demo/counters.ts'
import { startLab, type Lab } from '#lab/lab.ts'
import { inside, run, until } from '#lab/run.ts'
import { makeKeyPair } from '#server/connect/keys.ts'
import type { ConnectAnswer } from '#server/connect/schema.ts'
import { admin, openBed, populate, redeem, vouchers } from './bed.ts'
import { ask } from './connect-ask.ts'
import { atLeast, median, type Figure } from './figure.ts'

/** Both ends and the box share the processors, so single rounds differ by a quarter: only many of them say something. */
const ROUNDS = 13
const SECONDS = 2
const PACKAGE_BPS = 20_000_000

type Way = 'down' | 'up'
const ways = ['down', 'up'] as const

/** Throughput from a device somewhere else, beside a tunnel of the same program over the same kind of wires and plain NAT; the beds take turns. */
export async function tunnel(): Promise<Figure[]> {
  const enforced = await enforcedBed('wgfull', null)
  const bare = await bareBed(enforced.mtu)
  try {
    const rates = { down: new Map<Lab, number[]>(), up: new Map<Lab, number[]>() }
    for (let round = 0; round < ROUNDS; round++) {
      for (const way of ways) {
        // Whoever comes first in a round comes last in the next: what slows down over time hits both alike.
        for (const bed of round % 2 === 0 ? [bare, enforced] : [enforced, bare]) {
          rates[way].set(bed, [...(rates[way].get(bed) ?? []), await measure(bed, way)])
        }
      }
    }
    const ratios = (way: Way) => rates[way].get(enforced)!.map((rate, round) => rate / rates[way].get(bare)![round]!)
    return [
      ...ways.flatMap((way): Figure[] => [
        { what: `a bare tunnel with plain NAT, ${way}`, measured: median(rates[way].get(bare)!) / 1e6, unit: 'Mbit/s' },
        {
          what: `the enforced tunnel to a bare one, ${way}`,
          measured: median(ratios(way)),
          unit: '',
          must: atLeast(0.9),
          mustWords: '≥ 0.90',
          note: `10 live sessions; rounds: ${ratios(way)
            .map((one) => one.toFixed(2))
            .join(', ')}`,
        },
      ]),
      await charged(),
    ]
  } finally {
    await Promise.all([bare, enforced].map((bed) => bed.stop()))
  }
}

async function bareBed(mtu: number): Promise<Lab> {
  const lab = await startLab({ prefix: 'kbewgbare', phones: 0, remotes: 1, without: ['server', 'worker', 'redis', 'dnsmasq'] })
  const [box, customer] = [makeKeyPair(), makeKeyPair()]
  const file = join(lab.dir, 'bare.conf')
  const own = `[Interface]\nPrivateKey = ${box.privateKey}\nListenPort = 51820\n`
  writeFileSync(file, `${own}[Peer]\nPublicKey = ${customer.publicKey}\nAllowedIPs = 10.8.0.2/32\n`, { mode: 0o600 })
  await until('the device is there', async () => (await lab.exec('box', ['wg', 'show', 'wg0'], { allowFailure: true })).code === 0, 10_000)
  await lab.exec('box', ['wg', 'setconf', 'wg0', file])
  await lab.exec('box', ['ip', 'addr', 'add', '10.8.0.1/16', 'dev', 'wg0'])
  await lab.exec('box', ['ip', 'link', 'set', 'wg0', 'mtu', '1420', 'up'])
  const rules = 'table ip plain { chain nat { type nat hook postrouting priority srcnat; oifname "wan0" masquerade; }; }'
  await run(inside(lab.box.namespace, ['/usr/sbin/nft', '-f', '-']), { input: rules })
  await lab.exec('box', ['/usr/sbin/sysctl', '-q', '-w', 'net.ipv4.ip_forward=1'])
  await lab.remotes[0]!.connect(`[Interface]
PrivateKey = ${customer.privateKey}
Address = 10.8.0.2/32
DNS = ${lab.internet.address}
MTU = ${mtu}

[Peer]
PublicKey = ${box.publicKey}
AllowedIPs = 0.0.0.0/0, ::/0
Endpoint = 203.0.113.2:51820
PersistentKeepalive = 25
`)
  return lab
}

async function enforcedBed(name: string, bps: number | null): Promise<Lab & { session: number; mtu: number }> {
  const lab = await openBed(name, 1, { remotes: 1 })
  await populate(lab, 9, { downBps: null, upBps: null })
  const [code] = (await vouchers(lab, { dataLimit: 2 ** 49, downBps: bps, upBps: bps }, 1)) as [string]
  const { id } = await redeem(lab, lab.phones[0]!.namespace, code)
  const made = await ask<ConnectAnswer>(lab, 'POST', '/api/connect/generate-profile', { session_id: id })
  await lab.remotes[0]!.connect(made.profile_text)
  // The data plane alone is measured: nothing of the control plane works meanwhile.
  await admin(lab, 'PATCH', 'settings', { pollSeconds: 30 })
  return { ...lab, session: id, mtu: Number(/^MTU = (\d+)$/m.exec(made.profile_text)![1]) }
}

/** bit/s that one TCP flow carries through the tunnel. Cubic everywhere: BBR's own probing is worth more than the difference that is looked for. */
async function measure(lab: Lab, way: Way, seconds = SECONDS): Promise<number> {
  const args = ['-c', lab.internet.address, '-C', 'cubic', '-O', '1', '-t', String(seconds), '-J', ...(way === 'down' ? ['-R'] : [])]
  const { stdout } = await lab.exec(lab.remotes[0]!.namespace, ['iperf3', ...args])
  return (JSON.parse(stdout) as { end: { sum_received: { bits_per_second: number } } }).end.sum_received.bits_per_second
}

/** At a speed that the customer's own device keeps up with: what that loses at full speed is not the box's doing, and charged all the same. */
async function charged(): Promise<Figure> {
  const lab = await enforcedBed('wgcharge', PACKAGE_BPS)
  try {
    await admin(lab, 'PATCH', 'settings', { pollSeconds: 1 })
    const used = async () => {
      // Until the ledger stands still, the last poll included.
      let [bytes, before] = [0, -1]
      while (bytes !== before) {
        before = bytes
        await sleep(2500)
        const { session } = await admin<{ session: { dataUsed: number; uploaded: number } }>(lab, 'GET', `sessions/${lab.session}`)
        bytes = session.dataUsed - session.uploaded
      }
      return bytes
    }
    const there = await startCounting(lab.remotes[0]!.namespace, lab.internet.address)
    const before = await used()
    const reached = (await there.read()).receivedBytes
    const rate = await measure(lab, 'down', 10)
    const after = await used()
    return {
      what: 'bytes charged to bytes delivered through the tunnel, at 20 Mbit/s',
      measured: (after - before) / ((await there.read()).receivedBytes - reached),
      unit: '',
      note: `download; the package carried ${(rate / 1e6).toFixed(1)} Mbit/s`,
    }
  } finally {
    await lab.stop()
  }
}
