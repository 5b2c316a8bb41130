import test, { type ExecutionContext } from 'ava'
import { controlOf } from '#test/emulators/control.ts'
import { startEar } from '#test/emulators/ear.ts'
import { momoDefaults, startMomo, type MomoControl, type MomoSettings } from '#test/emulators/momo.ts'

const { subscriptionKey, apiUser, apiKey } = momoDefaults
const callbackUrl = 'http://pay.example.com/hook/1'

async function setUp(t: ExecutionContext, options: Partial<MomoSettings> = {}) {
  const momo = await startMomo(options)
  t.teardown(momo.stop)
  const call = (method: string, path: string, headers: Record<string, string | null> = {}, body?: unknown) => {
    const given = Object.entries({ 'Ocp-Apim-Subscription-Key': subscriptionKey, ...headers }).filter(([, value]) => value !== null)
    const text = body === undefined || typeof body === 'string' ? body : JSON.stringify(body)
    return fetch(momo.url + path, { method, headers: given as [string, string][], ...(text !== undefined && { body: text }) })
  }
  const askToken = (user = apiUser, key = apiKey, more = {}) =>
    call('POST', '/collection/token/', { Authorization: `Basic ${btoa(`${user}:${key}`)}`, ...more })
  const { access_token: token, expires_in: expiresIn } = (await (await askToken()).json()) as { access_token: string; expires_in: number }
  const target = options.mode === 'production' ? 'mtnuganda' : 'sandbox'
  const auth = { Authorization: `Bearer ${token}`, 'X-Target-Environment': target }
  const currency = options.mode === 'production' ? 'UGX' : 'EUR'
  const wish = (over: object = {}) => ({
    amount: '500',
    currency,
    externalId: '7',
    payer: { partyIdType: 'MSISDN', partyId: '256771234567' },
    payerMessage: 'Day pass',
    payeeNote: 'Day pass',
    ...over,
  })
  const pay = (reference: string, over: object = {}, headers: Record<string, string | null> = {}) =>
    call(
      'POST',
      '/collection/v1_0/requesttopay',
      { ...auth, 'X-Reference-Id': reference, 'Content-Type': 'application/json', ...headers },
      wish(over),
    )
  const payer = (partyId: string) => ({ payer: { partyIdType: 'MSISDN', partyId } })
  const statusOf = async (reference: string) => {
    const answer = await call('GET', `/collection/v1_0/requesttopay/${reference}`, auth)
    return { http: answer.status, ...((await answer.json()) as { status?: string; reason?: unknown; code?: string; amount?: string }) }
  }
  const codeOf = async (answer: Response) => [answer.status, ((await answer.json()) as { code?: string }).code]
  return { momo, call, askToken, expiresIn, auth, pay, payer, statusOf, codeOf }
}

const id = () => crypto.randomUUID()

test('MoMo: a token is given to the right user and key alone, and says how long it lives', async (t) => {
  const { askToken, expiresIn, call, pay } = await setUp(t)
  t.is(expiresIn, 3600)
  t.is((await askToken(apiUser, 'wrong')).status, 401)
  t.is((await askToken(id(), apiKey)).status, 401)
  t.is((await call('POST', '/collection/token/')).status, 401)
  t.is((await askToken(apiUser, apiKey, { 'Ocp-Apim-Subscription-Key': 'wrong' })).status, 401)
  t.is((await pay(id(), {}, { Authorization: 'Bearer made.up.token' })).status, 401)
})

test('MoMo: each call needs a product key, of which two are valid', async (t) => {
  const { pay, call, auth, momo } = await setUp(t)
  const reference = id()
  const missing = await pay(reference, {}, { 'Ocp-Apim-Subscription-Key': null })
  t.is(missing.status, 401)
  t.like(await missing.json(), { statusCode: 401 })
  t.is((await pay(reference, {}, { 'Ocp-Apim-Subscription-Key': 'wrong' })).status, 401)
  t.is((await pay(reference, {}, { 'Ocp-Apim-Subscription-Key': momoDefaults.secondaryKey })).status, 202)
  const poll = await call('GET', `/collection/v1_0/requesttopay/${reference}`, { ...auth, 'Ocp-Apim-Subscription-Key': null })
  t.is(poll.status, 401)
  t.is((await momo.charges()).length, 1)
})

test('MoMo: a token runs out, and can be taken away', async (t) => {
  const { pay, momo } = await setUp(t)
  t.is((await pay(id())).status, 202)
  await momo.expireTokens()
  t.is((await pay(id())).status, 401)

  const brief = await setUp(t, { tokenLifeMs: 0 })
  t.is((await brief.pay(id())).status, 401)
})

test('MoMo: what is malformed is answered with 400, and nobody is asked for money', async (t) => {
  const { pay, momo, payer, call, auth } = await setUp(t)
  const refusals = [
    pay('order-1'),
    pay('00000000-0000-1000-8000-000000000000'),
    pay(id(), {}, { 'X-Reference-Id': null }),
    pay(id(), {}, { 'X-Target-Environment': null }),
    pay(id(), {}, { 'Content-Type': 'text/plain' }),
    pay(id(), {}, { 'X-Callback-Url': '' }),
    pay(id(), { amount: 500 }),
    pay(id(), { amount: '-5' }),
    pay(id(), { amount: '' }),
    pay(id(), { externalId: undefined }),
    pay(id(), payer('+256771234567')),
    pay(id(), payer('0771234567')),
    pay(id(), { payer: { partyIdType: 'msisdn', partyId: '256771234567' } }),
    pay(id(), { payerMessage: 'x'.repeat(161) }),
    pay(id(), { payeeNote: 'Café' }),
    call('POST', '/collection/v1_0/requesttopay', { ...auth, 'X-Reference-Id': id(), 'Content-Type': 'application/json' }, '{"amount"'),
    call('GET', '/collection/v1_0/requesttopay/order-1', auth),
  ]
  const answers = await Promise.all(refusals)
  t.deepEqual(
    answers.map(({ status }) => status),
    answers.map(() => 400),
  )
  t.deepEqual(await momo.charges(), [])
})

test('MoMo: a set-up that is wrong is answered with 500 and a code', async (t) => {
  const { pay, codeOf, momo } = await setUp(t)
  t.deepEqual(await codeOf(await pay(id(), {}, { 'X-Target-Environment': 'mtnuganda' })), [500, 'NOT_ALLOWED_TARGET_ENVIRONMENT'])
  t.deepEqual(await codeOf(await pay(id(), { currency: 'UGX' })), [500, 'INVALID_CURRENCY'])
  for (const url of ['http://other.example.com/', 'http://10.0.0.1/', 'no address']) {
    t.deepEqual(await codeOf(await pay(id(), {}, { 'X-Callback-Url': url })), [500, 'INVALID_CALLBACK_URL_HOST'])
  }
  await momo.set({ callbackHost: '10.0.0.1' })
  t.is((await pay(id(), {}, { 'X-Callback-Url': 'http://10.0.0.1/' })).status, 500)
  await momo.set({ wrongHostStatus: 400 })
  t.is((await pay(id(), {}, { 'X-Callback-Url': 'http://other.example.com/' })).status, 400)
  await momo.set({ currencies: ['EUR', 'UGX'] })
  t.is((await pay(id(), { currency: 'UGX' })).status, 202)
})

test('MoMo: accepted is 202 without a body; the same reference again is 409 and takes no money', async (t) => {
  const { pay, codeOf, statusOf, momo } = await setUp(t)
  const reference = id()
  const answer = await pay(reference)
  t.is(answer.status, 202)
  t.is(await answer.text(), '')
  t.deepEqual(await codeOf(await pay(reference)), [409, 'RESOURCE_ALREADY_EXIST'])
  t.like(await statusOf(reference), { http: 200, status: 'SUCCESSFUL', amount: '500' })
  t.like(await statusOf(id()), { http: 404, code: 'RESOURCE_NOT_FOUND' })
  const [charge] = await momo.charges()
  t.like(charge, { reference, charged: 1, timesAsked: 2, phone: '256771234567' })
})

test("MoMo: the sandbox's numbers do what the table says", async (t) => {
  const { pay, payer, statusOf, codeOf } = await setUp(t, { sandboxSuccessAfterMs: 1 })
  const outcome = async (last: string) => {
    const reference = id()
    const answer = await pay(reference, payer(`467331234${last}`))
    if (answer.status !== 202) return codeOf(answer)
    const { status, reason } = await statusOf(reference)
    return [status, reason]
  }
  t.deepEqual(await outcome('50'), ['FAILED', 'INTERNAL_PROCESSING_ERROR'])
  t.deepEqual(await outcome('51'), ['FAILED', 'APPROVAL_REJECTED'])
  t.deepEqual(await outcome('52'), ['FAILED', 'EXPIRED'])
  t.deepEqual(await outcome('53'), ['PENDING', undefined])
  t.deepEqual(await outcome('55'), ['FAILED', 'PAYER_NOT_FOUND'])
  t.deepEqual(await outcome('56'), ['FAILED', 'PAYEE_NOT_ALLOWED_TO_RECEIVE'])
  t.deepEqual(await outcome('57'), [500, 'NOT_ALLOWED'])
  t.deepEqual(await outcome('58'), [500, 'NOT_ALLOWED_TARGET_ENVIRONMENT'])
  t.deepEqual(await outcome('59'), [500, 'INVALID_CALLBACK_URL_HOST'])
  t.deepEqual(await outcome('60'), [500, 'INVALID_CURRENCY'])
  t.deepEqual(await outcome('61'), ['FAILED', 'INTERNAL_PROCESSING_ERROR'])
  t.deepEqual(await outcome('62'), [503, 'SERVICE_UNAVAILABLE'])
  t.deepEqual(await outcome('63'), ['FAILED', 'COULD_NOT_PERFORM_TRANSACTION'])
  t.deepEqual(await outcome('99'), ['SUCCESSFUL', undefined])
})

test('MoMo: 46733123454 pays later, and the callback tells of it', async (t) => {
  const ear = await startEar()
  t.teardown(ear.stop)
  const { pay, payer, statusOf } = await setUp(t, { sandboxSuccessAfterMs: 20, deliverTo: ear.url })
  const reference = id()
  await pay(reference, payer('46733123454'), { 'X-Callback-Url': callbackUrl })
  t.like((await ear.count(1))[0], { method: 'PUT', path: '/hook/1' })
  t.like(await statusOf(reference), { status: 'SUCCESSFUL' })
})

test('MoMo: in production it is UGX, the country, https callbacks, and no provisioning', async (t) => {
  const { pay, codeOf, call, payer, statusOf } = await setUp(t, { mode: 'production' })
  t.is((await pay(id(), {}, { 'X-Callback-Url': 'https://pay.example.com/hook/1' })).status, 202)
  t.deepEqual(await codeOf(await pay(id(), {}, { 'X-Callback-Url': callbackUrl })), [500, 'INVALID_CALLBACK_URL_HOST'])
  t.deepEqual(await codeOf(await pay(id(), {}, { 'X-Target-Environment': 'sandbox' })), [500, 'NOT_ALLOWED_TARGET_ENVIRONMENT'])
  t.deepEqual(await codeOf(await pay(id(), { currency: 'EUR' })), [500, 'INVALID_CURRENCY'])
  t.is((await pay(id(), { amount: '500.50' })).status, 400)
  t.is((await call('POST', '/v1_0/apiuser', { 'X-Reference-Id': id() }, { providerCallbackHost: 'a.example' })).status, 404)
  const reference = id()
  await pay(reference, payer('46733123450'))
  t.like(await statusOf(reference), { status: 'SUCCESSFUL' })
})

test('MoMo: an API user is made, gets a key, and pays with it', async (t) => {
  const { call, askToken } = await setUp(t)
  const user = id()
  const json = { 'Content-Type': 'application/json' }
  const make = (reference: string) =>
    call('POST', '/v1_0/apiuser', { ...json, 'X-Reference-Id': reference }, { providerCallbackHost: 'a.example' })
  t.is((await make(user)).status, 201)
  t.is((await make(user)).status, 409)
  t.is((await make('me')).status, 400)
  t.deepEqual(await (await call('GET', `/v1_0/apiuser/${user}`)).json(), {
    providerCallbackHost: 'a.example',
    targetEnvironment: 'sandbox',
  })
  const keyed = await call('POST', `/v1_0/apiuser/${user}/apikey`, {}, '')
  t.is(keyed.status, 201)
  const { apiKey: made } = (await keyed.json()) as { apiKey: string }
  t.is((await askToken(user, made)).status, 200)
  t.is((await call('GET', `/v1_0/apiuser/${id()}`)).status, 404)
})

test('MoMo: a buyer decides by hand, once', async (t) => {
  const { pay, statusOf, momo } = await setUp(t, { buyer: { does: 'wait' }, reasonAs: 'object' })
  const [yes, no] = [id(), id()]
  await pay(yes)
  await pay(no)
  t.is((await statusOf(yes)).status, 'PENDING')
  await momo.approve(yes)
  await momo.decline(no, 'NOT_ENOUGH_FUNDS')
  t.is((await statusOf(yes)).status, 'SUCCESSFUL')
  t.like(await statusOf(no), { http: 200, status: 'FAILED', reason: { code: 'NOT_ENOUGH_FUNDS' } })
  await t.throwsAsync(momo.approve(yes), { message: /not PENDING/ })
  await t.throwsAsync(momo.approve(id()), { message: /unknown/ })
  t.deepEqual(
    (await momo.charges()).map(({ charged }) => charged),
    [1, 0],
  )
})

test('MoMo: who ignores the question lets it run out', async (t) => {
  const ear = await startEar()
  t.teardown(ear.stop)
  const { pay, payer, statusOf, momo } = await setUp(t, { promptMs: 10, deliverTo: ear.url, callbackMethod: 'POST' })
  await momo.behave('256700000001', { does: 'ignore' })
  const reference = id()
  await pay(reference, payer('256700000001'), { 'X-Callback-Url': callbackUrl })
  const [heard] = await ear.count(1)
  t.is(heard!.method, 'POST')
  t.like(JSON.parse(heard!.body), { status: 'FAILED', reason: 'COULD_NOT_PERFORM_TRANSACTION', externalId: '7' })
  t.is((await statusOf(reference)).status, 'FAILED')
})

test('MoMo: callbacks come twice, late, never, in another order, or lie', async (t) => {
  const ear = await startEar()
  t.teardown(ear.stop)
  const { pay, momo } = await setUp(t, { deliverTo: ear.url })
  const buy = (hook: string) => pay(id(), { externalId: hook }, { 'X-Callback-Url': `http://pay.example.com/${hook}` })
  const paths = () => ear.heard.map(({ path }) => path)

  await momo.set({ callbacks: { way: 'send', lateMs: 5, times: 2 } })
  await buy('twice')
  await momo.callbacksDone()
  t.deepEqual(paths(), ['/twice', '/twice'])
  t.is(ear.heard[0]!.body, ear.heard[1]!.body)

  await momo.set({ callbacks: { way: 'drop', lateMs: 0, times: 1 } })
  await buy('never')
  await momo.set({ callbacks: { way: 'hold', lateMs: 0, times: 1 } })
  await buy('first')
  await buy('second')
  t.is(await momo.release('reversed'), 2)
  t.deepEqual(paths().slice(2), ['/second', '/first'])

  await momo.set({ buyer: { does: 'wait' } })
  const reference = id()
  await pay(reference, {}, { 'X-Callback-Url': callbackUrl })
  await momo.forge(reference)
  t.like(JSON.parse(ear.heard[4]!.body), { status: 'SUCCESSFUL', amount: '500' })
  t.is(ear.heard[4]!.headers.host, 'pay.example.com')
  const charge = (await momo.charges()).find((one) => one.reference === reference)
  t.like(charge, { status: 'PENDING', charged: 0 })
  t.deepEqual(
    (await momo.callbacks()).map(({ forged, status }) => [forged, status]),
    [...Array.from({ length: 4 }, () => [false, 200]), [true, 200]],
  )
})

test('calls fail as they were told to, before or after the work', async (t) => {
  const { pay, momo, statusOf } = await setUp(t)
  const [before, after, answered] = [id(), id(), id()]
  await momo.failNext({ how: 'hang-up', call: 'requesttopay' })
  await t.throwsAsync(pay(before))
  t.is((await statusOf(before)).http, 404)
  await momo.failNext({ how: 'hang-up-after', call: 'requesttopay' })
  await t.throwsAsync(pay(after))
  t.is((await pay(after)).status, 409)
  await momo.failNext({ how: '503-after' })
  t.is((await pay(answered)).status, 503)
  t.is((await statusOf(answered)).status, 'SUCCESSFUL')
  await momo.failNext({ how: '429', times: 2 })
  t.deepEqual([(await pay(before)).status, (await pay(before)).status, (await pay(before)).status], [429, 429, 202])
  await momo.failNext({ how: '503' })
  t.is((await pay(id())).status, 503)
  t.deepEqual(
    (await momo.charges()).map(({ charged }) => charged),
    [1, 1, 1],
  )
})

test('a call that stalls is done, and never answered', async (t) => {
  const { pay, momo, statusOf } = await setUp(t)
  await momo.failNext({ how: 'stall', call: 'requesttopay' })
  const reference = id()
  const asking = pay(reference)
  while ((await statusOf(reference)).http === 404);
  t.is(await Promise.race([asking, statusOf(reference).then(() => 'still nothing')]), 'still nothing')
  await momo.stop()
  await t.throwsAsync(asking)
  t.is((await momo.requests()).find(({ call }) => call === 'requesttopay')!.status, null)
})

test('more calls for a status than are allowed in a second are refused, where a limit is set', async (t) => {
  const { pay, statusOf } = await setUp(t, { statusPerSecond: 2 })
  const reference = id()
  await pay(reference)
  const answers = await Promise.all([1, 2, 3].map(() => statusOf(reference)))
  t.deepEqual(answers.map(({ http }) => http).toSorted(), [200, 200, 429])
})

test('requests are seen with their calls, and without secrets', async (t) => {
  const { pay, momo } = await setUp(t)
  await pay(id())
  const seen = await momo.requests()
  t.deepEqual(
    seen.map(({ call, status }) => [call, status]),
    [
      ['token', 200],
      ['requesttopay', 202],
    ],
  )
  t.false([subscriptionKey, 'Bearer', btoa(`${apiUser}:${apiKey}`)].some((secret) => JSON.stringify(seen).includes(secret)))
})

test('the control is the same over HTTP, and can forget everything', async (t) => {
  const { pay, momo } = await setUp(t)
  const control = controlOf<MomoControl>(momo.url)
  await control.set({ buyer: { does: 'wait' }, delayMs: 1 })
  const reference = id()
  await pay(reference)
  await control.approve(reference)
  t.deepEqual(await control.charges(), await momo.charges())
  await t.throwsAsync(control.approve(reference), { message: /not PENDING/ })
  await t.throwsAsync(control.set({ nonsense: 1 } as never), { message: /nonsense/ })
  t.is((await control.requests()).length, 2)
  await control.reset()
  t.deepEqual([await momo.charges(), await momo.requests()], [[], []])
  t.deepEqual(await control.settings(), momoDefaults)
})
