import { scryptSync } from 'node:crypto'
import { existsSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import type { Refusal } from '#server/errors.ts'
import { hashPassword, verifyPassword } from '#server/password.ts'
import { createStaff } from '#server/staff/staff.ts'
import { DAY, HOUR, MINUTE } from '#server/units.ts'
import { openTestStore } from './store.ts'

const password = 'correct horse battery'
const apiKey = `ksw_${'Ab3'.repeat(13)}Z`

async function setUp(t: ExecutionContext) {
  const store = await openTestStore(t)
  const clock = { at: 1_789_000_000_000 }
  const staff = createStaff({ store, now: () => clock.at })
  const ada = await staff.create({ username: 'ada', password, role: 'owner' })
  const bo = await staff.create({ username: 'bo', password, role: 'cashier' })
  return { store, clock, staff, ada, bo }
}

test('a password is right or wrong, and its hash is not the password', async (t) => {
  const hash = await hashPassword(password)
  t.regex(hash, /^scrypt\$32768\$8\$1\$[^$]+\$[^$]+$/)
  t.false(hash.includes(password))
  t.true(await verifyPassword(password, hash))
  t.false(await verifyPassword(`${password} `, hash))
  t.not(await hashPassword(password), hash, 'salted')
})

test('a hash tells its own cost, so that the cost may rise later', async (t) => {
  const salt = Buffer.from('salt')
  const key = scryptSync(password, salt, 32, { N: 1024, r: 4, p: 2 })
  const older = ['scrypt', 1024, 4, 2, salt.toString('base64'), key.toString('base64')].join('$')
  t.true(await verifyPassword(password, older))
  t.false(await verifyPassword('wrong', older))
})

test('signing in gives a login that is known again, by any spelling of the name', async (t) => {
  const { staff, store } = await setUp(t)
  const login = await staff.login(' Ada ', password, '10.64.0.7')
  t.like(login, { username: 'ada', role: 'owner' })
  t.like(await staff.authenticate({ token: login.token, safe: true }), { name: 'ada', role: 'owner' })
  t.deepEqual(await staff.resumeLogin(login.token), { username: 'ada', role: 'owner', csrfToken: login.csrfToken })
  t.false(JSON.stringify(await store.db('staff_logins')).includes(login.token), 'the database holds no token')
})

test('a wrong password, an unknown name and a disabled member get the same answer', async (t) => {
  const { staff, bo } = await setUp(t)
  await staff.update(bo.id, { disabled: true })
  const refusals = [
    await t.throwsAsync<Refusal>(staff.login('ada', 'wrong', 'a')),
    await t.throwsAsync<Refusal>(staff.login('nobody', password, 'a')),
    await t.throwsAsync<Refusal>(staff.login('bo', password, 'a')),
    await t.throwsAsync<Refusal>(staff.login("' OR 1=1 --", password, 'a')),
  ]
  t.deepEqual([...new Set(refusals.map(({ code, message }) => `${code}: ${message}`))], ['not-signed-in: Name or password is not right.'])
})

test('guessing one account shuts out the guesser, and nobody else', async (t) => {
  const { staff } = await setUp(t)
  for (let count = 0; count < 5; count++) await t.throwsAsync(staff.login('ada', 'wrong', '10.64.0.7'), { code: 'not-signed-in' })
  const refusal = await t.throwsAsync<Refusal>(staff.login('ada', password, '10.64.0.7'), { code: 'too-many-tries' })
  const wait = refusal.facts?.['retryAfterSeconds'] as number
  t.true(Number.isInteger(wait) && wait > 0 && wait <= 600)
  await t.notThrowsAsync(staff.login('ada', password, '10.64.0.8'), 'the owner elsewhere')
  await t.notThrowsAsync(staff.login('bo', password, '10.64.0.7'), 'another account')
})

test('tries made all at once are limited like tries one after another', async (t) => {
  const { staff } = await setUp(t)
  const results = await Promise.allSettled(Array.from({ length: 20 }, () => staff.login('ada', 'wrong', 'x')))
  const codes = results.map((result) => result.status === 'rejected' && result.reason.code)
  t.is(codes.filter((code) => code === 'not-signed-in').length, 5)
  t.is(codes.filter((code) => code === 'too-many-tries').length, 15)
})

test('a right password takes back the tries before it', async (t) => {
  const { staff } = await setUp(t)
  for (let round = 0; round < 3; round++) {
    for (let count = 0; count < 4; count++) await t.throwsAsync(staff.login('ada', 'wrong', 'x'), { code: 'not-signed-in' })
    await t.notThrowsAsync(staff.login('ada', password, 'x'))
  }
})

test('a login lasts twelve hours after it was used last', async (t) => {
  const { staff, clock } = await setUp(t)
  const { token } = await staff.login('ada', password, 'x')
  for (let turn = 0; turn < 3; turn++) {
    clock.at += 12 * HOUR - MINUTE
    await t.notThrowsAsync(staff.authenticate({ token, safe: true }))
  }
  clock.at += 12 * HOUR
  await t.throwsAsync(staff.authenticate({ token, safe: true }), { code: 'not-signed-in' })
})

test('logins that ended are swept at the next sign-in', async (t) => {
  const { staff, clock, store } = await setUp(t)
  await staff.login('ada', password, 'x')
  clock.at += DAY
  await staff.login('ada', password, 'x')
  t.is((await store.db('staff_logins')).length, 1)
})

test('signing out ends this login alone', async (t) => {
  const { staff } = await setUp(t)
  const [here, there] = [await staff.login('ada', password, 'x'), await staff.login('ada', password, 'x')]
  await staff.logout(here.token)
  await staff.logout(here.token)
  await t.throwsAsync(staff.authenticate({ token: here.token, safe: true }), { code: 'not-signed-in' })
  await t.notThrowsAsync(staff.authenticate({ token: there.token, safe: true }))
})

test('a change by cookie needs the token of that very login', async (t) => {
  const { staff } = await setUp(t)
  const { token, csrfToken } = await staff.login('ada', password, 'x')
  const other = await staff.login('ada', password, 'x')
  for (const wrong of [undefined, '', 'x', other.csrfToken]) {
    await t.throwsAsync(staff.authenticate({ token, csrfToken: wrong, safe: false }), { code: 'csrf' })
  }
  await t.notThrowsAsync(staff.authenticate({ token, csrfToken, safe: false }))
  await t.throwsAsync(staff.authenticate({ csrfToken, safe: false }), { code: 'not-signed-in' })
})

test('a disabled member is signed out at once, and may come back', async (t) => {
  const { staff, bo } = await setUp(t)
  const { token } = await staff.login('bo', password, 'x')
  t.true((await staff.update(bo.id, { disabled: true })).disabled)
  await t.throwsAsync(staff.authenticate({ token, safe: true }), { code: 'not-signed-in' })
  t.false((await staff.update(bo.id, { disabled: false })).disabled)
  await t.throwsAsync(staff.authenticate({ token, safe: true }), { code: 'not-signed-in' }, 'the old login stays dead')
  await t.notThrowsAsync(staff.login('bo', password, 'x'))
})

test('a new password ends the old one and every login made with it', async (t) => {
  const { staff, bo } = await setUp(t)
  const { token } = await staff.login('bo', password, 'x')
  await staff.update(bo.id, { password: 'another long one' })
  await t.throwsAsync(staff.authenticate({ token, safe: true }), { code: 'not-signed-in' })
  await t.throwsAsync(staff.login('bo', password, 'x'), { code: 'not-signed-in' })
  await t.notThrowsAsync(staff.login('bo', 'another long one', 'x'))
})

test('a new role counts at once', async (t) => {
  const { staff, bo } = await setUp(t)
  const { token } = await staff.login('bo', password, 'x')
  await staff.update(bo.id, { role: 'owner' })
  t.is((await staff.authenticate({ token, safe: true })).role, 'owner')
})

test('the last owner can be neither disabled nor demoted', async (t) => {
  const { staff, ada, bo } = await setUp(t)
  const { token } = await staff.login('ada', password, 'x')
  await t.throwsAsync(staff.update(ada.id, { disabled: true }), { code: 'conflict' })
  await t.throwsAsync(staff.update(ada.id, { role: 'cashier' }), { code: 'conflict' })
  t.like((await staff.list())[0], { username: 'ada', role: 'owner', disabled: false })
  await t.notThrowsAsync(staff.authenticate({ token, safe: true }))

  await staff.update(bo.id, { role: 'owner' })
  await t.notThrowsAsync(staff.update(ada.id, { role: 'cashier' }))
  await t.throwsAsync(staff.update(bo.id, { disabled: true }), { code: 'conflict' })
})

test('of two owners who demote each other at once, one stays', async (t) => {
  const { staff, ada, bo } = await setUp(t)
  await staff.update(bo.id, { role: 'owner' })
  const results = await Promise.allSettled([staff.update(ada.id, { role: 'cashier' }), staff.update(bo.id, { role: 'cashier' })])
  t.deepEqual(results.map(({ status }) => status).toSorted(), ['fulfilled', 'rejected'])
  t.is((await staff.list()).filter(({ role }) => role === 'owner').length, 1)
})

test('a name is taken once, and an unknown member is refused', async (t) => {
  const { staff } = await setUp(t)
  await t.throwsAsync(staff.create({ username: 'ada', password, role: 'cashier' }), { code: 'conflict' })
  await t.throwsAsync(staff.update(99, { role: 'owner' }), { code: 'not-found' })
  t.false(JSON.stringify(await staff.list()).includes('scrypt'), 'no hash leaves the room')
})

test('an API key works until it is revoked, and is kept as a hash', async (t) => {
  const { staff, store } = await setUp(t)
  const made = await staff.createKey({ name: 'till', role: 'cashier', scopes: [] })
  t.regex(made.apiKey, /^ksw_[A-Za-z0-9]{40}$/)
  t.deepEqual(await staff.authenticate({ apiKey: made.apiKey, safe: false }), {
    name: 'key:till',
    role: 'cashier',
    scopes: ['sessions:read', 'sessions:write'],
  })
  t.false(JSON.stringify(await store.db('api_keys')).includes(made.apiKey))
  t.like((await staff.listKeys())[0], { id: made.id, name: 'till', last4: made.apiKey.slice(-4), revokedAt: null })

  await staff.revokeKey(made.id)
  await t.throwsAsync(staff.authenticate({ apiKey: made.apiKey, safe: true }), { code: 'not-signed-in' })
  await t.throwsAsync(staff.revokeKey(made.id), { code: 'not-found' })
  t.truthy((await staff.listKeys())[0]?.revokedAt)
})

test('the audit log tells who did what, newest first, without secrets', async (t) => {
  const { staff, clock } = await setUp(t)
  for (const subject of ['1', '2', '3']) {
    clock.at += 1000
    const details = { name: 'x', password: 'hunter2', code: 'ABCDE', logo: 'data:', deeper: { apiKey: 'ksw_', kept: [1] } }
    await staff.audit({ actor: 'ada', action: 'package.update', subject, details })
  }
  await staff.audit({ actor: 'ada', action: 'package.archive', subject: '3', details: undefined })
  const first = await staff.auditPage(1, 2)
  t.deepEqual(
    first.entries.map(({ action, subject }) => [action, subject]),
    [
      ['package.archive', '3'],
      ['package.update', '3'],
    ],
  )
  t.like(first, { total: 4, page: 1, pageSize: 2 })
  t.is(first.entries[0]?.details, null)
  t.deepEqual(first.entries[1]?.details, { name: 'x', deeper: { kept: [1] } })
  t.is(first.entries[1]?.at, new Date(clock.at).toISOString())
  t.deepEqual(
    (await staff.auditPage(2, 2)).entries.map(({ subject }) => subject),
    ['2', '1'],
  )
  t.deepEqual((await staff.auditPage(9, 2)).entries, [])
})

test('signing in is written to the audit log, a refused try is not', async (t) => {
  const { staff } = await setUp(t)
  await t.throwsAsync(staff.login('ada', 'wrong', '10.64.0.7'))
  await staff.login('ada', password, '10.64.0.7')
  t.like((await staff.auditPage(1, 10)).entries, [{ actor: 'ada', action: 'staff.login', subject: '10.64.0.7' }])
})

async function setUpEmpty(t: ExecutionContext) {
  const store = await openTestStore(t)
  const file = join(dirname(store.file), 'first-owner.json')
  return { store, file, staff: createStaff({ store, now: () => 1 }) }
}

test('the first owner comes from the file of the installer, which is then gone', async (t) => {
  const { staff, file } = await setUpEmpty(t)
  writeFileSync(file, JSON.stringify({ username: 'Owner', password, apiKey }))
  await staff.firstOwner(file)
  t.false(existsSync(file))
  t.like(await staff.login('owner', password, 'x'), { role: 'owner' })
  t.is((await staff.authenticate({ apiKey, safe: false })).role, 'owner')
  await t.notThrowsAsync(staff.firstOwner(file), 'without a file there is nothing to do')
})

test('the file makes no second owner', async (t) => {
  const { staff, file } = await setUpEmpty(t)
  await staff.create({ username: 'ada', password, role: 'owner' })
  writeFileSync(file, JSON.stringify({ username: 'intruder', password, apiKey }))
  await staff.firstOwner(file)
  t.deepEqual(
    (await staff.list()).map(({ username }) => username),
    ['ada'],
  )
  t.deepEqual(await staff.listKeys(), [])
  t.false(existsSync(file), 'a password does not stay lying about')
})

for (const [what, text] of [
  ['cut off', '{"username":"owner","passw'],
  ['empty', ''],
  ['without a key', JSON.stringify({ username: 'owner', password })],
  ['with a short password', JSON.stringify({ username: 'owner', password: 'hunter2', apiKey })],
] as const) {
  test(`a first-owner file that is ${what} is named, not swallowed`, async (t) => {
    const { staff, file } = await setUpEmpty(t)
    writeFileSync(file, text)
    const error = await t.throwsAsync(staff.firstOwner(file))
    t.true(error.message.includes(file))
    t.notRegex(error.message, /hunter2|battery/, 'the words hold no secret')
    t.deepEqual(await staff.list(), [])
    t.true(existsSync(file))
  })
}
