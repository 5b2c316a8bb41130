import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Lab } from '#lab/lab.ts'
import { until } from '#lab/run.ts'
import { presharedKey } from '#server/connect/keys.ts'
import type { ConnectAnswer, ConnectOverview } from '#server/connect/schema.ts'
import { talkTo, type Talk } from '#test/gateway/talk.ts'
import { admin, openBed, peersOf, populate, type Populated } from './bed.ts'
import { ask } from './connect-ask.ts'
import { atMost, median, type Figure } from './figure.ts'
import type { Answer, Ask, Device } from './peers.ts'

const DEVICES = 2000
const RESTARTS = 3
const SPEEDS = { downBps: 10_000_000, upBps: 5_000_000 }
const DOWNLOAD_BYTES = 6_000_000
const DOWNLOAD_RATE = 500_000

type Bed = { lab: Lab; devices: Talk<Ask>; spare: string; real: string }

/** What those in the tunnel notice when the worker dies, and when the tunnel's own device does; 2,000 of them with a handshake each. */
export async function restart(): Promise<Figure[]> {
  const lab = await openBed('wgre', 0, { remotes: 2 })
  const [laptop, others] = lab.remotes as [Lab['remotes'][number], Lab['remotes'][number]]
  const program = fileURLToPath(new URL('peers.ts', import.meta.url))
  const devices = talkTo<Ask>(others.namespace, program, '203.0.113.2', '51820', lab.internet.address)
  try {
    const there = await populate(lab, DEVICES + 2, SPEEDS, DEVICES + 1)
    const made = await ask<ConnectAnswer>(lab, 'POST', '/api/connect/generate-profile', { session_id: there.at(-1)!.session })
    await laptop.connect(made.profile_text)
    const joined = await devices.ask<Answer>({ join: await devicesOf(lab, there.slice(0, DEVICES)) })
    if (joined.count < DEVICES) throw new Error(`Only ${joined.count} of ${DEVICES} devices got into the tunnel`)
    const real = (await lab.exec(laptop.namespace, ['wg', 'show', 'kswifi', 'public-key'])).stdout.trim()
    const bed = { lab, devices, spare: there[DEVICES]!.profile!.publicKey, real }
    return [...(await killWorker(bed)), ...(await killDevice(bed))]
  } finally {
    await devices.end()
    await lab.stop()
  }
}

async function devicesOf(lab: Lab, there: Populated[]): Promise<Device[]> {
  const { tunnel } = await admin<ConnectOverview>(lab, 'GET', 'connect')
  const secret = readFileSync(join(lab.dataDir, 'secret'), 'utf8').trim()
  return there.map(({ profile }) => ({
    ...profile!,
    boxPublicKey: tunnel.publicKey,
    presharedKey: presharedKey(secret, profile!.publicKey),
  }))
}

async function killWorker({ lab, devices, spare, real }: Bed): Promise<Figure[]> {
  const seconds: number[] = []
  const pauses: number[] = []
  let lost = 0
  let called = 0
  for (let round = 0; round < RESTARTS; round++) {
    const before = await states(lab)
    const download = startDownload(lab)
    await until('the download runs', () => download.bytes() > DOWNLOAD_RATE / 2, 10_000)
    const begun = performance.now()
    lab.kill('worker', 'SIGKILL')
    // What only a whole look at the tunnel mends: a peer that is gone from it.
    await lab.exec('box', ['wg', 'set', 'wg0', 'peer', spare, 'remove'])
    await until('the new worker has looked at every peer', async () => (await peersOf(lab)).includes(spare), 60_000)
    seconds.push((performance.now() - begun) / 1000)
    await lab.untilHealthy()
    const after = await states(lab)
    const changed = [...before].filter(([key, was]) => key !== spare && !goesOn(was, after.get(key), key === real))
    const echoed = await devices.ask<Answer>({ echo: { withinMs: 20_000 } })
    lost += Math.max(changed.length, DEVICES - echoed.count)
    called += echoed.called
    pauses.push(await download.end())
  }
  return [
    {
      what: `worker killed, until all of ${DEVICES.toLocaleString('en')} peers are looked after again`,
      measured: median(seconds),
      unit: 's',
      must: atMost(3),
      mustWords: '≤ 3',
      note: `half a second of it until it is started again; rounds: ${seconds.map((one) => one.toFixed(2)).join(', ')}`,
    },
    {
      what: 'handshakes lost by it',
      measured: lost + called,
      unit: '',
      must: atMost(0),
      mustWords: '0',
      note: `${DEVICES} devices whose keys, made before, brought a datagram there and back after each of ${RESTARTS} restarts; a real one besides`,
    },
    { what: 'longest pause of a download meanwhile', measured: Math.max(...pauses), unit: 'ms', must: atMost(1000), mustWords: '≤ 1000' },
  ]
}

/** The tunnel's own process dies, and with it every key that was agreed upon: peers come back with a poll, and are called. */
async function killDevice({ lab, devices }: Bed): Promise<Figure[]> {
  const times = { away: [] as number[], peers: [] as number[], laptop: [] as number[], all: [] as number[] }
  let missing = 0
  for (let round = 0; round < RESTARTS; round++) {
    const pid = lab.box.units.pid('wireguard')!
    const begun = performance.now()
    lab.kill('wireguard', 'SIGKILL')
    const since = () => (performance.now() - begun) / 1000
    await lab.box.units.untilRestarted('wireguard', pid)
    await until('a poll begins to mend the device', async () => (await show(lab, 'public-key')).includes('='), 30_000, 5)
    const polled = since()
    times.away.push(polled)
    await until('every peer is back', async () => (await peersOf(lab)).length >= DEVICES + 2, 60_000, 5)
    times.peers.push(since() - polled)
    const all = devices.ask<Answer>({ echo: { withinMs: 60_000 } })
    await until('the laptop is back', () => browses(lab), 60_000, 5)
    times.laptop.push(since() - polled)
    missing += DEVICES - (await all).count
    times.all.push(since() - polled)
  }
  const rounds = (list: number[]) => list.map((one) => one.toFixed(2)).join(', ')
  return [
    {
      what: "the tunnel's device killed, until a poll begins to make it anew",
      measured: median(times.away),
      unit: 's',
      note: `polls come every five seconds; rounds: ${rounds(times.away)}`,
    },
    {
      what: `from there, until ${DEVICES.toLocaleString('en')} peers are in it again`,
      measured: median(times.peers),
      unit: 's',
      must: atMost(3),
      mustWords: '≤ 3',
      note: `rounds: ${rounds(times.peers)}`,
    },
    {
      what: 'from there, until a real device browses again',
      measured: median(times.laptop),
      unit: 's',
      note: `rounds: ${rounds(times.laptop)}`,
    },
    {
      what: 'from there, until everybody has traffic again',
      measured: median(times.all),
      unit: 's',
      note: `${missing} of ${RESTARTS * DEVICES} had none within a minute; rounds: ${rounds(times.all)}`,
    },
  ]
}

/** A slow download of the real device. `end` gives the longest time without a byte, ms, and throws when not all of it came. */
function startDownload(lab: Lab): { bytes: () => number; end: () => Promise<number> } {
  const url = `http://${lab.internet.address}/bytes/${DOWNLOAD_BYTES}?rate=${DOWNLOAD_RATE}`
  const child = lab.spawn(lab.remotes[0]!.namespace, ['curl', '-sN', url], { stdio: ['ignore', 'pipe', 'inherit'] })
  let [bytes, pause, last] = [0, 0, 0]
  child.stdout!.on('data', (chunk: Buffer) => {
    const now = performance.now()
    if (last > 0) pause = Math.max(pause, now - last)
    last = now
    bytes += chunk.length
  })
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()))
  return {
    bytes: () => bytes,
    async end() {
      await ended
      if (bytes !== DOWNLOAD_BYTES) throw new Error(`A download was cut off after ${bytes} of ${DOWNLOAD_BYTES} bytes`)
      return pause
    },
  }
}

async function browses(lab: Lab): Promise<boolean> {
  const { code } = await lab.exec(
    lab.remotes[0]!.namespace,
    ['curl', '-s', '-m', '0.3', '-o', '/dev/null', `http://${lab.internet.address}/`],
    { allowFailure: true },
  )
  return code === 0
}

type State = { handshake: number; received: number; sent: number }

/** What the device knows of every peer, by key. */
async function states(lab: Lab): Promise<Map<string, State>> {
  const [handshakes, transfers] = await Promise.all([show(lab, 'latest-handshakes'), show(lab, 'transfer')])
  const lines = (text: string) =>
    text
      .split('\n')
      .filter(Boolean)
      .map((line) => line.split('\t'))
  const sums = new Map(lines(transfers).map(([key, received, sent]) => [key!, { received: Number(received), sent: Number(sent) }]))
  return new Map(lines(handshakes).map(([key, at]) => [key!, { handshake: Number(at), ...sums.get(key!)! }]))
}

/** True when nothing began anew. The real device may shake hands by its own clock in between, as it does every two minutes. */
function goesOn(was: State, is: State | undefined, mayShake: boolean): boolean {
  const same = mayShake ? (is?.handshake ?? 0) >= was.handshake : is?.handshake === was.handshake
  return same && was.handshake > 0 && is!.received >= was.received && is!.sent >= was.sent
}

async function show(lab: Lab, what: string): Promise<string> {
  return (await lab.exec('box', ['wg', 'show', 'wg0', what], { allowFailure: true })).stdout
}
