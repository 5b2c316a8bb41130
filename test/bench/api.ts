import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { Lab } from '#lab/lab.ts'
import { openBed, redeem, vouchers } from './bed.ts'
import { atLeast, median, type Figure } from './figure.ts'

const ROUNDS = 5
const PORT = 8099

/** GET /api/me/session as a phone asks it, beside a bare Koa route that returns the same JSON, each on one and the same core. */
export async function api(): Promise<Figure[]> {
  const lab = await openBed('ap', 1)
  const koa = spawn(
    'ip',
    ['netns', 'exec', lab.box.namespace, 'taskset', '-c', '0', process.execPath, program('bare-koa.ts'), String(PORT)],
    { stdio: ['pipe', 'pipe', 'inherit'] },
  )
  try {
    const [code] = (await vouchers(lab, { dataLimit: 2 ** 40 }, 1)) as [string]
    await redeem(lab, lab.phones[0]!.namespace, code)
    const { stdout: body } = await lab.exec(lab.phones[0]!.namespace, ['curl', '-s', `http://${lab.portalHost}/api/me/session`])
    koa.stdin.end(body)
    await once(koa.stdout, 'data')
    await lab.exec(lab.box.namespace, ['/usr/bin/taskset', '-apc', '0', String(lab.box.units.pid('server'))])
    // The bench's own door for the bare route: customers reach nothing but the portal's port. The worker would shut it at the next poll.
    lab.kill('worker', 'SIGSTOP')
    await lab.exec(lab.box.namespace, [
      '/usr/sbin/nft',
      'insert',
      'rule',
      'inet',
      'kswifi',
      'ask_box',
      'tcp',
      'dport',
      String(PORT),
      'accept',
    ])
    const ratios: number[] = []
    const rates: number[] = []
    for (let round = 0; round < ROUNDS; round++) {
      const bare = await load(lab, `http://${lab.box.lan}:${PORT}/api/me/session`)
      const real = await load(lab, `http://${lab.box.lan}:8080/api/me/session`)
      ratios.push(real / bare)
      rates.push(real)
    }
    return [
      { what: 'GET /api/me/session, one core', measured: median(rates), unit: 'req/s' },
      {
        what: 'GET /api/me/session to a bare Koa route',
        measured: median(ratios),
        unit: '',
        must: atLeast(0.3),
        mustWords: '≥ 0.30',
        aim: atLeast(0.6),
        aimWords: '≥ 0.60',
        note: 'from the phone, 16 connections kept alive',
      },
    ]
  } finally {
    koa.kill('SIGKILL')
    await lab.stop()
  }
}

async function load(lab: Lab, url: string): Promise<number> {
  const { stdout } = await lab.exec(lab.phones[0]!.namespace, ['taskset', '-c', '1', process.execPath, program('load.ts'), url])
  return Number(stdout)
}

function program(name: string): string {
  return fileURLToPath(new URL(name, import.meta.url))
}
