import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { bodyParser } from '@koa/bodyparser'
import Router from '@koa/router'
import test, { type ExecutionContext } from 'ava'
import fc from 'fast-check'
import Koa from 'koa'
import { pino } from 'pino'
import { createApp } from '#server/app.ts'
import { Refusal } from '#server/errors.ts'
import { createBus } from '#server/events.ts'
import { createHotspots } from '#server/hotspots/hotspots.ts'
import { distanceWords, haversineM, reach } from '#server/hotspots/range.ts'
import { hotspotRoutes } from '#server/hotspots/routes.ts'
import { hotspotInput, hotspotList, type HotspotInput } from '#server/hotspots/schema.ts'
import { tileHosts } from '#server/hotspots/tiles.ts'
import { mount } from '#server/http/api.ts'
import { createSettings } from '#server/settings/settings.ts'
import { distance, radius } from '../../web/shared/distance.ts'
import { openTestStore } from './store.ts'

const kampala = { latitude: 0.3136, longitude: 32.5811 }
const entebbe = { latitude: 0.0512, longitude: 32.4637 }
const EARTH_RADIUS_M = 6_371_008.8
/** Metres of one degree along a meridian of that sphere. */
const DEGREE_M = (Math.PI * EARTH_RADIUS_M) / 180
const nowhere = { onLan: false, coordinates: null }
const at = (latitude: number, longitude: number) => ({ onLan: false, coordinates: { latitude, longitude } })

async function setUp(t: ExecutionContext) {
  const store = await openTestStore(t)
  let ms = 1_000_000
  const now = () => ms
  const settings = createSettings({ store, now, bus: createBus() })
  const hotspots = createHotspots({ store, now, settings })
  const add = (input: Partial<HotspotInput>) => hotspots.create(hotspotInput.parse({ name: 'Somewhere', ...input }))
  return { store, settings, hotspots, add, pass: (by: number) => (ms += by) }
}

test('the distances of known places are right', (t) => {
  const near = (metres: number, expected: number, share: number) => t.true(Math.abs(metres - expected) <= expected * share, `${metres}`)
  // Along one meridian and along the equator the answer is plain arithmetic.
  near(haversineM({ latitude: 0, longitude: 32 }, { latitude: 1, longitude: 32 }), DEGREE_M, 1e-9)
  near(haversineM({ latitude: 0, longitude: 10 }, { latitude: 0, longitude: 55 }), 45 * DEGREE_M, 1e-9)
  // At 60° a degree of longitude is about half as long.
  near(haversineM({ latitude: 60, longitude: 0 }, { latitude: 60, longitude: 1 }), DEGREE_M / 2, 1e-4)
  near(haversineM(kampala, entebbe), 31_965, 1e-3)
  // London to Paris, and Lagos to Kampala.
  near(haversineM({ latitude: 51.5074, longitude: -0.1278 }, { latitude: 48.8566, longitude: 2.3522 }), 343_560, 1e-3)
})

test('opposite ends of the earth are half its girth apart, and the date line is no wall', (t) => {
  const half = Math.PI * EARTH_RADIUS_M
  for (const [one, other] of [
    [
      { latitude: 90, longitude: 0 },
      { latitude: -90, longitude: 77 },
    ],
    [
      { latitude: 0, longitude: 0 },
      { latitude: 0, longitude: 180 },
    ],
    [
      { latitude: 33.3, longitude: 44.4 },
      { latitude: -33.3, longitude: -135.6 },
    ],
  ] as const)
    t.true(Math.abs(haversineM(one, other) - half) < 1, `${haversineM(one, other)}`)
  const across = haversineM({ latitude: 0, longitude: 179.999 }, { latitude: 0, longitude: -179.999 })
  t.true(Math.abs(across - 0.002 * DEGREE_M) < 0.01, `${across}`)
  t.is(haversineM({ latitude: 10, longitude: 180 }, { latitude: 10, longitude: -180 }) < 0.001, true)
})

const place = fc.record({
  latitude: fc.double({ min: -90, max: 90, noNaN: true }),
  longitude: fc.double({ min: -180, max: 180, noNaN: true }),
})

test('from any place the opposite end of the earth is half its girth away', (t) => {
  fc.assert(
    fc.property(place, ({ latitude, longitude }) => {
      const opposite = { latitude: -latitude, longitude: longitude > 0 ? longitude - 180 : longitude + 180 }
      return Math.abs(haversineM({ latitude, longitude }, opposite) - Math.PI * EARTH_RADIUS_M) < 1
    }),
    { numRuns: 2000 },
  )
  t.pass()
})

test('a distance is the same both ways, nothing to the same place, and never more than half the girth', (t) => {
  fc.assert(
    fc.property(place, place, (one, other) => {
      const metres = haversineM(one, other)
      return (
        metres === haversineM(other, one) && metres >= 0 && metres <= Math.PI * EARTH_RADIUS_M + 1e-6 && haversineM(one, { ...one }) === 0
      )
    }),
  )
  fc.assert(
    fc.property(
      place,
      place,
      place,
      (one, other, third) => haversineM(one, other) <= haversineM(one, third) + haversineM(third, other) + 0.01,
    ),
  )
  t.pass()
})

test('Range Enforcement: 500 m is in range, a step more is not, and what is shown agrees', (t) => {
  const hotspot = { here: true, latitude: 0, longitude: 32.5, radiusM: 500 }
  const after = (metres: number) => reach(hotspot, at(metres / DEGREE_M, 32.5))
  t.deepEqual(after(0), { inRange: true, distanceM: 0 })
  t.deepEqual(after(499.9), { inRange: true, distanceM: 500 })
  t.deepEqual(after(500.1), { inRange: false, distanceM: 501 })
  fc.assert(
    fc.property(fc.double({ min: 0, max: 2000, noNaN: true }), (metres) => {
      const { inRange, distanceM } = after(metres)
      return inRange === distanceM! <= 500
    }),
  )
})

test('whoever is on this box is in range of what is here; for all else the coordinates decide', (t) => {
  const here = { here: true, ...kampala, radiusM: 500 }
  const there = { here: false, ...kampala, radiusM: 500 }
  t.deepEqual(reach(here, { onLan: true, coordinates: null }), { inRange: true, distanceM: null })
  t.like(reach(here, { onLan: true, coordinates: entebbe }), { inRange: true })
  t.deepEqual(reach(there, { onLan: true, coordinates: null }), { inRange: null, distanceM: null })
  t.like(reach(there, { onLan: true, coordinates: entebbe }), { inRange: false })
  t.deepEqual(reach(here, nowhere), { inRange: null, distanceM: null })
  t.deepEqual(reach({ ...here, latitude: null, longitude: null }, at(0, 0)), { inRange: null, distanceM: null })
})

test('distances are said as people say them, never less than they are', (t) => {
  t.deepEqual([0, 320, 999, 1000, 1001, 2400, 9900, 9901, 38_000, 20_015_115].map(distanceWords), [
    '0 m',
    '320 m',
    '999 m',
    '1 km',
    '1.1 km',
    '2.4 km',
    '9.9 km',
    '10 km',
    '38 km',
    '20,016 km',
  ])
})

test('box and page say a distance in the same words', (t) => {
  fc.assert(fc.property(fc.double({ min: 0, max: 21_000_000, noNaN: true }), (metres) => distanceWords(metres) === distance(metres)))
  t.deepEqual([500, 1230, 1500, 50_000].map(radius), ['500 m', '1,230 m', '1.5 km', '50 km'])
})

test('a new box has one hotspot, named like the venue; starting again adds none', async (t) => {
  const { settings, hotspots } = await setUp(t)
  await settings.update({ venueName: 'Corner Café' })
  await hotspots.seed()
  await hotspots.seed()
  t.deepEqual(
    (await hotspots.list()).map(({ hotspotId, name, here, radiusM, status }) => ({ hotspotId, name, here, radiusM, status })),
    [{ hotspotId: 'hotspot_1', name: 'Corner Café', here: true, radiusM: 500, status: 'open' }],
  )
})

test('a box that had its number in the settings keeps it, unless it can be none', async (t) => {
  for (const [former, expected] of [
    ['kampala-7', 'kampala-7'],
    ['', 'hotspot_1'],
    ['room 5', 'hotspot_1'],
  ] as const) {
    const { store, hotspots } = await setUp(t)
    await store.db('settings').insert({ key: 'hotspotId', value: JSON.stringify(former), updated_at: 1 })
    await hotspots.seed()
    t.is((await hotspots.own()).hotspotId, expected)
  }
})

test('the number is given by the box when left out, and nobody else has it', async (t) => {
  const { hotspots, add } = await setUp(t)
  await hotspots.seed()
  t.is((await add({})).hotspotId, 'hotspot_2')
  t.is((await add({ hotspotId: 'hotspot_9' })).hotspotId, 'hotspot_9')
  t.is((await add({ hotspotId: 'beach' })).hotspotId, 'beach')
  t.is((await add({})).hotspotId, 'hotspot_10')
  await t.throwsAsync(add({ hotspotId: 'beach' }), { instanceOf: Refusal, message: /Another hotspot is called beach/ })
})

test('one hotspot is always here: the last one can be closed, but neither removed nor sent away', async (t) => {
  const { hotspots, add } = await setUp(t)
  await hotspots.seed()
  const first = await hotspots.own()
  await add({ name: 'Elsewhere', here: false })
  for (const attempt of [() => hotspots.remove(first.id), () => hotspots.update(first.id, { here: false })])
    t.is((await t.throwsAsync<Refusal>(attempt(), { instanceOf: Refusal }))?.code, 'conflict')
  t.is((await hotspots.update(first.id, { status: 'closed' })).status, 'closed')
  const second = await add({ name: 'Garden', here: true })
  await hotspots.remove(first.id)
  t.is((await hotspots.own()).id, second.id)
  t.is((await t.throwsAsync<Refusal>(hotspots.remove(first.id), { instanceOf: Refusal }))?.code, 'not-found')
})

test('a change keeps the number and must make sense as a whole', async (t) => {
  const { hotspots, add } = await setUp(t)
  const { id, hotspotId } = await add({ ...kampala, name: 'Old name' })
  t.like(await hotspots.update(id, { name: 'New name' }), { hotspotId, name: 'New name', ...kampala })
  t.is((await t.throwsAsync<Refusal>(hotspots.update(id, { latitude: null }), { instanceOf: Refusal }))?.code, 'bad-input')
  t.like(await hotspots.find(hotspotId), { name: 'New name', ...kampala })
  t.is(await hotspots.find('nowhere'), undefined)
})

test('this venue is remembered for a moment, and a change of its own is seen at once', async (t) => {
  const { store, hotspots, pass } = await setUp(t)
  await hotspots.seed()
  const { id } = await hotspots.own()
  await store.db('hotspots').where({ id }).update({ name: 'By another process' })
  t.is((await hotspots.own()).name, 'KSWiFi')
  pass(10_000)
  t.is((await hotspots.own()).name, 'By another process')
  await hotspots.update(id, { name: 'By this one' })
  t.is((await hotspots.own()).name, 'By this one')
})

test('of several that are here, this venue is an open one', async (t) => {
  const { hotspots, add } = await setUp(t)
  await hotspots.seed()
  const garden = await add({ name: 'Garden', here: true })
  await hotspots.update((await hotspots.own()).id, { status: 'closed' })
  t.is((await hotspots.own()).id, garden.id)
})

test('WiFi Range Validation: a purchase is let through, or refused with what to do', async (t) => {
  const { hotspots, add } = await setUp(t)
  await hotspots.seed()
  await add({ hotspotId: 'beach', name: 'Beach', ...entebbe })
  await add({ hotspotId: 'shut', name: 'Shut', ...entebbe, status: 'closed' })
  await add({ hotspotId: 'unplaced', name: 'Unplaced' })
  const refused = async (...asked: Parameters<typeof hotspots.mustReach>) =>
    (await t.throwsAsync<Refusal>(hotspots.mustReach(...asked), { instanceOf: Refusal }))!

  t.is((await hotspots.mustReach(undefined, { onLan: true, coordinates: null })).hotspotId, 'hotspot_1')
  t.is((await hotspots.mustReach('beach', at(entebbe.latitude + 400 / DEGREE_M, entebbe.longitude))).hotspotId, 'beach')

  const far = await refused('beach', { onLan: true, coordinates: kampala })
  t.is(far.code, 'out-of-range')
  t.is(far.status, 409)
  t.is(far.message, 'You are 32 km away from Beach: come within 500 m, then try again.')
  t.like(far.facts, { radiusM: 500, hotspotName: 'Beach' })
  t.true(Math.abs((far.facts?.['distanceM'] as number) - 31_965) < 40)

  t.is((await refused('nowhere', nowhere)).code, 'not-found')
  t.is((await refused('shut', at(entebbe.latitude, entebbe.longitude))).code, 'hotspot-closed')
  const lost = await refused(undefined, nowhere)
  t.is(lost.code, 'where-are-you')
  t.is(lost.message, 'Connect to the Wi-Fi of KSWiFi, or allow your location: else nobody knows whether it reaches you.')
  t.is((await refused('unplaced', at(0, 0))).code, 'where-are-you')
})

test('tiles come from the host that the owner wrote, and nothing else gets into the policy of the pages', (t) => {
  t.deepEqual(tileHosts(''), [])
  t.deepEqual(tileHosts('https://tiles.example.com/{z}/{x}/{y}.png?key=1'), ['https://tiles.example.com'])
  t.deepEqual(tileHosts('http://10.0.0.5:8080/{z}/{x}/{y}.png'), ['http://10.0.0.5:8080'])
  t.deepEqual(tileHosts('https://{s}.tiles.example.com/{z}.png'), [
    'https://a.tiles.example.com',
    'https://b.tiles.example.com',
    'https://c.tiles.example.com',
  ])
  for (const bad of ["https://x;script-src'self'/{z}", 'https://x,y/{z}', 'https://user@x/{z}', 'javascript:{z}', 'https://*/{z}'])
    t.deepEqual(tileHosts(bad), [], bad)
})

test('pages may load pictures from the tile server that the owner chose last, and from no other', async (t) => {
  const { settings } = await setUp(t)
  const app = createApp({
    log: pino({ level: 'silent' }),
    secret: 's',
    guards: {} as never,
    routes: [],
    endpointHosts: () => [],
    tileHosts: () => tileHosts(settings.latest().tileUrl),
    config: { portalHost: 'box.internal', lanAddress: '10.0.0.1', version: '1', webRoot: '/none', swaggerRoot: '/none' },
  })
  const server = app.listen(0, '127.0.0.1')
  t.teardown(() => server.close())
  await once(server, 'listening')
  const pictures = async () => {
    const { port } = server.address() as AddressInfo
    const answer = await fetch(`http://127.0.0.1:${port}/api/openapi.json`, { headers: { connection: 'close' } })
    const policy = answer.headers.get('content-security-policy') ?? ''
    return policy.split(';').find((part) => part.startsWith('img-src'))
  }
  t.is((await pictures())?.trim(), "img-src 'self' data: blob:")
  await settings.update({ tileUrl: 'https://tiles.example.com/{z}/{x}/{y}.png' })
  t.is(await pictures(), "img-src 'self' data: blob: https://tiles.example.com")
  await settings.update({ tileUrl: 'https://x;script-src*/{z}' })
  t.is((await pictures())?.trim(), "img-src 'self' data: blob:")
})

/** The routes over HTTP; the guards let in whom the header X-Role names. The header X-Lan makes the asker a device on the Wi-Fi. */
async function setUpRoutes(t: ExecutionContext) {
  const { hotspots, add } = await setUp(t)
  await hotspots.seed()
  const audited: string[] = []
  const routes = hotspotRoutes({
    hotspots,
    whoAsks: {
      asker: async (ctx: Koa.Context) => ({
        device: ctx.get('x-lan') ? { mac: 'm', ip: 'i', name: '' } : null,
        profile: null,
        sessionId: null,
      }),
    } as never,
    sessionsAt: async (asker) => new Map(asker.device ? [['beach', 17]] : []),
  })
  const router = new Router()
  mount(router, routes, {
    admit: async (ctx, guard) => {
      const role = ctx.get('x-role')
      if (role !== 'owner' && role !== guard) throw new Refusal('not-allowed', 'no')
      return { name: role, role: role as 'owner', scopes: [] }
    },
    audit: async ({ action, subject }) => void audited.push(`${action} ${subject}`),
  })
  const app = new Koa()
  app.use(async (ctx, next) => {
    await next().catch((error: unknown) => {
      if (!(error instanceof Refusal)) throw error
      ctx.status = error.status
      ctx.body = { error: { code: error.code, message: error.message } }
    })
  })
  app.use(bodyParser()).use(router.routes())
  const server = app.listen(0, '127.0.0.1')
  t.teardown(() => server.close())
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const ask = async (method: string, path: string, headers: Record<string, string> = {}, body?: unknown) => {
    const answer = await fetch(`http://127.0.0.1:${port}${path}`, {
      method,
      headers: { connection: 'close', 'content-type': 'application/json', ...headers },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    const text = await answer.text()
    return { status: answer.status, body: text ? JSON.parse(text) : undefined }
  }
  return { add, ask, audited }
}

test('customers see the nearest first, with their own session on each', async (t) => {
  const { add, ask } = await setUpRoutes(t)
  await add({ hotspotId: 'beach', name: 'Beach', ...entebbe })
  await add({ hotspotId: 'city', name: 'City', ...kampala })
  const seen = async (query: string, headers?: Record<string, string>) => {
    const { status, body } = await ask('GET', `/api/hotspots${query}`, headers)
    t.is(status, 200)
    return hotspotList.parse(body).hotspots.map((one) => [one.hotspotId, one.inRange, one.sessionId, one.distanceM === null])
  }
  t.deepEqual(await seen('?latitude=0.3136&longitude=32.5811'), [
    ['city', true, null, false],
    ['beach', false, null, false],
    ['hotspot_1', null, null, true],
  ])
  t.deepEqual(await seen('', { 'x-lan': '1' }), [
    ['hotspot_1', true, null, true],
    ['beach', null, 17, true],
    ['city', null, null, true],
  ])
  for (const bad of ['?latitude=1', '?latitude=91&longitude=0', '?latitude=x&longitude=0', '?latitude=&longitude='])
    t.is((await ask('GET', `/api/hotspots${bad}`)).status, 400, bad)
})

test('a cashier looks, only the owner changes, and every change is in the audit log', async (t) => {
  const { ask, audited } = await setUpRoutes(t)
  const path = '/api/admin/hotspots'
  const [owner, cashier] = [{ 'x-role': 'owner' }, { 'x-role': 'cashier' }]
  t.is((await ask('GET', path, cashier)).body.hotspots.length, 1)
  t.is((await ask('POST', path, cashier, { name: 'x' })).status, 403)
  const made = await ask('POST', path, owner, { name: 'Beach' })
  t.is(made.status, 201)
  const { id } = made.body.hotspot
  t.is((await ask('PATCH', `${path}/${id}`, cashier, { status: 'closed' })).status, 403)
  t.is((await ask('PATCH', `${path}/${id}`, owner, { status: 'closed' })).body.hotspot.status, 'closed')
  t.is((await ask('PATCH', `${path}/${id}`, owner, { hotspotId: 'other' })).status, 400)
  t.is((await ask('DELETE', `${path}/${id}`, cashier)).status, 403)
  t.is((await ask('DELETE', `${path}/${id}`, owner)).status, 204)
  t.is((await ask('DELETE', `${path}/1`, owner)).status, 409)
  t.deepEqual(audited, [`hotspot.create ${id}`, `hotspot.update ${id}`, `hotspot.delete ${id}`])
})
