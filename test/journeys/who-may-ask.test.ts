/** Every route of the box and who may ask it, written down a second time, so that a forgotten guard is noticed. */
import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import test from 'ava'
import { MB } from '#server/units.ts'
import { talkTo, type Talk } from '#test/gateway/talk.ts'
import { openVenue, type Venue } from '#test/gateway/venue.ts'
import type { Answer, Ask } from './phone.ts'

let venue: Venue
let talks: Record<'customer' | 'others', Talk<Ask>>

test.before(async () => {
  venue = await openVenue('whomay')
  const program = join(import.meta.dirname, 'phone.ts')
  talks = { customer: talkTo(venue.phone1.namespace, program), others: talkTo(venue.phone2.namespace, program) }
})
test.after.always(async () => {
  await Promise.all(Object.values(talks ?? {}).map((talk) => talk.end()))
  await venue?.stop()
})

/**
 * anyone: whoever asks is heard, and a key is not looked at, unless it says so. signed in: only a customer, and what is theirs. A scope: customers, and programs that have
 * it; "or nobody" where people without a number are heard too. local: the box itself, and staff.
 */
type Who =
  | 'anyone'
  | 'anyone, or a key'
  | 'signed in'
  | 'cashier'
  | 'owner'
  | 'local'
  | 'sessions:read'
  | 'sessions:write'
  | 'usage:write'
  | 'sessions:read or nobody'
  | 'sessions:write or nobody'

const routes: Record<string, Who> = {
  'POST /api/vouchers/redeem': 'anyone',
  'POST /api/sessions/resume': 'anyone',
  'GET /api/me/session': 'anyone',
  'GET /api/me/session/events': 'anyone',
  'POST /api/me/session/disconnect': 'anyone',
  'DELETE /api/me/devices/{id}': 'anyone',
  'GET /api/portal': 'anyone',
  'GET /captive-portal/api': 'anyone',
  'GET /healthz': 'anyone',
  'GET /metrics': 'local',
  'GET /api/admin/overview': 'cashier',
  'GET /api/admin/box': 'cashier',
  'GET /api/admin/events': 'cashier',
  'POST /api/customers/code': 'anyone',
  'POST /api/customers/sign-in': 'anyone',
  'POST /api/customers/sign-out': 'anyone',
  'GET /api/me/history': 'signed in',
  'GET /api/me/points': 'signed in',
  'GET /api/me/export': 'signed in',
  'DELETE /api/me': 'signed in',
  'POST /api/payments': 'sessions:write or nobody',
  'POST /api/points/redeem': 'signed in',
  'GET /api/payments/{reference}': 'sessions:read or nobody',
  'GET /api/payments/{reference}/events': 'anyone',
  'POST /api/payments/{reference}/give-up': 'sessions:write or nobody',
  'GET /api/hotspots': 'anyone',
  'GET /api/admin/hotspots': 'cashier',
  'POST /api/admin/hotspots': 'owner',
  'PATCH /api/admin/hotspots/{id}': 'owner',
  'DELETE /api/admin/hotspots/{id}': 'owner',
  'GET /api/users/{phone}/session-status/{hotspotId}': 'sessions:read',
  'POST /api/users/{phone}/sessions': 'sessions:write',
  'PUT /api/users/{phone}/sessions/{sessionId}/usage': 'usage:write',
  'PUT /api/users/{phone}/sessions/{sessionId}/disconnect': 'sessions:write',
  'GET /api/admin/payments': 'cashier',
  'GET /api/admin/payments/{number}': 'cashier',
  'POST /api/admin/payments/{number}/confirm': 'cashier',
  'POST /api/admin/payments/{number}/check': 'cashier',
  'POST /api/admin/payments/{number}/refund': 'owner',
  'GET /api/admin/inbox': 'owner',
  'GET /api/admin/customers': 'cashier',
  'POST /api/admin/customers/{phone}/reset-pin': 'cashier',
  'GET /api/admin/customers/{phone}/points': 'cashier',
  'POST /api/admin/customers/{phone}/points': 'owner',
  'GET /api/admin/customers/{phone}': 'cashier',
  'DELETE /api/admin/customers/{phone}': 'owner',
  'GET /api/admin/accounts': 'owner',
  'PATCH /api/admin/accounts/{name}': 'owner',
  'POST /api/admin/accounts/{name}/test': 'owner',
  'GET /api/admin/reports': 'owner',
  'GET /api/admin/reports.csv': 'owner',
  'POST /api/admin/login': 'anyone',
  'POST /api/admin/logout': 'cashier',
  'GET /api/admin/me': 'cashier',
  'GET /api/admin/audit': 'owner',
  'GET /api/admin/staff': 'owner',
  'POST /api/admin/staff': 'owner',
  'PATCH /api/admin/staff/{id}': 'owner',
  'GET /api/admin/keys': 'owner',
  'POST /api/admin/keys': 'owner',
  'DELETE /api/admin/keys/{id}': 'owner',
  'GET /api/admin/packages': 'cashier',
  'POST /api/admin/packages': 'owner',
  'PATCH /api/admin/packages/{id}': 'owner',
  'DELETE /api/admin/packages/{id}': 'owner',
  'POST /api/admin/vouchers': 'cashier',
  'GET /api/admin/vouchers': 'cashier',
  'POST /api/admin/sell': 'cashier',
  'GET /api/admin/vouchers/{id}': 'cashier',
  'POST /api/admin/vouchers/{id}/void': 'owner',
  'GET /api/admin/sessions': 'cashier',
  'GET /api/admin/sessions/{id}': 'cashier',
  'POST /api/admin/sessions/{id}/end': 'cashier',
  'POST /api/admin/sessions/{id}/extend': 'cashier',
  'POST /api/connect/generate-profile': 'sessions:write or nobody',
  'GET /api/connect/profiles': 'sessions:read or nobody',
  'PATCH /api/connect/profiles/{id}': 'sessions:write or nobody',
  'DELETE /api/connect/profiles/{id}': 'sessions:write or nobody',
  'POST /api/connect/profiles/{id}/renew': 'sessions:write or nobody',
  'POST /api/connect/claim': 'anyone, or a key',
  'GET /api/connect/endpoints': 'anyone',
  'GET /api/admin/connect': 'cashier',
  'POST /api/admin/connect/rotate-keys': 'owner',
  'POST /api/admin/connect/endpoints': 'owner',
  'PATCH /api/admin/connect/endpoints/{id}': 'owner',
  'DELETE /api/admin/connect/endpoints/{id}': 'owner',
  'POST /api/admin/sessions/{id}/profiles': 'cashier',
  'PATCH /api/admin/profiles/{id}': 'cashier',
  'DELETE /api/admin/profiles/{id}': 'cashier',
  'GET /api/admin/settings': 'cashier',
  'PATCH /api/admin/settings': 'owner',
}

type Caller = 'nobody' | 'customer' | 'cashier' | 'owner' | 'sessions:read' | 'sessions:write' | 'usage:write' | 'revoked'

/** 401, 403, or neither: in. */
function expected(who: Who, caller: Caller): 401 | 403 | 'in' {
  if (who === 'anyone') return 'in'
  if (who === 'signed in') return caller === 'customer' ? 'in' : 401
  if (caller === 'revoked') return 401
  if (who === 'anyone, or a key') return 'in'
  const isStaff = caller === 'cashier' || caller === 'owner'
  if (who === 'cashier' || who === 'owner' || who === 'local') {
    if (caller === 'nobody' || caller === 'customer') return 401
    return isStaff && !(who === 'owner' && caller === 'cashier') ? 'in' : 403
  }
  const scope = who.replace(' or nobody', '')
  if (caller === 'nobody') return who === scope ? 401 : 'in'
  if (caller === 'customer' || isStaff) return scope === 'usage:write' ? 403 : 'in'
  return caller === scope ? 'in' : 403
}

const number = '2348031234567'
const filled: Record<string, string> = {
  id: '999999',
  number: '999999',
  name: 'cash',
  phone: number,
  reference: randomUUID(),
  hotspotId: 'hotspot_1',
  sessionId: 'session_999999',
}
/** Where the guard stands behind the look at what was sent: something right. All others get something that changes nothing. */
const bodies: Record<string, object> = {
  'POST /api/points/redeem': { packageId: 999_999, key: 'who-may-ask' },
  'POST /api/users/{phone}/sessions': { paymentMethod: 'Mobile Money', paymentReference: randomUUID() },
  'PUT /api/users/{phone}/sessions/{sessionId}/usage': { dataUsed: MB },
}
/** Their own login would end with these. */
const last = ['DELETE /api/me', 'POST /api/customers/sign-out']
/** Somebody whom staff may delete. */
const another = '2348031234568'

test.serial('every route of the description is in the table, and no other', async (t) => {
  t.deepEqual((await described()).toSorted(), Object.keys(routes).toSorted())
})

test.serial('nobody, customers, cashiers, owners, and keys with each scope: each gets in where they may, and nowhere else', async (t) => {
  const keyOf = async (how: object) =>
    (await venue.api<{ apiKey: string; key: { id: number } }>('/api/admin/keys', { name: 'who', ...how })).apiKey
  const revoked = await keyOf({ role: 'owner' })
  const { keys } = await venue.api<{ keys: { id: number; last4: string }[] }>('/api/admin/keys')
  const { id } = keys.find((one) => one.last4 === revoked.slice(-4))!
  await fetch(`${venue.lab.url}/api/admin/keys/${id}`, { method: 'DELETE', headers: { authorization: `Bearer ${venue.lab.admin.apiKey}` } })
  const scopes = ['sessions:read', 'sessions:write', 'usage:write'] as const
  const keysOf: Partial<Record<Caller, string>> = {
    cashier: await keyOf({ role: 'cashier' }),
    owner: await keyOf({ role: 'owner' }),
    revoked,
    ...Object.fromEntries(await Promise.all(scopes.map(async (scope) => [scope, await keyOf({ role: null, scopes: [scope] })]))),
  }
  const signIn = { method: 'POST', path: '/api/customers/sign-in', body: { phone: `+${number}`, pin: '4711', isNew: true } }
  t.is((await ask('customer', signIn)).status, 200)
  const callers: Caller[] = ['nobody', 'customer', 'cashier', 'owner', ...scopes, 'revoked']
  const wrong: string[] = []
  const order = (await described()).toSorted((one, other) => last.indexOf(one) - last.indexOf(other))
  for (const name of order) {
    const [method, template] = name.split(' ') as [string, string]
    const path = template.replace(/\{(\w+)\}/g, (_, key: string) => (template.startsWith('/api/admin/customers') ? another : filled[key]!))
    const isQuery = name === 'GET /api/connect/profiles'
    const body = method === 'GET' ? undefined : (bodies[name] ?? { 'no such field': true })
    await Promise.all(
      callers.map(async (caller) => {
        const key = keysOf[caller]
        const headers = key ? { authorization: `Bearer ${key}` } : {}
        const { status } = await ask(caller, { method, path: isQuery ? `${path}?session_id=999999` : path, body, headers })
        const got = status === 401 || status === 403 ? status : 'in'
        const due = expected(routes[name] ?? 'owner', caller)
        if (got !== due || status >= 500) wrong.push(`${name} as ${caller}: ${status}, should be ${due}`)
      }),
    )
  }
  t.log(`${order.length} routes, ${callers.length} callers`)
  t.deepEqual(wrong, [])
})

async function described(): Promise<string[]> {
  const { paths } = (await (await fetch(`${venue.lab.url}/api/openapi.json`)).json()) as { paths: Record<string, Record<string, object>> }
  return Object.entries(paths).flatMap(([path, methods]) => Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`))
}

type Asked = { method: string; path: string; body?: object | undefined; headers?: Record<string, string> }

/** From a phone on the Wi-Fi: what comes over the box's own socket is the box itself. A stream that stays open is let in. */
async function ask(caller: Caller, { method, path, body, headers = {} }: Asked): Promise<Answer> {
  const [answer] = await talks[caller === 'customer' ? 'customer' : 'others'].ask<[Answer]>({
    requests: [
      {
        method,
        url: `http://${venue.lab.box.lan}${path}`,
        headers: { ...headers, ...(body && { 'content-type': 'application/json' }) },
        ...(body && { body: JSON.stringify(body) }),
        patienceMs: path.endsWith('/events') ? 1500 : 20_000,
      },
    ],
  })
  return answer
}
