import { until } from '#lab/run.ts'
import { openBed, grantedCount, populate } from './bed.ts'
import { atMost, type Figure } from './figure.ts'

const SESSIONS = 2000

/** From the worker's first moment after a power cut until every session is in nft and has its classes. */
export async function restore(): Promise<Figure[]> {
  const lab = await openBed('re', 1)
  try {
    await populate(lab, SESSIONS, { downBps: 10_000_000, upBps: 5_000_000 })
    const seconds: number[] = []
    for (let round = 0; round < 3; round++) {
      await lab.powerCut()
      const begun = performance.now()
      lab.powerOn()
      await until(
        'everybody is back',
        async () => (await grantedCount(lab)) >= SESSIONS && (await classes('lan0')) >= SESSIONS && (await classes('wan0')) >= SESSIONS,
        60_000,
        5,
      )
      seconds.push((performance.now() - begun) / 1000)
      await lab.untilHealthy()
    }
    return [
      {
        what: 'restore of 2,000 sessions after a power cut',
        measured: Math.min(...seconds),
        unit: 's',
        must: atMost(3),
        mustWords: '≤ 3',
        aim: atMost(1),
        aimWords: '≤ 1',
        note: `from the start of the processes, nft and tc both ways; rounds: ${seconds.map((one) => one.toFixed(2)).join(', ')}`,
      },
    ]
  } finally {
    await lab.stop()
  }

  async function classes(device: string): Promise<number> {
    const { stdout } = await lab.exec(lab.box.namespace, ['/usr/sbin/tc', 'class', 'show', 'dev', device], { allowFailure: true })
    return stdout.split('\n').length - 1
  }
}
