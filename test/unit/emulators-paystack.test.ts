import { createHmac } from 'node:crypto'
import test, { type ExecutionContext } from 'ava'
import { startEar } from '#test/emulators/ear.ts'
import { paystackDefaults, startPaystack, type PaystackSettings } from '#test/emulators/paystack.ts'
import { sign } from '#test/emulators/paystack-shapes.ts'

const { secretKey } = paystackDefaults

async function setUp(t: ExecutionContext, options: Partial<PaystackSettings> = {}) {
  const paystack = await startPaystack(options)
  t.teardown(paystack.stop)
  const call = async (method: string, path: string, body?: unknown, headers: Record<string, string> = {}) => {
    const auth = { Authorization: `Bearer ${options.secretKey ?? secretKey}`, 'Content-Type': 'application/json' }
    const answer = await fetch(paystack.url + path, {
      method,
      headers: { ...auth, ...headers },
      ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    })
    const text = await answer.text()
    const read = JSON.parse(text) as { status: boolean; message: string; code?: string; data: Record<string, unknown> }
    return { http: answer.status, text, ...read }
  }
  const order = { email: 'guest@example.com', amount: 50_000, currency: 'NGN' }
  const initialize = (over: object = {}, headers = {}) => call('POST', '/transaction/initialize', { ...order, ...over }, headers)
  const verify = async (reference: string) => (await call('GET', `/transaction/verify/${reference}`)).data
  const press = (url: unknown, action: string) =>
    fetch(String(url), { method: 'POST', body: new URLSearchParams({ action }), redirect: 'manual' })
  return { paystack, call, initialize, verify, press, order }
}

test('Paystack: a key that is missing or wrong is refused', async (t) => {
  const { call, paystack, initialize } = await setUp(t)
  t.like(await initialize({}, { Authorization: 'Bearer sk_test_wrong' }), { http: 401, status: false, message: 'Invalid key' })
  const bare = await fetch(`${paystack.url}/transaction/initialize`, { method: 'POST' })
  t.is(bare.status, 401)
  await paystack.set({ badKeyStatus: 400 })
  t.like(await call('GET', '/balance', undefined, { Authorization: 'Bearer x' }), { http: 400, message: 'Invalid key' })
})

test('Paystack: what is malformed is refused, and no transaction made', async (t) => {
  const { initialize, paystack, call } = await setUp(t)
  const codes = await Promise.all(
    [
      { email: undefined },
      { amount: undefined },
      { email: 'guest' },
      { email: 'guest@localhost' },
      { amount: 500.5 },
      { amount: '5e3' },
      { amount: 0 },
      { amount: -1 },
      { currency: 'UGX' },
      { reference: 'a b' },
      { reference: 'a_b' },
      { channels: ['cash'] },
      { callback_url: 'ftp://x' },
    ].map(async (over) => {
      const { http, code } = await initialize(over)
      return `${http} ${code}`
    }),
  )
  t.deepEqual(codes, [
    '400 missing_params',
    '400 missing_params',
    '400 invalid_email_address',
    '400 invalid_email_address',
    '400 invalid_amount',
    '400 invalid_amount',
    '400 invalid_amount',
    '400 invalid_amount',
    '403 unsupported_currency',
    '400 invalid_params',
    '400 invalid_params',
    '400 invalid_params',
    '400 invalid_params',
  ])
  t.is((await call('POST', '/transaction/initialize', '{"email"')).http, 400)
  t.deepEqual(await paystack.charges(), [])
})

test('Paystack: a reference is good once', async (t) => {
  const { initialize, call, paystack } = await setUp(t)
  const reference = crypto.randomUUID()
  t.like(await initialize({ reference }), { http: 200, message: 'Authorization URL created', data: { reference } })
  t.like(await initialize({ reference }), { http: 400, code: 'duplicate_reference', message: 'Duplicate Transaction Reference' })
  t.like(await call('GET', '/transaction/verify/nobody'), { http: 400, status: false })
  await paystack.set({ unknownReferenceStatus: 404 })
  t.is((await call('GET', '/transaction/verify/nobody')).http, 404)
  t.like((await paystack.charges())[0], { timesAsked: 2, charged: 0 })
})

test('Paystack: a form is as good as JSON', async (t) => {
  const { call } = await setUp(t)
  const form = 'email=guest%40example.com&amount=50000&reference=F1'
  const answer = await call('POST', '/transaction/initialize', form, { 'Content-Type': 'application/x-www-form-urlencoded' })
  t.like(answer, { http: 200, data: { reference: 'F1' } })
})

test('Paystack: on the page one pays, fails, abandons or comes back later', async (t) => {
  const { initialize, verify, press, paystack } = await setUp(t)
  const callback_url = 'http://box.example.com/paid?x=1'
  const open = async (reference: string, metadata?: object) =>
    (await initialize({ reference, callback_url, metadata })).data.authorization_url as string

  const page = await open('R1')
  t.true(page.startsWith(`${paystack.url}/checkout/`))
  t.regex(await (await fetch(page)).text(), /NGN 500\.00/)
  t.like(await verify('R1'), { status: 'abandoned', paid_at: null })
  const later = await press(page, 'later')
  t.is(later.headers.get('location'), `${callback_url}&trxref=R1&reference=R1`)
  t.like(await verify('R1'), { status: 'abandoned' })
  const paid = await press(page, 'success')
  t.is(paid.headers.get('location'), `${callback_url}&trxref=R1&reference=R1`)
  t.like(await verify('R1'), { status: 'success', amount: 50_000, requested_amount: 50_000, currency: 'NGN', domain: 'test' })
  await press(page, 'success')
  t.is((await paystack.charges())[0]!.charged, 1)

  const failing = await open('R2')
  t.regex(await (await press(failing, 'fail')).text(), /Declined/)
  t.like(await verify('R2'), { status: 'failed', gateway_response: 'Declined' })

  const left = await open('R3', { cancel_action: 'http://box.example.com/left' })
  t.is((await press(left, 'abandon')).headers.get('location'), 'http://box.example.com/left')
  t.like(await verify('R3'), { status: 'abandoned' })
  await press(left, 'success')
  t.like(await verify('R3'), { status: 'success' })
  t.is((await fetch(`${paystack.url}/checkout/nobody`)).status, 404)
})

test('Paystack: metadata, fees and ids come back in their awkward forms', async (t) => {
  const { initialize, verify, paystack, call } = await setUp(t, { firstId: '9007199254740993', customerFee: 750 })
  await initialize({ reference: 'R1', metadata: { number: 7 } })
  t.like(await verify('R1'), { metadata: { number: 7 }, amount: 50_750, requested_amount: 50_000 })
  t.regex((await call('GET', '/transaction/verify/R1')).text, /"id":9007199254740993,/)
  await paystack.set({ metadataAs: 'empty' })
  t.is((await verify('R1')).metadata, '')
  await paystack.set({ metadataAs: 'number' })
  t.is((await verify('R1')).metadata, 0)
})

test('Paystack: a webhook is signed over its raw bytes, and tried again until 200', async (t) => {
  const ear = await startEar({ answers: [500, 302] })
  t.teardown(ear.stop)
  const { initialize, paystack } = await setUp(t, { webhookUrl: `${ear.url}/hook`, retriesMs: [1, 1, 1, 1] })
  await initialize({ reference: 'R1' })
  await paystack.approve('R1')
  const heard = await ear.count(3)
  for (const { headers, body } of heard) {
    t.is(headers['x-paystack-signature'], createHmac('sha512', secretKey).update(body).digest('hex'))
    t.like(JSON.parse(body), { event: 'charge.success', data: { reference: 'R1', status: 'success', amount: 50_000 } })
  }
  await initialize({ reference: 'R2' })
  await paystack.approve('R2')
  t.is(JSON.parse((await ear.count(4))[3]!.body).data.reference, 'R2')
})

test('Paystack: the published signature comes out', (t) => {
  const vector =
    '1b6736caddce67bde1a5d7e17fb88971cf7fb2ccaa8dc281886140e4d75b7ad50b3e3febb26f0672641fe821880299b026facdd83ac0dcd05d88c4c67cbf4268'
  t.is(sign('{"event":"charge.success","data":{"reference":"T1","amount":5000}}', 'sk_test_dummy'), vector)
})

test('Paystack: a lie is unsigned, signed by somebody else, or rightly signed', async (t) => {
  const ear = await startEar()
  t.teardown(ear.stop)
  const { initialize, paystack, verify } = await setUp(t, { webhookUrl: ear.url })
  await initialize({ reference: 'R1' })
  for (const signed of ['not', 'wrongly', 'rightly'] as const) await paystack.forge('R1', { signed })
  const signatures = ear.heard.map(({ headers, body }) => [headers['x-paystack-signature'] ?? null, sign(body, secretKey)])
  t.is(signatures[0]![0], null)
  t.not(signatures[1]![0], signatures[1]![1]!)
  t.is(signatures[2]![0], signatures[2]![1]!)
  t.like(JSON.parse(ear.heard[0]!.body), { data: { status: 'success' } })
  t.like(await verify('R1'), { status: 'abandoned' })
})

test('Paystack: a refund is pending, then processed, and never more than was paid', async (t) => {
  const ear = await startEar()
  t.teardown(ear.stop)
  const { initialize, paystack, call, verify } = await setUp(t, { webhookUrl: ear.url, refunds: { does: 'wait', afterMs: 0 } })
  const refund = (body: object) => call('POST', '/refund', body)
  await initialize({ reference: 'R1' })
  t.is((await refund({ transaction: 'R1' })).http, 400)
  await paystack.approve('R1')
  t.like(await refund({}), { http: 400, code: 'missing_params' })
  t.like(await refund({ transaction: 'nobody' }), { http: 404 })
  t.like(await refund({ transaction: 'R1', amount: 50_001 }), { http: 400 })
  t.like(await refund({ transaction: 'R1', amount: 1.5 }), { http: 400, code: 'invalid_amount' })
  await paystack.callbacksDone()

  await paystack.set({ callbacks: { way: 'hold', lateMs: 0, times: 1 } })
  const first = await refund({ transaction: 'R1' })
  t.like(first, { http: 200, data: { status: 'pending', amount: 50_000 } })
  t.like(await refund({ transaction: 'R1' }), { http: 400, code: 'transaction_reversed' })
  const id = String(first.data.id)
  t.like((await call('GET', `/refund/${id}`)).data, { status: 'pending' })
  await paystack.settleRefund(id)
  t.like((await call('GET', `/refund/${id}`)).data, { status: 'processed' })
  t.is((await call('GET', '/refund?transaction=R1')).data.length, 1)
  t.is((await call('GET', '/refund/1')).http, 404)
  t.like(await verify('R1'), { status: 'reversed' })
  t.like((await paystack.charges())[0], { charged: 1, refunded: 50_000 })

  await paystack.release('reversed')
  const events = ear.heard.slice(1).map(({ body }) => JSON.parse(body) as { event: string; data: object })
  t.deepEqual(
    events.map(({ event }) => event),
    ['refund.processed', 'refund.processing', 'refund.pending'],
  )
  t.like(events[0]!.data, { transaction_reference: 'R1', amount: '50000' })
})

test('Paystack: refunds settle by themselves, or fail', async (t) => {
  const ear = await startEar()
  t.teardown(ear.stop)
  const { initialize, paystack, call } = await setUp(t, { webhookUrl: ear.url, buyer: { does: 'approve' } })
  await initialize({ reference: 'R1' })
  const done = await call('POST', '/refund', { transaction: 'R1', amount: 20_000 })
  await ear.count(4)
  t.like((await call('GET', `/refund/${String(done.data.id)}`)).data, { status: 'processed', amount: 20_000 })
  await paystack.set({ refunds: { does: 'fail', afterMs: 0 } })
  const failed = await call('POST', '/refund', { transaction: 'R1' })
  await ear.count(7)
  t.like((await call('GET', `/refund/${String(failed.data.id)}`)).data, { status: 'failed', amount: 30_000 })
  t.like((await paystack.charges())[0], { refunded: 20_000, state: 'success' })
})

test('Paystack: mobile money is asked for on the phone', async (t) => {
  const { call, order, verify, paystack } = await setUp(t)
  const charge = (phone: string, provider: string, reference: string, currency = 'GHS') =>
    call('POST', '/charge', { ...order, currency, reference, mobile_money: { phone, provider } })
  t.like(await charge('0551234987', 'mtn', 'M1'), { http: 200, data: { status: 'pay_offline', reference: 'M1' } })
  t.like((await call('GET', '/charge/M1')).data, { status: 'pending' })
  t.like(await verify('M1'), { status: 'ongoing' })
  await paystack.approve('M1')
  t.like((await call('GET', '/charge/M1')).data, { status: 'success', channel: 'mobile_money' })

  t.like((await charge('0551234987', 'VOD', 'M2')).data, { status: 'send_otp' })
  t.is((await call('POST', '/charge/submit_otp', { otp: '000000', reference: 'M2' })).http, 400)
  await paystack.behave('0551234987', { does: 'approve' })
  t.like((await call('POST', '/charge/submit_otp', { otp: '123456', reference: 'M2' })).data, { status: 'success' })

  t.like((await charge('0241234567', 'mtn', 'M3')).data, { status: 'failed' })
  t.is((await charge('0551234987', 'mpesa', 'M4')).http, 400)
  t.is((await charge('0551234987', 'mtn', 'M5', 'NGN')).http, 400)
  t.is((await charge('call me', 'mtn', 'M6')).http, 400)

  const live = await setUp(t, { secretKey: 'sk_live_emulator', buyer: { does: 'decline', reason: 'Insufficient funds' } })
  const mobile_money = { phone: '0241234567', provider: 'mtn' }
  const answer = await live.call('POST', '/charge', { ...order, currency: 'GHS', mobile_money })
  t.like(answer.data, { status: 'failed', domain: 'live', gateway_response: 'Insufficient funds' })
})
