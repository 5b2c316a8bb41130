import { setTimeout as sleep } from 'node:timers/promises'
import { startCounting } from '#lab/demo/counters.ts'
import type { Lab } from '#lab/lab.ts'
import { until } from '#lab/run.ts'
import { MB } from '#server/units.ts'
import { admin, openBed, redeem, vouchers } from './bed.ts'
import { atMost, type Figure } from './figure.ts'

const ALLOWANCE = 32 * MB
const ways = ['down', 'up', 'both', 'frozen'] as const

/** What is delivered of an allowance at full line rate, to the byte; and the deadline with every process dead. */
export async function exactness(): Promise<Figure[]> {
  const lab = await openBed('ex', 2)
  try {
    const figures: Figure[] = []
    for (const way of ways) figures.push(...(await drain(lab, way)))
    figures.push(await deadline(lab))
    return figures
  } finally {
    await lab.stop()
  }
}

const names = { down: 'download', up: 'upload', both: 'two devices at once', frozen: 'server, worker and Redis stopped' }

async function drain(lab: Lab, way: (typeof ways)[number]): Promise<Figure[]> {
  const [one, two] = lab.phones as [Lab['phones'][number], Lab['phones'][number]]
  const [code] = (await vouchers(lab, { dataLimit: ALLOWANCE, maxDevices: 2 }, 1)) as [string]
  const phones = way === 'both' ? [one, two] : [one]
  const counts = await Promise.all([
    ...phones.map((phone) => startCounting(phone.namespace, lab.internet.address)),
    startCounting(lab.internet.namespace, lab.internet.address),
  ])
  const site = counts.at(-1)!
  const session = await redeem(lab, one.namespace, code)
  if (way === 'both') {
    const body = JSON.stringify({ code: session.resumeCode })
    await lab.exec(two.namespace, [
      'curl',
      '-sf',
      '-o',
      '/dev/null',
      '-H',
      'content-type: application/json',
      '-d',
      body,
      `http://${lab.portalHost}/api/sessions/resume`,
    ])
  }
  // The box itself asks the internet whether the line works; what it exchanges by itself is small, and counted before.
  const own = (await site.read()).receivedBytes
  const ended = { at: 0 }
  const heard = way === 'down' ? hearEnded(lab, one.namespace, ended) : undefined
  const stopped = ['server', 'worker', 'redis'] as const
  if (way === 'frozen') for (const unit of stopped) lab.box.units.kill(unit, 'SIGSTOP')
  const url = `http://${lab.internet.address}`
  const flows = phones.map((phone) => {
    const args = way === 'up' ? ['--data-binary', '@-', `${url}/sink`] : [`${url}/bytes/${4 * ALLOWANCE}`]
    const input = way === 'up' ? { input: 'x'.repeat(2 * ALLOWANCE) } : {}
    return lab.exec(phone.namespace, ['curl', '-s', '-o', '/dev/null', '--speed-limit', '1', '--speed-time', '3', ...args], {
      allowFailure: true,
      ...input,
    })
  })
  let lastByteAt = 0
  let before = -1
  const watching = (async () => {
    if (!heard) return
    while (ended.at === 0) {
      const { receivedBytes } = await counts[0]!.read()
      if (receivedBytes !== before) lastByteAt = Date.now()
      before = receivedBytes
    }
  })()
  await Promise.all(flows)
  await Promise.race([watching, sleep(5000)])
  heard?.()
  const down = await Promise.all(phones.map(async (_, n) => (await counts[n]!.read()).receivedBytes))
  const up = (await site.read()).receivedBytes - own
  for (const count of counts) await count.end()
  if (way === 'frozen') for (const unit of stopped) lab.box.units.kill(unit, 'SIGCONT')
  const delivered = down.reduce((sum, bytes) => sum + bytes, 0) + up
  await until(
    'the session has ended',
    async () => (await admin<{ session: { status: string } }>(lab, 'GET', `sessions/${session.id}`)).session.status === 'expired',
    10_000,
  )
  const figures: Figure[] = [
    {
      what: `bytes beyond the allowance: ${names[way]}`,
      measured: Math.max(0, delivered - ALLOWANCE),
      unit: 'B',
      must: atMost(0),
      mustWords: '0',
      aim: atMost(0),
      aimWords: '0',
    },
    {
      what: `bytes short of it: ${names[way]}`,
      measured: Math.max(0, ALLOWANCE - delivered),
      unit: 'B',
      must: atMost(65_536),
      mustWords: '≤ 65536',
      aim: atMost(1514),
      aimWords: '≤ 1514',
    },
  ]
  if (way === 'down') {
    figures.push({
      what: 'customer’s page hears "used up" after the last byte',
      measured: Math.max(0, ended.at - lastByteAt),
      unit: 'ms',
      must: atMost(1000),
      mustWords: '≤ 1000',
      aim: atMost(200),
      aimWords: '≤ 200',
      note: 'server-sent event; last byte seen by sampling every few ms',
    })
  }
  return figures
}

/** Reads the phone's events until `ended` comes. @returns what ends the reading */
function hearEnded(lab: Lab, namespace: string, ended: { at: number }): () => void {
  const child = lab.spawn(namespace, ['curl', '-sN', `http://${lab.portalHost}/api/me/session/events`], {
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  child.stdout?.on('data', (chunk: Buffer) => {
    if (chunk.includes('event: ended') && ended.at === 0) ended.at = Date.now()
  })
  return () => void child.kill('SIGKILL')
}

async function deadline(lab: Lab): Promise<Figure> {
  const phone = lab.phones[0]!
  const [code] = (await vouchers(lab, { dataLimit: null, durationSeconds: 60 }, 1)) as [string]
  const session = await redeem(lab, phone.namespace, code)
  const { session: view } = await admin<{ session: { expiresAt: string } }>(lab, 'GET', `sessions/${session.id}`)
  const until = Date.parse(view.expiresAt)
  await sleep(until - Date.now() - 3000)
  // Killed by a stopped supervisor's standards: frozen first, so that none of them is started again to help.
  for (const unit of ['server', 'worker', 'redis'] as const) lab.box.units.kill(unit, 'SIGSTOP')
  const program = `const s=require('dgram').createSocket('udp4');let last=0;s.on('message',(m)=>{last=Number(m)});setInterval(()=>s.send(String(Date.now()),7,'${lab.internet.address}'),2);setTimeout(()=>{console.log(last);process.exit()},${until + 3000}-Date.now())`
  const { stdout } = await lab.exec(phone.namespace, [process.execPath, '-e', program])
  for (const unit of ['server', 'worker', 'redis'] as const) lab.box.units.kill(unit, 'SIGCONT')
  return {
    what: 'cut after the deadline, processes frozen',
    measured: Number(stdout) - until,
    unit: 'ms',
    must: atMost(1000),
    mustWords: '≤ 1000',
    note: 'last datagram that was sent and came back',
  }
}
