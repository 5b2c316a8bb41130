import { createHash } from 'node:crypto'
import type { Now } from '../../clock.ts'
import { fromDecimal, toDecimal } from '../../money.ts'
import { askOutside, fieldsOf, isAskersFault, parseJson, type Answer, type Fetch } from '../../outside.ts'
import { MINUTE, SECOND } from '../../units.ts'
import { uuidIn } from '../hint.ts'
import { ProviderTrouble, type Asking, type Asked, type Callback, type Hint, type Provider, type Truth } from '../provider.ts'
import type { FailReason } from '../schema.ts'
import { createToken, type Values } from './mtn-momo-token.ts'

const title = 'MTN Mobile Money'

/** Of the countries with MTN MoMo; EUR is all that the sandbox takes. */
const currencies = new Set(['UGX', 'GHS', 'XOF', 'ZMW', 'XAF', 'SZL', 'GNF', 'ZAR', 'LRD', 'NGN', 'RWF', 'SSP', 'EUR'])

type Needs = { account: () => Promise<Values>; now: Now; fetch?: Fetch; timeoutMs?: number }

/**
 * MTN MoMo Open API, Collections: request to pay. The reference is X-Reference-Id, MTN's only handle for "the same
 * question again". A callback is sent once or never, and is not signed: `verify` is what counts.
 *
 * It has no `refund`: that belongs to MTN's Disbursements, another product with keys of its own.
 *
 * Source: momodeveloper.mtn.com, operations requesttopay-POST and requesttopay-referenceId-GET.
 */
export function createMomo({ account, now, fetch = globalThis.fetch, timeoutMs = 15 * SECOND }: Needs): Provider {
  const token = createToken({ now, ask: (values, url, question) => askMomo(values, url, question) })

  async function askMomo(
    values: Values,
    path: string,
    question: { method: 'GET' | 'POST'; headers: Record<string, string>; body?: string },
  ) {
    try {
      return await askOutside(fetch, `${values['baseUrl']}${path}`, {
        ...question,
        headers: { 'Ocp-Apim-Subscription-Key': values['subscriptionKey'] ?? '', ...question.headers },
        timeoutMs,
      })
    } catch (error) {
      throw new ProviderTrouble(`${title} ${(error as Error).message}.`, { cause: error })
    }
  }

  /** With a token; one that MTN does not take any more is renewed once. */
  async function askSigned(
    values: Values,
    path: string,
    question: { method: 'GET' | 'POST'; headers?: Record<string, string>; body?: string },
  ) {
    const ask = async (bearer: string) =>
      askMomo(values, path, {
        ...question,
        headers: { Authorization: `Bearer ${bearer}`, 'X-Target-Environment': values['targetEnvironment'] ?? '', ...question.headers },
      })
    const bearer = await token.get(values)
    const answer = await ask(bearer)
    if (answer.status !== 401) return answer
    token.forget(bearer)
    return ask(await token.get(values))
  }

  const look = (values: Values, reference: string) => askSigned(values, `/collection/v1_0/requesttopay/${reference}`, { method: 'GET' })

  return {
    name: 'mtn-momo',
    title,
    kind: 'push',
    patienceMs: 5 * MINUTE,
    takes: (currency) => currencies.has(currency),

    async ask(asking: Asking): Promise<Asked> {
      if (asking.phone === null) return { state: 'failed', reason: 'not-registered', detail: 'The payment has no phone number.' }
      const values = await account()
      const words = plain(asking.words)
      const answer = await askSigned(values, '/collection/v1_0/requesttopay', {
        method: 'POST',
        headers: {
          'X-Reference-Id': asking.reference,
          'Content-Type': 'application/json',
          // Must not be there at all rather than be empty.
          ...(asking.callbackUrl && values['callbacks'] !== 'off' ? { 'X-Callback-Url': asking.callbackUrl } : {}),
        },
        body: JSON.stringify({
          amount: toDecimal(asking.amountMinor, asking.currency),
          currency: asking.currency,
          externalId: asking.reference,
          payer: { partyIdType: 'MSISDN', partyId: asking.phone },
          payerMessage: words,
          payeeNote: words,
        }),
      })
      // 409: this reference came before, so the first try arrived; `verify` says what became of it.
      if (answer.status === 202 || answer.status === 409) return { state: 'pending', checkoutUrl: null }
      throw troubleOf(answer)
    },

    hear({ body, pathReference }: Callback): Promise<Hint> {
      // The body does not reliably carry X-Reference-Id, so it is in the address, and once more in externalId.
      const reference = uuidIn(pathReference) ?? uuidIn(fieldsOf(parseJson(body))['externalId'])
      const eventKey = createHash('sha256')
        .update(`${reference ?? ''}\n${body}`)
        .digest('base64url')
      return Promise.resolve({ reference, eventKey, trusted: false })
    },

    async verify({ reference }: Asking): Promise<Truth> {
      const answer = await look(await account(), reference)
      if (answer.status === 404 && isMtns404(answer)) return { state: 'unknown' }
      if (answer.status !== 200) throw troubleOf(answer)
      return truthOf(answer, reference)
    },

    async test(): Promise<string> {
      const values = await account()
      const answer = await look(values, crypto.randomUUID())
      if (answer.status !== 200 && !(answer.status === 404 && isMtns404(answer))) throw troubleOf(answer)
      return `${title} accepts the keys for ${values['targetEnvironment']}.`
    },
  }
}

function truthOf({ json }: Answer, reference: string): Truth {
  const { status, amount, currency, financialTransactionId, reason } = fieldsOf(json)
  if (status === 'FAILED') {
    const code = codeOf(reason)
    return { state: 'failed', reason: reasons[code] ?? 'provider', detail: `MTN: ${code || 'FAILED, without a reason'}` }
  }
  // Whatever else it is called, it is not final.
  if (status !== 'SUCCESSFUL') return { state: 'pending' }
  const amountMinor = typeof currency === 'string' && /^[A-Z]{3}$/.test(currency) ? fromDecimal(amount, currency) : null
  if (amountMinor === null) throw new ProviderTrouble(`${title} says that it was paid, but not how much. It is asked again.`)
  return { state: 'paid', amountMinor, currency: String(currency), providerReference: String(financialTransactionId ?? '') || reference }
}

/** Today a plain text; older documentation shows `{code, message}`. */
function codeOf(reason: unknown): string {
  return typeof reason === 'string' ? reason : String(fieldsOf(reason)['code'] ?? '')
}

const reasons: Record<string, FailReason> = {
  PAYER_NOT_FOUND: 'not-registered',
  SENDER_ACCOUNT_NOT_ACTIVE: 'not-registered',
  NOT_ENOUGH_FUNDS: 'no-funds',
  PAYER_LIMIT_REACHED: 'limit',
  PAYMENT_NOT_APPROVED: 'declined',
  APPROVAL_REJECTED: 'declined',
  TRANSACTION_CANCELED: 'declined',
  EXPIRED: 'timeout',
  COULD_NOT_PERFORM_TRANSACTION: 'timeout',
  PAYEE_NOT_FOUND: 'misconfigured',
  PAYEE_NOT_ALLOWED_TO_RECEIVE: 'misconfigured',
  NOT_ALLOWED: 'misconfigured',
  NOT_ALLOWED_TARGET_ENVIRONMENT: 'misconfigured',
  INVALID_CALLBACK_URL_HOST: 'misconfigured',
  INVALID_CURRENCY: 'misconfigured',
}

/** They come with status 500, and yet no waiting mends them. */
const oursToMend: Record<string, string> = {
  NOT_ALLOWED: 'this account may not ask for payments',
  NOT_ALLOWED_TARGET_ENVIRONMENT: 'address and country of the account do not belong together',
  INVALID_CALLBACK_URL_HOST: 'the public address of this box is not the callback host of the API user; register it, or turn callbacks off',
  INVALID_CURRENCY: 'it does not take this currency',
}

function troubleOf(answer: Answer): ProviderTrouble {
  const { code, message } = fieldsOf(answer.json)
  const known = oursToMend[String(code ?? '')]
  if (known) return new ProviderTrouble(`${title}: ${known} (${String(code)}).`, { isOurs: true })
  if (answer.status === 401)
    return new ProviderTrouble(`${title} does not accept the keys. Check subscription key, API user and API key.`, { isOurs: true })
  if (answer.status === 403)
    return new ProviderTrouble(`${title} does not let this box in (403). Ask MTN whether its address must be registered.`, { isOurs: true })
  const said = [code, message].filter((part) => typeof part === 'string').join(', ')
  const words = `${title} answered ${answer.status}${said ? ` (${said.slice(0, 200)})` : ''}.`
  const isOurs = isAskersFault(answer.status)
  return new ProviderTrouble(words, { isOurs, waitMs: answer.waitMs })
}

/** The gateway before the API has a 404 of its own, `{statusCode, message}`: then the address in the settings is wrong. */
function isMtns404({ json }: Answer): boolean {
  return fieldsOf(json)['statusCode'] === undefined
}

/** A third party's table says that unusual signs and long texts are answered with 400. */
function plain(words: string): string {
  return (
    words
      .replace(/[^A-Za-z0-9 .,-]+/g, ' ')
      .replace(/ +/g, ' ')
      .trim()
      .slice(0, 80) || 'Internet'
  )
}
