import type { Grant, LanDevice } from './grant.ts'
import { NO_LIMIT, type Held } from './listing.ts'
import { TABLE } from './ruleset.ts'

/** The kernel lists what is left of a timeout in whole seconds; a difference below this is no difference. */
const TIMEOUT_TOLERANCE_MS = 2500

/** Everything that has an element for a session; `tunnelled` is a set, the others are maps. */
type Holder = 'phones' | 'peers' | 'down_class' | 'up_class' | 'quotas' | 'tunnelled'

/** HTB's major numbers: the class of a session is on the customers' network, or on what that shares with the tunnel. */
export const LAN_MAJOR = 1
export const SHARE_MAJOR = 2

/** A change set: becomes one nft script, and so one transaction: all or nothing. */
export type Changes = {
  removeElements: Record<Holder, string[]>
  removeObjects: string[]
  addObjects: string[]
  addElements: Record<Holder, string[]>
}

/** An empty change set, to be filled. */
export function noChanges(): Changes {
  const lists = (): Record<Holder, string[]> => ({ phones: [], peers: [], down_class: [], up_class: [], quotas: [], tunnelled: [] })
  return { removeElements: lists(), removeObjects: [], addObjects: [], addElements: lists() }
}

/** Adds what must change for one session to become its grant. `held` undefined: the kernel has nothing of it. */
export function changeToGrant(changes: Changes, held: Held | undefined, grant: Grant, minor: number, now: number): void {
  changeQuota(changes, held, grant)
  changeDevices(changes, 'phones', held?.phones, grant.devices.map(phoneKey), grant, now)
  changeDevices(changes, 'peers', held?.peers, grant.peers, grant, now)
  changeDown(changes, held, grant, minor, now)
  changeTunnelled(changes, held, grant)
  changeUp(changes, held, grant, grant.upBps === null ? 0 : minor)
}

/** Adds what cuts a session off at once but keeps its count, for the last reading. */
export function changeToCut(changes: Changes, held: Held, now: number): void {
  for (const holder of ['phones', 'peers'] as const)
    for (const [key, until] of held[holder]) if (until > now) changes.removeElements[holder].push(key)
  if (held.down && held.down.until > now) changes.removeElements.down_class.push(String(held.session))
}

/** Adds what takes away the rest of a session that was cut off. */
export function changeToNothing(changes: Changes, held: Held): void {
  removeQuota(changes, held)
  if (held.up) changes.removeElements.up_class.push(String(held.session))
  if (held.tunnelledBytes !== undefined) changes.removeElements.tunnelled.push(String(held.session))
}

/** The script of a change set; empty when there is nothing to do. Removals come first, so that a device can move between sessions. */
export function script(changes: Changes): string {
  const elements = (verb: string, lists: Record<Holder, string[]>) =>
    Object.entries(lists).flatMap(([holder, list]) =>
      list.length === 0 ? [] : [`${verb} element ${TABLE} ${holder} { ${list.join(', ')} }`],
    )
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
    tunnelledBytes: isTunnelled(held, grant) ? Math.max(held?.tunnelledBytes ?? 0, grant.tunnelledBytes) : undefined,
    parts: new Set(['quota', 'quotas']),
    phones: new Map(grant.devices.map((device) => [phoneKey(device), grant.until])),
    peers: new Map(grant.peers.map((address) => [address, grant.until])),
    down: { ...downClass(grant, minor), until: grant.until },
    up: { minor: grant.upBps === null ? 0 : minor },
  }
}

/** True when a grant would change the cap that the kernel holds: then the count must be read first. */
export function capChanges(held: Held | undefined, grant: Grant): boolean {
  return held !== undefined && held.limitBytes !== (grant.limitBytes ?? NO_LIMIT)
}

/** True when downloads of a session go out over the tunnel too, and so through the shared class. */
export function isShared(grant: Grant): boolean {
  return grant.peers.length > 0
}

/** A device as the map `phones` keys it. */
export function phoneKey(device: LanDevice): string {
  return `${device.mac} . ${device.ip}`
}

/** A device or peer that left its session. */
export type Left = { session: number; ip: string; phone: LanDevice | undefined }

/** Devices and peers that the kernel holds of a session and that its grant, if it has one, does not name. */
export function leftBy(held: Held | undefined, grant?: Grant): Left[] {
  if (!held) return []
  const { session } = held
  const wanted = new Set([...(grant?.devices.map(phoneKey) ?? []), ...(grant?.peers ?? [])])
  const phones = [...held.phones.keys()].filter((key) => !wanted.has(key)).map(deviceOf)
  const peers = [...held.peers.keys()].filter((key) => !wanted.has(key))
  return [...phones.map((phone) => ({ session, ip: phone.ip, phone })), ...peers.map((ip) => ({ session, ip, phone: undefined }))]
}

function deviceOf(key: string): LanDevice {
  const [mac = '', ip = ''] = key.split(' . ')
  return { mac, ip }
}

/** Sessions that get their first peer, and so move to the class that hotspot and tunnel share. */
export function firstPeers(grants: Grant[], held: Map<number, Held>): Set<number> {
  const moving = grants.filter((grant) => isShared(grant) && grant.downBps !== null && held.get(grant.session)?.down?.major === LAN_MAJOR)
  return new Set(moving.map((grant) => grant.session))
}

/**
 * Takes the moves of these sessions to the shared class out of a change set, as a script of their own. Taking the old
 * class's element out is what costs most of it (the kernel waits for its readers), and nobody has the peer's keys before
 * the answer: so these moves may follow the answer.
 */
export function splitOff(changes: Changes, sessions: Set<number>): string {
  const move = noChanges()
  for (const lists of ['removeElements', 'addElements'] as const) {
    const [moving, staying] = [true, false].map((isMoving) =>
      changes[lists].down_class.filter((element) => sessions.has(Number.parseInt(element, 10)) === isMoving),
    )
    move[lists].down_class = moving!
    changes[lists].down_class = staying!
  }
  return script(move)
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

function changeDevices(
  changes: Changes,
  holder: 'phones' | 'peers',
  held: Map<string, number> | undefined,
  keys: string[],
  grant: Grant,
  now: number,
): void {
  const wanted = new Set(keys)
  for (const [key, until] of held ?? []) {
    if (until > now && !(wanted.has(key) && isSame(until, grant.until))) changes.removeElements[holder].push(key)
  }
  for (const key of wanted) {
    if (!isSame(held?.get(key), grant.until))
      changes.addElements[holder].push(`${key} timeout ${timeout(grant.until - now)} : ${grant.session}`)
  }
}

function changeDown(changes: Changes, held: Held | undefined, grant: Grant, minor: number, now: number): void {
  const down = held?.down
  const wanted = downClass(grant, minor)
  if (down?.major === wanted.major && down.minor === wanted.minor && isSame(down.until, grant.until)) return
  if (down && down.until > now) changes.removeElements.down_class.push(String(grant.session))
  changes.addElements.down_class.push(
    `${grant.session} timeout ${timeout(grant.until - now)} : ${wanted.major}:${wanted.minor.toString(16)}`,
  )
}

/** Hotspot and tunnel are two devices: where a session uses both, its class is on what they share, or its speed would count twice. */
function downClass(grant: Grant, minor: number): { major: number; minor: number } {
  if (grant.downBps === null) return { major: LAN_MAJOR, minor: 0 }
  return { major: isShared(grant) ? SHARE_MAJOR : LAN_MAJOR, minor }
}

function changeTunnelled(changes: Changes, held: Held | undefined, grant: Grant): void {
  if (held?.tunnelledBytes !== undefined || !isTunnelled(held, grant)) return
  changes.addElements.tunnelled.push(`${grant.session} counter packets 0 bytes ${grant.tunnelledBytes}`)
}

/** Once counted in the tunnel, always: the count goes with the session. */
function isTunnelled(held: Held | undefined, grant: Grant): boolean {
  return grant.peers.length > 0 || held?.tunnelledBytes !== undefined
}

function changeUp(changes: Changes, held: Held | undefined, grant: Grant, minor: number): void {
  if (held?.up?.minor === minor) return
  if (held?.up) changes.removeElements.up_class.push(String(grant.session))
  const uploaded = Math.max(held?.uploadedBytes ?? 0, grant.uploadedBytes)
  changes.addElements.up_class.push(`${grant.session} counter packets 0 bytes ${uploaded} : 1:${minor.toString(16)}`)
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
