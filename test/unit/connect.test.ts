import test, { type ExecutionContext } from 'ava'
import fc from 'fast-check'
import { createConnect, type Made, type Profile } from '#server/connect/connect.ts'
import { PLACES } from '#server/connect/range.ts'
import type { Refusal } from '#server/errors.ts'
import { createBus } from '#server/events.ts'
import type { Store } from '#server/store/store.ts'
import type { Terms } from '#server/sessions/lifecycle.ts'
import { tidyProfiles } from '#server/sessions/profiles.ts'
import { insertSession } from '#server/sessions/table.ts'
import { createSettings } from '#server/settings/settings.ts'
import { DAY, HOUR, MB, MINUTE, SECOND } from '#server/units.ts'
import { paidSession } from './session.ts'
import { openTestStore } from './store.ts'

const secret = 'the secret of the box'
const anywhere = { endpointId: undefined, port: undefined }
const config = {
  lan: { device: 'none0', address: '10.64.0.1', prefix: 16 },
  wan: { device: 'none0' },
  tunnel: { port: 51820 },
  portalHost: 'kswifi.internal',
}
const lineIsLoopback = { ...config, wan: { device: 'lo' } }

/** A box with sessions 1, 2, … of so many devices each. */
async function setUp(t: ExecutionContext, { devices = [2], on = config }: { devices?: number[]; on?: typeof config } = {}) {
  const store = await openTestStore(t)
  const clock = { at: 1_790_000_000_000 }
  const now = () => clock.at
  const bus = createBus()
  const settings = createSettings({ store, now, bus })
  const connect = createConnect({ store, now, secret, settings, config: on })
  const own = await connect.endpoints.own()
  await connect.endpoints.change(own.id, { host: 'cafe.example.com' })
  for (const [index, maxDevices] of devices.entries()) await addSession(store, index + 1, maxDevices, now())
  const plan = await connect.plan(anywhere)
  const make = (sessionId = 1, places = Infinity, name?: string): Promise<Made> =>
    store.transaction((tx) => connect.make(tx, plan, { sessionId, places, name }))
  const revoke = (...ids: number[]) => store.transaction((tx) => connect.revoke(tx, ids))
  const renew = (profile: Profile) => store.transaction((tx) => connect.renew(tx, plan, profile))
  const open = (token: string) => connect.byLink(token)
  const idsOf = async (sessionId: number) => (await connect.ofSessions([sessionId])).map((one) => one.id)
  return { store, clock, now, bus, settings, connect, own, plan, make, revoke, renew, open, idsOf }
}

/** Profiles at these places, of session 1, by one statement. */
async function fill(store: Store, from: number, to: number): Promise<void> {
  await store.db.raw(
    `INSERT INTO profiles (session_id, name, public_key, address, place, endpoint_id, port, created_at)
     WITH RECURSIVE places(n) AS (SELECT ? UNION ALL SELECT n + 1 FROM places WHERE n < ?)
     SELECT 1, 'x', 'key ' || n, '10.8.' || (n / 254) || '.' || (n % 254 + 1), n, 1, 51820, 0 FROM places`,
    [from, to],
  )
}

const rows = async (store: Store): Promise<number> => Number((await store.db('profiles').count({ n: '*' }).first())!['n'])

test('profiles get one address after the other; one that became free rests until all others had their turn', async (t) => {
  const { make, revoke } = await setUp(t)
  const [first, second] = [await make(), await make()]
  t.deepEqual([first.profile.address, second.profile.address], ['10.8.0.2', '10.8.0.3'])
  await revoke(first.profile.id)
  t.is((await make()).profile.address, '10.8.0.4')
  await revoke(second.profile.id)
  t.is((await make()).profile.address, '10.8.0.5')
})

test('after the last address the first free one comes, and the box is full only when all are taken: then nothing is written', async (t) => {
  const { store, make, revoke, connect } = await setUp(t)
  await fill(store, 2, PLACES)
  const last = await make()
  t.is(last.profile.address, '10.8.0.2', 'around the end, to the one that is free')
  const before = await rows(store)
  t.is(before, PLACES)
  const refusal = await t.throwsAsync<Refusal>(make())
  t.like(refusal, { code: 'connect-full', status: 409 })
  t.is(await rows(store), before)
  await revoke(30_000)
  const freed = (await store.db('profiles').where({ id: 30_000 }).first())!['address']
  t.is((await make()).profile.address, freed, 'the only free one, wherever it lies')
  await t.throwsAsync(make())
  t.is((await connect.overview(tunnelOk)).profiles.living, PLACES)
})

test('whatever comes and goes, no two living profiles have the same address', async (t) => {
  const { store, make, revoke, connect } = await setUp(t)
  // Near the end, so that it goes around.
  await fill(store, PLACES - 4, PLACES - 3)
  await fc.assert(
    fc.asyncProperty(fc.array(fc.integer({ min: 0, max: 9 }), { maxLength: 20 }), async (walk) => {
      for (const step of walk) {
        const living = await connect.ofSessions([1])
        if (step < 6) await make()
        else if (living.length > 0) await revoke(living[step % living.length]!.id)
      }
      const addresses = (await connect.ofSessions([1])).map((one) => one.address)
      t.is(new Set(addresses).size, addresses.length)
    }),
    { numRuns: 10 },
  )
})

test('a session has as many profiles as devices; a removed one makes room; names are chosen or free ones', async (t) => {
  const { store, make, revoke, idsOf } = await setUp(t)
  const [first, second] = [await make(1, 2), await make(1, 2, 'Laptop')]
  t.deepEqual([first.profile.name, second.profile.name], ['Device 1', 'Laptop'])
  const refusal = await t.throwsAsync<Refusal>(make(1, 2))
  t.like(refusal, { code: 'profiles-full', status: 409, facts: { places: 2 } })
  t.is(await rows(store), 2)
  await revoke(first.profile.id)
  t.is((await make(1, 2)).profile.name, 'Device 1')
  t.is((await idsOf(1)).length, 2)
})

test('new keys: the profile keeps its number, name and address; the old public key is among no peers', async (t) => {
  const { make, renew, connect } = await setUp(t)
  const made = await make(1, 2, 'Laptop')
  const again = await renew(made.profile)
  t.like(again.profile, { id: made.profile.id, name: 'Laptop', address: made.profile.address, handshakeAt: null })
  t.not(again.profile.publicKey, made.profile.publicKey)
  t.not(again.privateKey, made.privateKey)
  const peers = await connect.peers()
  t.deepEqual(
    peers.map(({ id, publicKey, address }) => ({ id, publicKey, address })),
    [{ id: made.profile.id, publicKey: again.profile.publicKey, address: made.profile.address }],
  )
  const answer = await connect.answer(again, { id: 1, dataLimit: null, expiresAt: null })
  t.true(answer.profile_text.includes(`PresharedKey = ${peers[0]!.presharedKey}\n`), 'both ends have the same')
  const { publicKey } = (await connect.overview(tunnelOk)).tunnel
  t.true(answer.profile_text.includes(`\nPublicKey = ${publicKey}\n`))
})

test('nothing that opens a tunnel is in the database', async (t) => {
  const { store, make, connect } = await setUp(t)
  const made = await make()
  const answer = await connect.answer(made, { id: 1, dataLimit: 50 * MB, expiresAt: null })
  const kept = JSON.stringify([await store.db('profiles'), await store.db('settings')])
  const [peer] = await connect.peers()
  t.true(kept.includes(made.profile.publicKey))
  for (const secretText of [made.privateKey, made.token, peer!.presharedKey, (await connect.identity()).privateKey])
    t.false(kept.includes(secretText))
  t.true(answer.link_url.endsWith(`#connect=${made.token}`))
})

test('a link opens for 15 minutes, and no longer', async (t) => {
  const { make, open, clock } = await setUp(t)
  const { token, profile } = await make()
  clock.at += 15 * MINUTE - 1
  t.is((await open(token)).id, profile.id)
  clock.at += 1
  t.like(await t.throwsAsync<Refusal>(open(token)), { code: 'link-unknown', status: 404 })
  t.like(await t.throwsAsync<Refusal>(open('A'.repeat(32))), { code: 'link-unknown' })
})

test('a link is of no use after new keys, which is what opening it gives, nor after the profile was removed', async (t) => {
  const { make, open, renew, revoke } = await setUp(t)
  const made = await make()
  const again = await renew(await open(made.token))
  t.like(await t.throwsAsync<Refusal>(open(made.token)), { code: 'link-unknown' })
  t.is((await open(again.token)).id, made.profile.id)
  await revoke(made.profile.id)
  t.like(await t.throwsAsync<Refusal>(open(again.token)), { code: 'link-unknown' })
})

test('profiles follow their session into the next as far as that has places', async (t) => {
  const { store, make, connect, idsOf } = await setUp(t, { devices: [5, 3, 1] })
  const own = await Promise.all([1, 2, 3].map(async () => (await make(1)).profile.id))
  const there = (await make(2)).profile.id
  await store.transaction((tx) => connect.follow(tx, 1, { id: 2, maxDevices: 3 }))
  t.deepEqual(
    await idsOf(2),
    [own[0]!, own[1]!, there].toSorted((a, b) => a - b),
  )
  t.deepEqual(await idsOf(1), [own[2]!])
  await store.transaction((tx) => connect.follow(tx, 1, { id: 2, maxDevices: 2 }))
  t.deepEqual(await idsOf(1), [own[2]!], 'no place, nobody moves, and nobody has to go')
  t.is((await idsOf(2)).length, 3)
})

test('one profile is brought to a session that has a place, once', async (t) => {
  const { store, make, connect, idsOf } = await setUp(t, { devices: [5, 1] })
  const [one, other] = [(await make(1)).profile.id, (await make(1)).profile.id]
  const bring = (id: number) => store.transaction((tx) => connect.bring(tx, id, { id: 2, maxDevices: 1 }))
  await bring(one)
  await bring(one)
  t.deepEqual(await idsOf(2), [one])
  t.like(await t.throwsAsync<Refusal>(bring(other)), { code: 'profiles-full' })
  t.deepEqual(await idsOf(1), [other])
})

test('a profile is active for three minutes after its handshake', async (t) => {
  const { make, connect, clock } = await setUp(t)
  const { profile } = await make()
  const view = async () => (await connect.views(await connect.ofSessions([1])))[0]!
  t.like(await view(), { active: false, lastHandshake: null, endpoint: 'This box', current: false })
  await connect.seen([{ id: profile.id, at: clock.at, from: '198.51.100.7' }])
  const shook = new Date(clock.at).toISOString()
  clock.at += 2 * MINUTE + 59 * SECOND
  t.like(await view(), { active: true, lastHandshake: shook })
  t.is((await connect.overview(tunnelOk)).profiles.active, 1)
  clock.at += 2 * SECOND
  t.like(await view(), { active: false, lastHandshake: shook })
  t.is((await connect.overview(tunnelOk)).profiles.active, 0)
})

test('only those who were away are told to have come, and an older handshake does not turn the clock back', async (t) => {
  const { make, connect, clock } = await setUp(t)
  const [a, b] = [(await make()).profile, (await make()).profile]
  const shake = async (...ids: number[]) =>
    (await connect.seen(ids.map((id) => ({ id, at: clock.at, from: '198.51.100.7' })))).map((one) => one.id)
  t.deepEqual(await shake(a.id), [a.id])
  clock.at += 2 * MINUTE
  t.deepEqual(await shake(a.id, b.id), [b.id])
  clock.at += 4 * MINUTE
  t.deepEqual(await shake(a.id), [a.id], 'away again for long enough')
  await connect.seen([{ id: a.id, at: clock.at - HOUR, from: '198.51.100.7' }])
  t.is((await connect.ofSessions([1]))[0]!.handshakeAt, clock.at)
})

test('a handshake proves the way in from outside, unless it came from the venue itself', async (t) => {
  const { make, connect, clock } = await setUp(t, { on: lineIsLoopback })
  const { id } = (await make()).profile
  const proven = async () => (await connect.overview(tunnelOk)).reach.lastFromOutside
  await connect.seen([{ id, at: clock.at, from: '10.64.3.9' }])
  t.is(await proven(), null)
  await connect.seen([{ id, at: clock.at, from: '198.51.100.7' }])
  t.is(await proven(), new Date(clock.at).toISOString())
  t.is((await connect.overview(tunnelOk)).reach.state, 'proven')
  clock.at += HOUR
  await connect.seen([{ id, at: clock.at - 2 * HOUR, from: '198.51.100.7' }])
  t.is(await proven(), new Date(clock.at - HOUR).toISOString(), 'the newest counts')
  await connect.endpoints.change((await connect.endpoints.own()).id, { host: '203.0.113.99' })
  t.is(await proven(), null, 'another address is another way in')
})

test('a range is refused that meets a network of the box, and a new one while profiles live in the old', async (t) => {
  const { make, revoke, connect } = await setUp(t, { on: lineIsLoopback })
  const check = (connectRange?: string) => connect.checkChoices({ connectRange })
  t.like(await t.throwsAsync<Refusal>(check('10.64.0.0/16')), { code: 'bad-input' })
  t.like(await t.throwsAsync<Refusal>(check('127.0.0.0/16')), { code: 'bad-input' }, 'the line')
  await t.notThrowsAsync(check('10.9.0.0/16'))
  const { profile } = await make()
  t.like(await t.throwsAsync<Refusal>(check('10.9.0.0/16')), { code: 'conflict', status: 409 })
  t.like(await t.throwsAsync<Refusal>(check('10.80.0.0/16')), { code: 'conflict' }, 'another range that begins alike')
  await t.notThrowsAsync(check('10.8.0.0/16'), 'the one that there is')
  await t.notThrowsAsync(check())
  await revoke(profile.id)
  await t.notThrowsAsync(check('10.9.0.0/16'))
})

test('new keys of the box: profiles and their addresses stay, and both ends will need the new key', async (t) => {
  const { make, connect } = await setUp(t)
  const { profile } = await make()
  const before = await connect.identity()
  await connect.rotateKeys()
  const after = await connect.identity()
  t.not(after.privateKey, before.privateKey)
  t.like(after, { address: '10.8.0.1', prefix: 16, port: 51820 })
  t.is((await connect.peers())[0]!.publicKey, profile.publicKey)
  await connect.rotateKeys()
  t.is(new Set([before.privateKey, after.privateKey, (await connect.identity()).privateKey]).size, 3)
})

test('endpoints: added, changed and removed, but the box itself stays, and only it may go without a host', async (t) => {
  const { connect, own } = await setUp(t)
  const far = await connect.endpoints.add({ name: 'London', region: 'Europe', host: 'lon.example.com', ports: [443] })
  t.deepEqual(await connect.endpoints.change(far.id, { ports: [443, 51820], name: undefined }), { ...far, ports: [443, 51820] })
  t.deepEqual(
    (await connect.endpoints.list()).map((one) => [one.name, one.self]),
    [
      ['This box', true],
      ['London', false],
    ],
  )
  t.like(await t.throwsAsync<Refusal>(connect.endpoints.change(far.id, { host: null })), { code: 'bad-input' })
  t.like(await t.throwsAsync<Refusal>(connect.endpoints.remove(own.id)), { code: 'conflict' })
  t.like(await t.throwsAsync<Refusal>(connect.endpoints.change(99, { name: 'x' })), { code: 'not-found' })
  await connect.endpoints.change(own.id, { host: null })
  t.deepEqual(
    (await connect.offer()).endpoints.map((one) => one.name),
    ['London'],
    'nobody is offered a way that has no address',
  )
  await connect.endpoints.remove(far.id)
  t.like(await t.throwsAsync<Refusal>(connect.endpoints.remove(far.id)), { code: 'not-found' })
  t.false((await connect.offer()).available)
})

test('profiles of a session that ended a month ago go, and their addresses with them', async (t) => {
  const { store, clock, now, connect, make, idsOf } = await setUp(t, { devices: [2, 2, 2] })
  const [old] = [(await make(1)).profile.id, await make(2), await make(3)]
  await store.db('sessions').where({ id: 1 }).update({ ended_at: clock.at, status: 'expired' })
  await store
    .db('sessions')
    .where({ id: 2 })
    .update({ ended_at: clock.at + SECOND, status: 'expired' })
  clock.at += 30 * DAY
  t.deepEqual(await tidyProfiles({ store, now, connect }), [])
  clock.at += SECOND
  t.deepEqual(await tidyProfiles({ store, now, connect }), [old])
  t.deepEqual([await idsOf(1), (await idsOf(2)).length, (await idsOf(3)).length], [[], 1, 1])
})

const tunnelOk = { ok: true, reason: '', kind: 'kernel' as const }

async function addSession(store: Store, id: number, maxDevices: number, at: number): Promise<void> {
  const times = { created_at: 0, updated_at: 0 }
  const sold = { id: 1, name: 'P', duration_ms: HOUR, activate_within_ms: HOUR, price_minor: 0, currency: 'NGN', ...times }
  if (id === 1) await store.db('packages').insert(sold)
  const terms: Terms = {
    packageId: 1,
    packageName: 'P',
    dataLimit: 50 * MB,
    durationMs: HOUR,
    downBps: null,
    upBps: null,
    maxDevices,
    afterData: 'stop',
    slowBps: null,
  }
  const begun = { resumeCode: `C${id}`, status: 'active', startTime: at, expiresAt: at + HOUR } as const
  const { id: given } = await store.transaction((tx) => insertSession(tx, paidSession(terms, at, begun)))
  if (given !== id) throw new Error(`session ${id} got the number ${given}`)
}
