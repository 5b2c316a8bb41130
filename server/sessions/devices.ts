import { Refusal } from '../errors.ts'
import type { Tx } from '../store/store.ts'
import type { Session } from './lifecycle.ts'
import { devicesOf, findAttached, insertDevice, updateDevice } from './table.ts'

/** A device that asks: its MAC, address and, if DHCP told, its name. */
export type AskingDevice = { mac: string; ip: string; name: string }

/** `isNew`: the session was opened just now, so nobody is in it. */
type Rule = { maxDevices: number; whenFull: 'refuse-new' | 'drop-oldest'; now: number; isNew?: boolean }

/**
 * Gives a device a place in a session, within the number that was paid for; it leaves the session where it was.
 * @returns numbers of other sessions whose devices changed
 * @throws Refusal `devices-full` where the owner chose to refuse new ones
 */
export async function attach(tx: Tx, session: Session, device: AskingDevice, rule: Rule): Promise<number[]> {
  const before = await findAttached(tx, device.mac)
  if (before?.sessionId === session.id) {
    await updateDevice(tx, before.id, { pausedAt: null, lastSeen: rule.now })
    return []
  }
  const others = rule.isNew ? [] : await devicesOf(tx, [session.id])
  const tooMany = others.length + 1 - rule.maxDevices
  if (tooMany > 0) {
    if (rule.whenFull === 'refuse-new') throw devicesFull(rule.maxDevices)
    const oldest = others.toSorted((one, other) => one.lastSeen - other.lastSeen).slice(0, tooMany)
    for (const one of oldest) await updateDevice(tx, one.id, { detachedAt: rule.now })
  }
  if (before) await updateDevice(tx, before.id, { detachedAt: rule.now })
  await insertDevice(tx, { sessionId: session.id, mac: device.mac, name: device.name, now: rule.now })
  return before ? [before.sessionId] : []
}

/** Moves the devices that were in use from an ended session to the one that follows it, as many as it has places for. */
export async function moveDevices(tx: Tx, from: Session, to: Session, now: number): Promise<void> {
  const moving = (await devicesOf(tx, [from.id])).toSorted((one, other) => other.lastSeen - one.lastSeen).slice(0, to.maxDevices)
  for (const device of moving) {
    await updateDevice(tx, device.id, { detachedAt: now })
    await insertDevice(tx, { sessionId: to.id, mac: device.mac, name: device.name, now })
  }
}

function devicesFull(places: number): Refusal {
  const words =
    places === 1 ? 'This session is for one device, and another one uses it.' : `All ${places} devices of this session are taken.`
  return new Refusal('devices-full', `${words} Remove a device on its page first, or ask the staff.`, { maxDevices: places })
}
