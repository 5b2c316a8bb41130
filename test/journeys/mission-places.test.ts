/**
 * Each line of "WiFi Range Validation" and of "Automatic Session Management" in the mission's WiFi sessions document, by its
 * name; the others are in mission.test.ts.
 */
import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import test from 'ava'
import { Queue } from 'bullmq'
import { until } from '#lab/run.ts'
import type { HotspotSeen } from '#server/hotspots/schema.ts'
import { QUEUE } from '#server/jobs/queues.ts'
import { MB } from '#server/units.ts'
import { openShop, type Buyer, type Shop } from './buyers.ts'
import { programOf, type Program, type Told } from './programs.ts'

let shop: Shop
let pack: number
let program: Program

/** The promise of the mission's document. */
const LOOKED_AT_WITHIN_MS = 30_000

test.before(async () => {
  shop = await openShop('missionplaces', { phones: 2 })
  pack = await shop.offer()
  program = await programOf(shop, ['sessions:read', 'sessions:write', 'usage:write'])
  const add = (fields: object) => shop.api('/api/admin/hotspots', fields)
  await add({ name: 'Harbour', hotspotId: 'harbour', latitude: 0.3, longitude: 32.6 })
  await add({ name: 'Airport', hotspotId: 'airport', latitude: 0.3, longitude: 32.7, radiusM: 12_000 })
  await add({ name: 'Station', hotspotId: 'station', latitude: 0.31, longitude: 32.6, status: 'closed' })
  await add({ name: 'Market', hotspotId: 'market' })
})
test.afterEach.always(() => shop?.clear())
test.after.always(() => shop?.stop())

/** So many metres north of the harbour, when they are rounded up: a degree of latitude is 111,195 m on a sphere of the earth's mean radius. */
const northOfHarbour = (metres: number) => ({ latitude: 0.3 + (metres - 0.5) / 111_195, longitude: 32.6 })
const held = (id: number) => shop.inBox('/usr/sbin/nft', 'list', 'quota', 'inet', 'kswifi', `s${id}`)
const download = (buyer: Buyer, bytes: number) => shop.curl(buyer.phone, `http://${shop.lab.internet.address}/bytes/${bytes}`)

async function paid(phone = shop.phone1, packageId = pack) {
  const buyer = await shop.newcomer(phone)
  const { reference } = await buyer.buy({ packageId })
  const { sessionId } = await buyer.follow(reference, 'granted')
  return { buyer, reference, id: sessionId! }
}

test.serial('Range, Distance Check: within 500 m one may buy, and a metre farther not; the own Wi-Fi is always in range', async (t) => {
  const buyer = await shop.newcomer(shop.phone1)
  const ask = (coordinates: object | undefined, hotspotId?: string) =>
    buyer.ask<{ outcome: string; error?: { code: string } }>('/api/payments', {
      packageId: pack,
      provider: 'cash',
      key: randomUUID(),
      ...(coordinates && { coordinates }),
      ...(hotspotId && { hotspotId }),
    })
  t.is((await ask(northOfHarbour(501), 'harbour')).body.error?.code, 'out-of-range')
  t.is((await ask(northOfHarbour(499), 'harbour')).body.outcome, 'asked')
  t.is((await ask(northOfHarbour(11_000), 'airport')).body.error?.code, 'out-of-range', 'the radius is of each hotspot')
  t.is((await ask(northOfHarbour(1000), 'airport')).body.outcome, 'asked')
  t.is((await ask(northOfHarbour(90_000), 'hotspot_1')).body.outcome, 'asked', 'the network knows better than the coordinates')
  for (const coordinates of [
    { latitude: 91, longitude: 0 },
    { latitude: 0 },
    { latitude: 'x', longitude: 1 },
    { latitude: null, longitude: null },
  ])
    t.is((await ask(coordinates, 'harbour')).status, 400, JSON.stringify(coordinates))
})

test.serial('Range, Range Warning: whoever is out of range is told so in words, with the distance', async (t) => {
  const buyer = await shop.newcomer(shop.phone1)
  const wish = { packageId: pack, provider: 'cash', key: randomUUID(), hotspotId: 'harbour' }
  const said = await buyer.ask<{ error: { code: string; message: string; details: object } }>('/api/payments', {
    ...wish,
    coordinates: northOfHarbour(2350),
  })
  t.is(said.status, 409)
  t.is(said.body.error.code, 'out-of-range')
  t.deepEqual(said.body.error.details, { distanceM: 2350, radiusM: 500, hotspotName: 'Harbour' })
  t.is(said.body.error.message, 'You are 2.4 km away from Harbour: come within 500 m, then try again.')
  const unknown = await buyer.ask<{ error: { code: string; message: string } }>('/api/payments', wish)
  t.is(unknown.body.error.code, 'where-are-you')
  t.regex(unknown.body.error.message, /Wi-Fi of Harbour, or allow your location/)
})

test.serial(
  'Range, Smart UI: the list of hotspots tells a screen what to show: in range, out of range, unknown, closed, the own session',
  async (t) => {
    const { buyer, id } = await paid()
    type Seen = Pick<HotspotSeen, 'hotspotId' | 'inRange' | 'distanceM' | 'sessionId' | 'status'>
    const list = async (path: string): Promise<Seen[]> =>
      (await buyer.ask<{ hotspots: HotspotSeen[] }>(path)).body.hotspots.map(({ hotspotId, inRange, distanceM, sessionId, status }) => ({
        hotspotId,
        inRange,
        distanceM,
        sessionId,
        status,
      }))
    const { latitude, longitude } = northOfHarbour(400)
    t.deepEqual(await list(`/api/hotspots?latitude=${latitude}&longitude=${longitude}`), [
      { hotspotId: 'harbour', inRange: true, distanceM: 400, sessionId: null, status: 'open' },
      { hotspotId: 'station', inRange: false, distanceM: 713, sessionId: null, status: 'closed' },
      { hotspotId: 'airport', inRange: true, distanceM: 11_127, sessionId: null, status: 'open' },
      { hotspotId: 'hotspot_1', inRange: true, distanceM: null, sessionId: id, status: 'open' },
      { hotspotId: 'market', inRange: null, distanceM: null, sessionId: null, status: 'open' },
    ])
    const blind = await list('/api/hotspots')
    t.deepEqual(blind[0], { hotspotId: 'hotspot_1', inRange: true, distanceM: null, sessionId: id, status: 'open' })
    t.true(blind.slice(1).every((one) => one.inRange === null && one.distanceM === null))
    for (const query of ['latitude=1', 'latitude=95&longitude=1', 'latitude=&longitude=', 'latitude=1&longitude=x', 'near=1'])
      t.is((await buyer.ask(`/api/hotspots?${query}`)).status, 400, query)
    await shop.api(`/api/admin/sessions/${id}/end`, {})
    t.true(
      (await list('/api/hotspots')).every((one) => one.sessionId === null),
      'what is over is on no map',
    )
  },
)

test.serial(
  'Management, Background Monitoring: each living session is looked at within 30 s, even when the schedule is gone from Redis',
  async (t) => {
    const { buyer, id } = await paid()
    const queue = new Queue(QUEUE, { connection: { path: join(shop.lab.runDir, 'redis.sock'), maxRetriesPerRequest: null } })
    try {
      // A poll that runs just now puts the next one in.
      await until(
        'no poll and no tick is scheduled',
        async () => {
          const schedulers = await queue.getJobSchedulers()
          for (const { key } of schedulers) await queue.removeJobScheduler(key)
          return schedulers.length === 0 && (await queue.getActiveCount()) === 0 && (await queue.getDelayedCount()) === 0
        },
        20_000,
      )
      const { dataUsed } = await shop.session(id)
      await download(buyer, 2 * MB)
      await until('its use is seen', async () => (await shop.session(id)).dataUsed >= dataUsed + 2 * MB, LOOKED_AT_WITHIN_MS)
      shop.change('UPDATE sessions SET expires_at = ? WHERE id = ?', Date.now() - 1, id)
      await until(
        'its end is seen',
        async () => (await shop.session(id)).status === 'expired' && (await held(id)) === '',
        LOOKED_AT_WITHIN_MS,
      )
      t.deepEqual(await queue.getJobSchedulers(), [], 'and nobody had put the schedule back')
    } finally {
      await queue.close()
    }
    // Redis that comes back finds its schedule written anew.
    await shop.lab.box.units.stop('redis')
    shop.lab.box.units.start('redis')
    await shop.lab.untilHealthy()
  },
)

test.serial('Management, Background Monitoring: each living session is looked at within 30 s when Redis is dead', async (t) => {
  const { buyer, id } = await paid()
  const { buyer: other, id: otherId } = await paid(shop.phone2)
  await shop.lab.box.units.stop('redis')
  try {
    const { dataUsed } = await shop.session(id)
    await download(buyer, 2 * MB)
    await until('its use is seen', async () => (await shop.session(id)).dataUsed >= dataUsed + 2 * MB, LOOKED_AT_WITHIN_MS)
    shop.change('UPDATE sessions SET expires_at = ? WHERE id = ?', Date.now() - 1, otherId)
    await until('the end is seen', async () => (await shop.session(otherId)).status === 'expired', LOOKED_AT_WITHIN_MS)
    await until('in the kernel too', async () => (await held(otherId)) === '', LOOKED_AT_WITHIN_MS)
    t.false(await other.passes())
    t.true(await buyer.passes())
    const told = await program('PUT', `/api/users/${buyer.number}/sessions/session_${id}/usage`, { dataUsed: 60 * MB })
    t.is(told.body.session?.status, 'expired')
    await until('a report past the limit reaches the kernel', async () => (await held(id)) === '', LOOKED_AT_WITHIN_MS)
  } finally {
    shop.lab.box.units.start('redis')
    await shop.lab.untilHealthy()
  }
})

test.serial('Management, Status Updates: active, connected, disconnected, expired, as it happens; a screen hears of each', async (t) => {
  const { buyer, reference, id } = await paid()
  const document = async () =>
    (await program('POST', `/api/users/${buyer.number}/sessions`, { paymentMethod: 'Mobile Money', paymentReference: reference })).body
      .session!
  const child = shop.lab.spawn(buyer.phone.namespace, ['curl', '-sN', `http://${shop.lab.portalHost}/api/me/session/events`], {
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  let heard = ''
  child.stdout?.on('data', (chunk: Buffer) => (heard += chunk))
  const screenHears = (status: string) => until(`the screen hears ${status}`, () => heard.includes(`"status":"${status}"`), 15_000)
  await screenHears('active')
  t.like(await document(), { status: 'active', lastConnected: null, disconnectedAt: null })
  await download(buyer, MB)
  await screenHears('connected')
  const connected = await document()
  t.is(connected.status, 'connected')
  t.truthy(connected.lastConnected)
  const used = async () => (await document()).dataUsed >= MB
  await until('what was used is in the document', used, 10_000)
  await buyer.ask<Told['body']>(`/api/users/${buyer.number}/sessions/session_${id}/disconnect`, {}, 'PUT')
  await screenHears('disconnected')
  t.truthy((await shop.session(id)).disconnectedAt)
  await program('PUT', `/api/users/${buyer.number}/sessions/session_${id}/usage`, { dataUsed: 50 * MB })
  await screenHears('expired')
  child.kill('SIGKILL')
  t.like(await document(), { status: 'expired', dataUsed: 50 * MB, timeRemaining: 0, dataRemaining: 0 })
})

test.serial(
  'Management, Expiration Handling: what is over leaves the kernel and the list of the living, and stays in the books',
  async (t) => {
    const { buyer, reference, id } = await paid()
    await download(buyer, MB)
    await until('its use is in the ledger', async () => (await shop.session(id)).dataUsed > MB, 10_000)
    shop.change('UPDATE sessions SET expires_at = ? WHERE id = ?', Date.now() + 500, id)
    const ended = await shop.untilEnded(id)
    t.like(ended, { status: 'expired', endReason: 'time' })
    t.truthy(ended.endedAt)
    t.true(ended.dataUsed > MB)
    await until('the kernel has nothing of it', async () => (await held(id)) === '', 10_000)
    const { sessions } = await shop.api<{ sessions: { id: number }[] }>('/api/admin/sessions')
    t.false(sessions.some((one) => one.id === id))
    const history = (await buyer.ask<{ sessions: { id: number; status: string }[]; payments: { reference: string }[] }>('/api/me/history'))
      .body
    t.like(history.sessions[0], { id, status: 'expired' })
    t.is(history.payments[0]?.reference, reference)
    const next = await buyer.order({ packageId: pack })
    t.is(next.body.outcome, 'asked')
    const { sessionId } = await buyer.follow(next.body.payment!.reference, 'granted')
    t.not(sessionId, id)
    t.true(await buyer.passes())
  },
)
