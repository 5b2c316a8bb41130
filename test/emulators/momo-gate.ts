import { randomBytes } from 'node:crypto'
import { type Answer, type Ask, readJson, type Route } from './http.ts'
import { duplicate, gatewayError, notFound, wrongTarget } from './momo-errors.ts'
import type { MomoSettings } from './momo-settings.ts'

type User = { callbackHost: string; apiKey: string | null }

const uuid4 = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/i

/** A version 4 UUID, as MTN wants each reference to be. */
export function isUuid4(value: string): boolean {
  return uuid4.test(value)
}

/** Who may call: product keys, API users with their keys, and tokens. `settings` may change while it runs. */
export function createMomoGate({ settings }: { settings: MomoSettings }) {
  const tokens = new Map<string, { user: string; until: number }>()
  const users = new Map<string, User>()
  const routes: Route[] = [
    { call: 'provision', method: 'POST', path: /^\/v1_0\/apiuser$/, handle: createUser },
    { call: 'user', method: 'GET', path: /^\/v1_0\/apiuser\/([^/]+)$/, handle: showUser },
    { call: 'key', method: 'POST', path: /^\/v1_0\/apiuser\/([^/]+)\/apikey$/, handle: createKey },
    { call: 'token', method: 'POST', path: /^\/collection\/token\/?$/, handle: giveToken },
  ]
  return {
    routes,
    /** What is looked at in each call, in this order: product key, token, target. Null: it may pass. */
    checkCall,
    /** The providerCallbackHost of the API user whose token the call holds. */
    callbackHostOf: (ask: Ask) => userOf(tokenOf(ask)?.user ?? '')?.callbackHost ?? null,
    expireTokens: () => tokens.clear(),
    forget() {
      tokens.clear()
      users.clear()
    },
  }

  function createUser(ask: Ask): Answer {
    const refusal = checkKey(ask) ?? checkSandbox()
    if (refusal) return refusal
    const id = ask.headers['x-reference-id'] ?? ''
    const callbackHost = readJson(ask)?.providerCallbackHost
    if (!isUuid4(id) || typeof callbackHost !== 'string' || !/^[\w.-]+$/.test(callbackHost)) return { status: 400 }
    if (userOf(id)) return duplicate
    users.set(id, { callbackHost, apiKey: null })
    return { status: 201 }
  }

  function showUser(ask: Ask): Answer {
    const refusal = checkKey(ask) ?? checkSandbox()
    if (refusal) return refusal
    const user = userOf(ask.parts[0]!)
    if (!user) return notFound
    return { status: 200, body: { providerCallbackHost: user.callbackHost, targetEnvironment: 'sandbox' } }
  }

  function createKey(ask: Ask): Answer {
    const refusal = checkKey(ask) ?? checkSandbox()
    if (refusal) return refusal
    if (ask.headers['content-length'] === undefined) return { status: 411 }
    const user = userOf(ask.parts[0]!)
    if (!user) return notFound
    const apiKey = randomBytes(16).toString('hex')
    users.set(ask.parts[0]!, { ...user, apiKey })
    return { status: 201, body: { apiKey } }
  }

  function giveToken(ask: Ask): Answer {
    const refusal = checkKey(ask)
    if (refusal) return refusal
    const [, basic] = /^Basic (.+)$/.exec(ask.headers.authorization ?? '') ?? []
    const [id, apiKey] = Buffer.from(basic ?? '', 'base64')
      .toString('utf8')
      .split(':')
    const user = userOf(id ?? '')
    if (!user?.apiKey || user.apiKey !== apiKey) return { status: 401, body: { error: 'login_failed' } }
    const token = ['{"typ":"JWT","alg":"RS256"}', `{"clientId":"${id}"}`].map((part) => Buffer.from(part).toString('base64url'))
    const access_token = [...token, randomBytes(32).toString('base64url')].join('.')
    tokens.set(access_token, { user: id!, until: Date.now() + settings.tokenLifeMs })
    return { status: 200, body: { access_token, token_type: 'access_token', expires_in: Math.floor(settings.tokenLifeMs / 1000) } }
  }

  function checkCall(ask: Ask): Answer | null {
    const refusal = checkKey(ask)
    if (refusal) return refusal
    const token = tokenOf(ask)
    if (!token || token.until <= Date.now()) return gatewayError(401, 'Unauthorized. Access token is missing or invalid.')
    const target = ask.headers['x-target-environment']
    if (!target) return { status: 400 }
    return target === (settings.mode === 'sandbox' ? 'sandbox' : settings.targetEnvironment) ? null : wrongTarget
  }

  function checkKey({ headers }: Ask): Answer | null {
    const key = headers['ocp-apim-subscription-key']
    if (!key)
      return gatewayError(
        401,
        'Access denied due to missing subscription key. Make sure to include subscription key when making requests to an API.',
      )
    if (key === settings.subscriptionKey || key === settings.secondaryKey) return null
    return gatewayError(401, 'Access denied due to invalid subscription key. Make sure to provide a valid key for an active subscription.')
  }

  /** In production the partner portal gives out users and keys. */
  function checkSandbox(): Answer | null {
    return settings.mode === 'sandbox' ? null : gatewayError(404, 'Resource not found')
  }

  function tokenOf({ headers }: Ask) {
    return tokens.get(/^Bearer (.+)$/.exec(headers.authorization ?? '')?.[1] ?? '')
  }

  function userOf(id: string): User | null {
    const { apiUser, apiKey, callbackHost } = settings
    return users.get(id) ?? (id === apiUser ? { callbackHost, apiKey } : null)
  }
}
