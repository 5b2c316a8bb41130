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
import type { Payment } from './table.ts'
import { windowMark, type Windows } from './windows.ts'

/** MTN allows ten questions a second; what callbacks hurry comes on top. */
const LOOKS_A_TICK = 8

/** Somebody paid, and nobody has credited it yet. */
export type PaidTruth = Extract<Truth, { state: 'paid' }>

type Needs = {
  store: Store
  now: Now
  bus: Bus
  log: Log
  providers: Providers
  windows: Pick<Windows, 'openFor'>
  /** Makes the gateway agree with a pay window, by its mark. */
  openWindow: (mark: number) => Promise<void>
  settings: Pick<Settings, 'get' | 'note'>
  portalHost: string
}

export type Advance = ReturnType<typeof createAdvance>

/**
 * Brings payments on, a step at a time, by asking their providers. Every step may be lost by a crash and done again:
 * the reference was written down first, and is the provider's own protection against charging twice.
 */
export function createAdvance({ store, now, bus, log, providers, windows, openWindow, settings, portalHost }: Needs) {
  async function save(id: number, change: Partial<Payment>): Promise<void> {
    await store.transaction((tx) => table.update(tx, id, change))
    bus.publish('payment.changed', { id })
  }

  const fail = (payment: Payment, reason: FailReason, detail = '') =>
    save(payment.id, { status: 'failed', reason, detail, failedAt: now(), nextAt: null })

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
    if (asked.state === 'failed') return fail(payment, asked.reason, asked.detail)
    const pendingAt = payment.pendingAt ?? now()
    const windowUntil = asked.checkoutUrl ? await windows.openFor(payment.mac) : null
    if (windowUntil !== null) {
      // The way to the page is open before anybody is sent there.
      await store.transaction((tx) => table.update(tx, payment.id, { status: 'pending', pendingAt, windowUntil }))
      await openWindow(windowMark(payment.id)).catch((error: unknown) => log.error({ err: error }, 'a pay window waits for the next poll'))
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
    if (truth.state === 'paid') {
      if (truth.currency === payment.currency && truth.amountMinor >= payment.amountMinor) return truth
      await fail(
        payment,
        'wrong-amount',
        `${truth.amountMinor} ${truth.currency} came instead of ${payment.amountMinor} ${payment.currency} (minor units)`,
      )
    } else if (payment.status === 'failed') {
      await save(payment.id, { nextAt: null })
    } else if (truth.state === 'failed') {
      await fail(payment, truth.reason, truth.detail)
      // On a page the buyer may try another card after one that was declined.
      if (provider.kind === 'checkout' && now() < payment.expiresAt) await save(payment.id, { nextAt: payment.expiresAt })
    } else if (truth.state === 'unknown' && payment.givenUpAt !== null) {
      await fail(payment, 'given-up')
    } else if (truth.state === 'unknown' && now() < payment.expiresAt) {
      await submit(payment, provider)
    } else if (truth.state === 'unknown') {
      // Nobody was asked, and nobody waits any more: a question on the phone would come hours late.
      await fail(payment, 'timeout')
    } else if (isHopeless(payment, now()) || (provider.kind === 'desk' && now() >= payment.expiresAt)) {
      await fail(payment, 'timeout')
    } else {
      await save(payment.id, { nextAt: nextLook(payment, now()), attempts: 0, detail: '' })
    }
    return undefined
  }

  async function refundStep(payment: Payment, provider: Provider): Promise<void> {
    if (!provider.refund) return save(payment.id, { refund: 'done', refundedAt: now(), nextAt: null })
    const { reference, providerReference, amountMinor, currency } = payment
    const refunded = await provider.refund({ reference, providerReference, amountMinor, currency })
    if (refunded.state === 'failed') return save(payment.id, { refund: 'failed', refundDetail: refunded.detail, nextAt: null })
    const { refundReference } = refunded
    if (refunded.state === 'pending') return save(payment.id, { refundReference, nextAt: now() + MINUTE })
    await save(payment.id, { refund: 'done', refundReference, refundedAt: now(), refundDetail: null, nextAt: null })
  }

  /** Nothing is lost by an answer that did not come: it is asked for again. */
  async function troubled(payment: Payment, error: unknown): Promise<void> {
    const trouble = error instanceof ProviderTrouble ? error : undefined
    if (!trouble) log.error({ err: error, payment: payment.id }, 'a payment could not be brought on; it is tried again')
    const attempts = payment.attempts + 1
    const waitMs = Math.max(backoffMs(attempts), trouble?.waitMs ?? 0, trouble?.isOurs ? 30 * SECOND : 0)
    const detail = trouble?.message ?? 'The box itself failed; see its log.'
    if (payment.status === 'asked' && (now() >= payment.expiresAt || payment.givenUpAt !== null) && trouble?.isOurs)
      await fail(payment, 'misconfigured', detail)
    else
      await save(payment.id, { attempts, nextAt: now() + waitMs, ...(payment.refund === 'asked' ? { refundDetail: detail } : { detail }) })
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

  return {
    /** Numbers of payments to be brought on now. */
    due: (): Promise<number[]> => table.due(store.db, now(), LOOKS_A_TICK),

    /**
     * Asks the provider about a payment, or puts the question to it, or asks it to give money back. Never fails.
     * @returns the payment and the truth when it was paid and is to be credited now
     */
    async advance(id: number): Promise<{ payment: Payment; truth: PaidTruth } | undefined> {
      const payment = await table.find(store.db, id)
      if (!payment || payment.provider === 'free') return undefined
      try {
        const provider = mustHave(payment.provider)
        const truth = await step(payment, provider)
        await noteTrouble(payment.provider, null)
        return truth && { payment, truth }
      } catch (error) {
        await troubled(payment, error)
        return undefined
      }
    },
  }

  async function step(payment: Payment, provider: Provider): Promise<PaidTruth | undefined> {
    if (payment.refund === 'asked') await refundStep(payment, provider)
    else if (payment.paidAt !== null) await (payment.nextAt === null ? undefined : save(payment.id, { nextAt: null }))
    else if (payment.status === 'asked' && payment.attempts === 0 && payment.givenUpAt === null) {
      // Whoever finds this again after a crash asks first whether it arrived.
      await store.transaction((tx) => table.update(tx, payment.id, { attempts: 1 }))
      await submit({ ...payment, attempts: 1 }, provider)
    } else return look(payment, provider)
    return undefined
  }
}
