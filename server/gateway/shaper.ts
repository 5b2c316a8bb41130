import { ProgramFailed, run } from './run.ts'

/** One session's speeds; minor is its class on both devices. null: no class in that direction. */
export type Class = { minor: number; downBps: number | null; upBps: number | null }

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

/**
 * HTB, one class a session and direction: `lan` shapes downloads, `wan` uploads. Packets find theirs by nft's
 * `meta priority`. It is put on the devices with the first session that has a speed: what is not shaped loses a tenth
 * of its throughput in HTB, so a venue that sells no speeds goes without.
 */
export function createShaper(lan: string, wan: string, log: { info: (facts: object, words: string) => void }) {
  let fqCodel: boolean | undefined

  async function prepare(): Promise<void> {
    await Promise.all([lan, wan].map(putHtb))
    if (fqCodel !== undefined) return
    fqCodel = await knowsFqCodel(lan)
    log.info(
      { leaf: fqCodel ? 'fq_codel' : `pfifo ${LEAF_PACKETS}` },
      fqCodel ? 'shaping with fq_codel leaves' : 'this kernel has no fq_codel: short queues instead',
    )
  }

  return {
    /** Numbers of the classes that the kernel has, per device. */
    async list(): Promise<{ down: Set<number>; up: Set<number> }> {
      const [down, up] = await Promise.all(
        [lan, wan].map(async (device) => parseClasses(await run('tc', ['class', 'show', 'dev', device]))),
      )
      return { down: down!, up: up! }
    },
    /** Makes or changes classes, and takes away others. Repeating it is harmless. */
    async apply(set: Class[], removed: number[]): Promise<void> {
      if (set.length > 0) await prepare()
      const downs = set.map(({ minor, downBps }): [number, number | null] => [minor, downBps])
      const ups = set.map(({ minor, upBps }): [number, number | null] => [minor, upBps])
      const batches = [classScript(lan, downs, removed, fqCodel === true), classScript(wan, ups, removed, fqCodel === true)]
      await Promise.all(batches.map((batch) => batch && applyBatch(batch)))
    },
  }
}

/** The `tc -batch` script of one device. A session at the speed of the line has no class. */
export function classScript(device: string, set: [minor: number, bps: number | null][], removed: number[], fqCodel: boolean): string {
  const lines = removed.map((minor) => `class del dev ${device} classid 1:${minor.toString(16)}`)
  for (const [minor, bps] of set) {
    if (bps === null) continue
    const id = minor.toString(16)
    const burst = Math.max(3000, Math.ceil((bps / 8 / 1000) * BURST_MS))
    lines.push(
      `class replace dev ${device} parent 1: classid 1:${id} htb rate ${bps}bit burst ${burst}b cburst ${burst}b quantum 1514 overhead ${WIRE_OVERHEAD}`,
    )
    if (fqCodel) lines.push(`qdisc replace dev ${device} parent 1:${id} fq_codel flows 64 limit 512 memory_limit 1Mb noecn`)
  }
  return lines.length === 0 ? '' : `${lines.join('\n')}\n`
}

/** Reads `tc class show`. */
export function parseClasses(text: string): Set<number> {
  return new Set([...text.matchAll(/^class htb 1:([0-9a-f]+) /gm)].map((match) => Number.parseInt(match[1]!, 16)))
}

/** Puts HTB on a device unless it is there. */
async function putHtb(device: string): Promise<void> {
  const present = await run('tc', ['qdisc', 'show', 'dev', device, 'root'])
  if (present.includes('qdisc htb 1:')) return
  await run('ip', ['link', 'set', device, 'txqueuelen', String(LEAF_PACKETS)])
  await run('tc', ['qdisc', 'replace', 'dev', device, 'root', 'handle', '1:', 'htb', 'default', '0'])
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
