import test, { type ExecutionContext } from 'ava'
import { africasTalkingDefaults, startAfricasTalking, type AfricasTalkingSettings } from '#test/emulators/africas-talking.ts'
import { startEar } from '#test/emulators/ear.ts'

const { apiKey } = africasTalkingDefaults
const to = '+256771234567'

type Recipient = { statusCode: number; number: string; status: string; cost: string; messageId: string }

async function setUp(t: ExecutionContext, options: Partial<AfricasTalkingSettings> = {}) {
  const at = await startAfricasTalking(options)
  t.teardown(at.stop)
  const send = async (fields: Record<string, string>, headers: Record<string, string> = {}) => {
    const answer = await fetch(`${at.url}/version1/messaging`, {
      method: 'POST',
      headers: { apiKey, Accept: 'application/json', ...headers },
      body: new URLSearchParams({ username: 'sandbox', to, message: '123456 is your code', bulkSMSMode: '1', ...fields }),
    })
    return { status: answer.status, type: answer.headers.get('content-type') ?? '', text: await answer.text() }
  }
  const read = (text: string) => (JSON.parse(text) as { SMSMessageData: { Message: string; Recipients: Recipient[] } }).SMSMessageData
  return { at, send, read }
}

test("Africa's Talking: a message is taken with 201, and its text can be read", async (t) => {
  const { at, send, read } = await setUp(t)
  const { status, text } = await send({ from: 'KSWiFi' })
  t.is(status, 201)
  t.is(read(text).Message, 'Sent to 1/1 Total Cost: UGX 25.0000')
  const [recipient] = read(text).Recipients
  t.like(recipient, { statusCode: 101, number: to, status: 'Success', cost: 'UGX 25.0000' })
  t.like((await at.messages(to))[0], { id: recipient!.messageId, text: '123456 is your code', from: 'KSWiFi' })
  t.deepEqual(await at.messages('+256770000000'), [])
})

test("Africa's Talking: refusals are plain text", async (t) => {
  const { at, send } = await setUp(t)
  const wrong = { status: 401, text: 'The supplied authentication is invalid' }
  t.like(await send({}, { apiKey: 'wrong' }), wrong)
  t.like(await send({ username: 'me' }), wrong)
  t.is((await send({}, { apiKey: '' })).status, 401)
  const empty = await send({ message: '' })
  t.like(empty, { status: 400, text: "Request is missing required form field 'message'" })
  t.true(empty.type.startsWith('text/plain'))
  t.is((await send({ to: '' })).status, 400)
  t.is((await send({ username: '' })).status, 400)
  t.is((await send({ bulkSMSMode: 'yes' })).status, 400)
  const url = `${at.url}/version1/messaging`
  const json = await fetch(url, { method: 'POST', headers: { apiKey, 'Content-Type': 'application/json' }, body: JSON.stringify({ to }) })
  t.is(json.status, 415)
  t.is((await fetch(url, { headers: { apiKey } })).status, 405)
  t.is((await fetch(`${at.url}/version2/messaging`, { headers: { apiKey } })).status, 404)
  t.deepEqual(await at.messages(), [])
})

test("Africa's Talking: 201 does not mean that it was sent", async (t) => {
  const { at, send, read } = await setUp(t)
  await at.answerFor('+256770000006', 406)
  const { status, text } = await send({ to: `${to},+256770000006,0771234567` })
  t.is(status, 201)
  t.deepEqual(
    read(text).Recipients.map((one) => [one.statusCode, one.status, one.cost]),
    [
      [101, 'Success', 'UGX 25.0000'],
      [406, 'UserInBlacklist', '0'],
      [403, 'InvalidPhoneNumber', '0'],
    ],
  )
  t.is(read(text).Message, 'Sent to 1/3 Total Cost: UGX 25.0000')
  t.deepEqual(read((await send({ from: 'Nobody' })).text), { Message: 'InvalidSenderId', Recipients: [] })
  await at.set({ emptyRecipients: 'InsufficientBalance' })
  t.like(await send({}), { status: 201 })
  t.deepEqual(read((await send({})).text), { Message: 'InsufficientBalance', Recipients: [] })
})

test("Africa's Talking: who does not ask for JSON gets XML", async (t) => {
  const { send } = await setUp(t)
  const { status, text } = await send({}, { Accept: '*/*' })
  t.is(status, 201)
  t.regex(text, /<statusCode>101<\/statusCode>/)
})

test("Africa's Talking: trouble is plain text, and a hang-up after the work leaves the message sent", async (t) => {
  const { at, send } = await setUp(t)
  await at.failNext({ how: '503' })
  const refused = await send({})
  t.is(refused.status, 503)
  t.true(refused.type.startsWith('text/plain'))
  await at.failNext({ how: 'hang-up-after' })
  await t.throwsAsync(send({}))
  t.is((await at.messages()).length, 1)
})

test("Africa's Talking: delivery reports are forms, and come twice or in another order", async (t) => {
  const ear = await startEar()
  t.teardown(ear.stop)
  const { at, send, read } = await setUp(t, { reportUrl: `${ear.url}/report`, reports: ['Sent', 'Success'] })
  const { messageId } = read((await send({})).text).Recipients[0]!
  const sent = (await ear.count(2)).find(({ body }) => body.includes('status=Sent'))
  t.true(String(sent!.headers['content-type']).startsWith('application/x-www-form-urlencoded'))
  t.like(Object.fromEntries(new URLSearchParams(sent!.body)), { id: messageId, status: 'Sent', phoneNumber: to, retryCount: '0' })

  await at.set({ callbacks: { way: 'hold', lateMs: 0, times: 2 } })
  await at.report(messageId, 'Buffered')
  await at.report(messageId, 'Failed', { failureReason: 'UserDoesNotExist' })
  await at.release('reversed')
  const fields = ear.heard.slice(2).map(({ body }) => new URLSearchParams(body))
  t.deepEqual(
    fields.map((one) => [one.get('status'), one.get('failureReason')]),
    [
      ['Failed', 'UserDoesNotExist'],
      ['Failed', 'UserDoesNotExist'],
      ['Buffered', null],
      ['Buffered', null],
    ],
  )
})

test("Africa's Talking: the balance tells whether the account works", async (t) => {
  const { at } = await setUp(t)
  const ask = (username: string) =>
    fetch(`${at.url}/version1/user?username=${username}`, { headers: { apiKey, Accept: 'application/json' } })
  t.like(await (await ask('sandbox')).json(), { UserData: { balance: 'UGX 1785.5000' } })
  t.is((await ask('other')).status, 401)
})
