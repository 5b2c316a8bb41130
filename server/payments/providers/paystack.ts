import { createHash, createHmac, timingSafeEqual } from 'node:crypto'
import { askOutside, fieldsOf, isAskersFault, parseJson, type Answer, type Fetch } from '../../outside.ts'
import { MINUTE, SECOND } from '../../units.ts'
import { uuidIn } from '../hint.ts'
import {
  ProviderTrouble,
  type Asking,
  type Asked,
  type Callback,
  type Hint,
  type Provider,
  type Refunded,
  type Truth,
} from '../provider.ts'
import type { FailReason } from '../schema.ts'

const title = 'Paystack'

/** As the published specification lists them; each has two decimals. */
const currencies = new Set(['GHS', 'KES', 'NGN', 'USD', 'ZAR'])

/** How often a checkout page may be lost, for one payment, before somebody must look. */
const PAGES_AT_MOST = 5

type Values = Record<string, string>
type Fields = Record<string, unknown>
type Needs = { account: () => Promise<Values>; fetch?: Fetch; timeoutMs?: number }

/**
 * Paystack's hosted checkout, in their own words "accept payments: redirect".
 *
 * Paystack takes a reference once, and tells the address of its page once. Should the box die between that answer and
 * its own commit, nobody has the address, so nobody can pay there; then `verify` says `unknown`, and `ask` opens another
 * page under the reference with `.2` behind it. `verify` looks at all pages of a payment, whoever asked for them.
 *
 * Source: paystack.com/docs/api (transaction, refund, balance), paystack.com/docs/payments/webhooks.
 */
export function createPaystack({ account, fetch = globalThis.fetch, timeoutMs = 15 * SECOND }: Needs): Provider {
  async function askPaystack(path: string, body?: Fields): Promise<Answer> {
    const values = await account()
    try {
      return await askOutside(fetch, `${values['baseUrl']}${path}`, {
        method: body ? 'POST' : 'GET',
        headers: { Authorization: `Bearer ${values['secretKey']}`, ...(body ? { 'Content-Type': 'application/json' } : {}) },
        ...(body ? { body: JSON.stringify(body) } : {}),
        timeoutMs,
      })
    } catch (error) {
      throw new ProviderTrouble(`${title} ${(error as Error).message}.`, { cause: error })
    }
  }

  /** A transaction, or undefined when there is none under this reference. */
  async function look(reference: string): Promise<Fields | undefined> {
    const answer = await askPaystack(`/transaction/verify/${encodeURIComponent(reference)}`)
    if (isUnknown(answer)) return undefined
    return dataOf(answer)
  }

  /** All transactions of a payment, one for each page; in life nearly always one. */
  async function lookAtAll(reference: string): Promise<Fields[]> {
    const found: Fields[] = []
    for (let page = 1; page <= PAGES_AT_MOST; page++) {
      const transaction = await look(pageReference(reference, page))
      if (!transaction) break
      found.push(transaction)
      if (transaction['status'] === 'success') break
    }
    return found
  }

  /** @returns undefined when the reference was used before */
  async function openPage(asking: Asking, reference: string): Promise<string | undefined> {
    const { emailDomain } = await account()
    const answer = await askPaystack('/transaction/initialize', {
      email: `${asking.phone ?? `buyer-${asking.reference.slice(0, 8)}`}@${emailDomain}`,
      amount: asking.amountMinor,
      currency: asking.currency,
      reference,
      callback_url: asking.returnUrl,
      metadata: { payment: asking.reference, cancel_action: asking.returnUrl },
    })
    if (isDuplicate(answer)) return undefined
    const url = dataOf(answer)['authorization_url']
    // The buyer's browser is sent there.
    if (typeof url !== 'string' || !/^https?:\/\//.test(url)) throw new ProviderTrouble(`${title} gave no address of its page.`)
    return url
  }

  /** Refunds that failed, and of which this was said: whoever asks once more wants another. Said again after a restart. */
  const saidOf = new Set<string>()

  function say(refund: Fields): Refunded {
    if (refund['status'] === 'failed') saidOf.add(String(refund['id']))
    return refundedOf(refund)
  }

  return {
    name: 'paystack',
    title: 'Card or bank, by Paystack',
    kind: 'checkout',
    patienceMs: 30 * MINUTE,
    takes: (currency) => currencies.has(currency),

    async ask(asking: Asking): Promise<Asked> {
      for (let page = 1; page <= PAGES_AT_MOST; page++) {
        const reference = pageReference(asking.reference, page)
        const checkoutUrl = await openPage(asking, reference)
        if (checkoutUrl) return { state: 'pending', checkoutUrl }
        // Two pages in the buyer's hands could both be paid.
        if (asking.checkoutUrl) return { state: 'pending', checkoutUrl: asking.checkoutUrl }
        if ((await look(reference))?.['status'] === 'success') return { state: 'pending', checkoutUrl: null }
      }
      throw new ProviderTrouble(`${title} opened ${PAGES_AT_MOST} pages for this payment, and each was lost.`)
    },

    async hear({ headers, body }: Callback): Promise<Hint> {
      const { event, data } = fieldsOf(parseJson(body))
      const { id, reference, transaction_reference: ofRefund } = fieldsOf(data)
      const secretKey = await account().then(
        (values) => values['secretKey'] ?? '',
        () => '',
      )
      const trusted = isSigned(body, headers['x-paystack-signature'], secretKey)
      // A forged message must not take the place of a true one, so only a signed one may name itself.
      const isNamed = trusted && typeof event === 'string' && (typeof id === 'number' || typeof id === 'string')
      const eventKey = isNamed ? `${event} ${String(id)}` : createHash('sha256').update(body).digest('base64url')
      return { reference: uuidIn(reference) ?? uuidIn(ofRefund), eventKey, trusted }
    },

    redact(body: string): string {
      const message = parseJson(body)
      // As it came, but for the card and the code by which it can be charged again.
      return message === undefined || !body.includes('"authorization"') ? body : JSON.stringify(message, withoutCard)
    },

    async verify(asking: Asking): Promise<Truth> {
      const truths = (await lookAtAll(asking.reference)).map(truthOf)
      const paid = truths.find(({ state }) => state === 'paid')
      if (paid) return paid
      // A page that nobody has seen is nobody's.
      if (truths.length === 0 || !asking.checkoutUrl) return { state: 'unknown' }
      return truths.every(({ state }) => state === 'failed') ? truths.at(-1)! : { state: 'pending' }
    },

    async refund({ reference, providerReference, amountMinor }): Promise<Refunded> {
      const transaction = providerReference ?? String((await lookAtAll(reference)).at(-1)?.['id'] ?? '')
      if (!transaction) return { state: 'failed', detail: `${title} does not know this payment.` }
      const before = dataOf(await askPaystack(`/refund?transaction=${encodeURIComponent(transaction)}&perPage=100`), 'list')
      // Whether the list is narrowed by `transaction` is not certain (older texts call it `reference`), so it is done here too.
      const known = Object.values(before)
        .map(fieldsOf)
        .filter((refund) => isOf(refund, transaction, reference))
      const standing = known.filter(({ status }) => status !== 'failed')
      // The owner may have given a part back in Paystack's dashboard.
      const leftMinor = standing.reduce((left, { amount }) => left - amountIn(amount), amountMinor)
      if (leftMinor <= 0) return say(standing.find((refund) => refundedOf(refund).state === 'pending') ?? standing[0]!)
      const news = known.find(({ id, status }) => status === 'failed' && !saidOf.has(String(id)))
      if (news) return say(news)
      const answer = await askPaystack('/refund', { transaction, amount: leftMinor })
      if (isGivenBack(answer)) return { state: 'done', refundReference: transaction }
      return say(dataOf(answer))
    },

    async test(): Promise<string> {
      const { secretKey = '' } = await account()
      const balances = dataOf(await askPaystack('/balance'), 'list')
      const held = [...new Set(Object.values(balances).map((one) => String(fieldsOf(one)['currency'] ?? '')))].filter(Boolean)
      const words = `${title} accepts the key${held.length > 0 ? ` (${held.join(', ')})` : ''}.`
      return secretKey.startsWith('sk_test_') ? `${words} It is a test key: no money moves.` : words
    },
  }
}

/** Paystack allows `-`, `.`, `=`, letters and digits in a reference. */
function pageReference(reference: string, page: number): string {
  return page === 1 ? reference : `${reference}.${page}`
}

function truthOf(transaction: Fields): Exclude<Truth, { state: 'unknown' }> {
  const { id, status, currency, amount, requested_amount: requested, gateway_response: gateway, message } = transaction
  const words = [gateway, message].find((one): one is string => typeof one === 'string' && one !== '') ?? String(status)
  if (status === 'failed') return { state: 'failed', reason: reasonIn(words), detail: `${title}: ${words.slice(0, 200)}` }
  if (status === 'reversed') return { state: 'failed', reason: 'provider', detail: `${title}: the payment was reversed` }
  // abandoned too: whoever comes back to the same page may still pay. ongoing, pending, processing and queued are not certain to exist.
  if (status !== 'success') return { state: 'pending' }
  // `amount` may hold fees that the buyer bore, and may be less than was asked for where part payments are on.
  const amountMinor = Math.min(Number(amount), Number(requested ?? amount))
  if (!Number.isSafeInteger(amountMinor) || typeof currency !== 'string')
    throw new ProviderTrouble(`${title} says that it was paid, but not how much. It is asked again.`)
  return { state: 'paid', amountMinor, currency, providerReference: String(id) }
}

function reasonIn(words: string): FailReason {
  if (/insufficient|not enough/i.test(words)) return 'no-funds'
  if (/limit/i.test(words)) return 'limit'
  if (/time(d)? ?out|expired/i.test(words)) return 'timeout'
  return /declin|cancel|reject|denied|incorrect|wrong|invalid|not permitted|do not honou?r/i.test(words) ? 'declined' : 'provider'
}

function refundedOf({ id, status }: Fields): Refunded {
  const refundReference = String(id ?? '')
  if (status === 'processed' || status === 'success') return { state: 'done', refundReference }
  if (status === 'failed')
    return { state: 'failed', detail: `${title}: refund ${refundReference} failed. Give the money back in Paystack's dashboard.` }
  return { state: 'pending', refundReference }
}

/** What is no amount counts as all of it: nothing is given back twice. */
function amountIn(amount: unknown): number {
  return Number.isSafeInteger(Number(amount)) && Number(amount) > 0 ? Number(amount) : Infinity
}

const withoutCard = (key: string, value: unknown): unknown => (key === 'authorization' ? undefined : value)

/** In a list `transaction` is an id, in other answers an object. */
function isOf(refund: Fields, transaction: string, reference: string): boolean {
  const of = refund['transaction']
  const names = [of, fieldsOf(of)['id'], fieldsOf(of)['reference'], refund['transaction_reference']].map(String)
  return names.includes(transaction) || names.some((name) => name.startsWith(reference))
}

/** The signature is over the bytes as they came. */
function isSigned(body: string, signature: string | undefined, secretKey: string): boolean {
  if (!signature || !secretKey) return false
  const right = createHmac('sha512', secretKey).update(body, 'utf8').digest()
  const given = Buffer.from(signature, 'hex')
  return given.length === right.length && timingSafeEqual(given, right)
}

const messageOf = ({ json }: Answer): string => String(fieldsOf(json)['message'] ?? '')

function isDuplicate(answer: Answer): boolean {
  return (
    answer.status >= 400 && (fieldsOf(answer.json)['code'] === 'duplicate_reference' || /duplicate.*reference/i.test(messageOf(answer)))
  )
}

/** Seen as 400 and as 404; neither code nor text is certain. */
function isUnknown(answer: Answer): boolean {
  if (answer.status !== 400 && answer.status !== 404) return false
  return fieldsOf(answer.json)['code'] === 'transaction_not_found' || /reference not found|transaction.*not found/i.test(messageOf(answer))
}

/** Paystack gives the whole amount back only once. */
function isGivenBack(answer: Answer): boolean {
  return answer.status === 400 && /already.*(refunded|reversed)|fully (refunded|reversed)/i.test(messageOf(answer))
}

/**
 * `data` of a good answer; one documented sample has the outer status as text.
 * @throws ProviderTrouble for any other
 */
function dataOf(answer: Answer, as: 'object' | 'list' = 'object'): Fields {
  const { status, data } = fieldsOf(answer.json)
  const isGood = answer.status >= 200 && answer.status < 300 && (status === true || status === 'true')
  if (isGood && as === 'list' && Array.isArray(data)) return { ...data }
  if (isGood && as === 'object' && typeof data === 'object' && data !== null) return fieldsOf(data)
  const message = messageOf(answer).slice(0, 200)
  if (answer.status === 401 || (answer.status === 400 && /invalid key/i.test(message)))
    throw new ProviderTrouble(`${title} does not accept the secret key. Enter it again.`, { isOurs: true })
  const isOurs = isAskersFault(answer.status)
  throw new ProviderTrouble(`${title} answered ${answer.status}${message ? ` (${message})` : ''}.`, { isOurs, waitMs: answer.waitMs })
}
