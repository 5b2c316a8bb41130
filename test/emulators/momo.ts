import { isIP } from 'node:net'
import { createGround, startEmulator, type Buyer, type Emulator, type SharedControl } from './control.ts'
import { readJson, type Answer, type Ask } from './http.ts'
import { duplicate, gatewayError, notFound, tooMany, unavailable, wrongCallbackHost, wrongCurrency } from './momo-errors.ts'
import { createMomoGate, isUuid4 } from './momo-gate.ts'
import { sandboxNumber } from './momo-numbers.ts'
import { createMomoPayments, readWish, type MomoCharge } from './momo-payments.ts'
import { momoDefaults, type MomoSettings } from './momo-settings.ts'

export { momoDefaults, type MomoCharge, type MomoSettings }

export type MomoControl = SharedControl<MomoSettings> & {
  charges: () => Promise<MomoCharge[]>
  /** The buyer confirms. @throws when the payment is unknown or decided */
  approve: (reference: string) => Promise<void>
  decline: (reference: string, reason?: string) => Promise<void>
  /** How the buyer with this number behaves from now on; null: like all others. */
  behave: (phone: string, buyer: Buyer | null) => Promise<void>
  /** Sends a callback that is a lie: SUCCESSFUL unless `over` says else, to the payment's own address unless `url` is given. */
  forge: (reference: string, over?: Record<string, unknown>, url?: string) => Promise<void>
  /** All tokens are worth nothing from now on. */
  expireTokens: () => Promise<void>
}

/** Starts an emulator of MTN MoMo Collections: provisioning, token, request to pay, status, balance, callbacks. */
export function startMomo({
  host = '127.0.0.1',
  port = 0,
  ...options
}: Partial<MomoSettings> & { host?: string; port?: number } = {}): Promise<Emulator<MomoControl>> {
  const ground = createGround<MomoSettings>({ ...momoDefaults, ...options })
  const { settings } = ground
  const gate = createMomoGate({ settings })
  const payments = createMomoPayments(ground)
  const behaviours = new Map<string, Buyer>()
  let statusCalls: number[] = []

  return startEmulator<MomoSettings, Omit<MomoControl, keyof SharedControl<MomoSettings>>>({
    host,
    port,
    ground,
    trouble: (status) => (status === 503 ? unavailable : tooMany),
    noRoute: () => gatewayError(404, 'Resource not found'),
    routes: () => [
      ...gate.routes,
      { call: 'requesttopay', method: 'POST', path: /^\/collection\/v1_0\/requesttopay$/, handle: requestToPay },
      { call: 'status', method: 'GET', path: /^\/collection\/v1_0\/requesttopay\/([^/]+)$/, handle: showStatus },
      { call: 'balance', method: 'GET', path: /^\/collection\/v1_0\/account\/balance$/, handle: showBalance },
      { call: 'active', method: 'GET', path: /^\/collection\/v1_0\/accountholder\/msisdn\/(\d+)\/active$/, handle: showActive },
    ],
    control: {
      charges: async () => payments.charges(),
      approve: async (reference) => payments.decideByHand(reference, null),
      decline: async (reference, reason = 'APPROVAL_REJECTED') => payments.decideByHand(reference, reason),
      behave: async (phone, buyer) => void (buyer ? behaviours.set(phone, buyer) : behaviours.delete(phone)),
      forge: payments.forge,
      expireTokens: async () => gate.expireTokens(),
    },
    forget() {
      payments.forget()
      gate.forget()
      behaviours.clear()
      statusCalls = []
    },
  })

  function requestToPay(ask: Ask): Answer {
    const refusal = gate.checkCall(ask)
    if (refusal) return refusal
    const reference = ask.headers['x-reference-id']?.toLowerCase() ?? ''
    const wish = readWish(readJson(ask))
    const callbackUrl = ask.headers['x-callback-url'] ?? null
    if (!isUuid4(reference) || !wish || callbackUrl === '') return { status: 400 }
    if (callbackUrl !== null && !isCallbackFine(callbackUrl, ask))
      return settings.wrongHostStatus === 500 ? wrongCallbackHost : { status: 400 }
    if (!currencies().includes(wish.currency)) return wrongCurrency
    if (payments.isAskedAgain(reference)) return duplicate
    const buyer = buyerOf(wish.payer.partyId)
    if ('refuses' in buyer) return buyer.refuses
    payments.add(reference, wish, callbackUrl, buyer)
    return { status: 202 }
  }

  function showStatus(ask: Ask): Answer {
    const refusal = gate.checkCall(ask) ?? checkRate()
    if (refusal) return refusal
    const reference = ask.parts[0]!.toLowerCase()
    if (!isUuid4(reference)) return { status: 400 }
    const body = payments.show(reference)
    return body ? { status: 200, body } : notFound
  }

  function showBalance(ask: Ask): Answer {
    return gate.checkCall(ask) ?? { status: 200, body: { availableBalance: '1000', currency: currencies()[0] } }
  }

  function showActive(ask: Ask): Answer {
    return gate.checkCall(ask) ?? { status: 200, body: { result: true } }
  }

  function checkRate(): Answer | null {
    const at = Date.now()
    statusCalls = statusCalls.filter((one) => one > at - 1000)
    if (settings.statusPerSecond !== null && statusCalls.length >= settings.statusPerSecond) return tooMany
    statusCalls.push(at)
    return null
  }

  function buyerOf(phone: string): Buyer | { refuses: Answer } {
    const table = settings.mode === 'sandbox' ? sandboxNumber(phone, settings.sandboxSuccessAfterMs) : null
    return behaviours.get(phone) ?? table ?? settings.buyer
  }

  function currencies(): string[] {
    return settings.currencies ?? [settings.mode === 'sandbox' ? 'EUR' : 'UGX']
  }

  function isCallbackFine(callbackUrl: string, ask: Ask): boolean {
    const url = URL.parse(callbackUrl)
    if (!url || isIP(url.hostname.replace(/^\[|\]$/g, '')) !== 0) return false
    const allowed = settings.mode === 'sandbox' ? ['http:', 'https:'] : ['https:']
    return allowed.includes(url.protocol) && url.hostname === gate.callbackHostOf(ask)
  }
}
