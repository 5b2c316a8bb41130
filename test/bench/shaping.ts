import { setTimeout as sleep } from 'node:timers/promises'
import { startCounting } from '#lab/demo/counters.ts'
import { admin, openBed, redeem, vouchers } from './bed.ts'
import { atMost, type Figure } from './figure.ts'

const SECONDS = 15
const BPS = 10_000_000

/** What a package of 10 Mbit/s carries, and what is charged for it. */
export async function shaping(): Promise<Figure[]> {
  const lab = await openBed('sh', 1)
  try {
    const phone = lab.phones[0]!
    const [code] = (await vouchers(lab, { dataLimit: 2 ** 40, downBps: BPS, upBps: BPS }, 1)) as [string]
    const session = await redeem(lab, phone.namespace, code)
    /** Payload of full segments that arrives in ten seconds of a running flow: neither its beginning nor what still waits at its end. */
    const goodput = async (direction: 'down' | 'up') => {
      const receiver = await startCounting(direction === 'down' ? phone.namespace : lab.internet.namespace, lab.internet.address)
      const args = ['-c', lab.internet.address, '-t', String(SECONDS), ...(direction === 'down' ? ['-R'] : [])]
      const flow = lab.exec(phone.namespace, ['iperf3', ...args])
      const look = async () => ({ at: performance.now(), bytes: (await receiver.read()).receivedBytes })
      await sleep(3000)
      const before = await look()
      await sleep(10_000)
      const after = await look()
      await flow
      await receiver.end()
      return ((after.bytes - before.bytes) * 8 * (1448 / 1500)) / ((after.at - before.at) / 1000) / BPS
    }
    const down = await goodput('down')
    const up = await goodput('up')

    const atPhone = await startCounting(phone.namespace, lab.internet.address)
    const charged = async () => {
      // Until the ledger stands still, the last poll included.
      let [bytes, before] = [0, -1]
      while (bytes !== before) {
        before = bytes
        await sleep(6000)
        const { session: view } = await admin<{ session: { dataUsed: number; uploaded: number } }>(lab, 'GET', `sessions/${session.id}`)
        bytes = view.dataUsed - view.uploaded
      }
      return bytes
    }
    const before = await charged()
    const reached = (await atPhone.read()).receivedBytes
    await lab.exec(phone.namespace, ['curl', '-s', '-o', '/dev/null', `http://${lab.internet.address}/bytes/${(BPS / 8) * SECONDS}`])
    const after = await charged()
    const ratio = (after - before) / ((await atPhone.read()).receivedBytes - reached)
    const between = (value: number) => value >= 0.93 && value <= 0.96
    return [
      { what: 'goodput of a 10 Mbps package, down', measured: down, unit: '', must: between, mustWords: '0.93–0.96' },
      { what: 'goodput of a 10 Mbps package, up', measured: up, unit: '', must: between, mustWords: '0.93–0.96' },
      {
        what: 'bytes charged to bytes that reached the phone',
        measured: ratio,
        unit: '',
        must: atMost(1.03),
        mustWords: '≤ 1.03',
        aim: atMost(1.005),
        aimWords: '≤ 1.005',
      },
    ]
  } finally {
    await lab.stop()
  }
}
