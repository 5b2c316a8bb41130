import { createHash } from 'node:crypto'
import type { Grant, LanDevice, Reading } from './grant.ts'

/** Names of the table's parts are a contract with the running kernel: a changed ruleset is noticed and put in whole. */
export const TABLE = 'inet kswifi'

/** A quota cannot be without end; 4 PiB is, for one session. Still an exact number in JavaScript. */
const NO_LIMIT = 2 ** 52

/** The kernel lists what is left of a timeout in whole seconds; a difference below this is no difference. */
const TIMEOUT_TOLERANCE_MS = 2500

type MapName = 'phones' | 'down_class' | 'up_class' | 'quotas'

/** The fixed part: everything but the sessions; a chain called `version` marks a table that has it. */
export function ruleset(box: { lan: string; wan: string; lanAddress: string; portalPort: number }): { text: string; version: string } {
  const text = `
  map phones { type ether_addr . ipv4_addr : mark; flags timeout; }
  map quotas { type mark : quota; }
  map down_class { typeof ct mark : meta priority; flags timeout; }
  map up_class { typeof ct mark : meta priority; counter; }
  set dns_askers { type ether_addr; size 65535; flags dynamic,timeout; timeout 1m; }

  chain classify {
    type filter hook prerouting priority mangle; policy accept;
    iifname "${box.lan}" goto from_lan
  }
  chain from_lan {
    meta nfproto ipv6 drop
    meta mark set ether saddr . ip saddr map @phones
    ct mark set meta mark
  }
  chain to_portal {
    type nat hook prerouting priority dstnat; policy accept;
    iifname != "${box.lan}" accept
    ip daddr ${box.lanAddress} tcp dport 80 redirect to :${box.portalPort}
    meta mark 0 tcp dport 80 redirect to :${box.portalPort}
    meta mark 0 meta l4proto { tcp, udp } th dport 53 redirect to :53
    ip daddr ${box.lanAddress} accept
    ip daddr { 10.0.0.0/8, 169.254.0.0/16, 172.16.0.0/12, 192.168.0.0/16 } drop
  }
  chain forward {
    type filter hook forward priority filter; policy drop;
    quota name ct mark map @quotas drop
    meta mark != 0 goto upload
    meta priority set ct mark map @down_class accept
    iifname "${box.lan}" goto refuse
  }
  chain upload {
    meta priority set meta mark map @up_class accept
    goto refuse
  }
  chain refuse {
    meta l4proto tcp reject with tcp reset
    reject with icmp type admin-prohibited
  }
  chain input {
    type filter hook input priority filter; policy accept;
    iifname "${box.lan}" goto ask_box
    iifname "${box.wan}" goto from_internet
  }
  chain ask_box {
    ct mark set 0
    meta l4proto { tcp, udp } th dport 53 meta mark 0 update @dns_askers { ether saddr limit rate over 15/second burst 120 packets } drop
    meta l4proto { tcp, udp } th dport 53 ip daddr ${box.lanAddress} accept
    udp dport 67 accept
    ip daddr ${box.lanAddress} tcp dport ${box.portalPort} accept
    ip daddr ${box.lanAddress} icmp type echo-request limit rate 50/second accept
    meta l4proto tcp reject with tcp reset
    ip daddr ${box.lanAddress} reject with icmp type admin-prohibited
    drop
  }
  chain from_internet {
    ct state established,related accept
    icmp type echo-request limit rate 10/second accept
    udp dport 68 accept
    drop
  }
  chain to_internet {
    type nat hook postrouting priority srcnat; policy accept;
    oifname "${box.wan}" masquerade
  }
`
  // An empty chain carries the text's own mark: a box that was updated finds the old one, and puts the new text in.
  const version = `version_${createHash('sha256').update(text).digest('hex').slice(0, 16)}`
  return { version, text: `table ${TABLE} {\n  chain ${version} {\n  }${text}}\n` }
}

/** How many rules a ruleset has, to notice that somebody took some away. */
export function countRules(text: string): number {
  return text.split('\n').filter((line) => /^ {4}\S/.test(line) && !line.includes(' hook ')).length
}

/** What the kernel holds for one session. `until` in UTC ms; `key` is `mac . ip`. */
export type Held = {
  session: number
  limitBytes: number
  usedBytes: number
  uploadedBytes: number
  /** The quota and the map element that leads to it. */
  parts: Set<'quota' | 'quotas'>
  phones: Map<string, number>
  down: { minor: number; until: number } | undefined
  /** Counts uploads too; has no end of its own, since uploads are marked by `phones`, which has. */
  up: { minor: number } | undefined
}

/** `fixed` is everything but the sessions, as one text that changes when anybody changes a chain or a rule. */
export type Listing = { rules: number; fixed: string; version: string; sessions: Map<number, Held> }

type NftObject = {
  chain?: { name: string; handle?: number }
  rule?: { handle?: number }
  quota?: { name: string; bytes: number; used: number }
  map?: { name: string; elem?: [NftKey, string | number][] }
}
type NftKey = number | { elem: { val: number | { concat: [string, string] }; expires?: number; counter?: { bytes: number } } }

/** Reads `nft -j list table`. @param now when it was listed, UTC ms */
export function parseListing(json: string, now: number): Listing {
  const objects = (JSON.parse(json) as { nftables: NftObject[] }).nftables
  const sessions = new Map<number, Held>()
  const fixed: unknown[] = []
  let rules = 0
  let version = ''
  for (const { chain, rule, quota, map } of objects) {
    if (chain?.name.startsWith('version_')) version = chain.name
    if (chain ?? rule) fixed.push({ ...(chain ?? rule), handle: 0 })
    if (rule) rules++
    const session = sessionOf(quota?.name)
    if (session && quota)
      Object.assign(part(sessions, session, 'quota'), { limitBytes: quota.bytes, usedBytes: Math.min(quota.used, quota.bytes) })
    for (const [key, value] of map?.elem ?? []) readElement(sessions, map!.name, key, value, now)
  }
  return { rules, fixed: JSON.stringify(fixed), version, sessions }
}

/** Counts of one session: what of these the kernel just said. */
export type Counts = { session: number; limitBytes?: number; usedBytes?: number; uploadedBytes?: number }

/** What asks for the counts of some sessions; goes to `nft -j` as one argument. */
export function askCounts(sessions: number[]): string {
  const quotas = sessions.map((session) => `list quota ${TABLE} s${session}`)
  return [...quotas, `get element ${TABLE} up_class { ${sessions.join(', ')} }`].join('; ')
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
  const uploads = [...text.matchAll(/0x([0-9a-f]{8}) counter packets \d+ bytes (\d+)/g)]
  return [...quotas, ...uploads.map(([, mark, bytes]) => ({ session: Number.parseInt(mark!, 16), uploadedBytes: Number(bytes) }))]
}

/** The session whose quota ran out, if this line of `nft -j monitor` says so. */
export function depletedSession(line: string): number | undefined {
  if (!line.startsWith('{"add": {"quota"')) return undefined
  const quota = (JSON.parse(line) as { add: { quota: { name: string; bytes: number; used: number } } }).add.quota
  return quota.used >= quota.bytes && quota.bytes > 0 ? sessionOf(quota.name) : undefined
}

/** What the rest of the box is told of a session. Quota and counter are read one after the other: upload may have run ahead. */
export function readingOf(held: Held): Reading {
  const { session, limitBytes, usedBytes, uploadedBytes } = held
  return { session, usedBytes, uploadedBytes: Math.min(uploadedBytes, usedBytes), depleted: usedBytes >= limitBytes }
}

/** A change set: becomes one nft script, and so one transaction: all or nothing. */
export type Changes = {
  removeElements: Record<MapName, string[]>
  removeObjects: string[]
  addObjects: string[]
  addElements: Record<MapName, string[]>
}

/** An empty change set, to be filled. */
export function noChanges(): Changes {
  const lists = (): Record<MapName, string[]> => ({ phones: [], down_class: [], up_class: [], quotas: [] })
  return { removeElements: lists(), removeObjects: [], addObjects: [], addElements: lists() }
}

/** Adds what must change for one session to become its grant. `held` undefined: the kernel has nothing of it. */
export function changeToGrant(changes: Changes, held: Held | undefined, grant: Grant, minor: number, now: number): void {
  changeQuota(changes, held, grant)
  changePhones(changes, held, grant, now)
  changeDown(changes, held, grant, grant.downBps === null ? 0 : minor, now)
  changeUp(changes, held, grant, grant.upBps === null ? 0 : minor)
}

/** Adds what cuts a session off at once but keeps its count, for the last reading. */
export function changeToCut(changes: Changes, held: Held, now: number): void {
  for (const [key, until] of held.phones) if (until > now) changes.removeElements.phones.push(key)
  if (held.down && held.down.until > now) changes.removeElements.down_class.push(String(held.session))
}

/** Adds what takes away the rest of a session that was cut off. */
export function changeToNothing(changes: Changes, held: Held): void {
  removeQuota(changes, held)
  if (held.up) changes.removeElements.up_class.push(String(held.session))
}

/** The script of a change set; empty when there is nothing to do. Removals come first, so that a device can move between sessions. */
export function script(changes: Changes): string {
  const elements = (verb: string, lists: Record<MapName, string[]>) =>
    Object.entries(lists).flatMap(([map, list]) => (list.length === 0 ? [] : [`${verb} element ${TABLE} ${map} { ${list.join(', ')} }`]))
  const lines = [
    ...elements('delete', changes.removeElements),
    ...changes.removeObjects,
    ...changes.addObjects,
    ...elements('add', changes.addElements),
  ]
  return lines.length === 0 ? '' : `${lines.join('\n')}\n`
}

/** What the kernel will hold once the grant is applied; so that the next change need not list it. */
export function heldAfter(held: Held | undefined, grant: Grant, minor: number): Held {
  return {
    session: grant.session,
    limitBytes: grant.limitBytes ?? NO_LIMIT,
    usedBytes: Math.max(held?.usedBytes ?? 0, grant.usedBytes),
    uploadedBytes: Math.max(held?.uploadedBytes ?? 0, grant.uploadedBytes),
    parts: new Set(['quota', 'quotas']),
    phones: new Map(grant.devices.map((device) => [phoneKey(device), grant.until])),
    down: { minor: grant.downBps === null ? 0 : minor, until: grant.until },
    up: { minor: grant.upBps === null ? 0 : minor },
  }
}

/** True when a grant would change the cap that the kernel holds: then the count must be read first. */
export function capChanges(held: Held | undefined, grant: Grant): boolean {
  return held !== undefined && held.limitBytes !== (grant.limitBytes ?? NO_LIMIT)
}

/** A device as the map `phones` keys it. */
export function phoneKey(device: LanDevice): string {
  return `${device.mac} . ${device.ip}`
}

function changeQuota(changes: Changes, held: Held | undefined, grant: Grant): void {
  const { session } = grant
  const limit = grant.limitBytes ?? NO_LIMIT
  const whole = held?.parts.size === 2
  if (whole && held.limitBytes === limit) return
  if (whole && held.usedBytes < held.limitBytes && held.usedBytes < limit) {
    changes.addObjects.push(`add quota ${TABLE} s${session} { over ${limit} bytes }`)
    return
  }
  // Also after a depletion: the kernel went on counting what it dropped, and only a new object forgets that.
  if (held) removeQuota(changes, held)
  const used = Math.max(held?.usedBytes ?? 0, grant.usedBytes)
  changes.addObjects.push(`add quota ${TABLE} s${session} { over ${limit} bytes used ${used} bytes }`)
  changes.addElements.quotas.push(`${session} : "s${session}"`)
}

function removeQuota(changes: Changes, held: Held): void {
  if (held.parts.has('quotas')) changes.removeElements.quotas.push(String(held.session))
  if (held.parts.has('quota')) changes.removeObjects.push(`delete quota ${TABLE} s${held.session}`)
}

function changePhones(changes: Changes, held: Held | undefined, grant: Grant, now: number): void {
  const wanted = new Set(grant.devices.map(phoneKey))
  for (const [key, until] of held?.phones ?? []) {
    if (until > now && !(wanted.has(key) && isSame(until, grant.until))) changes.removeElements.phones.push(key)
  }
  for (const key of wanted) {
    if (!isSame(held?.phones.get(key), grant.until))
      changes.addElements.phones.push(`${key} timeout ${timeout(grant.until - now)} : ${grant.session}`)
  }
}

function changeDown(changes: Changes, held: Held | undefined, grant: Grant, minor: number, now: number): void {
  const down = held?.down
  if (down && down.minor === minor && isSame(down.until, grant.until)) return
  if (down && down.until > now) changes.removeElements.down_class.push(String(grant.session))
  changes.addElements.down_class.push(`${grant.session} timeout ${timeout(grant.until - now)} : ${classId(minor)}`)
}

function changeUp(changes: Changes, held: Held | undefined, grant: Grant, minor: number): void {
  if (held?.up?.minor === minor) return
  if (held?.up) changes.removeElements.up_class.push(String(grant.session))
  const uploaded = Math.max(held?.uploadedBytes ?? 0, grant.uploadedBytes)
  changes.addElements.up_class.push(`${grant.session} counter packets 0 bytes ${uploaded} : ${classId(minor)}`)
}

function classId(minor: number): string {
  return `1:${minor.toString(16)}`
}

function isSame(until: number | undefined, wanted: number): boolean {
  return until !== undefined && Math.abs(until - wanted) < TIMEOUT_TOLERANCE_MS
}

/** nft's own way to write a time; it refuses large numbers of ms. */
function timeout(ms: number): string {
  const whole = Math.max(1, Math.floor(ms))
  const seconds = Math.floor(whole / 1000)
  const rest = whole % 1000
  return `${seconds > 0 ? `${seconds}s` : ''}${rest > 0 ? `${rest}ms` : ''}`
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
    parts: new Set(),
    phones: new Map(),
    down: undefined,
    up: undefined,
  }
  if (name) held.parts.add(name)
  sessions.set(session, held)
  return held
}

function readElement(sessions: Map<number, Held>, map: string, key: NftKey, value: string | number, now: number): void {
  const [val, expires] = typeof key === 'number' ? [key, undefined] : [key.elem.val, key.elem.expires]
  const until = expires === undefined ? Infinity : now + expires * 1000 + 500
  if (map === 'phones' && typeof val === 'object') part(sessions, Number(value)).phones.set(val.concat.join(' . '), until)
  if (typeof val !== 'number') return
  if (map === 'quotas') part(sessions, val, map)
  const minor = Number.parseInt(String(value).split(':')[1] ?? '0', 16)
  if (map === 'down_class') part(sessions, val).down = { minor, until }
  if (map === 'up_class') {
    Object.assign(part(sessions, val), { up: { minor }, uploadedBytes: typeof key === 'number' ? 0 : (key.elem.counter?.bytes ?? 0) })
  }
}
