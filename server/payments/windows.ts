import type { Now } from '../clock.ts'
import type { Leases } from '../gateway/dhcp.ts'
import { PAY_WINDOW_MARK, type Grant, type Reading } from '../gateway/grant.ts'
import type { Store } from '../store/store.ts'
import { DAY, MB, MINUTE } from '../units.ts'
import * as table from './window-table.ts'

/** A checkout page with the pages of a card's bank behind it is 2 to 5 MB. */
const WINDOW_BYTES = 10 * MB
export const WINDOW_MS = 15 * MINUTE
const WINDOW_BPS = 1_000_000
/** Of one device, and of one number: who needs more tries pays another way. */
const WINDOWS_A_DAY = 3
/** At once, on this box: numbers and MACs cost nothing, and the line is for those who paid. */
const WINDOWS_OPEN = 20

export type Windows = ReturnType<typeof createWindows>

/** The mark of a payment's window on the network; sessions are far below. */
export const windowMark = (payment: number): number => PAY_WINDOW_MARK + payment

type Needs = {
  store: Store
  now: Now
  leases: Leases
  /** Which of these devices are in a session that goes on, and need no window. */
  inSession: (macs: string[]) => Promise<Set<string>>
}

/**
 * A customer who pays on a provider's page must reach that page before having internet, and the pages of banks behind it
 * are on no list. So the device that pays gets a window: a little data for a little time, held by the kernel like any
 * session. Port 80 stays with the portal meanwhile, so phones go on showing it.
 */
export function createWindows({ store, now, leases, inSession }: Needs) {
  return {
    /** Until when the device may have one, UTC ms; null when it had its share today, or too many are open. */
    async openFor(mac: string | null, phone: string | null): Promise<number | null> {
      if (mac === null) return null
      const { theirs, open } = await table.countWindows(store.db, { mac, phone, since: now() - DAY, now: now() })
      return theirs >= WINDOWS_A_DAY || open >= WINDOWS_OPEN ? null : now() + WINDOW_MS
    },

    /** What the windows grant, all or of these marks. */
    async grants(marks?: number[]): Promise<Grant[]> {
      const ids = marks?.filter(isWindow).map((mark) => mark - PAY_WINDOW_MARK)
      if (ids?.length === 0) return []
      const open = await table.openWindows(store.db, now(), ids)
      if (open.length === 0) return []
      const [leased, away] = await Promise.all([leases.addresses(), inSession(open.map(({ mac }) => mac))])
      return open.flatMap(({ id, mac, until, used }): Grant[] => {
        const devices = leased(mac).map(({ ip }) => ({ mac, ip }))
        if (devices.length === 0 || used >= WINDOW_BYTES || away.has(mac)) return []
        const counts = { usedBytes: used, uploadedBytes: 0, tunnelledBytes: 0 }
        return [
          {
            session: windowMark(id),
            limitBytes: WINDOW_BYTES,
            ...counts,
            until,
            downBps: WINDOW_BPS,
            upBps: WINDOW_BPS,
            devices,
            peers: [],
          },
        ]
      })
    },

    /** Marks of the windows that these devices have: a session takes the device over. */
    async marksOf(macs: () => Promise<string[]>): Promise<number[]> {
      const open = await table.windowsBefore(store.db, now())
      if (open.length === 0) return []
      const theirs = new Set(await macs())
      return open.filter(({ mac }) => theirs.has(mac)).map(({ id }) => windowMark(id))
    },

    /** Notes what was used of them. @returns the readings that are of sessions */
    async settle(readings: Reading[]): Promise<Reading[]> {
      const used = readings.filter(({ session }) => isWindow(session))
      if (used.length > 0)
        await store.transaction((tx) =>
          table.saveUse(
            tx,
            used.map(({ session, usedBytes }) => ({ id: session - PAY_WINDOW_MARK, bytes: usedBytes })),
          ),
        )
      return readings.filter(({ session }) => !isWindow(session))
    },
  }
}

function isWindow(mark: number): boolean {
  return mark >= PAY_WINDOW_MARK
}
