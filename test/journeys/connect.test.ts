import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { until } from '#lab/run.ts'
import { generateAnswer, type ConnectAnswer, type ConnectOverview, type EndpointView, type ProfileView } from '#server/connect/schema.ts'
import { openStore, type Store } from '#server/store/store.ts'
import { MB } from '#server/units.ts'
import { openVenue, type Customer, type Venue } from '#test/gateway/venue.ts'
import { z } from 'zod'

let venue: Venue
let store: Store
let owner: string
let cashier: string
/** Every answer that held keys, for the last test. */
const answers: ConnectAnswer[] = []

test.before(async () => {
  venue = await openVenue('connect-api')
  owner = venue.lab.admin.apiKey
  cashier = (await venue.api<{ apiKey: string }>('/api/admin/keys', { name: 'till', role: 'cashier' })).apiKey
  store = await openStore(join(venue.lab.dataDir, 'kswifi.db'))
  await venue.api('/api/admin/settings', { pollSeconds: 1 }, 'PATCH')
})
test.after.always(async () => {
  await store?.close()
  await venue?.stop()
})
test.afterEach.always(async () => {
  // A profile would go on with the next session of its phone.
  for (const { id } of await store.db('profiles').whereNull('revoked_at').select('id'))
    await venue.api(`/api/connect/profiles/${id}`, undefined, 'DELETE')
  await venue.clear()
})

type Said<T> = { status: number; body: T }
type No = { error: { code: string; message: string; details?: Record<string, unknown> } }

/** A program's request. `key` null: without any. */
async function ask<T>(key: string | null, method: string, path: string, body?: unknown): Promise<Said<T>> {
  const headers = {
    ...(key ? { authorization: `Bearer ${key}` } : {}),
    ...(body === undefined ? {} : { 'content-type': 'application/json' }),
  }
  const answer = await fetch(venue.lab.url + path, { method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) })
  return noting({ status: answer.status, body: (await answer.json()) as T })
}

/** A phone's request. */
const tap = async <T>(phone: Customer, method: string, path: string, body?: object): Promise<Said<T>> =>
  noting(await venue.ask<T>(phone, path, body, method))

function noting<T>(said: Said<T>): Said<T> {
  if ((said.body as Partial<ConnectAnswer> | null)?.profile_text) answers.push(said.body as unknown as ConnectAnswer)
  return said
}

const generate = (phone: Customer, body: object) => tap<ConnectAnswer>(phone, 'POST', '/api/connect/generate-profile', body)
const listOf = async (phone: Customer, sessionId: number) =>
  (await tap<{ profiles: ProfileView[] }>(phone, 'GET', `/api/connect/profiles?session_id=${sessionId}`)).body.profiles
const valueOf = (answer: ConnectAnswer, key: string) => new RegExp(`^${key} = (.+)$`, 'm').exec(answer.profile_text)![1]!
const publicKeyOf = (answer: ConnectAnswer) =>
  execFileSync('wg', ['pubkey'], { input: valueOf(answer, 'PrivateKey'), encoding: 'utf8' }).trim()
const tokenOf = (answer: ConnectAnswer) => answer.link_url.split('#connect=')[1]!
const peersOf = async () => (await venue.inBox('wg', 'show', 'wg0', 'peers')).split('\n').filter(Boolean).toSorted()

/** Everything that a profile leaves: rows, links and peers. */
async function traces(): Promise<object> {
  const [profiles, endpoints, peers] = await Promise.all([
    store.db('profiles').select('id', 'session_id', 'name', 'public_key', 'endpoint_id', 'revoked_at', 'link_hash'),
    store.db('endpoints'),
    peersOf(),
  ])
  return { profiles, endpoints, peers }
}

/** Each is refused as it should be, and nothing half made stays. */
async function refuses(t: ExecutionContext, cases: [string, number, string, () => Promise<Said<unknown>>][]): Promise<void> {
  const before = await traces()
  for (const [what, status, code, request] of cases) {
    const said = (await request()) as Said<No>
    t.is(said.status, status, `${what}: ${JSON.stringify(said.body)}`)
    t.is(said.body.error.code, code, what)
    t.true(said.body.error.message.length > 10, what)
    t.notRegex(said.body.error.message, /VPN|eSIM/i, what)
    t.deepEqual(await traces(), before, what)
  }
}

test.serial('the answer has every field of the promise, and the peer is in the tunnel before it is given', async (t) => {
  const { phone1, lab } = venue
  const session = await venue.use(phone1, { voucher: await venue.sell({ dataLimit: 50 * MB }) })
  const { status, body } = await generate(phone1, { session_id: session.id, data_limit_mb: 999_999 })
  t.is(status, 200)
  t.deepEqual(await peersOf(), [publicKeyOf(body)])
  t.true(z.strictObject(generateAnswer.shape).safeParse(body).success, 'what the contract names, and nothing else')
  const [profile] = await listOf(phone1, session.id)
  t.like(body, {
    success: true,
    connect_id: profile!.id,
    session_id: session.id,
    data_limit_mb: 50,
    profile_type: 'kswifi_connect',
    access_method: 'secure_profile',
    name: 'Device 1',
    profile_file: 'KSWiFi-Connect.conf',
    expires_at: session.expiresAt,
  })
  t.is(Buffer.from(body.profile_qr.split(',')[1]!, 'base64').subarray(1, 4).toString(), 'PNG')
  t.true(body.profile_svg.startsWith('<svg'))
  t.is(body.setup_instructions.length, 4)
  body.setup_instructions.forEach((step, index) => t.true(step.startsWith(`${index + 1}. `)))
  t.regex(body.link_url, /^http:\/\/kswifi\.internal\/#connect=[\w-]{20,60}$/)
  t.true(Math.abs(Date.parse(body.link_expires_at) - Date.now() - 15 * 60_000) < 60_000)

  const { tunnel } = (await ask<ConnectOverview>(cashier, 'GET', '/api/admin/connect')).body
  t.like(tunnel, { ok: true, address: '10.8.0.1', range: '10.8.0.0/16', port: 51820 })
  t.is(tunnel.publicKey, (await venue.inBox('wg', 'show', 'wg0', 'public-key')).trim())
  const facts = ['Address', 'DNS', 'PublicKey', 'AllowedIPs', 'Endpoint', 'PersistentKeepalive'].map((key) => valueOf(body, key))
  t.deepEqual(facts, [`${profile!.address}/32`, '10.8.0.1', tunnel.publicKey, '0.0.0.0/0, ::/0', '203.0.113.2:51820', '25'])
  t.regex(
    body.profile_text,
    new RegExp(`\n# KSWiFi Connect Session\n# Session ID: ${session.id}\n# Data Limit: 50MB\n# Expires: ${session.expiresAt}\n$`),
  )
  const shared = (await venue.inBox('wg', 'show', 'wg0', 'preshared-keys')).trim()
  t.is(shared, `${publicKeyOf(body)}\t${valueOf(body, 'PresharedKey')}`)

  // Keys, pictures and the token are chance, in which any three letters come up one day.
  const chance = [
    valueOf(body, 'PrivateKey'),
    valueOf(body, 'PresharedKey'),
    tunnel.publicKey,
    tokenOf(body),
    body.profile_qr,
    body.profile_svg,
  ]
  const words = chance.reduce((text, random) => text.replaceAll(random, ''), Object.values(body).join('\n'))
  t.notRegex(words, /VPN|e-?SIM/i)
  for (const word of ['KSWiFi Connect', 'Connect QR code', 'Secure Internet Access'])
    t.true(body.setup_instructions.join('\n').includes(word), word)

  const { stdout } = await lab.exec(phone1.namespace, [
    'curl',
    '-si',
    '-H',
    'content-type: application/json',
    '-d',
    JSON.stringify({}),
    '-X',
    'POST',
    `http://${lab.box.lan}/api/connect/profiles/${body.connect_id}/renew`,
  ])
  noting({ status: 200, body: JSON.parse(stdout.split('\r\n\r\n').at(-1)!) as ConnectAnswer })
  t.regex(stdout, /cache-control: [^\r]*no-store/i)
})

test.serial('a customer lists, renames, renews and removes; what is gone is dead before the answer', async (t) => {
  const { phone1 } = venue
  const session = await venue.use(phone1, { voucher: await venue.sell({ maxDevices: 2 }) })
  const first = (await generate(phone1, { session_id: session.id, name: ' Ana’s laptop ' })).body
  const second = (await generate(phone1, { session_id: session.id, port: 443 })).body
  t.true(valueOf(second, 'Endpoint').endsWith(':443'))
  t.deepEqual(
    (await listOf(phone1, session.id)).map((one) => [one.id, one.name, one.active, one.lastHandshake, one.endpoint]),
    [
      [first.connect_id, 'Ana’s laptop', false, null, 'This box'],
      [second.connect_id, 'Device 1', false, null, 'This box'],
    ],
  )
  const path = `/api/connect/profiles/${first.connect_id}`
  const renamed = await tap<{ profile: ProfileView }>(phone1, 'PATCH', path, { name: 'Tablet' })
  t.is(renamed.body.profile.name, 'Tablet')
  t.is((await venue.session(session.id)).profiles[0]!.name, 'Tablet')

  const again = (await tap<ConnectAnswer>(phone1, 'POST', `${path}/renew`, {})).body
  t.like(again, { connect_id: first.connect_id, name: 'Tablet', session_id: session.id })
  t.is(valueOf(again, 'Address'), valueOf(first, 'Address'))
  t.deepEqual(await peersOf(), [again, second].map(publicKeyOf).toSorted(), 'the old key is out, the new one in')

  const sameWay = (await tap<ConnectAnswer>(phone1, 'POST', `/api/connect/profiles/${second.connect_id}/renew`, {})).body
  t.is(valueOf(sameWay, 'Endpoint'), valueOf(second, 'Endpoint'), 'it still passes the strict network')

  const gone = await tap<{ profile: ProfileView }>(phone1, 'DELETE', path)
  t.is(gone.status, 200)
  t.is(gone.body.profile.id, first.connect_id)
  t.deepEqual(await peersOf(), [publicKeyOf(sameWay)])
  t.deepEqual(
    (await listOf(phone1, session.id)).map((one) => one.id),
    [second.connect_id],
  )
  await refuses(t, [
    ['removed twice', 404, 'not-found', () => tap(phone1, 'DELETE', path)],
    ['renew what is gone', 404, 'not-found', () => tap(phone1, 'POST', `${path}/renew`, {})],
    ['rename what is gone', 404, 'not-found', () => tap(phone1, 'PATCH', path, { name: 'x' })],
    ['open what is gone', 404, 'link-unknown', () => tap(phone1, 'POST', '/api/connect/claim', { token: tokenOf(again) })],
  ])
})

test.serial('a link opens once, on whichever device, and the first device has lost the profile', async (t) => {
  const { phone1, phone2 } = venue
  const session = await venue.use(phone1, { voucher: await venue.sell() })
  const made = (await generate(phone1, { session_id: session.id })).body
  const claim = (token: string) => tap<ConnectAnswer>(phone2, 'POST', '/api/connect/claim', { token })
  const claimed = await claim(tokenOf(made))
  t.is(claimed.status, 200)
  t.like(claimed.body, { connect_id: made.connect_id, session_id: session.id, name: made.name })
  t.deepEqual(await peersOf(), [publicKeyOf(claimed.body)])
  await refuses(t, [['a used link', 404, 'link-unknown', () => claim(tokenOf(made))]])
  t.is((await claim(tokenOf(claimed.body))).status, 200, 'the answer of a link has a link of its own')
  const renewed = (await tap<ConnectAnswer>(phone1, 'POST', `/api/connect/profiles/${made.connect_id}/renew`, {})).body
  await refuses(t, [['a link from before new keys', 404, 'link-unknown', () => claim(tokenOf(answers.at(-2)!))]])
  await venue.api('/api/admin/settings', { connectOn: false }, 'PATCH')
  await refuses(t, [['turned off', 409, 'connect-unavailable', () => claim(tokenOf(renewed))]])
  await venue.api('/api/admin/settings', { connectOn: true }, 'PATCH')
  t.is((await claim(tokenOf(renewed))).status, 200, 'a refusal does not use the link up')
})

test.serial('an API key does all of it for any session, and a cashier does it at the counter', async (t) => {
  const session = await venue.use(venue.phone1, { voucher: await venue.sell({ maxDevices: 2 }) })
  const made = (await ask<ConnectAnswer>(cashier, 'POST', '/api/connect/generate-profile', { session_id: session.id })).body
  const path = `/api/connect/profiles/${made.connect_id}`
  t.is((await ask<{ profile: ProfileView }>(cashier, 'PATCH', path, { name: 'By program' })).body.profile.name, 'By program')
  t.is((await ask<ConnectAnswer>(cashier, 'POST', `${path}/renew`, {})).body.connect_id, made.connect_id)
  const listed = await ask<{ profiles: ProfileView[] }>(cashier, 'GET', `/api/connect/profiles?session_id=${session.id}`)
  t.deepEqual(
    listed.body.profiles.map((one) => one.name),
    ['By program'],
  )
  const atCounter = await ask<ConnectAnswer>(cashier, 'POST', `/api/admin/sessions/${session.id}/profiles`, { name: 'Guest' })
  t.is(atCounter.status, 200)
  t.is(atCounter.body.name, 'Guest')
  t.true((await peersOf()).includes(publicKeyOf(atCounter.body)))
  const staffPath = `/api/admin/profiles/${atCounter.body.connect_id}`
  t.is((await ask<{ profile: ProfileView }>(cashier, 'PATCH', staffPath, { name: 'Guest 2' })).body.profile.name, 'Guest 2')
  t.is((await ask(cashier, 'DELETE', staffPath)).status, 200)
  t.is((await ask(cashier, 'DELETE', path)).status, 200)
  t.deepEqual(await peersOf(), [])
  const { entries } = await venue.api<{ entries: { action: string; actor: string }[] }>('/api/admin/audit')
  for (const action of ['connect.generate', 'connect.rename', 'connect.revoke'])
    t.true(
      entries.some((one) => one.action === action),
      action,
    )
})

test.serial('whatever is not right is refused in words, and leaves nothing half made', async (t) => {
  const { phone1, phone2 } = venue
  const other = await venue.use(phone2, { voucher: await venue.sell() })
  const others = (await generate(phone2, { session_id: other.id })).body
  const ended = await venue.use(phone1, { voucher: await venue.sell() })
  const late = (await generate(phone1, { session_id: ended.id })).body
  await venue.api(`/api/admin/sessions/${ended.id}/end`, {})
  const make = (body: object) => () => generate(phone1, body)
  await refuses(t, [
    ['an ended session', 409, 'session-ended', make({ session_id: ended.id })],
    ['an ended session, by key', 409, 'session-ended', () => ask(owner, 'POST', '/api/connect/generate-profile', { session_id: ended.id })],
    ['an ended session, at the counter', 409, 'session-ended', () => ask(cashier, 'POST', `/api/admin/sessions/${ended.id}/profiles`, {})],
    ['new keys after the end', 409, 'session-ended', () => ask(owner, 'POST', `/api/connect/profiles/${late.connect_id}/renew`, {})],
    ['a link after the end', 409, 'session-ended', () => tap(phone2, 'POST', '/api/connect/claim', { token: tokenOf(late) })],
  ])
  const said = (await generate(phone1, { session_id: ended.id })) as unknown as Said<No>
  t.regex(said.body.error.message, /ended by the staff\. Start a new one with a voucher/)

  const { id } = await venue.use(phone1, { voucher: await venue.sell() })
  for (const one of await listOf(phone1, id)) await tap(phone1, 'DELETE', `/api/connect/profiles/${one.id}`)
  const theirs = `/api/connect/profiles/${others.connect_id}`
  const unknown = 'A'.repeat(32)
  const claim = (token: unknown) => () => tap(phone1, 'POST', '/api/connect/claim', { token })
  const bad = 'bad-input'
  await refuses(t, [
    ["another's session", 404, 'not-found', make({ session_id: other.id })],
    ['no session', 404, 'not-found', make({ session_id: 99_999 })],
    ['no session, by key', 404, 'not-found', () => ask(owner, 'POST', '/api/connect/generate-profile', { session_id: 99_999 })],
    ["another's list", 404, 'not-found', () => tap(phone1, 'GET', `/api/connect/profiles?session_id=${other.id}`)],
    ["another's profile, rename", 404, 'not-found', () => tap(phone1, 'PATCH', theirs, { name: 'mine' })],
    ["another's profile, renew", 404, 'not-found', () => tap(phone1, 'POST', `${theirs}/renew`, {})],
    ["another's profile, remove", 404, 'not-found', () => tap(phone1, 'DELETE', theirs)],
    ['nobody', 404, 'not-found', () => ask(null, 'POST', '/api/connect/generate-profile', { session_id: id })],
    ['a key that is none', 401, 'not-signed-in', () => ask('ksw_x', 'POST', '/api/connect/generate-profile', { session_id: id })],
    ['staff routes without a key', 401, 'not-signed-in', () => ask(null, 'DELETE', `/api/admin/profiles/${others.connect_id}`)],
    ['no such endpoint', 404, 'not-found', make({ session_id: id, endpoint_id: 77 })],
    ['a port that it has not', 400, bad, make({ session_id: id, port: 22 })],
    ['port 0', 400, bad, make({ session_id: id, port: 0 })],
    ['port 65536', 400, bad, make({ session_id: id, port: 65_536 })],
    ['no session id', 400, bad, make({})],
    ['session -1', 400, bad, make({ session_id: -1 })],
    ['session 1.5', 400, bad, make({ session_id: 1.5 })],
    ['session x', 400, bad, make({ session_id: "1' OR 1=1" })],
    ['session beyond numbers', 400, bad, make({ session_id: 1e300 })],
    ['an empty name', 400, bad, make({ session_id: id, name: '  ' })],
    ['a long name', 400, bad, make({ session_id: id, name: 'x'.repeat(41) })],
    ['an unknown field', 400, bad, make({ session_id: id, private_key: 'mine' })],
    ['a profile x', 400, bad, () => tap(phone1, 'DELETE', '/api/connect/profiles/x')],
    ['a profile 0', 400, bad, () => ask(owner, 'DELETE', '/api/connect/profiles/0')],
    ['a list of nothing', 400, bad, () => tap(phone1, 'GET', '/api/connect/profiles')],
    ['a short token', 400, bad, claim('abc')],
    ['a token of other signs', 400, bad, claim(`${unknown.slice(1)}/`)],
    ['a token that is a number', 400, bad, claim(7)],
    ['a token that never was', 404, 'link-unknown', claim(unknown)],
  ])
  const made = (await generate(phone1, { session_id: id })).body
  await refuses(t, [
    ['one device, one profile', 409, 'profiles-full', make({ session_id: id })],
    ['nor by a key', 409, 'profiles-full', () => ask(owner, 'POST', '/api/connect/generate-profile', { session_id: id })],
    ['nor at the counter', 409, 'profiles-full', () => ask(cashier, 'POST', `/api/admin/sessions/${id}/profiles`, {})],
    ['a long new name', 400, bad, () => tap(phone1, 'PATCH', `/api/connect/profiles/${made.connect_id}`, { name: 'x'.repeat(41) })],
    [
      'renewed to no endpoint',
      404,
      'not-found',
      () => tap(phone1, 'POST', `/api/connect/profiles/${made.connect_id}/renew`, { endpoint_id: 77 }),
    ],
  ])
  await venue.api('/api/admin/settings', { connectOn: false }, 'PATCH')
  await refuses(t, [
    ['turned off', 409, 'connect-unavailable', () => ask(owner, 'POST', '/api/connect/generate-profile', { session_id: id })],
    ['turned off, renew', 409, 'connect-unavailable', () => tap(phone1, 'POST', `/api/connect/profiles/${made.connect_id}/renew`, {})],
  ])
  const portal = await tap<{ connect: { available: boolean } }>(phone1, 'GET', '/api/portal')
  t.false(portal.body.connect.available)
  t.is((await tap(phone1, 'DELETE', `/api/connect/profiles/${made.connect_id}`)).status, 200, 'what there is can be removed')
  await venue.api('/api/admin/settings', { connectOn: true }, 'PATCH')
})

test.serial('of many who ask at once, as many get a profile as there are places', async (t) => {
  const { id } = await venue.use(venue.phone1, { voucher: await venue.sell({ maxDevices: 3 }) })
  const before = await peersOf()
  const said = await Promise.all(
    Array.from({ length: 8 }, () => ask<ConnectAnswer>(cashier, 'POST', '/api/connect/generate-profile', { session_id: id })),
  )
  const made = said.filter(({ status }) => status === 200).map(({ body }) => body)
  t.is(said.filter(({ status }) => status === 409).length + made.length, 8)
  const { profiles } = await venue.session(id)
  t.is(profiles.length, 3)
  t.is(new Set(profiles.map((one) => one.address)).size, 3)
  t.deepEqual(
    (await peersOf()).filter((key) => !before.includes(key)),
    made.map(publicKeyOf).toSorted(),
  )
})

test.serial('a customer who renews without end must wait; staff need not', async (t) => {
  const session = await venue.use(venue.phone1, { voucher: await venue.sell() })
  const { connect_id: id } = (await generate(venue.phone1, { session_id: session.id })).body
  const renew = () => tap<No>(venue.phone1, 'POST', `/api/connect/profiles/${id}/renew`, {})
  const said = await until(
    'it is enough',
    async () => {
      const answer = await renew()
      return answer.status === 200 ? null : answer
    },
    20_000,
  )
  t.is(said.status, 429)
  t.is(said.body.error.code, 'too-many-tries')
  t.true(Number(said.body.error.details?.['retryAfterSeconds']) > 0)
  t.is((await ask(cashier, 'POST', `/api/connect/profiles/${id}/renew`, {})).status, 200)
  const { entries } = (await ask<{ entries: { actor: string; action: string }[] }>(owner, 'GET', '/api/admin/audit')).body
  t.like(entries[0], { actor: 'key:till', action: 'connect.renew' })
})

test.serial('the owner keeps the endpoints; a cashier may look, and everybody sees where profiles can lead', async (t) => {
  const path = '/api/admin/connect/endpoints'
  const london = { name: 'London', region: 'Europe', host: 'LON.example.com', ports: [443, 51820] }
  const added = await ask<{ endpoint: EndpointView }>(owner, 'POST', path, london)
  t.is(added.status, 201)
  const { id } = added.body.endpoint
  t.deepEqual(added.body.endpoint, { ...london, id, host: 'lon.example.com', self: false })
  const seen = (await ask<{ endpoints: EndpointView[] }>(null, 'GET', '/api/connect/endpoints')).body.endpoints
  t.deepEqual(
    seen.map((one) => [one.name, one.host, one.self]),
    [
      ['This box', '203.0.113.2', true],
      ['London', 'lon.example.com', false],
    ],
  )
  const own = seen[0]!.id
  const session = await venue.use(venue.phone1, { voucher: await venue.sell() })
  const { body } = await generate(venue.phone1, { session_id: session.id, endpoint_id: id })
  t.is(valueOf(body, 'Endpoint'), 'lon.example.com:443')
  t.is((await listOf(venue.phone1, session.id))[0]!.endpoint, 'London')
  const change = (key: string | null, what: number | string, patch: object) => () => ask(key, 'PATCH', `${path}/${what}`, patch)
  t.is((await change(owner, own, { host: 'cafe.example.com', ports: [51820] })()).status, 200)
  const overview = (await ask<ConnectOverview>(cashier, 'GET', '/api/admin/connect')).body
  t.like(overview, { on: true, profiles: { places: 65_023 } })
  t.like(overview.endpoints[0], { host: 'cafe.example.com', ports: [51820] })
  await refuses(t, [
    ['a cashier adds', 403, 'not-allowed', () => ask(cashier, 'POST', path, london)],
    ['a cashier changes', 403, 'not-allowed', change(cashier, id, { name: 'x' })],
    ['a cashier removes', 403, 'not-allowed', () => ask(cashier, 'DELETE', `${path}/${id}`)],
    ['a cashier turns the keys', 403, 'not-allowed', () => ask(cashier, 'POST', '/api/admin/connect/rotate-keys', {})],
    ['nobody looks', 401, 'not-signed-in', () => ask(null, 'GET', '/api/admin/connect')],
    ['nobody adds', 401, 'not-signed-in', () => ask(null, 'POST', path, london)],
    ['no name', 400, 'bad-input', () => ask(owner, 'POST', path, { ...london, name: '' })],
    ['a host with a space', 400, 'bad-input', () => ask(owner, 'POST', path, { ...london, host: 'a b' })],
    ['a host with a line', 400, 'bad-input', () => ask(owner, 'POST', path, { ...london, host: 'a\nPostUp=x' })],
    ['a host with a port', 400, 'bad-input', () => ask(owner, 'POST', path, { ...london, host: 'a.example:443' })],
    ['no port', 400, 'bad-input', () => ask(owner, 'POST', path, { ...london, ports: [] })],
    ['a port twice', 400, 'bad-input', () => ask(owner, 'POST', path, { ...london, ports: [443, 443] })],
    ['port 0', 400, 'bad-input', () => ask(owner, 'POST', path, { ...london, ports: [0] })],
    ['no host but not the box', 400, 'bad-input', change(owner, id, { host: null })],
    ['nothing to change', 400, 'bad-input', change(owner, id, {})],
    ['an endpoint that is none', 404, 'not-found', change(owner, 999, { name: 'x' })],
    ['an endpoint x', 400, 'bad-input', change(owner, 'x', { name: 'x' })],
    ['the box itself removed', 409, 'conflict', () => ask(owner, 'DELETE', `${path}/${own}`)],
  ])
  t.is((await change(owner, own, { host: null, ports: [51820, 443] })()).status, 200)
  t.is((await ask(owner, 'DELETE', `${path}/${id}`)).status, 200)
  t.is((await ask<{ endpoints: EndpointView[] }>(null, 'GET', '/api/connect/endpoints')).body.endpoints.length, 1)
})

test.serial('the box takes new keys on demand: sessions and profiles stay, and a profile made anew has the new key', async (t) => {
  const session = await venue.use(venue.phone1, { voucher: await venue.sell() })
  const made = (await generate(venue.phone1, { session_id: session.id })).body
  const keyInBox = async () => (await venue.inBox('wg', 'show', 'wg0', 'public-key')).trim()
  const before = await keyInBox()
  const { status, body } = await ask<ConnectOverview>(owner, 'POST', '/api/admin/connect/rotate-keys', {})
  t.is(status, 200)
  t.not(body.tunnel.publicKey, before)
  t.is(await keyInBox(), body.tunnel.publicKey, 'before the answer')
  const now = await venue.session(session.id)
  t.is(now.endedAt, null)
  t.like(now.profiles, { length: 1, 0: { id: made.connect_id } })
  const again = (await tap<ConnectAnswer>(venue.phone1, 'POST', `/api/connect/profiles/${made.connect_id}/renew`, {})).body
  t.is(valueOf(again, 'PublicKey'), body.tunnel.publicKey)
  t.is(valueOf(made, 'PublicKey'), before)
})

test.serial('the owner chooses another range while nobody has an address in the old one, and the box moves there', async (t) => {
  const choose = (connectRange: string) => () => ask(owner, 'PATCH', '/api/admin/settings', { connectRange })
  const session = await venue.use(venue.phone1, { voucher: await venue.sell() })
  const made = (await generate(venue.phone1, { session_id: session.id })).body
  await refuses(t, [
    ["the customers' network", 400, 'bad-input', choose('10.64.0.0/16')],
    ['the line', 400, 'bad-input', choose('203.0.0.0/16')],
    ['no network', 400, 'bad-input', choose('10.9.0.0/24')],
    ['while a profile lives', 409, 'conflict', choose('172.20.0.0/16')],
  ])
  t.is((await ask(owner, 'DELETE', `/api/connect/profiles/${made.connect_id}`)).status, 200)
  t.is((await choose('172.20.0.0/16')()).status, 200)
  const addresses = async () => await venue.inBox('ip', '-4', '-o', 'addr', 'show', 'dev', 'wg0')
  await until('the box has moved', async () => / inet 172\.20\.0\.1\/16 /.test(await addresses()), 10_000)
  t.is([...(await addresses()).matchAll(/ inet /g)].length, 1, 'and left the old address')
  await venue.api('/api/admin/settings', { connectDns: ['9.9.9.9', '1.1.1.1'] }, 'PATCH')
  const moved = (await generate(venue.phone1, { session_id: session.id })).body
  t.regex(valueOf(moved, 'Address'), /^172\.20\.\d+\.\d+\/32$/)
  t.is(valueOf(moved, 'DNS'), '9.9.9.9, 1.1.1.1')
  t.regex(await venue.inBox('wg', 'show', 'wg0', 'allowed-ips'), new RegExp(valueOf(moved, 'Address').replaceAll('.', '\\.')))
})

test.serial('a tunnel that is missing at that moment costs the customer nothing but the moment', async (t) => {
  const session = await venue.use(venue.phone1, { voucher: await venue.sell() })
  const made = (await generate(venue.phone1, { session_id: session.id })).body
  const logged = () => readFileSync(join(venue.lab.logDir, 'worker.log'), 'utf8')
  const renewed = await until(
    'a change meets no tunnel',
    async () => {
      await venue.inBox('ip', 'link', 'del', 'wg0')
      const said = await tap<ConnectAnswer>(venue.phone1, 'POST', `/api/connect/profiles/${made.connect_id}/renew`, {})
      t.is(said.status, 200)
      return /"a job failed"/.test(logged()) ? said.body : null
    },
    20_000,
  )
  await until('the tunnel is back, with the profile', async () => (await peersOf()).join() === publicKeyOf(renewed), 15_000)
})

test.serial('of all these keys and links nothing is in a log, in Redis, in the database or in any file of the box', async (t) => {
  t.true(answers.length >= 20, `${answers.length} answers`)
  const boxKey = (await venue.inBox('wg', 'show', 'wg0', 'private-key')).trim()
  const keys = [boxKey, ...answers.flatMap((answer) => [valueOf(answer, 'PrivateKey'), valueOf(answer, 'PresharedKey')])]
  const secrets = [
    ...keys.flatMap((key) => [Buffer.from(key), Buffer.from(key, 'base64'), Buffer.from(Buffer.from(key, 'base64').toString('hex'))]),
    ...answers.map((answer) => Buffer.from(tokenOf(answer))),
  ]
  const { dataDir, logDir, runDir } = venue.lab
  const files = [dataDir, logDir, runDir].flatMap(filesBelow)
  const texts = files.map((file) => ({ file, bytes: readFileSync(file) }))
  texts.push({ file: 'Redis', bytes: Buffer.from(await redisValues(join(runDir, 'redis.sock'))) })
  for (const { file, bytes } of texts)
    t.false(
      secrets.some((secret) => bytes.includes(secret)),
      file,
    )

  // The same look finds what may be there: so it is a look.
  const publicKey = publicKeyOf(answers.at(-1)!)
  t.true(texts.some(({ file, bytes }) => /kswifi\.db/.test(file) && bytes.includes(publicKey)))
  t.true(texts.some(({ file, bytes }) => file.endsWith('worker.log') && bytes.includes('a job failed')))
  t.true(texts.some(({ file, bytes }) => /appendonly/.test(file) && bytes.includes('bull')))
  t.true(texts.at(-1)!.bytes.includes('profiles'), 'jobs name profiles')
})

function filesBelow(dir: string): string[] {
  return readdirSync(dir, { recursive: true, encoding: 'utf8' })
    .map((name) => join(dir, name))
    .filter((file) => statSync(file).isFile())
}

/** Every key of Redis with what it holds, as text. */
async function redisValues(socket: string): Promise<string> {
  const redis = (...argv: string[]) => execFileSync('redis-cli', ['-s', socket, ...argv], { encoding: 'utf8' })
  const read: Record<string, (key: string) => string[]> = {
    string: (key) => ['get', key],
    hash: (key) => ['hgetall', key],
    list: (key) => ['lrange', key, '0', '-1'],
    set: (key) => ['smembers', key],
    zset: (key) => ['zrange', key, '0', '-1', 'withscores'],
    none: (key) => ['exists', key],
    stream: (key) => ['xrange', key, '-', '+'],
  }
  const names = redis('--scan').split('\n').filter(Boolean)
  return names.map((key) => `${key} ${redis(...read[redis('type', key).trim()]!(key))}`).join('\n')
}
