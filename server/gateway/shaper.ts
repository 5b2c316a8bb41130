import { LAN_MAJOR, SHARE_MAJOR } from './changes.ts'
import { ProgramFailed, run } from './run.ts'
import { createShare } from './share.ts'

/** One session's speeds; minor is its class on every device. null: no class in that direction. */
export type Class = {
  minor: number
  downBps: number | null
  upBps: number | null
  /** Downloads of this session go out over the customers' network and over the tunnel, which then share one class. */
  shared: boolean
}

/** Numbers of the classes that the kernel has, by what they shape; `intact` is false when something that leads packets to `shared` is missing. */
export type Classes = { down: Set<number>; shared: Set<number>; up: Set<number>; intact: boolean }

/**
 * Packets that wait for one session at most. The leaf of an HTB class takes its length from the device, so one
 * command a class is enough: a leaf of its own made loading 4,000 classes 8.2 s instead of 0.9 s.
 * 128 full packets are 155 ms at 10 Mbit/s: room for a TCP flow to fill the line, short enough to talk over.
 */
const LEAF_PACKETS = 128

/** A speed is what the wire carries, as providers count it: preamble, checksum and gap of an Ethernet frame too. */
const WIRE_OVERHEAD = 24

/** A timer that fires late costs a class nothing as long as it is not later than this. */
const BURST_MS = 10

/** HTB's numbers have 16 bits; 0xffff is kept for trying things out. */
export const MAX_MINOR = 0xfffe

export type Shaper = ReturnType<typeof createShaper>

type Needs = {
  lan: string
  wan: string
  tunnel: string
  log: { info: (facts: object, words: string) => void; warn: (facts: object, words: string) => void }
}

/**
 * HTB, one class a session and direction: `lan` shapes downloads, `wan` uploads. Packets find theirs by nft's
 * `meta priority`. It is put on the devices with the first session that has a speed: what is not shaped loses a tenth
 * of its throughput in HTB, so a venue that sells no speeds goes without. Sessions that use the tunnel as well have
 * their class on a device that both lead to; see share.ts.
 */
export function createShaper({ lan, wan, tunnel, log }: Needs) {
  let fqCodel: boolean | undefined
  const share = createShare([lan, tunnel], log)

  /** Whether HTB is where it must be; looked at by every poll. Should it vanish in between, a class fails and all is looked at. */
  let ready = { alone: false, shared: false }

  async function prepare(): Promise<void> {
    await Promise.all([lan, wan].map((device) => putHtb(device, LAN_MAJOR)))
    if (fqCodel !== undefined) return
    fqCodel = await knowsFqCodel(lan)
    log.info(
      { leaf: fqCodel ? 'fq_codel' : `pfifo ${LEAF_PACKETS}` },
      fqCodel ? 'shaping with fq_codel leaves' : 'this kernel has no fq_codel: short queues instead',
    )
  }

  return {
    async list(): Promise<Classes> {
      const shown = async (device: string) => parseClasses(await run('tc', ['class', 'show', 'dev', device]))
      const [down, up, shared, qdiscs] = await Promise.all([shown(lan), shown(wan), share.look(), run('tc', ['qdisc', 'show'])])
      const has = (major: number, device: string) => qdiscs.includes(`qdisc htb ${major}: dev ${device} root`)
      ready = { alone: has(LAN_MAJOR, lan) && has(LAN_MAJOR, wan), shared: has(SHARE_MAJOR, share.device) && shared.intact }
      return { down, up, shared: parseClasses(shared.classes), intact: shared.intact }
    },
    /** Makes or changes classes, and takes away others. Repeating it is harmless. */
    async apply(set: Class[], removed: number[]): Promise<void> {
      const sharing = set.filter((one) => one.shared)
      if (set.length > 0 && !(ready.alone && fqCodel !== undefined)) {
        await prepare()
        ready.alone = true
      }
      if (sharing.length > 0 && !ready.shared) {
        await share.put((device) => putHtb(device, SHARE_MAJOR))
        ready.shared = true
      }
      const alone = set.filter((one) => !one.shared)
      const minors = (classes: Class[]) => classes.map((one) => one.minor)
      const speeds = (classes: Class[], of: 'downBps' | 'upBps') => classes.map((one): [number, number | null] => [one.minor, one[of]])
      const script = (device: string, major: number, speed: [number, number | null][], gone: number[]) =>
        classScript({ device, major, set: speed, removed: gone, fqCodel: fqCodel === true })
      const batches = [
        script(lan, LAN_MAJOR, speeds(alone, 'downBps'), [...removed, ...minors(sharing)]),
        script(wan, LAN_MAJOR, speeds(set, 'upBps'), removed),
        ...(share.isThere() ? [script(share.device, SHARE_MAJOR, speeds(sharing, 'downBps'), [...removed, ...minors(alone)])] : []),
      ]
      const batch = batches.join('')
      if (batch) await applyBatch(batch)
    },
  }
}

type ClassChange = { device: string; major: number; set: [minor: number, bps: number | null][]; removed: number[]; fqCodel: boolean }

/** The `tc -batch` script of one device. A session at the speed of the line has no class. */
export function classScript({ device, major, set, removed, fqCodel }: ClassChange): string {
  const lines = removed.map((minor) => `class del dev ${device} classid ${major}:${minor.toString(16)}`)
  for (const [minor, bps] of set) {
    if (bps === null) continue
    const id = `${major}:${minor.toString(16)}`
    const burst = Math.max(3000, Math.ceil((bps / 8 / 1000) * BURST_MS))
    lines.push(
      `class replace dev ${device} parent ${major}: classid ${id} htb rate ${bps}bit burst ${burst}b cburst ${burst}b quantum 1514 overhead ${WIRE_OVERHEAD}`,
    )
    if (fqCodel) lines.push(`qdisc replace dev ${device} parent ${id} fq_codel flows 64 limit 512 memory_limit 1Mb noecn`)
  }
  return lines.length === 0 ? '' : `${lines.join('\n')}\n`
}

/** Reads `tc class show`. */
export function parseClasses(text: string): Set<number> {
  return new Set([...text.matchAll(/^class htb \d+:([0-9a-f]+) /gm)].map((match) => Number.parseInt(match[1]!, 16)))
}

/** Puts HTB on a device unless it is there. */
async function putHtb(device: string, major: number): Promise<void> {
  const present = await run('tc', ['qdisc', 'show', 'dev', device, 'root'])
  if (present.includes(`qdisc htb ${major}:`)) return
  await run('ip', ['link', 'set', device, 'txqueuelen', String(LEAF_PACKETS)])
  await run('tc', ['qdisc', 'replace', 'dev', device, 'root', 'handle', `${major}:`, 'htb', 'default', '0'])
}

async function knowsFqCodel(device: string): Promise<boolean> {
  await run('tc', ['class', 'replace', 'dev', device, 'parent', '1:', 'classid', '1:ffff', 'htb', 'rate', '1mbit', 'quantum', '1514'])
  const known = await run('tc', ['qdisc', 'replace', 'dev', device, 'parent', '1:ffff', 'fq_codel']).then(
    () => true,
    () => false,
  )
  await run('tc', ['class', 'del', 'dev', device, 'classid', '1:ffff'])
  return known
}

/** A class that is gone already is what we wanted; any other refusal is a fault. */
async function applyBatch(batch: string): Promise<void> {
  try {
    await run('tc', ['-force', '-batch', '-'], batch)
  } catch (error) {
    if (!(error instanceof ProgramFailed)) throw error
    const faults = error.stderr.split('\n').filter((line) => line && !/No such file or directory|^Command failed/.test(line))
    if (faults.length > 0) throw error
  }
}
