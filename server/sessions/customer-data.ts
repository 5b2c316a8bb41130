import { iso, type Now } from '../clock.ts'
import type { Customers } from '../customers/customers.ts'
import { Refusal } from '../errors.ts'
import type { Loyalty } from '../loyalty/loyalty.ts'
import type { Payments } from '../payments/payments.ts'
import type { Store, Tx } from '../store/store.ts'
import * as table from './table.ts'

const ALL = 100_000

type Needs = {
  store: Store
  now: Now
  customers: Customers
  loyalty: Loyalty
  payments: Payments
  /** Takes a number out of what is written of staff. */
  forgetSubject: (tx: Tx, phone: string) => Promise<void>
}

export type CustomerData = ReturnType<typeof createCustomerData>

/** What the box knows of one customer, over all rooms: to be given to them, and to be forgotten. */
export function createCustomerData({ store, now, customers, loyalty, payments, forgetSubject }: Needs) {
  return {
    /** The last of a customer's sessions and payments. */
    async history(phone: string, limit = 50) {
      const [sessions, paid] = await Promise.all([table.historyOf(store.db, phone, limit), payments.ofPhone(phone, limit)])
      return { sessionIds: sessions.map((session) => session.id), payments: paid.map(payments.view) }
    },

    /** Everything that is kept under a number, as plain JSON for the customer. Devices of a session are part of it. */
    async exportOf(phone: string) {
      const sessions = await table.historyOf(store.db, phone, ALL)
      const devices = await table.devicesOf(
        store.db,
        sessions.map((session) => session.id),
      )
      return {
        madeAt: iso(now()),
        customer: await customers.find(phone),
        sessions: sessions.map(
          ({ id, packageName, hotspotName, paymentMethod, status, endReason, startTime, expiresAt, dataUsed, dataLimit, createdAt }) => ({
            id,
            packageName,
            hotspotName,
            paymentMethod,
            status,
            endReason,
            startTime: iso(startTime),
            expiresAt: iso(expiresAt),
            dataUsed,
            dataLimit,
            createdAt: iso(createdAt),
            devices: devices.filter((device) => device.sessionId === id).map(({ mac, name }) => ({ mac, name })),
          }),
        ),
        payments: (await payments.ofPhone(phone, ALL)).map(payments.view),
        points: await loyalty.page(phone),
      }
    },

    /**
     * Forgets a customer: number, sign-in and points go; what was sold stays in the books without a name. A session that
     * lives goes on, on its devices and by its resume code.
     * @throws Refusal `conflict` while a payment is open: its money would belong to nobody
     */
    async forget(phone: string): Promise<void> {
      const open = (await payments.ofPhone(phone, ALL)).some(
        (payment) => payment.status === 'asked' || payment.status === 'pending' || payment.refund === 'asked',
      )
      if (open) throw new Refusal('conflict', 'A payment of this number is still open. Wait until it is over, then try again.')
      await store.transaction(async (tx) => {
        await table.forgetPhone(tx, phone)
        await payments.forget(tx, phone)
        await loyalty.forget(tx, phone)
        await customers.forget(tx, phone)
        await forgetSubject(tx, phone)
      })
    },
  }
}
