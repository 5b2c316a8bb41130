import { randomUUID } from 'node:crypto'
import test from 'ava'
import { until } from '#lab/run.ts'
import { MB } from '#server/units.ts'
import { openShop, type Buyer, type Shop } from './buyers.ts'
import { programOf, withoutRequestId, type Program, type Told } from './programs.ts'

let shop: Shop
let pack: number
let router: Program
let till: Program

test.before(async () => {
  shop = await openShop('missionapi', { phones: 2 })
  pack = await shop.offer({ name: 'Daily 50', pointsPrice: 30 })
  router = await programOf(shop, ['usage:write'])
  till = await programOf(shop, ['sessions:read', 'sessions:write'])
})
test.afterEach.always(() => shop?.clear())
test.after.always(() => shop?.stop())

const iso = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/
const statusPath = (number: string, hotspot = 'hotspot_1') => `/api/users/${number}/session-status/${hotspot}`
const numberOf = ({ id }: { id: string }) => Number(id.replace('session_', ''))

/** Somebody who paid for a package and is let in. */
async function customer(terms?: object, phone = shop.phone1) {
  const packageId = terms ? await shop.offer(terms) : pack
  const buyer = await shop.newcomer(phone)
  const { reference } = await buyer.buy({ packageId })
  const { sessionId } = await buyer.follow(reference, 'granted')
  return { buyer, reference, packageId, id: sessionId! }
}

const put = (ask: Program, { number }: Buyer, id: number, verb: 'usage' | 'disconnect', body?: object) =>
  ask('PUT', `/api/users/${number}/sessions/session_${id}/${verb}`, body)

/** What the kernel holds of a session; undefined: nothing, so nothing passes. */
async function quotaOf(id: number): Promise<{ bytes: number; used: number } | undefined> {
  const listed = await shop.inBox('/usr/sbin/nft', '-j', 'list', 'quota', 'inet', 'kswifi', `s${id}`)
  if (!listed) return undefined
  return (JSON.parse(listed) as { nftables: { quota?: { bytes: number; used: number } }[] }).nftables.find((one) => one.quota)?.quota
}

test.serial("GET session-status: the mission's fields and units, however the number is written", async (t) => {
  const { buyer, id } = await customer()
  const { status, body } = await buyer.ask<Told['body']>(statusPath(buyer.number))
  t.is(status, 200)
  t.deepEqual(Object.keys(body).toSorted(), ['hasActiveSession', 'session'])
  const { session } = body
  t.deepEqual(Object.keys(session!).toSorted(), ['dataRemaining', 'expiresAt', 'id', 'packageName', 'startTime', 'timeRemaining'])
  t.like(body, { hasActiveSession: true, session: { id: `session_${id}`, packageName: 'Daily 50', timeRemaining: 60, dataRemaining: 50 } })
  t.regex(session!.startTime!, iso)
  t.is(Date.parse(session!.expiresAt!) - Date.parse(session!.startTime!), 3_600_000)

  for (const written of [`+${buyer.number}`, `%2B${buyer.number}`]) {
    const own = await buyer.ask<Told['body']>(statusPath(written))
    t.is(own.body.session?.id, `session_${id}`, `${written}: ${JSON.stringify(own.body)}`)
    t.is((await till('GET', statusPath(written))).body.session?.id, `session_${id}`, written)
  }
  t.deepEqual((await buyer.ask(statusPath(buyer.number, 'hotspot_none'))).body, { hasActiveSession: false, session: null })
  t.deepEqual((await till('GET', statusPath('256779999999'))).body, { hasActiveSession: false, session: null })

  const used = 12.5 * MB
  t.is((await put(router, buyer, id, 'usage', { dataUsed: used })).status, 200)
  const after = (await till('GET', statusPath(buyer.number))).body.session!
  t.is(after.dataRemaining, 37.5, 'MB of 1,048,576 bytes')
})

test.serial('an unlimited package has no number of MB that remain', async (t) => {
  const { buyer } = await customer({ dataLimit: null })
  t.is((await till('GET', statusPath(buyer.number))).body.session?.dataRemaining, null)
})

test.serial("POST sessions: the mission's body, and its document as the answer", async (t) => {
  const { buyer, reference, id } = await customer()
  const body = {
    hotspotId: 'hotspot_1',
    hotspotName: 'Coffee Shop WiFi',
    packageId: `package_${pack}`,
    packageName: 'Daily 50',
    paymentMethod: 'Mobile Money',
    paymentReference: reference,
  }
  const { status, body: said } = await till('POST', `/api/users/+${buyer.number}/sessions`, body)
  t.is(status, 200)
  t.like(said, {
    resumed: true,
    session: {
      id: `session_${id}`,
      userPhone: buyer.number,
      hotspotId: 'hotspot_1',
      hotspotName: 'KSWiFi',
      packageId: `package_${pack}`,
      packageName: 'Daily 50',
      paymentMethod: 'Mobile Money',
      paymentReference: reference,
      dataUsed: 0,
      timeRemaining: 60,
      dataRemaining: 50,
      disconnectedAt: null,
    },
  })
  const session = said.session!
  t.true(['active', 'connected'].includes(session.status))
  for (const time of [session.startTime, session.expiresAt, session.createdAt, session.updatedAt]) t.regex(time!, iso)

  const receipt = (await shop.chargesOf(buyer.number))[0]!.financialTransactionId!
  const byReceipt = await till('POST', `/api/users/${buyer.number}/sessions`, { ...body, paymentReference: receipt })
  t.is(byReceipt.body.session?.id, `session_${id}`, 'the receipt of MTN names the payment too')
  const other = await till('POST', `/api/users/${buyer.number}/sessions`, { ...body, packageId: 'package_1' })
  t.is(other.status, 409, 'it was for another package')
})

test.serial('PUT usage: bytes in all, only upwards, and only with the scope usage:write', async (t) => {
  const { buyer, id } = await customer()
  const first = await put(router, buyer, id, 'usage', { dataUsed: 10 * MB })
  t.is(first.status, 200)
  t.deepEqual(Object.keys(first.body), ['session'])
  t.like(first.body.session, { id: `session_${id}`, dataUsed: 10 * MB, status: 'connected', dataRemaining: 40 })
  t.regex(first.body.session!.lastConnected!, iso)
  for (const dataUsed of [0, 1, 10 * MB - 1, 10 * MB])
    t.is((await put(router, buyer, id, 'usage', { dataUsed })).body.session?.dataUsed, 10 * MB, `${dataUsed} takes nothing back`)

  const owner = await programOf(shop, [], 'owner')
  for (const program of [till, owner]) t.is((await put(program, buyer, id, 'usage', { dataUsed: 20 * MB })).status, 403)
  const own = await buyer.ask<Told['body']>(`/api/users/${buyer.number}/sessions/session_${id}/usage`, { dataUsed: 20 * MB }, 'PUT')
  t.is(own.status, 403)
  t.is((await shop.session(id)).dataUsed, 10 * MB)
})

test.serial('two routers report, in any order and at once: the highest counts', async (t) => {
  const { buyer, id } = await customer()
  const second = await programOf(shop, ['usage:write'])
  const reports = Array.from({ length: 40 }, (_, index) => ({ from: index % 2 ? router : second, dataUsed: ((index * 17) % 40) * 100_000 }))
  const answers = await Promise.all(reports.map(({ from, dataUsed }) => put(from, buyer, id, 'usage', { dataUsed })))
  t.deepEqual([...new Set(answers.map(({ status }) => status))], [200])
  t.is((await shop.session(id)).dataUsed, 3_900_000)
})

test.serial('PUT usage while the phone browses: what the kernel still lets through is what remains, to the byte', async (t) => {
  const carried = await shop.count()
  const limit = 6 * MB
  const { buyer, id } = await customer({ dataLimit: limit, downBps: 4_000_000 })
  const url = `http://${shop.lab.internet.address}/bytes/50000000`
  const browsing = shop.lab.spawn(buyer.phone.namespace, ['curl', '-s', '-o', '/dev/null', url], { stdio: 'ignore' })
  await until('it is in use', async () => (await shop.session(id)).dataUsed > 200_000, 10_000)
  const told = await put(router, buyer, id, 'usage', { dataUsed: 4 * MB })
  t.is(told.body.session?.dataUsed, 4 * MB, told.text)
  const { elsewhere } = shop.rows<{ elsewhere: number }>('SELECT elsewhere FROM sessions WHERE id = ?', id)[0]!
  t.true(elsewhere > 0 && elsewhere < 4 * MB)
  await until('the kernel has the new cap', async () => (await quotaOf(id))?.bytes === limit - elsewhere, 10_000)
  await shop.curl(buyer.phone, '-m', '6', url)
  browsing.kill('SIGKILL')
  const ended = await shop.untilEnded(id)
  t.like(ended, { endReason: 'data', dataUsed: limit })
  const { sent } = await carried()
  t.log(`${elsewhere} bytes elsewhere, ${sent} here, of ${limit}`)
  t.true(sent <= limit - elsewhere, 'not a byte more')
  t.true(limit - elsewhere - sent <= 65_536, 'and all that was left, but for a packet')
})

test.serial('PUT usage of what this box let through and has not read yet: nothing is charged twice', async (t) => {
  const { buyer, id } = await customer()
  await shop.api('/api/admin/settings', { pollSeconds: 30 }, 'PATCH')
  t.teardown(() => shop.api('/api/admin/settings', { pollSeconds: 1 }, 'PATCH'))
  const sent = 4_000_000
  t.is((await shop.curl(buyer.phone, '-m', '20', `http://${shop.lab.internet.address}/bytes/${sent}`)).bytes, sent)
  const told = await put(router, buyer, id, 'usage', { dataUsed: sent })
  const { elsewhere } = shop.rows<{ elsewhere: number }>('SELECT elsewhere FROM sessions WHERE id = ?', id)[0]!
  t.is(elsewhere, 0, 'all of it went through this box')
  t.true(told.body.session!.dataUsed >= sent && told.body.session!.dataUsed < sent * 1.1, told.text)
})

test.serial('PUT usage past the limit ends the session everywhere, the kernel included', async (t) => {
  const { buyer, id } = await customer()
  t.true(await buyer.passes())
  t.truthy(await quotaOf(id))
  const { status, body } = await put(router, buyer, id, 'usage', { dataUsed: 60 * MB })
  t.is(status, 200)
  t.like(body.session, { status: 'expired', dataUsed: 50 * MB, dataRemaining: 0, timeRemaining: 0 })
  await until('the kernel has nothing of it', async () => (await quotaOf(id)) === undefined, 5000)
  t.false(await buyer.passes())
  t.deepEqual((await till('GET', statusPath(buyer.number))).body, { hasActiveSession: false, session: null })
  t.is((await put(router, buyer, id, 'usage', { dataUsed: 61 * MB })).body.error?.code, 'session-ended')
})

test.serial('PUT disconnect: the devices are off the network, and the session stays', async (t) => {
  const { buyer, reference, id } = await customer()
  t.true(await buyer.passes())
  const { status, body } = await buyer.ask<Told['body']>(`/api/users/${buyer.number}/sessions/session_${id}/disconnect`, {}, 'PUT')
  t.is(status, 200)
  t.like(body.session, { id: `session_${id}`, status: 'disconnected', paymentReference: reference })
  t.regex(body.session!.disconnectedAt!, iso)
  t.false(await buyer.passes())
  t.true((await till('GET', statusPath(buyer.number))).body.hasActiveSession)
  t.is((await put(till, buyer, id, 'disconnect')).status, 200, 'a program with sessions:write may do it, again and again')
})

test.serial("each call needs its own scope, its own number, and somebody who asks; one's number is all that is told", async (t) => {
  const { buyer: victim, reference, id } = await customer({}, shop.phone2)
  const stranger = await shop.newcomer(shop.phone1)
  const order = { paymentMethod: 'Mobile Money', paymentReference: reference }
  const calls = (number: string, session: number): [method: string, path: string, body: object | undefined, scope: string][] => [
    ['GET', statusPath(number), undefined, 'sessions:read'],
    ['POST', `/api/users/${number}/sessions`, order, 'sessions:write'],
    ['PUT', `/api/users/${number}/sessions/${session}/usage`, { dataUsed: 1 }, 'usage:write'],
    ['PUT', `/api/users/${number}/sessions/${session}/disconnect`, undefined, 'sessions:write'],
  ]
  const scopes = ['sessions:read', 'sessions:write', 'usage:write'] as const
  for (const scope of scopes) {
    const program = await programOf(shop, [scope])
    for (const [method, path, body, needed] of calls(victim.number, id)) {
      const { status, body: said } = await program(method, path, body)
      if (needed === scope) t.is(status, 200, `${scope}: ${method} ${path}`)
      else t.like({ status, code: said.error?.code }, { status: 403, code: 'not-allowed' }, `${scope}: ${method} ${path}`)
    }
  }
  const nobodys = '256779999999'
  for (const [index, [method, path, body]] of calls(victim.number, id).entries()) {
    const [, otherPath] = calls(nobodys, 999_999)[index]!
    const [known, unknown] = [await stranger.ask<object>(path, body, method), await stranger.ask<object>(otherPath, body, method)]
    t.is(known.status, 403, path)
    t.is(unknown.status, 403, otherPath)
    t.is(withoutRequestId(JSON.stringify(known.body)), withoutRequestId(JSON.stringify(unknown.body)), 'the same, byte for byte')
    const nobody = await shop.ask<Told['body']>(shop.phone1, path, body, method)
    t.like({ status: nobody.status, code: nobody.body.error?.code }, { status: 401, code: 'not-signed-in' }, path)
  }
  const foreign = await stranger.ask<Told['body']>(`/api/users/${stranger.number}/sessions/session_${id}/disconnect`, {}, 'PUT')
  const none = await stranger.ask<Told['body']>(`/api/users/${stranger.number}/sessions/session_999999/disconnect`, {}, 'PUT')
  t.is(foreign.status, 404, 'under the own number there is nothing of others')
  t.is(withoutRequestId(JSON.stringify(foreign.body)), withoutRequestId(JSON.stringify(none.body)))
  t.not((await shop.session(id)).status, 'expired')
})

test.serial('a voucher behind paymentReference opens exactly one session, however often and at once it is sent', async (t) => {
  const buyer = await shop.newcomer(shop.phone1)
  const order = { hotspotId: 'hotspot_1', paymentMethod: 'voucher', paymentReference: await shop.sell() }
  const send = () => buyer.ask<Told['body']>(`/api/users/${buyer.number}/sessions`, order)
  const answers = await Promise.all(Array.from({ length: 20 }, send))
  t.is(answers.filter(({ status }) => status === 201).length, 1, JSON.stringify(answers.map(({ status }) => status)))
  const opened = answers.find(({ status }) => status === 201)!.body
  t.like(opened, { resumed: false, session: { paymentMethod: 'voucher', userPhone: buyer.number } })
  t.is(shop.rows('SELECT id FROM sessions WHERE user_phone = ?', buyer.number).length, 1)
  t.true(await buyer.passes())
  const again = await send()
  t.like(again, { status: 200, body: { resumed: true, session: { id: opened.session!.id } } }, 'whoever lost the answer gets it again')
  t.is((await shop.session(numberOf(opened.session!))).dataLimit, 5 * MB, 'and it adds nothing')
})

test.serial('one voucher sent for two numbers at once opens one session, for one of them', async (t) => {
  const buyers = [await shop.newcomer(shop.phone1), await shop.newcomer(shop.phone2)]
  const order = { paymentMethod: 'voucher', paymentReference: await shop.sell() }
  const sends = Array.from({ length: 6 }, () =>
    buyers.map((buyer) => buyer.ask<Told['body']>(`/api/users/${buyer.number}/sessions`, order)),
  )
  const answers = await Promise.all(sends.flat())
  t.is(answers.filter(({ status }) => status === 201).length, 1)
  const winner = answers.find(({ status }) => status === 201)!.body.session!.userPhone
  for (const { body } of answers) t.true(body.session?.userPhone === winner || body.error?.code === 'voucher-used', JSON.stringify(body))
  const numbers = buyers.map(({ number }) => number)
  t.is(shop.rows('SELECT id FROM sessions WHERE user_phone IN (?, ?)', ...numbers).length, 1)
})

test.serial('on a phone that is in the session of one number, another number sees nothing of it', async (t) => {
  const { buyer: first, id } = await customer()
  const second = await shop.newcomer(shop.phone1)
  t.deepEqual((await second.ask(statusPath(second.number))).body, { hasActiveSession: false, session: null })
  const order = { paymentMethod: 'voucher', paymentReference: await shop.sell() }
  const said = await second.ask<Told['body']>(`/api/users/${second.number}/sessions`, order)
  const answers = [said, await second.order({ packageId: pack }), await second.ask('/api/me/session'), await second.ask('/api/portal')]
  for (const { body } of answers) t.false(JSON.stringify(body).includes(first.number), JSON.stringify(body))
  t.true((await second.ask(`/api/users/${second.number}/sessions/session_${id}/disconnect`, {}, 'PUT')).status >= 400)
  t.true(await second.passes())
})

test.serial('points behind paymentReference open exactly one session, however often and at once it is sent', async (t) => {
  const buyer = await shop.newcomer(shop.phone1)
  await shop.api(`/api/admin/customers/${buyer.number}/points`, { delta: 100, reason: 'a gift' })
  const order = { packageId: `package_${pack}`, paymentMethod: 'loyalty_points', paymentReference: `points-${randomUUID()}` }
  const send = (more = {}) => buyer.ask<Told['body']>(`/api/users/${buyer.number}/sessions`, { ...order, ...more })
  const answers = await Promise.all(Array.from({ length: 20 }, () => send()))
  t.is(answers.filter(({ status }) => status === 201).length, 1, JSON.stringify(answers.map(({ status }) => status)))
  t.is(answers.filter(({ status, body }) => status === 200 && body.resumed).length, 19)
  t.is(await buyer.points(), 70, 'taken once')
  t.is(shop.rows('SELECT id FROM sessions WHERE user_phone = ?', buyer.number).length, 1)
  t.true(await buyer.passes())
  const { session } = (await send()).body
  t.like(session, { paymentMethod: 'loyalty_points', paymentReference: order.paymentReference })
  await shop.clear()
  t.is((await send()).body.session?.id, session!.id, 'nor does it open another when that one is over')
  t.is(await buyer.points(), 70)

  await send({ paymentReference: 'points-second-1' })
  await shop.clear()
  await send({ paymentReference: 'points-third-01' })
  await shop.clear()
  const short = await send({ paymentReference: 'points-fourth-1' })
  t.like(short, { status: 409, body: { error: { code: 'points-short', details: { balance: 10, price: 30 } } } })
  t.is(shop.rows('SELECT id FROM sessions WHERE user_phone = ?', buyer.number).length, 3)
})

test.serial('a program opens a session for a customer who is elsewhere, and it waits for nobody', async (t) => {
  await shop.api('/api/admin/hotspots', { name: 'Harbour', hotspotId: 'harbour', latitude: 0.3, longitude: 32.6 })
  const order = { hotspotId: 'harbour', paymentMethod: 'voucher', paymentReference: await shop.sell(), latitude: 0.3, longitude: 32.6 }
  const { status, body } = await till('POST', '/api/users/256779000001/sessions', order)
  t.is(status, 201)
  t.like(body.session, { hotspotId: 'harbour', hotspotName: 'Harbour', userPhone: '256779000001' })
  t.regex(body.session!.startTime!, iso)
  const known = await shop.api<{ customer: object }>('/api/admin/customers/256779000001')
  t.like(known.customer, { phone: '256779000001', sessions: 1, hasPin: false }, 'staff find them, and can let them choose a PIN')
  const audit = await shop.api<object>('/api/admin/audit')
  t.false(JSON.stringify(audit).includes(order.paymentReference), 'the code of a voucher is in no log')
})
