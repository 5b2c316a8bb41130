import type { Reading } from './grant.ts'
import { TABLE } from './ruleset.ts'

/** A quota cannot be without end; 4 PiB is, for one session. Still an exact number in JavaScript. */
export const NO_LIMIT = 2 ** 52

/** A class in the direction of the customer: HTB's major number says on which device, the minor which one. */
export type DownClass = { major: number; minor: number; until: number }

/** What the kernel holds for one session. `until` in UTC ms. */
export type Held = {
  session: number
  limitBytes: number
  usedBytes: number
  uploadedBytes: number
  /** undefined: not counted, since the session has no peers. */
  tunnelledBytes: number | undefined
  /** The quota and the map element that leads to it. */
  parts: Set<'quota' | 'quotas'>
  /** Deadlines by `mac . ip`. */
  phones: Map<string, number>
  /** Deadlines by address inside the tunnel. */
  peers: Map<string, number>
  down: DownClass | undefined
  /** Counts uploads too; has no end of its own, since uploads are marked by `phones` and `peers`, which have. */
  up: { minor: number } | undefined
}

/** `fixed` is everything but the sessions, as one text that changes when anybody changes a chain or a rule. */
export type Listing = { rules: number; fixed: string; version: string; publicAddresses: string[]; sessions: Map<number, Held> }

type NftObject = {
  chain?: { name: string; handle?: number }
  rule?: { handle?: number }
  quota?: { name: string; bytes: number; used: number }
  map?: { name: string; elem?: [NftKey, string | number][] }
  set?: { name: string; elem?: NftKey[] }
}
type NftKey =
  | number
  | string
  | { elem: { val: number | string | { concat: [string, string] }; expires?: number; counter?: { bytes: number } } }

/** Reads `nft -j list table`. @param now when it was listed, UTC ms */
export function parseListing(json: string, now: number): Listing {
  const objects = (JSON.parse(json) as { nftables: NftObject[] }).nftables
  const sessions = new Map<number, Held>()
  const fixed: unknown[] = []
  let rules = 0
  let version = ''
  let publicAddresses: string[] = []
  for (const { chain, rule, quota, map, set } of objects) {
    if (chain?.name.startsWith('version_')) version = chain.name
    if (chain ?? rule) fixed.push({ ...(chain ?? rule), handle: 0 })
    if (rule) rules++
    const session = sessionOf(quota?.name)
    if (session && quota)
      Object.assign(part(sessions, session, 'quota'), { limitBytes: quota.bytes, usedBytes: Math.min(quota.used, quota.bytes) })
    for (const [key, value] of map?.elem ?? []) readElement(sessions, map!.name, key, value, now)
    if (set?.name === 'public_addresses') publicAddresses = (set.elem ?? []).filter((key) => typeof key === 'string')
    if (set?.name === 'tunnelled') for (const key of set.elem ?? []) readTunnelled(sessions, key)
  }
  return { rules, fixed: JSON.stringify(fixed), version, publicAddresses, sessions }
}

/** Counts of one session: what of these the kernel just said. */
export type Counts = {
  session: number
  limitBytes?: number
  usedBytes?: number
  uploadedBytes?: number
  tunnelledBytes?: number | undefined
}

/** What asks for the counts of some sessions, of which some are counted in the tunnel as well; goes to `nft -j` as one argument. */
export function askCounts(sessions: number[], tunnelled: number[] = []): string {
  const quotas = sessions.map((session) => `list quota ${TABLE} s${session}`)
  const elements = (map: string, of: number[]) => (of.length === 0 ? [] : [`get element ${TABLE} ${map} { ${of.join(', ')} }`])
  return [...quotas, ...elements('up_class', sessions), ...elements('tunnelled', tunnelled)].join('; ')
}

/** Reads the answer to askCounts: quotas as JSON, elements as text, for `get element` knows no other. */
export function parseCounts(text: string): Counts[] {
  const quotas = text
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .flatMap((line) => (JSON.parse(line) as { nftables: NftObject[] }).nftables)
    .flatMap(({ quota }): Counts[] => {
      const session = sessionOf(quota?.name)
      return session && quota ? [{ session, limitBytes: quota.bytes, usedBytes: Math.min(quota.used, quota.bytes) }] : []
    })
  // Each kind of element comes under the name of what holds it.
  const elements = [...text.matchAll(/^\s*(?:set|map) (\w+) \{|0x([0-9a-f]{8}) counter packets \d+ bytes (\d+)/gm)]
  let holder = ''
  const counted = elements.flatMap(([, name, mark, bytes]): Counts[] => {
    if (name) holder = name
    if (!mark) return []
    const session = Number.parseInt(mark, 16)
    return [holder === 'tunnelled' ? { session, tunnelledBytes: Number(bytes) } : { session, uploadedBytes: Number(bytes) }]
  })
  return [...quotas, ...counted]
}

/** The session whose quota ran out, if this line of `nft -j monitor` says so. */
export function depletedSession(line: string): number | undefined {
  if (!line.startsWith('{"add": {"quota"')) return undefined
  const quota = (JSON.parse(line) as { add: { quota: { name: string; bytes: number; used: number } } }).add.quota
  return quota.used >= quota.bytes && quota.bytes > 0 ? sessionOf(quota.name) : undefined
}

/** What the rest of the box is told of a session. Quota and counters are read one after the other: the later may have run ahead. */
export function readingOf(held: Held): Reading {
  const { session, limitBytes, usedBytes, uploadedBytes, tunnelledBytes = 0 } = held
  const atMost = (bytes: number) => Math.min(bytes, usedBytes)
  return {
    session,
    usedBytes,
    uploadedBytes: atMost(uploadedBytes),
    tunnelledBytes: atMost(tunnelledBytes),
    depleted: usedBytes >= limitBytes,
  }
}

function sessionOf(name: string | undefined): number | undefined {
  const match = /^s(\d+)$/.exec(name ?? '')
  return match ? Number(match[1]) : undefined
}

function part(sessions: Map<number, Held>, session: number, name?: 'quota' | 'quotas'): Held {
  const held = sessions.get(session) ?? {
    session,
    limitBytes: NO_LIMIT,
    usedBytes: 0,
    uploadedBytes: 0,
    tunnelledBytes: undefined,
    parts: new Set(),
    phones: new Map(),
    peers: new Map(),
    down: undefined,
    up: undefined,
  }
  if (name) held.parts.add(name)
  sessions.set(session, held)
  return held
}

function readElement(sessions: Map<number, Held>, map: string, key: NftKey, value: string | number, now: number): void {
  const [val, expires] = typeof key === 'object' ? [key.elem.val, key.elem.expires] : [key, undefined]
  const until = expires === undefined ? Infinity : now + expires * 1000 + 500
  if (map === 'phones' && typeof val === 'object') part(sessions, Number(value)).phones.set(val.concat.join(' . '), until)
  if (map === 'peers' && typeof val === 'string') part(sessions, Number(value)).peers.set(val, until)
  if (typeof val !== 'number') return
  if (map === 'quotas') part(sessions, val, map)
  const [major = 1, minor = 0] = String(value)
    .split(':')
    .map((digits) => Number.parseInt(digits, 16))
  if (map === 'down_class') part(sessions, val).down = { major, minor, until }
  if (map === 'up_class') Object.assign(part(sessions, val), { up: { minor }, uploadedBytes: counted(key) })
}

function readTunnelled(sessions: Map<number, Held>, key: NftKey): void {
  const val = typeof key === 'object' ? key.elem.val : key
  if (typeof val === 'number') part(sessions, val).tunnelledBytes = counted(key)
}

function counted(key: NftKey): number {
  return typeof key === 'object' ? (key.elem.counter?.bytes ?? 0) : 0
}
