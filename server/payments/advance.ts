import type { Now } from '../clock.ts'
import type { Bus } from '../events.ts'
import type { Log } from '../log.ts'
import type { Settings } from '../settings/settings.ts'
import type { Store } from '../store/store.ts'
import { MINUTE, SECOND } from '../units.ts'
import { backoffMs, isHopeless, nextLook } from './progress.ts'
import { ProviderTrouble, type Asking, type Provider, type Truth } from './provider.ts'
import type { Providers } from './providers.ts'
import type { FailReason, ProviderName } from './schema.ts'
import * as table from './table.ts'
import { NOT_CREDITED, type Payment } from './table.ts'
import type { Windows } from './windows.ts'

/** Of each provider. MTN allows ten questions a second; what callbacks hurry comes on top. */
const LOOKS_A_TICK = 8
/** The most that somebody with the phone in hand waits for another try. */
const AWAITED_MS = 4 * SECOND
/** A question may be on its way for so long before "never heard of it" is true. */
const ANSWER_WITHIN_MS = 2 * MINUTE

/** Somebody paid, and nobody has credited it yet. */
export type PaidTruth = Extract<Truth, { state: 'paid' }>

/** What is to be done with a payment, now that its provider said so. */
export type Due = { payment: Payment; truth: PaidTruth } | { payment: Payment; refundReference: string }

type Needs = {
  store: Store
  now: Now
  bus: Bus
  log: Log
  providers: Providers
  windows: Pick<Windows, 'openFor' | 'marksOf'>
  /** Makes the gateway agree with pay windows, by their marks. */
  openWindows: (marks: number[]) => Promise<void>
  settings: Pick<Settings, 'get' | 'note'>
  portalHost: string
}

export type Advance = ReturnType<typeof createAdvance>

/**
 * Brings payments on, a step at a time, by asking their providers. Every step may be lost by a crash and done again:
 * the reference was written down first, and is the provider's own protection against charging twice.
 */
export function createAdvance({ store, now, bus, log, providers, windows, openWindows, settings, portalHost }: Needs) {
  /** News about a payment that was credited meanwhile come too late, and change nothing. */
  async function save(id: number, change: Partial<Payment>): Promise<void> {
    await store.transaction((tx) => table.updateUnpaid(tx, id, change))
    bus.publish('payment.changed', { id })
  }

  const fail = (payment: Payment, reason: FailReason, more: Partial<Payment> = {}) =>
    save(payment.id, { status: 'failed', reason, failedAt: now(), nextAt: null, ...more })

  async function askingOf(payment: Payment): Promise<Asking> {
    const { publicUrl } = await settings.get()
    return {
      reference: payment.reference,
      amountMinor: payment.amountMinor,
      currency: payment.currency,
      phone: payment.userPhone,
      words: payment.packageName.replace(/[^\x20-\x7e]/g, '').slice(0, 80) || 'Internet',
      callbackUrl: publicUrl ? `${publicUrl.replace(/\/$/, '')}/api/callbacks/${payment.provider}/${payment.reference}` : null,
      returnUrl: `http://${portalHost}/?payment=${payment.reference}`,
      checkoutUrl: payment.checkoutUrl,
      at: payment.createdAt,
    }
  }

  function mustHave(name: ProviderName): Provider {
    const provider = providers.find(name)
    if (!provider) throw new ProviderTrouble(`This box has no provider ${name}.`, { isOurs: true })
    return provider
  }

  /** Puts the question to the provider. A crash after it is harmless: the same reference never charges twice. */
  async function submit(payment: Payment, provider: Provider): Promise<void> {
    const asked = await provider.ask(await askingOf(payment))
    if (asked.state === 'failed') return fail(payment, asked.reason, { detail: asked.detail })
    const pendingAt = payment.pendingAt ?? now()
    const windowUntil = asked.checkoutUrl ? await windows.openFor(payment.mac, payment.userPhone) : null
    if (windowUntil !== null) {
      // The way to the page is open before anybody is sent there.
      await store.transaction((tx) => table.updateUnpaid(tx, payment.id, { status: 'pending', pendingAt, windowUntil }))
      // With the window that the device had for another payment: it has one at a time.
      await openWindows(await windows.marksOf(async () => [payment.mac!])).catch((error: unknown) =>
        log.error({ err: error }, 'a pay window waits for the next poll'),
      )
    }
    await save(payment.id, {
      status: 'pending',
      pendingAt,
      checkoutUrl: asked.checkoutUrl,
      detail: '',
      nextAt: provider.kind === 'desk' ? payment.expiresAt : nextLook(payment, now()),
    })
  }

  /** @returns the truth when it is that somebody paid, and nobody has credited it yet */
  async function look(payment: Payment, provider: Provider): Promise<PaidTruth | undefined> {
    const truth = await provider.verify(await askingOf(payment))
    const isLate = now() >= payment.expiresAt + ANSWER_WITHIN_MS
    if (truth.state === 'paid') {
      if (truth.currency === payment.currency && truth.amountMinor >= payment.amountMinor) return truth
      const { amountMinor: receivedMinor, providerReference } = truth
      const detail = `${receivedMinor} ${truth.currency} came instead of ${payment.amountMinor} ${payment.currency} (minor units)`
      const isOurs = truth.currency === payment.currency
      await fail(payment, 'wrong-amount', { detail, providerReference, ...(isOurs ? { receivedMinor } : {}) })
    } else if (truth.state === 'failed') {
      // On a page the buyer may try another card after one that was declined, for as long as the page is open.
      const isOpen = provider.kind === 'checkout' && !isHopeless(payment, now())
      if (!isOpen) await fail(payment, truth.reason, { detail: truth.detail })
      else if (now() >= payment.expiresAt) await fail(payment, truth.reason, { detail: truth.detail, nextAt: nextLook(payment, now()) })
      else await save(payment.id, { nextAt: nextLook(payment, now()), detail: truth.detail })
    } else if (truth.state === 'unknown' && isLate) {
      // Nobody was asked, and nobody waits any more: a question on the phone would come hours late.
      await fail(payment, payment.givenUpAt === null ? 'timeout' : 'given-up')
    } else if (truth.state === 'unknown' && payment.givenUpAt === null && now() < payment.expiresAt) {
      await submit(payment, provider)
    } else if (isHopeless(payment, now()) || (provider.kind === 'desk' && now() >= payment.expiresAt)) {
      await fail(payment, 'timeout')
    } else {
      // It was put to the buyer, though the answer that said so may have been lost.
      const asked: Partial<Payment> = truth.state === 'pending' ? { status: 'pending', pendingAt: payment.pendingAt ?? now() } : {}
      await save(payment.id, { ...asked, nextAt: nextLook(payment, now()), attempts: 0, detail: '' })
    }
    return undefined
  }

  /** @returns what the provider did, when it is over: to be settled with what the money had bought */
  async function refundStep(payment: Payment, provider: Provider): Promise<string | undefined> {
    if (!provider.refund) return ''
    const { reference, providerReference, amountMinor, currency, receivedMinor } = payment
    const refunded = await provider.refund({ reference, providerReference, amountMinor: receivedMinor ?? amountMinor, currency })
    if (refunded.state === 'done') return refunded.refundReference
    const change: Partial<Payment> =
      refunded.state === 'failed'
        ? { refund: 'failed', refundDetail: refunded.detail, nextAt: null }
        : { refundReference: refunded.refundReference, nextAt: now() + MINUTE }
    await store.transaction((tx) => table.update(tx, payment.id, change))
    bus.publish('payment.changed', { id: payment.id })
    return undefined
  }

  /** Nothing is lost by an answer that did not come: it is asked for again. */
  async function troubled(payment: Payment, error: unknown): Promise<void> {
    const trouble = error instanceof ProviderTrouble ? error : undefined
    if (!trouble) log.error({ err: error, payment: payment.id }, 'a payment could not be brought on; it is tried again')
    const attempts = payment.attempts + 1
    const isAwaited = now() < payment.expiresAt && payment.refund === null
    const waitMs = Math.max(
      isAwaited ? Math.min(backoffMs(attempts), AWAITED_MS) : backoffMs(attempts),
      trouble?.waitMs ?? 0,
      trouble?.isOurs ? 30 * SECOND : 0,
    )
    const detail = trouble?.message ?? 'The box itself failed; see its log.'
    const isAsked = payment.refund === 'asked'
    if (payment.status === 'asked' && (now() >= payment.expiresAt || payment.givenUpAt !== null) && trouble?.isOurs)
      await fail(payment, 'misconfigured', { detail })
    else await postpone(payment, { attempts, nextAt: now() + waitMs, ...(isAsked ? { refundDetail: detail } : { detail }) })
    if (trouble) await noteTrouble(payment.provider, trouble.isOurs ? trouble.message : null)
  }

  const troubles = new Map<ProviderName, string | null>()
  /** Written down only when it changes: for the owner's first screen. */
  async function noteTrouble(name: ProviderName, words: string | null): Promise<void> {
    if (troubles.has(name) && troubles.get(name) === words) return
    troubles.set(name, words)
    if (words) log.error({ provider: name }, `payments: ${words}`)
    await settings.note(`provider.${name}`, words)
  }

  async function postpone({ id }: Payment, change: Partial<Payment>): Promise<void> {
    await store.transaction((tx) => table.update(tx, id, change))
    bus.publish('payment.changed', { id })
  }

  return {
    /** Numbers of payments to be brought on now, but for those that are under way. */
    due: (underWay: number[]): Promise<number[]> => table.due(store.db, now(), LOOKS_A_TICK, underWay),

    /**
     * Asks the provider about a payment, or puts the question to it, or asks it to give money back. Never fails.
     * @returns what is to be done with it now: to be credited, or its refund to be settled
     */
    async advance(id: number): Promise<Due | undefined> {
      const payment = await table.find(store.db, id)
      if (!payment || payment.provider === 'free') return undefined
      try {
        const due = await step(payment, mustHave(payment.provider))
        await noteTrouble(payment.provider, null)
        return due
      } catch (error) {
        await troubled(payment, error)
        return undefined
      }
    },

    /** The box itself could not do what is to be done: it is tried again, less and less often, and staff are told. */
    async putOff(id: number): Promise<void> {
      const payment = await table.find(store.db, id)
      if (!payment) return
      const attempts = payment.attempts + 1
      await postpone(payment, { attempts, nextAt: now() + backoffMs(attempts), detail: NOT_CREDITED })
    },
  }

  async function step(payment: Payment, provider: Provider): Promise<Due | undefined> {
    if (payment.refund === 'asked') {
      const refundReference = await refundStep(payment, provider)
      return refundReference === undefined ? undefined : { payment, refundReference }
    }
    if (payment.paidAt !== null) {
      if (payment.nextAt !== null) await store.transaction((tx) => table.rest(tx, payment.id))
      return undefined
    }
    if (payment.status === 'asked' && payment.attempts === 0 && payment.givenUpAt === null) {
      // Whoever finds this again after a crash asks first whether it arrived.
      await store.transaction((tx) => table.update(tx, payment.id, { attempts: 1 }))
      await submit({ ...payment, attempts: 1 }, provider)
      return undefined
    }
    const truth = await look(payment, provider)
    return truth && { payment, truth }
  }
}
