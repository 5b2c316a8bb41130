import type { ExecutionContext } from 'ava'
import { createConnect } from '#server/connect/connect.ts'
import { createCustomers } from '#server/customers/customers.ts'
import { createBus } from '#server/events.ts'
import { createMemoryGateway } from '#server/gateway/memory.ts'
import { createHotspots } from '#server/hotspots/hotspots.ts'
import { createLog } from '#server/log.ts'
import { createLoyalty } from '#server/loyalty/loyalty.ts'
import { createPackages } from '#server/packages/packages.ts'
import { packageInput } from '#server/packages/schema.ts'
import { createAdvance } from '#server/payments/advance.ts'
import { type Payment, createPayments } from '#server/payments/payments.ts'
import type { Provider, Refunded, Refunding, Truth } from '#server/payments/provider.ts'
import type { Providers } from '#server/payments/providers.ts'
import { createCash } from '#server/payments/providers/cash.ts'
import { createWindows } from '#server/payments/windows.ts'
import { createBuying, type Asker } from '#server/sessions/buying.ts'
import { createCollect } from '#server/sessions/collect.ts'
import { createCredit } from '#server/sessions/credit.ts'
import type { Session } from '#server/sessions/lifecycle.ts'
import { createMeter } from '#server/sessions/meter.ts'
import { createSessions } from '#server/sessions/sessions.ts'
import { createTill, type Wish } from '#server/sessions/till.ts'
import { createUsers } from '#server/sessions/users.ts'
import { createSettings } from '#server/settings/settings.ts'
import type { Store } from '#server/store/store.ts'
import { HOUR, MB, MINUTE } from '#server/units.ts'
import { createVouchers } from '#server/vouchers/vouchers.ts'
import { openTestStore } from './store.ts'

/** Customers and devices of the tests. */
export const ada = '256771234567'
export const ben = '256772222222'
export const phone1 = '02:00:00:00:00:01'
export const phone2 = '02:00:00:00:00:02'

/** What a package costs in these tests, and what is in it. */
export const PRICE = 1000
export const DATA = 100 * MB

export type Company = ReturnType<typeof createCompany>
export type Bed = Awaited<ReturnType<typeof openBed>>

/**
 * A payment company that keeps its own books, by reference: who was asked, who paid, what was given back. It never heard
 * of a payment for which it was not asked.
 */
export function createCompany(name: 'mtn-momo' | 'paystack', kind: 'push' | 'checkout') {
  const company = {
    /** References for which it put the question, or made the page, in order. */
    asked: [] as string[],
    /** References that it was asked the truth about, in order. */
    looked: [] as string[],
    refunds: [] as Refunding[],
    /** What it says of payments; of others that they are pending, if it was asked, and else unknown. */
    says: new Map<string, Truth>(),
    refundAnswer: undefined as Refunded | undefined,
    /** It takes questions and answers none, until this comes. */
    hangs: undefined as Promise<void> | undefined,
    /** Happens while it makes up its answer. */
    meanwhile: undefined as (() => Promise<void>) | undefined,
  }
  const thinking = async () => {
    await company.hangs
    const { meanwhile } = company
    company.meanwhile = undefined
    await meanwhile?.()
  }
  const provider: Provider = {
    name,
    title: name,
    kind,
    patienceMs: kind === 'push' ? 5 * MINUTE : 30 * MINUTE,
    takes: () => true,
    async ask({ reference }) {
      company.asked.push(reference)
      await thinking()
      return { state: 'pending', checkoutUrl: kind === 'checkout' ? `https://pay.example/${reference}` : null }
    },
    hear: async ({ pathReference, body }) => ({ reference: pathReference, eventKey: body, trusted: false }),
    async verify({ reference }) {
      company.looked.push(reference)
      const known = company.says.get(reference) ?? { state: company.asked.includes(reference) ? 'pending' : 'unknown' }
      await thinking()
      return known
    },
    async refund(refunding) {
      company.refunds.push(refunding)
      await thinking()
      return company.refundAnswer ?? { state: 'done', refundReference: `back-${refunding.reference}` }
    },
    test: async () => 'It answers.',
  }
  return { ...provider, books: company, provider }
}

/** The desk, where somebody may come while the box looks. */
function createDesk() {
  const desk = { meanwhile: undefined as (() => Promise<void>) | undefined }
  const cash = createCash()
  const provider: Provider = {
    ...cash,
    async verify(asking) {
      const { meanwhile } = desk
      desk.meanwhile = undefined
      await meanwhile?.()
      return cash.verify(asking)
    },
  }
  return { provider, desk }
}

/**
 * The rooms around the way of the money as the box wires them, over a real database and the gateway without a kernel, in
 * one process; only the payment companies and the clock are made up.
 * @param opened a store with the box's schema to be used again; a new one when left out
 */
export async function openBed(t: ExecutionContext<unknown>, opened?: Store) {
  const store = opened ?? (await openTestStore(t))
  const clock = { at: 1_800_000_000_000 }
  const now = () => clock.at
  const bus = createBus()
  const log = createLog('test', 'silent')
  const settings = createSettings({ store, now, bus })
  await settings.update({ pointsOn: true, pointsPerMinor: 100, currency: 'UGX', country: 'UG' })
  const packages = createPackages({ store, now, bus })
  const vouchers = createVouchers({ store, now, secret: 's', packages, bus })
  const config = {
    lan: { device: 'none0', address: '10.64.0.1', prefix: 16 },
    wan: { device: 'lo' },
    tunnel: { port: 51820 },
    portalHost: 'kswifi.internal',
  }
  const connect = createConnect({ store, now, secret: 's', settings, config })
  const hotspots = createHotspots({ store, now, settings })
  await hotspots.seed()
  const loyalty = createLoyalty({ store, now })
  const sms = { isOn: async () => false, send: async () => ({ messageId: '' }) }
  const customers = createCustomers({ store, now, secret: 's', sms, log, settings })

  const momo = createCompany('mtn-momo', 'push')
  const paystack = createCompany('paystack', 'checkout')
  const { provider: cash, desk } = createDesk()
  const all = [momo.provider, paystack.provider, cash]
  const providers: Providers = {
    find: (name) => all.find((one) => one.name === name),
    enabled: async () => all,
    test: async () => ({ ok: true, words: '' }),
  }
  const companyOf = ({ provider }: Pick<Payment, 'provider'>) => (provider === 'paystack' ? paystack : momo).books

  const payments = createPayments({ store, now, bus, providers, settings })
  const buying = createBuying({ now, packages, connect, loyalty })
  const addresses = new Map<string, string>()
  const leased = (mac: string) => ({ mac, ip: addresses.get(mac)!, name: '', until: Infinity })
  const leases = {
    addresses: async () => (mac: string) => (addresses.has(mac) ? [leased(mac)] : []),
    holder: async () => undefined,
    watch: () => () => {},
  }
  const meter = createMeter({ store, now, bus, leases, connect, payments })
  const windows = createWindows({ store, now, leases, inSession: meter.inSession })
  const gateway = createMemoryGateway({
    now,
    wanted: async (marks) => [...(await meter.grants(marks)), ...(await windows.grants(marks))],
    settle: async (readings) => {
      began.push(...(await meter.settle(await windows.settle(readings))))
    },
  })
  const began: number[] = []
  const openWindows = (marks: number[]) => gateway.enforce(marks)
  const advance = createAdvance({ store, now, bus, log, providers, windows, openWindows, settings, portalHost: config.portalHost })
  const collect = createCollect({ advance, payments, meter, windows, log, enforce: gateway.enforce })
  const rooms = { store, now, bus, log, settings, packages, vouchers, connect, hotspots, loyalty, customers, providers, payments, buying }
  const credit = createCredit({ ...rooms, enforce: collect.enforce })
  const till = createTill({ ...rooms, credit, enforce: collect.enforce })
  const sessions = createSessions({ ...rooms, enforce: collect.enforce, look: (session) => gateway.poll([session]) })
  const users = createUsers({ now, sessions, till, payments, hurry: () => {} })

  let serial = 0
  const find = async ({ id }: Pick<Payment, 'id'>) => (await payments.find(id))!

  const bed = {
    ...rooms,
    clock,
    momo: momo.books,
    paystack: paystack.books,
    desk,
    meter,
    windows,
    gateway,
    collect,
    credit,
    till,
    sessions,
    users,
    find,

    /** Time goes by; nothing looks at anything meanwhile. */
    forward: (ms: number) => void (clock.at += ms),

    /** A package, for PRICE and with DATA and an hour, if nothing else is said. */
    sell: (over: Partial<(typeof packageInput)['_input']> = {}) =>
      packages.create(
        packageInput.parse({ name: 'Hour', dataLimit: DATA, durationSeconds: HOUR / 1000, priceMinor: PRICE, ...over }),
        'UGX',
      ),

    /** Who asks: a number that is signed in, and the phone on the Wi-Fi from which it asks. */
    asker(phone: string | null, mac: string | null): Asker {
      if (mac && !addresses.has(mac)) addresses.set(mac, `10.64.1.${addresses.size + 1}`)
      return { device: mac ? { mac, ip: addresses.get(mac)!, name: '' } : null, profile: null, sessionId: null, phone }
    },

    /** Wants to buy, each time anew, by MTN if nothing else is said. Nobody is asked for money yet: see `step`. */
    ask: (asker: Asker, packageId: number, over: Partial<Parameters<typeof till.ask>[0]> = {}) =>
      till.ask({ packageId, topUp: false, key: `wish-${++serial}-aaaa`, provider: 'mtn-momo', byProgram: false, ...over }, asker),

    /** The same, where a new payment must come of it. */
    async order(asker: Asker, packageId: number, over: Partial<Parameters<typeof till.ask>[0]> = {}): Promise<Payment> {
      const { outcome, payment } = await bed.ask(asker, packageId, over)
      if (outcome !== 'asked') throw new Error(`nobody was asked for money: ${outcome}`)
      return payment!
    },

    /** From the map, by a program, without being on the Wi-Fi. */
    async away(): Promise<Pick<Wish, 'coordinates'> & { byProgram: true }> {
      const [here] = await hotspots.list()
      await hotspots.update(here!.id, { latitude: 0.3, longitude: 32.5 })
      return { coordinates: { latitude: 0.3, longitude: 32.5 }, byProgram: true }
    },

    /** The worker's second: brings on these payments, or all that are due. */
    step: (...some: Pick<Payment, 'id'>[]) => collect.step(credit, some.length === 0 ? undefined : some.map(({ id }) => id)),

    /** The worker's poll. */
    async poll(): Promise<void> {
      const moved = await meter.tick()
      if (moved.length > 0) await collect.enforce(moved)
      await gateway.poll()
      if (began.length > 0) await collect.enforce(began.splice(0))
      await collect.noteGranted()
    },

    /** The buyer confirms: the company has the money. */
    confirm(payment: Payment, over: Partial<Extract<Truth, { state: 'paid' }>> = {}): void {
      const { reference, amountMinor, currency } = payment
      const truth: Truth = { state: 'paid', amountMinor, currency, providerReference: `tx-${reference}`, ...over }
      companyOf(payment).says.set(reference, truth)
    },

    /** The whole way: ordered, asked, confirmed and credited. */
    async buy(
      asker: Asker,
      packageId: number,
      over: Partial<Parameters<typeof till.ask>[0]> = {},
    ): Promise<Payment & { sessionId: number }> {
      const payment = await bed.order(asker, packageId, over)
      await bed.step(payment)
      bed.confirm(payment)
      await bed.step(payment)
      const { sessionId, ...paid } = await find(payment)
      if (sessionId === null) throw new Error(`not credited: ${paid.status} ${paid.detail}`)
      return { ...paid, sessionId }
    },

    giveUp: async (payment: Payment) => till.giveUp(await find(payment)),

    /** The owner gives it back; its company is asked with the next step. */
    refund: async (payment: Payment, endSession = true) =>
      credit.refund(await find(payment), { reason: 'as they asked', by: 'owner', endSession }),

    async sessionOf(payment: Payment): Promise<Session> {
      const { sessionId } = await find(payment)
      if (sessionId === null) throw new Error('this payment has no session')
      return (await sessions.find(sessionId))!
    },

    /** Devices that may use the internet by a session, and those that may reach a payment's page. */
    async online(): Promise<string[]> {
      return (await meter.grants()).flatMap((grant) => grant.devices.map(({ mac }) => mac))
    },

    /** Its lease runs out. */
    leave: (mac: string) => void addresses.delete(mac),

    /** A phone uses data; the box has not looked yet. */
    use: (mac: string, bytes: number) => gateway.pass({ mac, ip: addresses.get(mac)! }, 'down', bytes, 10_000),

    points: (phone: string) => loyalty.balance(store.db, phone),
    isAlive: async (phone: string) => (await users.status(phone, 'hotspot_1')).hasActiveSession,
  }
  return bed
}

/** Waits for a fact that no promise tells of. */
export async function until(isSo: () => boolean | Promise<boolean>, what: string): Promise<void> {
  const patience = performance.now() + 20_000
  while (!(await isSo())) {
    if (performance.now() > patience) throw new Error(`it never happened that ${what}`)
    await new Promise((done) => setTimeout(done, 5))
  }
}
