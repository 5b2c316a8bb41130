import { askOutside, fieldsOf, isAskersFault, type Answer, type Fetch, type Question } from '../../outside.ts'
import { SmsTrouble } from '../trouble.ts'

const company = "Africa's Talking"

type Values = Record<string, string>
type Needs = { account: () => Promise<Values>; fetch: Fetch }

/** What is the account's fault, by statusCode of the recipient. */
const oursToMend: Record<number, string> = {
  401: 'holds the message back as a risk (RiskHold)',
  402: 'does not know the sender (InvalidSenderId)',
  405: 'has no credit left (InsufficientBalance)',
}

/** What is the number's fault. 409 is in one copy of the table only. */
const forTheUser: Record<number, string> = {
  403: 'This number is not right. Check it, and try again.',
  404: 'This kind of number cannot get our messages. Use a mobile number.',
  406: 'This number refuses messages from our sender. Use another number, or ask the staff.',
  409: 'This number refuses messages like ours (do not disturb). Use another number, or ask the staff.',
}

/**
 * Africa's Talking, bulk SMS. It has no key for "the same message again": nothing here is ever sent twice by itself.
 *
 * Source: docs.africastalking.com/sms/sending, /userdata/balance; github AfricasTalkingLtd/africastalking-node.js.
 */
export function createAfricasTalking({ account, fetch }: Needs) {
  async function ask(path: string, question: Question): Promise<Answer> {
    const { baseUrl, apiKey = '' } = await account()
    try {
      // Without Accept it is said to answer in XML.
      return await askOutside(fetch, `${baseUrl}${path}`, {
        ...question,
        headers: { apiKey, Accept: 'application/json', ...question.headers },
      })
    } catch (error) {
      throw new SmsTrouble(`${company} ${(error as Error).message}.`, { cause: error })
    }
  }

  return {
    /** @throws SmsTrouble */
    async send(phone: string, text: string): Promise<{ messageId: string }> {
      const { username = '', senderId } = await account()
      const form = new URLSearchParams({ username, to: `+${phone}`, message: text, bulkSMSMode: '1' })
      if (senderId) form.set('from', senderId)
      const answer = await ask('/version1/messaging', {
        method: 'POST',
        headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
        body: form.toString(),
      })
      // 201 by its documentation; 200 has been seen as well.
      if (answer.status !== 201 && answer.status !== 200) throw troubleOf(answer)
      return sentOf(answer)
    },

    /** @throws SmsTrouble */
    async test(): Promise<string> {
      const { username = '' } = await account()
      const answer = await ask(`/version1/user?username=${encodeURIComponent(username)}`, { method: 'GET' })
      if (answer.status !== 200) throw troubleOf(answer)
      const { UserData, userData } = fieldsOf(answer.json)
      const { balance } = fieldsOf(UserData ?? userData)
      return `${company} accepts the key${typeof balance === 'string' ? `. Credit: ${balance.trim()}` : ''}.`
    },
  }
}

/** 201 does not mean that it was sent: what counts is said for the recipient. */
function sentOf({ json, status: httpStatus }: Answer): { messageId: string } {
  if (json === undefined)
    throw new SmsTrouble(`${company} answered ${httpStatus}, but nothing that can be read. The message may have been sent.`)
  const { Message: message, Recipients: recipients } = fieldsOf(fieldsOf(json)['SMSMessageData'])
  const recipient = Array.isArray(recipients) && recipients.length > 0 ? fieldsOf(recipients[0]) : undefined
  // Nobody was written to, and the reason is a text such as InvalidSenderId.
  if (!recipient) throw new SmsTrouble(`${company} sent nothing: ${String(message ?? 'without a reason').slice(0, 200)}.`, { isOurs: true })
  const { statusCode, status, messageId } = recipient
  const code = Number(statusCode)
  // Processed, sent, queued.
  if (code >= 100 && code <= 102) return { messageId: String(messageId ?? '') }
  const ours = oursToMend[code]
  if (ours) throw new SmsTrouble(`${company} ${ours}.`, { isOurs: true })
  const forUser = forTheUser[code]
  throw new SmsTrouble(`${company} did not send it: ${code} ${String(status ?? '')}.`, forUser ? { forUser } : {})
}

/** Errors are plain text, not JSON. */
function troubleOf({ status, text }: Answer): SmsTrouble {
  if (status === 401) return new SmsTrouble(`${company} does not accept user name and key. Enter them again.`, { isOurs: true })
  const isOurs = isAskersFault(status)
  return new SmsTrouble(`${company} answered ${status} (${text.replace(/\s+/g, ' ').trim().slice(0, 120)}).`, { isOurs })
}
