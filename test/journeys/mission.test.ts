/**
 * Each line of "Security Features" and of "Double Billing Prevention" in the mission's WiFi sessions document, by its name;
 * range and automatic management are in mission-places.test.ts.
 */
import { randomUUID } from 'node:crypto'
import test from 'ava'
import { until } from '#lab/run.ts'
import type { HotspotSeen } from '#server/hotspots/schema.ts'
import { MB } from '#server/units.ts'
import { openShop, type Buyer, type No, type Shop } from './buyers.ts'
import { programOf, withoutRequestId, type Program, type Told } from './programs.ts'

let shop: Shop
let pack: number
let program: Program

test.before(async () => {
  shop = await openShop('mission', { phones: 2 })
  pack = await shop.offer({ pointsPrice: 30 })
  program = await programOf(shop, ['sessions:read', 'sessions:write', 'usage:write'])
  await shop.api('/api/admin/hotspots', { name: 'Harbour', hotspotId: 'harbour', latitude: 0.3, longitude: 32.6 })
  await shop.api('/api/admin/hotspots', { name: 'Market', hotspotId: 'market' })
  await shop.api('/api/admin/hotspots', { name: 'Station', hotspotId: 'station', latitude: 0.5, longitude: 32.6, status: 'closed' })
})
test.afterEach.always(() => shop?.clear())
test.after.always(() => shop?.stop())

type No409 = { error: { code: string; message: string; details: { distanceM: number; radiusM: number; hotspotName: string } } }

/** A degree of latitude is 111,195 m on a sphere of the earth's mean radius. */
const near = { latitude: 0.3 + 499 / 111_195, longitude: 32.6 }
const far = { latitude: 0.3 + 501 / 111_195, longitude: 32.6 }

const sessionsPath = ({ number }: Buyer) => `/api/users/${number}/sessions`
const statusOf = async ({ number }: Buyer, hotspot = 'hotspot_1') =>
  (await program('GET', `/api/users/${number}/session-status/${hotspot}`)).body
const order = (paymentReference: string, paymentMethod = 'Mobile Money', more: object = {}) => ({
  paymentMethod,
  paymentReference,
  ...more,
})
const count = (table: string, where = '1', ...values: (string | number)[]) =>
  shop.rows<{ n: number }>(`SELECT count(*) AS n FROM ${table} WHERE ${where}`, ...values)[0]!.n
const held = (id: number) => shop.inBox('/usr/sbin/nft', 'list', 'quota', 'inet', 'kswifi', `s${id}`)

/** Somebody who paid by MTN MoMo and is let in. */
async function paid(phone = shop.phone1, packageId = pack) {
  const buyer = await shop.newcomer(phone)
  const { reference } = await buyer.buy({ packageId })
  const { sessionId } = await buyer.follow(reference, 'granted')
  return { buyer, reference, id: sessionId! }
}

/** Somebody with points enough for three packages. */
async function withPoints(phone = shop.phone1): Promise<Buyer> {
  const buyer = await shop.newcomer(phone)
  await shop.api(`/api/admin/customers/${buyer.number}/points`, { delta: 100, reason: 'a gift' })
  return buyer
}

test.serial("Security, User Isolation: nobody's sessions, payments, points or map entries are seen or touched by another", async (t) => {
  const { buyer: victim, reference, id } = await paid(shop.phone2)
  const stranger = await shop.newcomer(shop.phone1)
  for (const [method, path, body] of [
    ['GET', `/api/users/${victim.number}/session-status/hotspot_1`],
    ['POST', sessionsPath(victim), order(reference)],
    ['PUT', `${sessionsPath(victim)}/session_${id}/disconnect`],
    ['PUT', `${sessionsPath(victim)}/session_${id}/usage`, { dataUsed: 1 }],
  ] as const) {
    const said = await stranger.ask<object>(path, body, method)
    t.is(said.status, 403, path)
    const nobodys = await stranger.ask<object>(path.replace(victim.number, '256778888888'), body, method)
    t.is(withoutRequestId(JSON.stringify(nobodys)), withoutRequestId(JSON.stringify(said)), 'nothing tells which numbers exist')
  }
  for (const verb of ['disconnect', 'usage'])
    t.true((await stranger.ask(`${sessionsPath(stranger)}/session_${id}/${verb}`, { dataUsed: 1 }, 'PUT')).status >= 400)
  t.is((await stranger.ask(sessionsPath(stranger), order(reference))).status, 404)
  t.is((await stranger.ask(`/api/payments/${reference}`)).status, 404)
  t.is((await stranger.ask(`/api/payments/${reference}/give-up`, {})).status, 404)
  t.deepEqual((await stranger.ask('/api/me/history')).body, { sessions: [], payments: [] })
  t.is(await stranger.points(), 0)
  const { hotspots } = (await stranger.ask<{ hotspots: HotspotSeen[] }>('/api/hotspots')).body
  t.true(hotspots.every((one) => one.sessionId === null))
  t.true(await victim.passes(), 'and the one whose it is noticed nothing')
})

test.serial('Security, Status Validation: what a session is, the server says; a caller can neither state nor skip it', async (t) => {
  const { buyer, reference, id } = await paid()
  for (const lie of [{ status: 'connected' }, { expiresAt: '2099-01-01T00:00:00Z' }, { dataUsed: 0 }, { timeRemaining: 999 }])
    t.is((await program('POST', sessionsPath(buyer), order(reference, 'Mobile Money', lie))).status, 400, JSON.stringify(lie))
  const path = `${sessionsPath(buyer)}/session_${id}`
  t.is((await program('PUT', `${path}/usage`, { dataUsed: 1, status: 'active' })).status, 400)
  await shop.api(`/api/admin/sessions/${id}/end`, {})
  t.is((await program('PUT', `${path}/usage`, { dataUsed: 1 })).body.error?.code, 'session-ended')
  t.is((await program('PUT', `${path}/disconnect`)).body.error?.code, 'session-ended')
  t.deepEqual(await statusOf(buyer), { hasActiveSession: false, session: null })
  const again = await program('POST', sessionsPath(buyer), order(reference))
  t.not(again.body.session?.status, 'active', 'what is over does not begin again by the same payment')
  t.is(count('sessions', 'user_phone = ?', buyer.number), 1)
  t.false(await buyer.passes())
})

test.serial('Security, Payment Verification: a session is made only after the payment was confirmed, and one for each', async (t) => {
  const buyer = await shop.newcomer(shop.phone1)
  await shop.momo.behave(buyer.number, { does: 'wait' })
  const { reference } = await buyer.buy({ packageId: pack })
  await buyer.follow(reference, 'pending')
  const send = (paymentReference = reference) => buyer.ask<Told['body']>(sessionsPath(buyer), order(paymentReference))
  t.like(await send(), { status: 409, body: { error: { code: 'payment-pending' } } })
  await shop.momo.forge(reference)
  t.is((await send()).status, 409, 'a callback that lies opens nothing')
  t.is(count('sessions', 'user_phone = ?', buyer.number), 0)
  t.false(await buyer.passes())

  await shop.momo.approve(reference)
  await buyer.follow(reference, 'granted')
  const answers = await Promise.all(Array.from({ length: 20 }, () => send()))
  t.is(new Set(answers.map(({ status, body }) => `${status} ${body.session?.id}`)).size, 1, JSON.stringify(answers[0]))
  t.is(count('sessions', 'user_phone = ?', buyer.number), 1)
  t.is((await shop.chargesOf(buyer.number)).length, 1)

  const other = await shop.newcomer(shop.phone2)
  const [foreign, unknown] = await Promise.all(
    [reference, randomUUID()].map((paymentReference) => other.ask<object>(sessionsPath(other), order(paymentReference))),
  )
  t.is(foreign!.status, 404)
  t.is(withoutRequestId(JSON.stringify(foreign)), withoutRequestId(JSON.stringify(unknown)), 'the payment of another is as good as none')
  await shop.momo.behave(other.number, { does: 'decline', reason: 'APPROVAL_REJECTED' })
  const declined = await other.buy({ packageId: pack })
  await other.follow(declined.reference, 'failed')
  t.like(await other.ask(sessionsPath(other), order(declined.reference)), { status: 409, body: { error: { code: 'payment-failed' } } })
  t.is((await other.ask(sessionsPath(other), order('ZZZZ-ZZZZ-ZZ', 'voucher'))).status, 404)
  t.is((await other.ask<No>(sessionsPath(other), order('points-1', 'loyalty_points', { packageId: pack }))).body.error.code, 'points-short')
  t.is(count('sessions', 'user_phone = ?', other.number), 0)
})

test.serial('Security, Range Enforcement: the server decides who is in range, for every way to a session', async (t) => {
  const buyer = await withPoints()
  const voucher = await shop.sell()
  const before = ['sessions', 'payments', 'purchases', 'points'].map((table) => count(table))
  const there = { hotspotId: 'harbour' }
  const asks: [path: string, body: object, flat?: boolean][] = [
    ['/api/payments', { packageId: pack, provider: 'mtn-momo', key: randomUUID(), ...there }],
    ['/api/points/redeem', { packageId: pack, key: randomUUID(), ...there }],
    [sessionsPath(buyer), order(voucher, 'voucher', there), true],
    [sessionsPath(buyer), order('points-far-1', 'loyalty_points', { packageId: pack, ...there }), true],
  ]
  for (const [path, body, flat] of asks) {
    const out = await buyer.ask<No409>(path, flat ? { ...body, ...far } : { ...body, coordinates: far })
    t.like(out, { status: 409, body: { error: { code: 'out-of-range' } } }, path)
    const nowhere = await buyer.ask<No409>(path, body)
    t.like(nowhere, { status: 409, body: { error: { code: 'where-are-you' } } }, path)
    const market = await buyer.ask<No409>(path, { ...body, hotspotId: 'market' })
    t.is(market.body.error.code, 'where-are-you', path)
    const closed = await buyer.ask<No409>(path, { ...body, hotspotId: 'station' })
    t.is(closed.body.error.code, 'hotspot-closed', path)
    t.is((await buyer.ask(path, { ...body, hotspotId: 'none' })).status, 404, path)
    t.is((await buyer.ask(path, { ...body, inRange: true })).status, 400, path)
  }
  t.is((await program('POST', sessionsPath(buyer), order(voucher, 'voucher', { ...there, ...far }))).body.error?.code, 'out-of-range')
  t.is(
    (await program('POST', sessionsPath(buyer), order(voucher, 'voucher'))).body.error?.code,
    'where-are-you',
    'nor has a program a way around',
  )
  t.deepEqual(
    ['sessions', 'payments', 'purchases', 'points'].map((table) => count(table)),
    before,
    'nothing was asked, taken or opened',
  )
  t.is((await shop.chargesOf(buyer.number)).length, 0)
  const opened = await buyer.ask<Told['body']>(sessionsPath(buyer), order(voucher, 'voucher', { ...there, ...near }))
  t.is(opened.status, 201, 'and the voucher is still good, in range')
})

test.serial('Security, Session Expiration: when the time is over the session ends by itself, in the kernel too', async (t) => {
  const { buyer, id } = await paid()
  t.true(await buyer.passes())
  t.not(await held(id), '')
  shop.change('UPDATE sessions SET expires_at = ? WHERE id = ?', Date.now() + 1500, id)
  const ended = await shop.untilEnded(id)
  t.is(ended.endReason, 'time')
  await until('the kernel has nothing of it', async () => (await held(id)) === '', 10_000)
  t.false(await buyer.passes())
  t.deepEqual(await statusOf(buyer), { hasActiveSession: false, session: null })
})

test.serial('Double billing, Session Check: before any purchase the living session is found, and nothing is charged', async (t) => {
  const { buyer, id } = await paid()
  await shop.api(`/api/admin/customers/${buyer.number}/points`, { delta: 100, reason: 'a gift' })
  const points = await buyer.points()
  const voucher = await shop.sell()
  const prevented = count('prevented')
  for (const provider of ['mtn-momo', 'cash', 'sandbox']) {
    const { status, body } = await buyer.order({ packageId: pack, provider })
    t.like({ status, ...body }, { status: 200, outcome: 'resumed', payment: null, session: { id } }, provider)
  }
  const byPoints = await buyer.ask('/api/points/redeem', { packageId: pack, key: randomUUID() })
  t.like(byPoints, { status: 200, body: { outcome: 'resumed', session: { id } } })
  for (const [reference, method] of [
    [voucher, 'voucher'],
    [`points-${id}-again`, 'loyalty_points'],
  ] as const) {
    const { status, body } = await buyer.ask<Told['body']>(sessionsPath(buyer), order(reference, method, { packageId: pack }))
    t.like({ status, body }, { status: 200, body: { resumed: true, session: { id: `session_${id}` } } }, method)
  }
  t.is((await shop.chargesOf(buyer.number)).length, 1)
  t.is(await buyer.points(), points)
  t.is(count('sessions', 'user_phone = ?', buyer.number), 1)
  t.is(count('prevented') - prevented, 2, 'each package is counted once, however often and in whatever way it was tried')
  t.is(count('prevented', 'payer = ? AND amount_minor = 1000', buyer.number), 1, 'with its money')

  const topUp = await buyer.order({ packageId: pack, topUp: true })
  t.is(topUp.body.outcome, 'asked', 'a top-up is charged, when it is asked for')
  await buyer.follow(topUp.body.payment!.reference, 'granted')
  t.is((await shop.session(id)).dataLimit, 100 * MB)
  const second = await shop.newcomer(shop.phone2)
  t.is((await second.ask(sessionsPath(second), order(voucher, 'voucher'))).status, 201, 'the voucher is still good')
})

const resuming = {
  'Mobile Money': async () => {
    const { buyer, reference } = await paid()
    return { buyer, sent: order(reference) }
  },
  voucher: async () => ({ buyer: await shop.newcomer(shop.phone1), sent: order(await shop.sell(), 'voucher') }),
  loyalty_points: async () => ({ buyer: await withPoints(), sent: order(`points-${randomUUID()}`, 'loyalty_points', { packageId: pack }) }),
}
for (const [method, begin] of Object.entries(resuming))
  test.serial(`Double billing, Session Resumption: whoever comes back goes on with what was paid for (${method})`, async (t) => {
    const { buyer, sent } = await begin()
    const send = () => buyer.ask<Told['body']>(sessionsPath(buyer), sent)
    const first = (await send()).body.session!
    t.true(await buyer.passes())
    const left = await buyer.ask<Told['body']>(`${sessionsPath(buyer)}/${first.id}/disconnect`, {}, 'PUT')
    t.is(left.body.session?.status, 'disconnected')
    t.false(await buyer.passes())
    t.like(await send(), { status: 200, body: { resumed: true, session: { id: first.id, expiresAt: first.expiresAt } } })
    t.true(await buyer.passes(), 'online again')
    t.is(count('sessions', 'user_phone = ?', buyer.number), 1)
    t.is(count('purchases', 'user_phone = ?', buyer.number), 1)
  })

test.serial('Double billing, Status Validation: a session past its time or data is expired before it is looked at', async (t) => {
  const { buyer, id } = await paid()
  shop.change('UPDATE sessions SET expires_at = ? WHERE id = ?', Date.now() - 1, id)
  t.deepEqual(await statusOf(buyer), { hasActiveSession: false, session: null }, 'at once, not with the next poll')
  const next = await buyer.order({ packageId: pack })
  t.is(next.body.outcome, 'asked', 'so that the next purchase is not held for a double one')
  await buyer.follow(next.body.payment!.reference, 'granted')
  const second = (await buyer.payment(next.body.payment!.reference)).sessionId!
  t.not(second, id)
  await program('PUT', `${sessionsPath(buyer)}/session_${second}/usage`, { dataUsed: 50 * MB })
  t.deepEqual(await statusOf(buyer), { hasActiveSession: false, session: null }, 'nor one without data')
  t.is((await shop.untilEnded(id)).endReason, 'time')
  t.like(await shop.untilEnded(second), { endReason: 'data', dataUsed: 50 * MB })
})
