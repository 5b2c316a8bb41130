import { randomBytes } from 'node:crypto'
import { createGround, startEmulator, type Buyer, type Emulator, type SharedControl } from './control.ts'
import { isObject, readBody, type Answer, type Ask } from './http.ts'
import { createPaystackLedger, type Forged } from './paystack-ledger.ts'
import { paystackDefaults, type PaystackSettings } from './paystack-settings.ts'
import { backUrl, checkoutPage, fine, refundData, refused, transactionData } from './paystack-shapes.ts'
import type { PaystackCharge, PaystackRefund } from './paystack-shapes.ts'

export { paystackDefaults, type PaystackCharge, type PaystackSettings }

export type PaystackControl = SharedControl<PaystackSettings> & {
  charges: () => Promise<PaystackCharge[]>
  refunds: () => Promise<PaystackRefund[]>
  /** The buyer pays. @throws when the transaction is unknown or decided */
  approve: (reference: string) => Promise<void>
  decline: (reference: string, words?: string) => Promise<void>
  /** How the buyer with this phone or e-mail address behaves from now on; null: like all others. */
  behave: (phoneOrEmail: string, buyer: Buyer | null) => Promise<void>
  /** The bank gives the money back, or cannot. @throws when the refund is unknown or settled */
  settleRefund: (id: string, status?: 'processed' | 'failed') => Promise<void>
  /** Sends a webhook that is a lie, to the address of the dashboard unless `url` is given. */
  forge: (reference: string, forged?: Forged) => Promise<void>
}

const providers: Record<string, string[]> = { GHS: ['mtn', 'atl', 'vod'], KES: ['mpesa', 'mpesa_offline', 'mptill'] }
const channels = ['card', 'bank', 'ussd', 'qr', 'eft', 'mobile_money', 'bank_transfer']

/** Starts an emulator of Paystack: initialize, verify, charge, refund, the hosted page at /checkout/<code>, signed webhooks. */
export function startPaystack({
  host = '127.0.0.1',
  port = 0,
  ...options
}: Partial<PaystackSettings> & { host?: string; port?: number } = {}): Promise<Emulator<PaystackControl>> {
  const ground = createGround<PaystackSettings>({ ...paystackDefaults, ...options })
  const { settings } = ground
  const ledger = createPaystackLedger(ground)
  const behaviours = new Map<string, Buyer>()
  let ownUrl = () => ''

  return startEmulator<PaystackSettings, Omit<PaystackControl, keyof SharedControl<PaystackSettings>>>({
    host,
    port,
    ground,
    trouble: (status) => (status === 503 ? refused(503, 'Service unavailable', 'unknown') : tooMany),
    noRoute: () => refused(404, 'Resource not found', 'not_found'),
    routes(url) {
      ownUrl = url
      return [
        { call: 'initialize', method: 'POST', path: /^\/transaction\/initialize$/, handle: guarded(initialize) },
        { call: 'verify', method: 'GET', path: /^\/transaction\/verify\/([^/]+)$/, handle: guarded(verify) },
        { call: 'charge', method: 'POST', path: /^\/charge$/, handle: guarded(chargePhone) },
        { call: 'submit_otp', method: 'POST', path: /^\/charge\/submit_otp$/, handle: guarded(submitOtp) },
        { call: 'check-charge', method: 'GET', path: /^\/charge\/([^/]+)$/, handle: guarded(checkCharge) },
        { call: 'refund', method: 'POST', path: /^\/refund$/, handle: guarded(createRefund) },
        { call: 'refunds', method: 'GET', path: /^\/refund$/, handle: guarded(listRefunds) },
        { call: 'fetch-refund', method: 'GET', path: /^\/refund\/([^/]+)$/, handle: guarded(fetchRefund) },
        { call: 'balance', method: 'GET', path: /^\/balance$/, handle: guarded(showBalance) },
        { call: 'page', method: 'GET', path: /^\/checkout\/(\w+)$/, handle: showPage },
        { call: 'page-action', method: 'POST', path: /^\/checkout\/(\w+)$/, handle: actOnPage },
      ]
    },
    control: {
      charges: async () => structuredClone(ledger.charges()),
      refunds: async () => structuredClone(ledger.refunds()),
      approve: async (reference) => ledger.pay(undecided(reference)),
      decline: async (reference, words = 'Declined') => ledger.fail(undecided(reference), words),
      behave: async (phoneOrEmail, buyer) => void (buyer ? behaviours.set(phoneOrEmail, buyer) : behaviours.delete(phoneOrEmail)),
      async settleRefund(id, status = 'processed') {
        const refund = ledger.refunds().find((one) => one.id === id)
        if (refund?.status !== 'pending') throw new Error(`refund ${id} is ${refund?.status ?? 'unknown'}, not pending`)
        ledger.settleRefund(refund, status)
      },
      forge: ledger.forge,
    },
    forget() {
      ledger.forget()
      behaviours.clear()
    },
  })

  function initialize(ask: Ask): Answer {
    const body = readBody(ask)
    const wish = readWish(body)
    if ('status' in wish) return wish
    const { callback_url: callbackUrl, channels: wished } = body!
    if (wished !== undefined && !(Array.isArray(wished) && wished.every((one) => channels.includes(one as string)))) {
      return refused(400, 'Invalid channels sent', 'invalid_params')
    }
    if (callbackUrl !== undefined && !/^https?:$/.test(URL.parse(String(callbackUrl))?.protocol ?? '')) {
      return refused(400, 'Invalid callback URL', 'invalid_params')
    }
    const buyer = behaviours.get(wish.email) ?? settings.buyer
    const access_code = randomBytes(8).toString('hex')
    const authorization_url = `${ownUrl()}/checkout/${access_code}`
    const back = callbackUrl === undefined ? null : String(callbackUrl)
    const charge = ledger.open({ ...wish, phone: null, channel: 'card', checkoutUrl: authorization_url, callbackUrl: back }, buyer)
    void ledger.play(charge, buyer)
    return fine('Authorization URL created', { authorization_url, access_code, reference: charge.reference })
  }

  function verify({ parts: [reference] }: Ask): Answer {
    const charge = ledger.byReference(reference!)
    return charge ? fine('Verification successful', transactionData(charge, settings)) : unknownReference()
  }

  function chargePhone(ask: Ask): Answer {
    const body = readBody(ask)
    const wish = readWish(body)
    if ('status' in wish) return wish
    const money = isObject(body!.mobile_money) ? body!.mobile_money : {}
    const provider = String(money.provider ?? '').toLowerCase()
    const phone = String((provider === 'mptill' ? money.account : money.phone) ?? '')
    if (!providers[wish.currency]?.includes(provider)) return refused(400, 'Invalid mobile money provider', 'invalid_params')
    if (!/^\+?\d{6,15}$/.test(phone)) return refused(400, 'Invalid mobile money phone number', 'invalid_params')
    const buyer = behaviours.get(phone) ?? behaviours.get(wish.email) ?? settings.buyer
    const charge = ledger.open({ ...wish, phone, channel: 'mobile_money', checkoutUrl: null, callbackUrl: null }, buyer)
    if (settings.secretKey.startsWith('sk_test_') && !settings.testPhones.includes(phone)) {
      ledger.fail(charge, 'Declined. Please use the test mobile money number as you are doing a test transaction.')
    } else if (provider === 'vod') charge.state = 'otp'
    else void ledger.play(charge, buyer)
    return attempted(charge)
  }

  function submitOtp(ask: Ask): Answer {
    const { otp, reference } = readBody(ask) ?? {}
    const charge = ledger.byReference(String(reference ?? ''))
    if (charge?.state !== 'otp') return unknownReference()
    if (otp !== settings.otp) return refused(400, 'Invalid OTP', 'invalid_params')
    charge.state = 'open'
    void ledger.play(charge, behaviours.get(charge.phone!) ?? behaviours.get(charge.email) ?? settings.buyer)
    return attempted(charge)
  }

  function checkCharge({ parts: [reference] }: Ask): Answer {
    const charge = ledger.byReference(reference!)
    if (!charge) return unknownReference()
    return charge.state === 'open'
      ? fine('Reference check successful', { reference: charge.reference, status: 'pending' })
      : attempted(charge)
  }

  function createRefund(ask: Ask): Answer {
    const { transaction, amount: wished, merchant_note: note } = readBody(ask) ?? {}
    if (transaction === undefined || transaction === '') return missing('transaction')
    const charge = ledger.charges().find(({ id, reference }) => [id, reference].includes(String(transaction)))
    if (!charge) return refused(404, 'Transaction not found', 'transaction_not_found')
    if (charge.charged === 0) return refused(400, 'Transaction has not been paid', 'invalid_params')
    const claimed = ledger.refunds().reduce((sum, one) => sum + (one.transaction === charge && one.status !== 'failed' ? one.amount : 0), 0)
    if (claimed >= charge.amount) return refused(400, 'Transaction has been fully reversed', 'transaction_reversed')
    const amount = wished === undefined ? charge.amount - claimed : wholeAmount(wished)
    if (amount === null) return refused(400, 'Invalid Amount Sent', 'invalid_amount')
    if (amount > charge.amount - claimed) return refused(400, 'Refund amount cannot be more than transaction amount', 'invalid_amount')
    const refund = ledger.refund(charge, amount, String(note ?? ''))
    const data = { ...refundData(refund, settings), transaction: transactionData(charge, settings) }
    return fine('Refund has been queued for processing', data)
  }

  function listRefunds({ query }: Ask): Answer {
    const wished = query.get('transaction') ?? query.get('reference')
    const found = ledger.refunds().filter(({ transaction: { id, reference } }) => wished === null || [id, reference].includes(wished))
    const data = found.map((refund) => refundData(refund, settings))
    return fine('Refunds retrieved', data, { meta: { total: data.length, skipped: 0, perPage: 50, page: 1, pageCount: 1 } })
  }

  function fetchRefund({ parts: [id] }: Ask): Answer {
    const refund = ledger.refunds().find((one) => one.id === id)
    return refund ? fine('Refund retrieved', refundData(refund, settings)) : refused(404, 'Refund not found', 'not_found')
  }

  function showBalance(): Answer {
    return fine(
      'Balances retrieved',
      settings.currencies.map((currency) => ({ currency, balance: 100_000 })),
    )
  }

  function showPage({ path }: Ask): Answer {
    const charge = chargeOfPage(path)
    return charge ? checkoutPage(charge) : { status: 404, body: 'There is no such checkout.' }
  }

  function actOnPage({ path, body }: Ask): Answer {
    const charge = chargeOfPage(path)
    if (!charge) return { status: 404, body: 'There is no such checkout.' }
    const action = new URLSearchParams(body).get('action')
    if (action === 'success') ledger.pay(charge)
    if (action === 'fail') ledger.fail(charge, 'Declined')
    const cancelUrl = isObject(charge.metadata) ? charge.metadata.cancel_action : undefined
    if (action === 'abandon' && typeof cancelUrl === 'string') return { status: 303, headers: { location: cancelUrl } }
    const goesBack = action === 'later' || (action === 'success' && charge.state === 'success')
    return goesBack && charge.callbackUrl ? { status: 303, headers: { location: backUrl(charge) } } : checkoutPage(charge)
  }

  function guarded(handle: (ask: Ask) => Answer) {
    return (ask: Ask): Answer => {
      const given = ask.headers.authorization
      if (given === `Bearer ${settings.secretKey}`) return handle(ask)
      const nextStep = 'Ensure that you provide the correct authorization key for the request'
      if (!given) return refused(401, 'No Authorization Header was found', 'missing_key', nextStep)
      return refused(settings.badKeyStatus, 'Invalid key', 'invalid_Key', nextStep)
    }
  }

  /** What initialize and charge have in common, or why not. */
  function readWish(body: Record<string, unknown> | null) {
    if (!body) return refused(400, 'Invalid request body', 'invalid_params')
    const { email, amount: given, currency = settings.currencies[0], reference: own, metadata } = body
    if (email === undefined || email === '') return missing('email')
    if (given === undefined || given === '') return missing('amount')
    if (typeof email !== 'string' || !/^[^\s@,]+@[^\s@,]+\.[a-z]{2,}$/i.test(email)) {
      return refused(400, 'Invalid Email Address Passed', 'invalid_email_address')
    }
    const amount = wholeAmount(given)
    if (amount === null) return refused(400, 'Invalid Amount Sent', 'invalid_amount')
    if (typeof currency !== 'string' || !settings.currencies.includes(currency)) {
      return refused(403, 'Currency not supported by merchant', 'unsupported_currency')
    }
    const reference = own === undefined ? randomBytes(5).toString('hex') : own
    if (typeof reference !== 'string' || !/^[\w.=-]+$/.test(reference) || reference.includes('_')) {
      return refused(400, 'Invalid characters in reference', 'invalid_params')
    }
    const known = ledger.byReference(reference)
    if (known) {
      known.timesAsked++
      return refused(400, 'Duplicate Transaction Reference', 'duplicate_reference')
    }
    return { email, amount, currency, reference, metadata }
  }

  /** What charge and submit_otp answer: the whole transaction once it is decided. */
  function attempted(charge: PaystackCharge): Answer {
    const { state, reference } = charge
    if (state === 'otp') {
      const display_text = 'Please dial *110# to generate a voucher and enter it here.'
      return fine('Charge attempted', { reference, status: 'send_otp', display_text })
    }
    if (state !== 'open') return fine('Charge attempted', transactionData(charge, settings))
    const display_text = 'Please complete the authorisation process on your phone.'
    return fine('Charge attempted', { reference, status: 'pay_offline', display_text })
  }

  function chargeOfPage(path: string): PaystackCharge | null {
    return ledger.charges().find(({ checkoutUrl }) => checkoutUrl === ownUrl() + path) ?? null
  }

  function undecided(reference: string): PaystackCharge {
    const charge = ledger.byReference(reference)
    if (charge?.state !== 'open') throw new Error(`${reference} is ${charge?.state ?? 'unknown'}, not open`)
    return charge
  }

  function unknownReference(): Answer {
    return refused(settings.unknownReferenceStatus, 'Transaction reference not found.', 'transaction_not_found')
  }
}

const tooMany: Answer = { ...refused(429, 'Too many requests', 'rate_limited'), headers: { 'retry-after': '1' } }

function missing(field: string): Answer {
  return refused(400, `${field} is required`, 'missing_params')
}

/** Subunits: a whole number above zero, or the digits of one, as Paystack's own samples send it. */
function wholeAmount(given: unknown): number | null {
  const amount = typeof given === 'string' && /^\d+$/.test(given) ? Number(given) : given
  return typeof amount === 'number' && Number.isSafeInteger(amount) && amount > 0 ? amount : null
}
