import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { openBed, populate } from './bed.ts'
import { atMost, type Figure } from './figure.ts'

/** Proportional set size of both processes with 1,000 live sessions, after some polls and page loads. */
export async function memory(): Promise<Figure[]> {
  const lab = await openBed('me', 1)
  try {
    await populate(lab, 1000, { downBps: 10_000_000, upBps: 5_000_000 })
    for (let n = 0; n < 40; n++) {
      await lab.exec(lab.phones[0]!.namespace, [
        'curl',
        '-s',
        '-o',
        '/dev/null',
        `http://${lab.portalHost}/api/portal`,
        `http://${lab.portalHost}/`,
      ])
      await sleep(500)
    }
    const of = (unit: string) =>
      Number(/^Pss:\s+(\d+) kB/m.exec(readFileSync(`/proc/${lab.box.units.pid(unit)}/smaps_rollup`, 'utf8'))![1]) / 1024
    return [
      {
        what: 'memory of server + worker, 1,000 live sessions',
        measured: of('server') + of('worker'),
        unit: 'MB',
        must: atMost(250),
        mustWords: '≤ 250',
        aim: atMost(150),
        aimWords: '≤ 150',
        note: `PSS; server ${of('server').toFixed(0)}, worker ${of('worker').toFixed(0)}`,
      },
    ]
  } finally {
    await lab.stop()
  }
}
