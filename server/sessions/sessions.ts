import type { Connect } from '../connect/connect.ts'
import type { Bus, SessionChange } from '../events.ts'
import type { Now } from '../clock.ts'
import { Refusal } from '../errors.ts'
import type { Hotspots } from '../hotspots/hotspots.ts'
import type { Packages } from '../packages/packages.ts'
import type { Settings as Choices } from '../settings/schema.ts'
import type { Settings } from '../settings/settings.ts'
import type { Store, Tx } from '../store/store.ts'
import { HOUR } from '../units.ts'
import { normaliseCode } from '../vouchers/codes.ts'
import type { Vouchers } from '../vouchers/vouchers.ts'
import type { Asker, Buying, Outcome } from './buying.ts'
import { attach, type AskingDevice } from './devices.ts'
import { sessionEnded } from './ended.ts'
import { createFollowers } from './followers.ts'
import * as ledger from './ledger-table.ts'
import * as life from './lifecycle.ts'
import type { Session } from './lifecycle.ts'
import type { EndReason, SessionFilter } from './schema.ts'
import * as table from './table.ts'

type Needs = {
  store: Store
  now: Now
  bus: Bus
  packages: Packages
  vouchers: Vouchers
  hotspots: Hotspots
  connect: Connect
  buying: Buying
  settings: Settings
  /** Makes the gateway agree with these sessions, and answers when it does; see gateway/. */
  enforce: (sessions: number[]) => Promise<void>
  /** Has the gateway's count of a session read into the ledger, if it can be at once. */
  look: (session: number) => Promise<void>
}

export type Sessions = ReturnType<typeof createSessions>

/**
 * The heart: what customers and staff do to sessions. Every change is committed first and enforced after;
 * should the gateway not answer, the next poll brings it about.
 */
export function createSessions({ store, now, bus, packages, vouchers, hotspots, connect, buying, settings, enforce, look }: Needs) {
  const followers = createFollowers({ now, connect })
  async function tell(what: SessionChange, session: Session, others: number[] = []): Promise<void> {
    await enforce([session.id, ...others])
    bus.publish('session.changed', { id: session.id, what })
    for (const id of others) bus.publish('session.changed', { id, what: 'devices' })
  }

  function attachTo(tx: Tx, session: Session, device: AskingDevice, choices: Choices): Promise<number[]> {
    return attach(tx, session, device, { maxDevices: session.maxDevices, whenFull: choices.whenDevicesFull, now: now() })
  }

  async function mustFind(tx: Tx, id: number): Promise<Session> {
    const session = await table.findSession(tx, id)
    if (!session) throw new Refusal('not-found', 'There is no such session.')
    return session
  }

  return {
    /** Redeems a voucher: opens a session, tops up the live one, or keeps it waiting for that one's end. */
    async redeem(code: string, typedPhone: string | null, asker: Asker): Promise<{ session: Session; outcome: Outcome }> {
      const [choices, hotspot] = await Promise.all([settings.get(), hotspots.own()])
      const { session, others, outcome } = await store.transaction(async (tx) => {
        const claim = await vouchers.claim(tx, code)
        const sold = await packages.find(tx, claim.packageId)
        if (!sold) throw new Refusal('not-found', 'This package does not exist any more. Please ask the staff.')
        await buying.checkCustomer(tx, sold, asker.phone ?? typedPhone, asker.device)
        const paid = { method: 'voucher' as const, reference: `…${claim.last4}`, paymentId: null }
        const purchase = { ...paid, packageId: sold.id, customer: asker.phone, typedPhone, hotspot }
        const bought = await buying.buy(tx, sold, purchase, asker, choices)
        await vouchers.bind(tx, claim.voucherId, bought.session.id)
        return bought
      })
      await tell(outcome === 'topped-up' ? 'topped-up' : 'opened', session, others)
      bus.publish('catalogue.changed', { what: 'vouchers' })
      return { session, outcome }
    },

    /** Continues a session on this device or profile, by its resume code: a new phone, a changed address, or a waiting session. */
    async resume(code: string, { device, profile }: Asker): Promise<Session> {
      if (!device && !profile) throw new Refusal('not-on-wifi', "Connect to the venue's Wi-Fi first, then enter the code again.")
      const choices = await settings.get()
      const { session, others } = await store.transaction(async (tx) => {
        const found = await table.findByResumeCode(tx, normaliseCode(code))
        if (!found) throw new Refusal('no-session', 'No session has this code. Look at it again, or ask the staff.')
        const session = life.resume(life.atTime(found, now()), now())
        if (life.hasEnded(session)) throw sessionEnded(session)
        await table.saveSessions(tx, [session])
        if (device) return { session, others: await attachTo(tx, session, device, choices) }
        await connect.bring(tx, profile!.id, session)
        return { session, others: [profile!.sessionId] }
      })
      await tell('resumed', session, others)
      return session
    },

    /** Takes this device off the network; the session stays, and goes on by its resume code. */
    async disconnect(sessionId: number, mac: string): Promise<Session> {
      const session = await store.transaction(async (tx) => {
        const found = await mustFind(tx, sessionId)
        if (life.hasEnded(found)) throw sessionEnded(found)
        const devices = await table.devicesOf(tx, [sessionId])
        const device = devices.find((one) => one.mac === mac)
        if (!device) throw new Refusal('not-found', 'This device is not in the session.')
        await table.updateDevice(tx, device.id, { pausedAt: now() })
        const othersOn = devices.some((one) => one.id !== device.id && one.pausedAt === null)
        const session = othersOn ? found : life.disconnect(found, now())
        await table.saveSessions(tx, [session])
        return session
      })
      await tell('disconnected', session)
      return session
    },

    /** Takes every device of a session off the network; the session stays, and goes on by its code or when it is resumed. */
    async disconnectAll(sessionId: number): Promise<Session> {
      const session = await store.transaction(async (tx) => {
        const found = await mustFind(tx, sessionId)
        if (life.hasEnded(found)) throw sessionEnded(found)
        for (const device of await table.devicesOf(tx, [sessionId])) await table.updateDevice(tx, device.id, { pausedAt: now() })
        const session = life.disconnect(found, now())
        await table.saveSessions(tx, [session])
        return session
      })
      await tell('disconnected', session)
      return session
    },

    /**
     * Takes in what another router counted for a session, in bytes in all. Only upwards; whatever is left is what the
     * kernel may still let through. One that was not begun begins.
     */
    async report(sessionId: number, totalBytes: number): Promise<Session> {
      // What this box counted since its last look is part of what the router saw in all.
      await look(sessionId)
      const { session, moved, next } = await store.transaction(async (tx) => {
        const found = life.atTime(await mustFind(tx, sessionId), now())
        if (life.hasEnded(found)) throw sessionEnded(found)
        if (found.follows !== null)
          throw new Refusal('conflict', 'This session waits for the end of another one: report what that one used.')
        const session = life.afterReport(life.activate(found, now()), totalBytes, now())
        await table.saveSessions(tx, [session])
        const bytes = session.dataUsed - found.dataUsed
        if (bytes > 0) await ledger.addUsage(tx, [{ sessionId, hour: Math.floor(now() / HOUR) * HOUR, bytes, uploaded: 0 }])
        const next = life.hasEnded(session) ? await followers.begin(tx, session) : undefined
        return { session, moved: session !== found, next }
      })
      if (moved) await tell(life.hasEnded(session) ? 'ended' : 'connected', session, next ? [next.id] : [])
      return session
    },

    /** Removes a device from a session. */
    async removeDevice(sessionId: number, deviceId: number): Promise<Session> {
      const session = await store.transaction(async (tx) => {
        const device = (await table.devicesOf(tx, [sessionId])).find((one) => one.id === deviceId)
        if (!device) throw new Refusal('not-found', 'This device is not in your session.')
        await table.updateDevice(tx, device.id, { detachedAt: now() })
        return mustFind(tx, sessionId)
      })
      await tell('devices', session)
      return session
    },

    /** Ends a session by hand. Ending it again changes nothing. */
    async end(id: number, reason: EndReason): Promise<Session> {
      const session = await store.transaction(async (tx) => {
        const found = await mustFind(tx, id)
        if (life.hasEnded(found)) throw sessionEnded(found)
        const ended = life.end(found, reason, now())
        await table.saveSessions(tx, [ended])
        await followers.release(tx, ended)
        return ended
      })
      await tell('ended', session)
      return session
    },

    /** Adds time or data to a living session. */
    async extend(id: number, more: { ms: number; bytes: number }): Promise<Session> {
      const session = await store.transaction(async (tx) => {
        const found = life.atTime(await mustFind(tx, id), now())
        if (life.hasEnded(found)) throw sessionEnded(found)
        if (more.bytes > 0 && found.dataLimit === null)
          throw new Refusal('conflict', 'This session has unlimited data already. Add time instead.')
        const extended = life.extend(found, more, now())
        await table.saveSessions(tx, [extended])
        return extended
      })
      await tell('extended', session)
      return session
    },

    find: (id: number) => table.findSession(store.db, id),
    /** What a customer has paid for at a hotspot, and not used up. */
    living: (phone: string, hotspotId: string) => buying.livingOf(store.db, phone, hotspotId),
    /** A session of a customer that goes on, wherever it was bought. */
    async livingOf(phone: string): Promise<number | null> {
      return (await buying.livingOf(store.db, phone))?.id ?? null
    },
    /** The sessions of a customer, and the one of the asking device, that go on, by the hotspot where each was bought. */
    async livingBy(phone: string | null, own: number | null): Promise<Map<string, number>> {
      const ofPhone = phone === null ? [] : await table.findOfPhone(store.db, phone)
      const found = [...(await table.findSessions(store.db, own === null ? [] : [own])), ...ofPhone]
      const living = found.filter((session) => session.follows === null && !life.hasEnded(life.atTime(session, now())))
      return new Map(living.toReversed().map((session) => [session.hotspotId, session.id]))
    },
    /** The session to which a device belongs, or belonged last. */
    ofDevice: (mac: string) => table.findByMac(store.db, mac),
    devicesOf: (ids: number[]) => table.devicesOf(store.db, ids),
    waitingFor: (id: number) => table.findFollowers(store.db, id),
    page: (filter: SessionFilter) => table.pageOfSessions(store.db, filter),
    online: () => table.countOnline(store.db),
    tallySince: (sinceMs: number, currency: string) => table.tallySince(store.db, sinceMs, currency),
    traffic: (sinceMs: number, stepMs: number) => ledger.trafficSince(store.db, sinceMs, stepMs),
  }
}
