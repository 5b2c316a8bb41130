import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import type { LabOptions } from '#lab/lab.ts'
import { until } from '#lab/run.ts'
import type { PaymentView, StaffPayment } from '#server/payments/schema.ts'
import type { SessionView } from '#server/sessions/schema.ts'
import { MB } from '#server/units.ts'
import { controlOf } from '#test/emulators/control.ts'
import type { MomoCharge, MomoControl } from '#test/emulators/momo.ts'
import { momoDefaults } from '#test/emulators/momo-settings.ts'
import type { PaystackControl } from '#test/emulators/paystack.ts'
import { paystackDefaults } from '#test/emulators/paystack-settings.ts'
import { talkTo, type Talk } from '#test/gateway/talk.ts'
import { openVenue, type Customer } from '#test/gateway/venue.ts'
import type { Answer, Ask, Question } from './phone.ts'

/** Where companies call back: a name, as MTN asks for one; the emulators know that it is the box. */
const publicHost = 'pay.example.com'
const boxCallbacks = 'http://203.0.113.2:8081'

export type Said<T> = { status: number; body: T }
export type Bought = { outcome: 'asked' | 'pending' | 'paid' | 'resumed'; payment: PaymentView | null; session: SessionView | null }
export type No = { error: { code: string; message: string } }
export type Wish = { packageId: number; provider?: string; key?: string; topUp?: boolean }
export type Shop = Awaited<ReturnType<typeof openShop>>
export type Buyer = Awaited<ReturnType<Shop['newcomer']>>

/**
 * A venue that sells by mobile money: MTN's and Paystack's emulators run in its internet, the accounts with them are set
 * up as an owner does it, and the ledger is looked at every second.
 */
export async function openShop(name: string, options: LabOptions = {}) {
  const venue = await openVenue(name, options)
  const { lab, api } = venue
  const talks = new Map<string, Talk<Ask>>()

  function talk(namespace: string): Talk<Ask> {
    const known = talks.get(namespace) ?? talkTo<Ask>(namespace, join(import.meta.dirname, 'phone.ts'))
    talks.set(namespace, known)
    return known
  }

  async function ask(namespace: string, question: Question): Promise<Answer> {
    const [answer] = await talk(namespace).ask<[Answer]>({ requests: [question] })
    return answer
  }

  /** A fetch of somebody in the internet. */
  async function fetchOutside(url: string, asked: { method: string; headers: Record<string, string>; body: string }) {
    const { status, text } = await ask(lab.internet.namespace, { ...asked, url, patienceMs: 60_000 })
    if (status === 0) throw new Error(`${url}: ${text}`)
    return { status, text: async () => text }
  }

  async function startEmulators(): Promise<{ momo: MomoControl; paystack: PaystackControl }> {
    const { address, namespace } = lab.internet
    const emulated = {
      momo: { mode: 'production', callbackHost: publicHost, deliverTo: boxCallbacks },
      paystack: { webhookUrl: `https://${publicHost}/api/callbacks/paystack`, deliverTo: boxCallbacks },
    }
    const program = join(import.meta.dirname, '../emulators/main.ts')
    lab.spawn(namespace, [process.execPath, program, address, JSON.stringify(emulated)], { stdio: ['ignore', 'ignore', 'inherit'] })
    const momo = controlOf<MomoControl>(`http://${address}:9101`, fetchOutside)
    const paystack = controlOf<PaystackControl>(`http://${address}:9102`, fetchOutside)
    const answer = () => Promise.all([momo.settings(), paystack.settings()]).catch(() => null)
    await until('the emulators answer', answer, 20_000)
    return { momo, paystack }
  }

  async function openAccounts(): Promise<void> {
    const { apiUser, apiKey, subscriptionKey, targetEnvironment } = momoDefaults
    const { secretKey } = paystackDefaults
    const values = {
      'mtn-momo': { baseUrl: `http://${lab.internet.address}:9101`, targetEnvironment, apiUser, apiKey, subscriptionKey },
      paystack: { baseUrl: `http://${lab.internet.address}:9102`, secretKey },
    }
    for (const [account, given] of Object.entries(values))
      await api(`/api/admin/accounts/${account}`, { enabled: true, values: given }, 'PATCH')
    const choices = { publicUrl: `https://${publicHost}`, currency: 'UGX', country: 'UG', pointsPerMinor: 100, pollSeconds: 1 }
    await api('/api/admin/settings', choices, 'PATCH')
  }

  const emulators = await startEmulators().catch(async (error: unknown) => {
    await venue.stop()
    throw error
  })
  await openAccounts()
  const ledger = new DatabaseSync(join(lab.dataDir, 'kswifi.db'), { timeout: 5000 })
  let packages = 0
  let numbers = 0
  const buyer = (phone: Customer) => buyerOn(phone, { lab, talk: talk(phone.namespace) })

  return {
    ...venue,
    ...emulators,

    /** The ledger's own answer. */
    rows: <Row>(sql: string, ...values: (string | number)[]): Row[] => ledger.prepare(sql).all(...values) as Row[],
    /** For what takes a minute in life. */
    change: (sql: string, ...values: (string | number)[]) => ledger.prepare(sql).run(...values),

    /** A package at 1,000 shillings: an hour, 50 MB; `terms` say what is different. @returns its number */
    async offer(terms: object = {}): Promise<number> {
      const usual = { dataLimit: 50 * MB, durationSeconds: 3600, priceMinor: 1000, currency: 'UGX', maxDevices: 1 }
      const made = await api<{ package: { id: number } }>('/api/admin/packages', { name: `Pack ${++packages}`, ...usual, ...terms })
      return made.package.id
    },

    /** What MTN took from a number, or was asked to take. */
    chargesOf: async (phone: string): Promise<MomoCharge[]> => (await emulators.momo.charges()).filter((charge) => charge.phone === phone),

    /** A payment as staff see it. */
    staffView: async (number: number) =>
      api<{ payment: StaffPayment; inbox: { times: number; trusted: boolean; body: string }[] }>(`/api/admin/payments/${number}`),

    /** Somebody in the internet asks. */
    outside: (question: Question): Promise<Answer> => ask(lab.internet.namespace, question),

    buyer,

    /** Somebody with a number that nobody had before, signed in on a phone. */
    async newcomer(phone: Customer) {
      // Its last digit is none that the sandbox gives a meaning.
      const number = `25677${String(++numbers).padStart(6, '0')}5`
      const one = buyer(phone)
      const { status, body } = await one.signIn(number)
      if (status !== 200) throw new Error(`could not sign in: ${status} ${JSON.stringify(body)}`)
      return { ...one, number }
    },

    async stop(): Promise<void> {
      ledger.close()
      await Promise.all([...talks.values()].map((one) => one.end()))
      await venue.stop()
    },
  }
}

type Place = { lab: { box: { lan: string }; internet: { address: string } }; talk: Talk<Ask> }

/** Somebody with a phone on the Wi-Fi. */
function buyerOn(phone: Customer, { lab, talk }: Place) {
  const question = (path: string, body?: object, method = body ? 'POST' : 'GET'): Question => ({
    method,
    url: path.startsWith('/') ? `http://${lab.box.lan}${path}` : path,
    ...(body && { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
  })
  const said = <T>({ status, text }: Answer): Said<T> => ({ status, body: (/^[{[]/.test(text) ? JSON.parse(text) : null) as T })
  const order = ({ packageId, provider = 'mtn-momo', key = randomUUID(), topUp = false }: Wish): Question =>
    question('/api/payments', { packageId, provider, key, topUp })

  async function ask<T>(path: string, body?: object, method?: string): Promise<Said<T>> {
    const [answer] = await talk.ask<[Answer]>({ requests: [question(path, body, method)] })
    return said<T>(answer)
  }

  async function orderOne(wish: Wish): Promise<Said<Bought & Partial<No>>> {
    const [answer] = await talk.ask<[Answer]>({ requests: [order(wish)] })
    return said(answer)
  }

  return {
    phone,
    ask,
    /** A page of somebody else, as the browser gets it. */
    async open(url: string, form?: string): Promise<Answer> {
      const headers = { 'content-type': 'application/x-www-form-urlencoded' }
      const asked: Question = form === undefined ? { method: 'GET', url } : { method: 'POST', url, headers, body: form }
      const [answer] = await talk.ask<[Answer]>({ requests: [asked] })
      return answer
    },
    /** Chooses a PIN for a number, or signs in with it. */
    signIn: (number: string, pin = '4711') => ask<object>('/api/customers/sign-in', { phone: `+${number}`, pin, isNew: true }),
    /** One request to buy, however it is answered. */
    order: orderOne,
    /** Many requests to buy at the same moment. */
    async orderAtOnce(wishes: Wish[]): Promise<Said<Bought>[]> {
      const answers = await talk.ask<Answer[]>({ requests: wishes.map(order) })
      return answers.map((answer) => said<Bought>(answer))
    },
    /** Buys. @throws Error when no payment comes of it */
    async buy(wish: Wish): Promise<PaymentView> {
      const { status, body } = await orderOne(wish)
      if (status !== 201 || !body.payment) throw new Error(`no payment: ${status} ${JSON.stringify(body)}`)
      return body.payment
    },
    payment: async (reference: string): Promise<PaymentView> =>
      (await ask<{ payment: PaymentView }>(`/api/payments/${reference}`)).body.payment,
    /** Follows a payment to a step, or one after it. @throws Error when it comes to another end */
    follow(reference: string, step: 'pending' | 'granted' | 'used' | 'failed', patienceMs = 40_000): Promise<PaymentView> {
      const steps = ['asked', 'pending', 'paid', 'open', 'granted', 'used']
      const look = async () => {
        const { status, body } = await ask<{ payment: PaymentView }>(`/api/payments/${reference}`)
        if (status !== 200) return null
        const { payment } = body
        const isThere = step === 'failed' ? payment.step === step : steps.indexOf(payment.step) >= steps.indexOf(step)
        if (!isThere && payment.step === 'failed') throw new Error(`the payment failed: ${payment.reason}`)
        return isThere ? payment : null
      }
      return until(`payment ${reference} is ${step}`, look, patienceMs, 100)
    },
    /** True when packets pass: a page of the internet comes as it is, and not the portal instead. */
    async passes(): Promise<boolean> {
      const url = `http://${lab.internet.address}/bytes/20000`
      const [answer] = await talk.ask<[Answer]>({ requests: [{ method: 'GET', url, patienceMs: 3000 }] })
      return answer.status === 200 && answer.bytes === 20_000
    },
    points: async (): Promise<number> => (await ask<{ balance: number }>('/api/me/points')).body.balance,
  }
}
