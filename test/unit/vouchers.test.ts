import test, { type ExecutionContext } from 'ava'
import { createBus } from '#server/events.ts'
import { createPackages } from '#server/packages/packages.ts'
import { packageInput } from '#server/packages/schema.ts'
import { type Store, openStore } from '#server/store/store.ts'
import { GB } from '#server/units.ts'
import { formatCode, hashCode, makeCode, normaliseCode } from '#server/vouchers/codes.ts'
import { type BatchInput, batchInput } from '#server/vouchers/schema.ts'
import { createVouchers } from '#server/vouchers/vouchers.ts'
import { openTestStore } from './store.ts'

const secret = 'a secret of the box'
const startedAt = 1_789_000_000_000

async function setUp(t: ExecutionContext) {
  const store = await openTestStore(t)
  const clock = { at: startedAt }
  const on = (each: Store) => {
    const bus = createBus()
    const packages = createPackages({ store: each, now: () => clock.at, bus })
    return { packages, vouchers: createVouchers({ store: each, now: () => clock.at, secret, packages, bus }) }
  }
  const { packages, vouchers } = on(store)
  const { id: packageId } = await packages.create(
    packageInput.parse({ name: 'Basic', dataLimit: GB, durationSeconds: 3600, priceMinor: 200_00 }),
    'NGN',
  )
  const make = (input: Partial<BatchInput> = {}) => vouchers.makeBatch({ ...batchInput.parse({ packageId, count: 1 }), ...input }, 'ada')
  const claim = (code: string) => store.transaction((tx) => vouchers.claim(tx, code))
  const makeOne = async (input: Partial<BatchInput> = {}) => {
    const { batchId, codes } = await make(input)
    return { batchId, code: codes[0]! }
  }
  return { store, clock, on, packages, vouchers, packageId, make, makeOne, claim }
}

test('50,000 codes hold no look-alikes and no duplicate', (t) => {
  const codes = Array.from({ length: 50_000 }, () => makeCode('letters'))
  t.is(new Set(codes).size, codes.length)
  t.true(codes.every((code) => /^[2-9A-Z]{10}$/.test(code)))
  t.false(codes.some((code) => /[01OILUVBSZ]/.test(code)))
})

test('every sign of the alphabet turns up in every place about as often', (t) => {
  const rounds = 26_000
  const counts = Array.from({ length: 10 }, () => new Map<string, number>())
  for (let round = 0; round < rounds; round++) {
    for (const [place, sign] of [...makeCode('letters')].entries()) counts[place]!.set(sign, (counts[place]!.get(sign) ?? 0) + 1)
  }
  for (const count of counts) {
    t.is(count.size, 26)
    // 1,000 expected, standard deviation 31: eight of them either way happen to nobody.
    t.true([...count.values()].every((times) => times > 750 && times < 1250))
  }
})

test('numeric codes are twelve digits, shown in groups of four', (t) => {
  const code = makeCode('digits')
  t.regex(code, /^\d{12}$/)
  t.regex(formatCode(code, 'digits'), /^\d{4}-\d{4}-\d{4}$/)
  t.is(formatCode('ACDEFGHJKM', 'letters'), 'ACDEF-GHJKM')
})

test('a code is understood however it is typed, also with look-alikes', (t) => {
  t.is(normaliseCode(' acd8f-25hjm '), 'ACD8F25HJM')
  t.is(normaliseCode('ACDBF ZSHJM'), 'ACD8F25HJM')
  t.is(normaliseCode('123O-5678-9Ol2'), '123056789012')
})

test('what is kept of a code is not the code, and says nothing without the secret', (t) => {
  const hash = hashCode('ACDEFGHJKM', secret)
  t.regex(hash, /^[0-9a-f]{64}$/)
  t.not(hash, hashCode('ACDEFGHJKM', 'another box'))
  t.not(hash, hashCode('ACDEFGHJKN', secret))
})

test('a batch of 5,000 is made at once and no code of it is in the database', async (t) => {
  const { store, make, vouchers } = await setUp(t)
  const { batchId, codes } = await make({ count: 5000, note: 'Friday', seller: 'kiosk' })
  t.is(new Set(codes).size, 5000)
  t.true(codes.every((code) => /^[2-9A-Z]{5}-[2-9A-Z]{5}$/.test(code)))
  const stored = new Set((await store.db('vouchers')).flatMap((row) => Object.values(row)))
  t.true(stored.has(hashCode(normaliseCode(codes[0]!), secret)))
  t.false(codes.some((code) => stored.has(code) || stored.has(normaliseCode(code))))

  const { batch, vouchers: each } = await vouchers.batch(batchId)
  t.like(batch, {
    count: 5000,
    used: 0,
    packageName: 'Basic',
    createdBy: 'ada',
    note: 'Friday',
    seller: 'kiosk',
    expiresAt: null,
    voidedAt: null,
  })
  t.deepEqual(
    each.map(({ last4 }) => last4),
    codes.map((code) => code.slice(-4)),
  )
})

test('a code is redeemed once, however it is typed', async (t) => {
  const { makeOne, claim, packageId, vouchers } = await setUp(t)
  const { batchId, code } = await makeOne()
  t.like(await claim(code.toLowerCase().replace('-', ' ')), { batchId, packageId, last4: code.slice(-4) })
  await t.throwsAsync(claim(code), { code: 'voucher-used' })
  t.like((await vouchers.batch(batchId)).batch, { used: 1 })
  t.like((await vouchers.batch(batchId)).vouchers[0], { status: 'used', redeemedAt: new Date(startedAt).toISOString(), sessionId: null })
})

test('of fifty who redeem one code at once over two processes, exactly one succeeds', async (t) => {
  const { store, on, makeOne } = await setUp(t)
  const other = await openStore(store.file)
  t.teardown(() => other.close())
  const doors = [store, other].map((each) => ({ store: each, vouchers: on(each).vouchers }))
  for (let round = 0; round < 3; round++) {
    const { code } = await makeOne()
    const tries = Array.from({ length: 50 }, (_, index) => {
      const door = doors[index % 2]!
      return door.store.transaction((tx) => door.vouchers.claim(tx, code))
    })
    const results = await Promise.allSettled(tries)
    t.is(results.filter(({ status }) => status === 'fulfilled').length, 1)
    const refusals = results.filter((result) => result.status === 'rejected').map(({ reason }) => reason.code)
    t.deepEqual([refusals.length, ...new Set(refusals)], [49, 'voucher-used'])
  }
})

test('a later refusal gives the voucher back', async (t) => {
  const { store, vouchers, makeOne, claim } = await setUp(t)
  const { batchId, code } = await makeOne()
  const refused = store.transaction(async (tx) => {
    await vouchers.claim(tx, code)
    throw new Error('limit reached')
  })
  await t.throwsAsync(refused, { message: 'limit reached' })
  t.like((await vouchers.batch(batchId)).vouchers[0], { status: 'unused', redeemedAt: null })
  await t.notThrowsAsync(claim(code))
})

test('a voucher is good up to its last moment, and says so after', async (t) => {
  const { clock, makeOne, claim, vouchers } = await setUp(t)
  const [first, second] = [await makeOne({ expiresAt: startedAt + 1000 }), await makeOne({ expiresAt: startedAt + 1000 })]
  clock.at = startedAt + 1000
  await t.notThrowsAsync(claim(first.code))
  clock.at = startedAt + 1001
  await t.throwsAsync(claim(second.code), { code: 'voucher-expired' })
  await t.throwsAsync(claim(first.code), { code: 'voucher-used' })
  t.like((await vouchers.batch(second.batchId)).vouchers[0], { status: 'unused' })
})

test('vouchers that would be expired at once are not made', async (t) => {
  const { make, vouchers } = await setUp(t)
  await t.throwsAsync(make({ expiresAt: startedAt }), { code: 'bad-input' })
  t.deepEqual(await vouchers.batches(), [])
})

test('voiding a batch ends the unused codes and keeps the used ones', async (t) => {
  const { make, claim, vouchers, clock } = await setUp(t)
  const { batchId, codes } = await make({ count: 3 })
  await claim(codes[0]!)
  clock.at += 1000
  t.like(await vouchers.voidBatch(batchId), { used: 1, voidedAt: new Date(startedAt + 1000).toISOString() })
  await t.throwsAsync(claim(codes[1]!), { code: 'voucher-void' })
  await t.throwsAsync(claim(codes[0]!), { code: 'voucher-used' })
  t.deepEqual(
    (await vouchers.batch(batchId)).vouchers.map(({ status }) => status),
    ['used', 'void', 'void'],
  )
  clock.at += 1000
  t.like(await vouchers.voidBatch(batchId), { voidedAt: new Date(startedAt + 1000).toISOString() }, 'the first time counts')
  await t.throwsAsync(vouchers.voidBatch(99), { code: 'not-found' })
})

for (const code of ["' OR 1=1 --", "x'; DROP TABLE vouchers; --", '%', '', '\u0000', '../../etc/passwd', 'Ω'.repeat(1000)]) {
  test(`${JSON.stringify(code.slice(0, 30))} is just an unknown code`, async (t) => {
    const { makeOne, claim } = await setUp(t)
    const { code: good } = await makeOne()
    await t.throwsAsync(claim(code), { code: 'voucher-unknown' })
    await t.notThrowsAsync(claim(good))
  })
}

test('vouchers are made for a package on sale only, and stay good when it goes off sale', async (t) => {
  const { makeOne, make, claim, packages, packageId, vouchers } = await setUp(t)
  const { code } = await makeOne()
  await packages.archive(packageId)
  await t.throwsAsync(make(), { code: 'not-found' })
  await t.throwsAsync(make({ packageId: 99 }), { code: 'not-found' })
  t.is((await claim(code)).packageId, packageId)
  t.deepEqual(
    (await vouchers.batches()).map(({ packageName }) => packageName),
    ['Basic'],
  )
})

test('batches are listed newest first', async (t) => {
  const { make, vouchers } = await setUp(t)
  const made = [await make(), await make(), await make()].map(({ batchId }) => batchId)
  t.deepEqual(
    (await vouchers.batches()).map(({ id }) => id),
    made.toReversed(),
  )
  await t.throwsAsync(vouchers.batch(99), { code: 'not-found' })
})

test('redeemed vouchers are counted from a time on', async (t) => {
  const { make, claim, vouchers, clock } = await setUp(t)
  const { codes } = await make({ count: 3 })
  await claim(codes[0]!)
  clock.at += 1000
  await claim(codes[1]!)
  t.deepEqual([await vouchers.countRedeemed(startedAt), await vouchers.countRedeemed(startedAt + 1000)], [2, 1])
  t.is(await vouchers.countRedeemed(startedAt + 1001), 0)
})

test('a voucher is bound to its session once, and only after it was claimed', async (t) => {
  const { store, makeOne, vouchers, packageId } = await setUp(t)
  const [sessionId] = await store.db('sessions').insert({
    hotspot_name: '',
    package_id: packageId,
    package_name: '',
    payment_method: 'voucher',
    payment_reference: '',
    resume_code: 'R',
    activate_by: 1,
    status: 'ready',
    duration_ms: 1,
    max_devices: 1,
    after_data: 'stop',
    created_at: 1,
    updated_at: 1,
  })
  const { batchId, code } = await makeOne()
  const { id } = (await vouchers.batch(batchId)).vouchers[0]!
  const bind = () => store.transaction((tx) => vouchers.bind(tx, id, sessionId!))
  await t.throwsAsync(bind())
  await store.transaction(async (tx) => vouchers.bind(tx, (await vouchers.claim(tx, code)).voucherId, sessionId!))
  t.is((await vouchers.batch(batchId)).vouchers[0]?.sessionId, sessionId)
  await t.throwsAsync(bind())
})
