import test from 'ava'
import { createBus } from '#server/events.ts'
import { createPackages } from '#server/packages/packages.ts'
import { type PackageInput, packageInput, packagePatch } from '#server/packages/schema.ts'
import { DAY, GB } from '#server/units.ts'
import { openTestStore } from './store.ts'
import type { ExecutionContext } from 'ava'

const plain = { name: 'Basic', dataLimit: GB, durationSeconds: 3600, priceMinor: 200_00 }
const input = (change: Partial<PackageInput> = {}) => packageInput.parse({ ...plain, ...change })

async function setUp(t: ExecutionContext) {
  const store = await openTestStore(t)
  const bus = createBus()
  const heard: string[] = []
  bus.subscribe('catalogue.changed', ({ what }) => heard.push(what))
  return { store, heard, packages: createPackages({ store, now: () => 1_000_000, bus }) }
}

test('a package comes back as it was given, in the venue currency when it names none', async (t) => {
  const { store, packages, heard } = await setUp(t)
  const customerLimit = { group: 'free', count: 2, bytes: 5 * GB, days: 30 }
  const made = await packages.create(input({ customerLimit, downBps: 10_000_000 }), 'NGN')
  t.like(made, {
    ...plain,
    customerLimit,
    downBps: 10_000_000,
    upBps: null,
    currency: 'NGN',
    maxDevices: 1,
    afterData: 'stop',
    archived: false,
  })
  t.deepEqual(await packages.find(store.db, made.id), made)
  t.is((await packages.create(input({ currency: 'UGX' }), 'NGN')).currency, 'UGX')
  t.deepEqual(heard, ['packages', 'packages'])
})

test('packages are listed by position, then age', async (t) => {
  const { packages } = await setUp(t)
  for (const [name, position] of [
    ['c', 20],
    ['a', 10],
    ['b', 10],
  ] as const)
    await packages.create(input({ name, position }), 'NGN')
  t.deepEqual(
    (await packages.list()).map(({ name }) => name),
    ['a', 'b', 'c'],
  )
})

test('an archived package is off sale but can still be found, and cannot be changed', async (t) => {
  const { store, packages } = await setUp(t)
  const { id } = await packages.create(input(), 'NGN')
  await packages.archive(id)
  t.deepEqual(await packages.list(), [])
  t.deepEqual(
    (await packages.listAll()).map((each) => [each.id, each.archived]),
    [[id, true]],
  )
  t.true((await packages.find(store.db, id))?.archived)
  await t.throwsAsync(packages.update(id, { name: 'again' }), { code: 'not-found' })
  await t.throwsAsync(packages.archive(id), { code: 'not-found' })
})

test('an unknown package is refused', async (t) => {
  const { packages, heard } = await setUp(t)
  await t.throwsAsync(packages.update(99, { name: 'x' }), { code: 'not-found' })
  await t.throwsAsync(packages.archive(99), { code: 'not-found' })
  t.deepEqual(heard, [])
})

test('a change is checked together with what stays', async (t) => {
  const { store, packages } = await setUp(t)
  const made = await packages.create(input(), 'NGN')
  await t.throwsAsync(packages.update(made.id, packagePatch.parse({ afterData: 'slow' })), { code: 'bad-input', message: /slowBps/ })
  t.deepEqual(await packages.find(store.db, made.id), made)
  t.like(await packages.update(made.id, { afterData: 'slow', slowBps: 256_000 }), { afterData: 'slow', slowBps: 256_000, name: 'Basic' })
  await t.throwsAsync(packages.update(made.id, { slowBps: null }), { code: 'bad-input' })
  t.like(await packages.update(made.id, { afterData: 'stop', slowBps: null }), { afterData: 'stop', slowBps: null })
})

test('a change keeps the currency and the limit that it does not name', async (t) => {
  const { packages } = await setUp(t)
  const customerLimit = { group: null, count: 1, bytes: null, days: 7 }
  const { id } = await packages.create(input({ customerLimit, currency: 'UGX' }), 'NGN')
  t.like(await packages.update(id, { priceMinor: 5 }), { customerLimit, currency: 'UGX', priceMinor: 5 })
  t.like(await packages.update(id, { customerLimit: null }), { customerLimit: null })
})

const customerLimit = (group: string | null) => ({ group, count: 1, bytes: null, days: 7 })

test('the packages of a limit group are known, also those off sale', async (t) => {
  const { store, packages } = await setUp(t)
  const ids: number[] = []
  for (const group of ['free', 'free', 'other', null])
    ids.push((await packages.create(input({ customerLimit: customerLimit(group) }), 'NGN')).id)
  await packages.archive(ids[0]!)
  t.deepEqual(await packages.idsOfGroup(store.db, 'free'), ids.slice(0, 2))
  t.deepEqual(await packages.idsOfGroup(store.db, 'unknown'), [])
})

const refused = test.macro({
  exec: (t, change: Record<string, unknown>) => t.false(packageInput.safeParse({ ...plain, ...change }).success),
  title: (title) => `not a package: ${title}`,
})

test('slow without a speed', refused, { afterData: 'slow' })
test('a limit that limits nothing', refused, { customerLimit: { group: null, count: null, bytes: null, days: 30 } })
test('a limit in bytes smaller than the package', refused, { customerLimit: { group: null, count: null, bytes: GB - 1, days: 30 } })
test('a limit in bytes on unlimited data', refused, { dataLimit: null, customerLimit: { group: null, count: null, bytes: GB, days: 30 } })
test('a data limit of nothing', refused, { dataLimit: 0 })
test('a price in fractions', refused, { priceMinor: 0.5 })
test('a negative price', refused, { priceMinor: -1 })
test('no device', refused, { maxDevices: 0 })
test('an unknown field', refused, { colour: 'red' })

test('a new box sells the packages of the founders, once', async (t) => {
  const { store, packages, heard } = await setUp(t)
  await packages.seed('NGN')
  const seeded = await packages.list()
  t.deepEqual(
    seeded.map(({ name, dataLimit, durationSeconds, downBps }) => [
      name,
      dataLimit && dataLimit / GB,
      (durationSeconds * 1000) / DAY,
      downBps! / 1e6,
    ]),
    [
      ['Free 1 GB', 1, 30, 5],
      ['Free 3 GB', 3, 30, 5],
      ['Free 5 GB', 5, 30, 5],
      ['Basic', 1, 7, 10],
      ['Premium', 5, 30, 25],
      ['Ultra', 20, 30, 50],
      ['Daily Unlimited', null, 1, 10],
      ['Unlimited', null, 7, 10],
    ],
  )
  t.like(seeded.at(-1), { priceMinor: 80_000, currency: 'NGN' })
  t.deepEqual(seeded[0]?.customerLimit, { group: 'free', count: null, bytes: 5 * GB, days: 30 })
  for (const { id: _, archived: __, ...each } of seeded) t.true(packageInput.safeParse(each).success, each.name)

  for (const { id } of seeded) await packages.archive(id)
  heard.length = 0
  await packages.seed('NGN')
  t.deepEqual(await packages.list(), [])
  t.deepEqual(heard, [])
  t.is((await store.db('packages')).length, 8)
})
