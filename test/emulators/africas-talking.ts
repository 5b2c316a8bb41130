import { randomBytes } from 'node:crypto'
import type { CallbackPlan } from './callbacks.ts'
import { createGround, startEmulator, type Emulator, type SharedControl, type SharedSettings } from './control.ts'
import type { Answer, Ask } from './http.ts'

export type AfricasTalkingSettings = SharedSettings & {
  /** Always `sandbox` in the sandbox. */
  username: string
  apiKey: string
  /** Names and short codes that may be given as `from`. */
  senderIds: string[]
  /** What numbers without a status of their own get. */
  statusCode: number
  /** Answers 201 with no recipients at all, and these words as the message. */
  emptyRecipients: string | null
  costPerMessage: number
  currency: string
  /** The address for delivery reports set in the dashboard; null: none is set. */
  reportUrl: string | null
  /** The reports of an accepted message, in their order. */
  reports: ReportStatus[]
  /** From one report to the next. */
  reportEveryMs: number
}

export type ReportStatus = 'Sent' | 'Submitted' | 'Buffered' | 'Success' | 'Rejected' | 'Failed'

/** A message to one number. `statusCode` 100 to 102: it was accepted. */
export type SentMessage = { id: string; at: number; to: string; from: string | null; text: string; statusCode: number }

export type AfricasTalkingControl = SharedControl<AfricasTalkingSettings> & {
  /** All messages so far, the oldest first, the refused ones too; of one number when it is given. */
  messages: (to?: string) => Promise<SentMessage[]>
  /** The status code that this number gets from now on; null: like all others. */
  answerFor: (to: string, statusCode: number | null) => Promise<void>
  /** Sends a delivery report by hand, true or not, as the plan for callbacks says. */
  report: (id: string, status: ReportStatus, over?: Record<string, string>) => Promise<void>
}

export const africasTalkingDefaults: AfricasTalkingSettings = {
  username: 'sandbox',
  apiKey: 'at-key',
  senderIds: ['KSWiFi'],
  statusCode: 101,
  emptyRecipients: null,
  costPerMessage: 25,
  currency: 'UGX',
  reportUrl: null,
  reports: ['Success'],
  reportEveryMs: 0,
  delayMs: 0,
  deliverTo: null,
  callbacks: { way: 'send', lateMs: 0, times: 1 },
}

const statusNames: Record<number, string> = {
  100: 'Success',
  101: 'Success',
  102: 'Success',
  401: 'RiskHold',
  402: 'InvalidSenderId',
  403: 'InvalidPhoneNumber',
  404: 'UnsupportedNumberType',
  405: 'InsufficientBalance',
  406: 'UserInBlacklist',
  407: 'CouldNotRoute',
  409: 'DoNotDisturbRejection',
  500: 'InternalServerError',
  501: 'GatewayError',
  502: 'RejectedByGateway',
}

/** Starts an emulator of Africa's Talking: SMS, the account's balance, delivery reports. */
export function startAfricasTalking({
  host = '127.0.0.1',
  port = 0,
  ...options
}: Partial<AfricasTalkingSettings> & { host?: string; port?: number } = {}): Promise<Emulator<AfricasTalkingControl>> {
  const ground = createGround<AfricasTalkingSettings>({ ...africasTalkingDefaults, ...options })
  const { settings, timers, callbacks } = ground
  const messages: SentMessage[] = []
  const scripted = new Map<string, number>()

  return startEmulator<AfricasTalkingSettings, Omit<AfricasTalkingControl, keyof SharedControl<AfricasTalkingSettings>>>({
    host,
    port,
    ground,
    trouble: (status) => plain(status, status === 503 ? 'The server is currently unavailable.' : 'Too many requests.'),
    noRoute: ({ path }) =>
      path === '/version1/messaging'
        ? plain(405, 'HTTP method not allowed, supported methods: POST')
        : plain(404, 'The requested resource could not be found.'),
    routes: () => [
      { call: 'messaging', method: 'POST', path: /^\/version1\/messaging$/, handle: sendMessages },
      { call: 'user', method: 'GET', path: /^\/version1\/user$/, handle: showUser },
    ],
    control: {
      messages: async (to) => structuredClone(messages.filter((message) => to === undefined || message.to === to)),
      answerFor: async (to, statusCode) => void (statusCode === null ? scripted.delete(to) : scripted.set(to, statusCode)),
      async report(id, status, over = {}) {
        const message = messages.find((one) => one.id === id)
        sendReport(id, message?.to ?? '', status, settings.callbacks, over)
      },
    },
    forget() {
      messages.length = 0
      scripted.clear()
    },
  })

  function sendMessages(ask: Ask): Answer {
    if (!ask.headers['content-type']?.startsWith('application/x-www-form-urlencoded')) {
      return plain(415, "The request's Content-Type is not supported. Expected:\napplication/x-www-form-urlencoded or multipart/form-data")
    }
    const form = new URLSearchParams(ask.body)
    const refusal = checkKey(ask, form.get('username'))
    if (refusal) return refusal
    const [to, text, from] = ['to', 'message', 'from'].map((field) => form.get(field))
    if (!to) return plain(400, "Request is missing required form field 'to'")
    if (!text) return plain(400, "Request is missing required form field 'message'")
    if (!['0', '1', null].includes(form.get('bulkSMSMode'))) return plain(400, "The form field 'bulkSMSMode' was malformed")
    if (settings.emptyRecipients !== null) return accepted(ask, settings.emptyRecipients, [])
    if (from && !settings.senderIds.includes(from)) return accepted(ask, 'InvalidSenderId', [])
    const sent = to.split(',').map((number) => take(number.trim(), text, from || null))
    const good = sent.filter(isAccepted)
    const cost = `${settings.currency} ${(good.length * settings.costPerMessage).toFixed(4)}`
    for (const message of good) void reportOn(message)
    return accepted(ask, `Sent to ${good.length}/${sent.length} Total Cost: ${cost}`, sent)
  }

  function showUser(ask: Ask): Answer {
    const balance = `${settings.currency} 1785.5000`
    return checkKey(ask, ask.query.get('username')) ?? { status: 200, body: { UserData: { balance } } }
  }

  function checkKey({ headers }: Ask, username: string | null): Answer | null {
    if (!headers.apikey) return plain(401, 'The resource requires authentication, which was not supplied with the request')
    if (!username) return plain(400, "Request is missing required form field 'username'")
    const isRight = headers.apikey === settings.apiKey && username === settings.username
    return isRight ? null : plain(401, 'The supplied authentication is invalid')
  }

  function take(to: string, text: string, from: string | null): SentMessage {
    const isNumber = /^\+[1-9]\d{6,14}$/.test(to)
    const statusCode = isNumber ? (scripted.get(to) ?? settings.statusCode) : 403
    const message = { id: `ATXid_${randomBytes(16).toString('hex')}`, at: Date.now(), to, from, text, statusCode }
    messages.push(message)
    return message
  }

  function accepted(ask: Ask, words: string, sent: SentMessage[]): Answer {
    const recipients = sent.map((message) => ({
      statusCode: message.statusCode,
      number: message.to,
      status: statusNames[message.statusCode] ?? 'Unknown',
      cost: isAccepted(message) ? `${settings.currency} ${settings.costPerMessage.toFixed(4)}` : '0',
      messageId: isAccepted(message) ? message.id : 'None',
    }))
    if (ask.headers.accept?.includes('application/json')) {
      return { status: 201, body: { SMSMessageData: { Message: words, Recipients: recipients } } }
    }
    return { status: 201, type: 'application/xml; charset=utf-8', body: asXml(words, recipients) }
  }

  async function reportOn(message: SentMessage): Promise<void> {
    for (const status of settings.reports) {
      // Never in the same breath: whoever sent it knows the id before a report comes.
      if (!(await timers.wait(settings.reportEveryMs))) return
      sendReport(message.id, message.to, status, settings.callbacks)
    }
  }

  function sendReport(id: string, phoneNumber: string, status: ReportStatus, plan: CallbackPlan, over: Record<string, string> = {}): void {
    if (settings.reportUrl === null) return
    const failure = status === 'Failed' || status === 'Rejected' ? { failureReason: 'DeliveryFailure' } : {}
    const fields = { id, status, phoneNumber, networkCode: '64110', retryCount: '0', ...failure, ...over }
    const headers = { 'content-type': 'application/x-www-form-urlencoded' }
    const body = new URLSearchParams(fields).toString()
    callbacks.send({ about: id, url: settings.reportUrl, method: 'POST', headers, body }, plan)
  }
}

function isAccepted({ statusCode }: SentMessage): boolean {
  return statusCode >= 100 && statusCode <= 102
}

function plain(status: number, body: string): Answer {
  return { status, body }
}

/** For those who do not ask for JSON. (The shape is from memory: unverified.) */
function asXml(words: string, recipients: Record<string, string | number>[]): string {
  const field = (name: string, value: string | number) =>
    `<${name}>${String(value).replace(/[&<>]/g, (sign) => `&#${sign.charCodeAt(0)};`)}</${name}>`
  const list = recipients.map(
    (one) =>
      `<Recipient>${Object.entries(one)
        .map(([name, value]) => field(name, value))
        .join('')}</Recipient>`,
  )
  const data = `${field('Message', words)}<Recipients>${list.join('')}</Recipients>`
  return `<?xml version="1.0" encoding="UTF-8"?><AfricasTalkingResponse><SMSMessageData>${data}</SMSMessageData></AfricasTalkingResponse>`
}
