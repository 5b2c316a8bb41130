import test, { type ExecutionContext } from 'ava'
import { createSms } from '#server/sms/sms.ts'
import { SmsTrouble } from '#server/sms/trouble.ts'
import { africasTalkingDefaults, startAfricasTalking, type AfricasTalkingSettings } from '#test/emulators/africas-talking.ts'

async function setUp(t: ExecutionContext, settings: Partial<AfricasTalkingSettings> = {}) {
  const company = await startAfricasTalking(settings)
  t.teardown(() => company.stop())
  const { username, apiKey } = africasTalkingDefaults
  const account = { enabled: true, ready: true, missing: [] as string[], values: { baseUrl: company.url, username, apiKey, senderId: '' } }
  const sms = createSms({ accounts: { read: async () => account } })
  return { company, account, sms }
}

const phone = '256771234567'
const text = '123456 is your code for KSWiFi.'

const troubleOf = async (t: ExecutionContext, work: Promise<unknown>) =>
  (await t.throwsAsync(work, { instanceOf: SmsTrouble })) as SmsTrouble

test('a message is sent once, to the international number', async (t) => {
  const { company, sms } = await setUp(t)
  const { messageId } = await sms.send(phone, text)
  const messages = await company.messages()
  t.is(messages.length, 1)
  t.like(messages[0], { id: messageId, to: `+${phone}`, text, from: null })
  t.is(await sms.trouble(), null)
})

test("the owner's sender is named, and one that is not registered is ours to mend", async (t) => {
  const { company, sms, account } = await setUp(t)
  account.values.senderId = 'KSWiFi'
  await sms.send(phone, text)
  t.is((await company.messages())[0]?.from, 'KSWiFi')
  account.values.senderId = 'Somebody'
  const trouble = await troubleOf(t, sms.send(phone, text))
  t.true(trouble.isOurs)
  t.regex(trouble.message, /InvalidSenderId/)
  t.is(await sms.trouble(), trouble.message)
})

for (const statusCode of [100, 101, 102]) {
  test(`${statusCode} is accepted`, async (t) => {
    const { sms } = await setUp(t, { statusCode })
    t.regex((await sms.send(phone, text)).messageId, /^ATXid_/)
  })
}

for (const statusCode of [401, 402, 405]) {
  test(`${statusCode} is the account's fault, though the answer is 201`, async (t) => {
    const { sms, company } = await setUp(t, { statusCode })
    const trouble = await troubleOf(t, sms.send(phone, text))
    t.true(trouble.isOurs)
    t.regex(trouble.forUser, /staff/)
    t.is(await sms.trouble(), trouble.message)
    await company.answerFor(`+${phone}`, 101)
    await sms.send(phone, text)
    t.is(await sms.trouble(), null, 'it works again')
  })
}

for (const statusCode of [403, 404, 406, 409]) {
  test(`${statusCode} is the number's fault, and its owner is told`, async (t) => {
    const { sms } = await setUp(t, { statusCode })
    const trouble = await troubleOf(t, sms.send(phone, text))
    t.false(trouble.isOurs)
    t.regex(trouble.forUser, /number/)
    t.is(await sms.trouble(), null)
  })
}

for (const statusCode of [407, 500, 501, 502]) {
  test(`${statusCode} is nobody's fault: another code may be asked for later`, async (t) => {
    const { sms, company } = await setUp(t, { statusCode })
    const trouble = await troubleOf(t, sms.send(phone, text))
    t.false(trouble.isOurs)
    t.regex(trouble.forUser, /ask for another code/)
    t.is((await company.messages()).length, 1)
  })
}

test('an answer that was lost is not asked for again by itself', async (t) => {
  const { sms, company } = await setUp(t)
  for (const how of ['hang-up-after', '503-after', '503', '429'] as const) {
    await company.failNext({ how, call: 'messaging' })
    t.false((await troubleOf(t, sms.send(phone, text))).isOurs, how)
  }
  t.is((await company.requests()).length, 4)
})

test('a key that is wrong is ours to mend, and is not in the words', async (t) => {
  const { sms, account } = await setUp(t)
  account.values.apiKey = 'at-other'
  const trouble = await troubleOf(t, sms.send(phone, text))
  t.true(trouble.isOurs)
  t.false(trouble.message.includes('at-other'))
  const tried = await sms.test()
  t.false(tried.ok)
  t.regex(tried.words, /user name and key/)
})

test('the test of the account sends nothing and tells the credit', async (t) => {
  const { sms, company } = await setUp(t)
  t.deepEqual(await sms.test(), { ok: true, words: "Africa's Talking accepts the key. Credit: UGX 1785.5000." })
  t.is((await company.messages()).length, 0)
})

test('nothing is sent as long as something is missing', async (t) => {
  const { sms, account, company } = await setUp(t)
  Object.assign(account, { ready: false, missing: ['API key'] })
  t.false(await sms.isOn())
  t.true((await troubleOf(t, sms.send(phone, text))).isOurs)
  t.regex((await sms.test()).words, /API key/)
  t.is((await company.requests()).length, 0)
  Object.assign(account, { enabled: false })
  t.is(await sms.trouble(), null, 'nobody wants it')
})
