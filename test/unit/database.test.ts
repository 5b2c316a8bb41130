import { execFileSync } from 'node:child_process'
import { mkdtempSync, openSync, readdirSync, rmSync, truncateSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import { createClock } from '#server/clock.ts'
import { backup, restoreNewest } from '#server/store/backup.ts'
import { migrate } from '#server/store/migrate.ts'
import { CorruptDatabase, openStore } from '#server/store/store.ts'
import { openTestStore } from './store.ts'

test('two processes that start at once migrate once', async (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'kswifi-test-'))
  t.teardown(() => rmSync(dir, { recursive: true, force: true }))
  const stores = await Promise.all([openStore(join(dir, 'a.db')), openStore(join(dir, 'a.db'))])
  await Promise.all(stores.map((store) => migrate(store, { backupDir: dir })))
  t.deepEqual(await stores[0]!.db('settings').select(), [])
  await Promise.all(stores.map((store) => store.close()))
})

test('ten processes may open a database that is not there yet', async (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'kswifi-test-'))
  t.teardown(() => rmSync(dir, { recursive: true, force: true }))
  for (let round = 0; round < 5; round++) {
    const stores = await Promise.all(Array.from({ length: 10 }, () => openStore(join(dir, `${round}.db`))))
    await Promise.all(stores.map((store) => store.close()))
  }
  t.pass()
})

test('two writers wait for each other instead of failing', async (t) => {
  const one = await openTestStore(t)
  const other = await openStore(one.file)
  t.teardown(() => other.close())
  const write = (store: typeof one, n: number) =>
    store.transaction(async (tx) => {
      const row = await tx('settings').where({ key: 'n' }).first()
      await tx('settings')
        .insert({ key: 'n', value: String(Number(row?.value ?? 0) + n), updated_at: 0 })
        .onConflict('key')
        .merge()
    })
  await Promise.all(Array.from({ length: 60 }, (_, n) => write(n % 2 ? one : other, 1)))
  t.is((await one.db('settings').where({ key: 'n' }).first()).value, 60)
})

test('a transaction that fails leaves nothing', async (t) => {
  const store = await openTestStore(t)
  await t.throwsAsync(
    store.transaction(async (tx) => {
      await tx('settings').insert({ key: 'x', value: '1', updated_at: 0 })
      throw new Error('no')
    }),
  )
  t.is((await store.db('settings').select()).length, 0)
})

test('an error says which statement failed, and none of its values', async (t) => {
  const store = await openTestStore(t)
  const row = { phone: '256771234567', pin_hash: 'scrypt$abcdef', created_at: 1_789_000_000_001, seen_at: 1 }
  await store.db('customers').insert(row)
  const failed = [
    store.db('customers').insert(row),
    store.transaction(async (tx) => tx('customers').insert([{ ...row, phone: '256700000009' }, row])),
    store.db.raw('insert into customers (phone, pin_hash, created_at, seen_at) values (?, ?, ?, ?)', Object.values(row)),
    store.db.raw('select * from nowhere where phone = ?', [row.phone]),
  ]
  for (const work of failed) {
    const error = await t.throwsAsync(Promise.resolve(work))
    t.regex(error!.message, /\?.* - SQLITE_/s)
    const logged = JSON.stringify([error!.message, error!.stack, { ...error }])
    for (const value of [row.phone, row.pin_hash, row.created_at]) t.false(logged.includes(String(value)), logged)
  }
})

test('damage is noticed, the newest whole backup comes back, and the damaged file is kept', async (t) => {
  const store = await openTestStore(t)
  const dir = join(store.file, '..')
  const backups = join(dir, 'backups')
  await store.db('settings').insert({ key: 'kept', value: '1', updated_at: 0 })
  await backup(store, backups, 'daily')
  await store.db('settings').insert({ key: 'later', value: '1', updated_at: 0 })
  const broken = await backup(store, backups, 'daily')
  truncateSync(broken, 5000)
  await store.db.raw('PRAGMA wal_checkpoint(TRUNCATE)')
  await store.close()
  const file = openSync(store.file, 'r+')
  writeSync(file, Buffer.alloc(8192, 0xff), 0, 8192, 4096)
  await t.throwsAsync(openStore(store.file), { instanceOf: CorruptDatabase })
  await restoreNewest(store.file, backups)
  const restored = await openStore(store.file)
  t.deepEqual(await restored.db('settings').pluck('key'), ['kept'])
  await restored.close()
  t.true(readdirSync(dir).some((name) => name.includes('damaged')))
})

test('a full disk is said in words, and nothing is half done', (t) => {
  const program = `
    const { openStore } = await import('#server/store/store.ts')
    const { migrate } = await import('#server/store/migrate.ts')
    const store = await openStore(process.argv[1] + '/k.db')
    await migrate(store, { backupDir: process.argv[1] })
    const fill = () => store.transaction(async (tx) => { for (let n = 0; n < 200; n++) await tx('audit').insert({ at: 1, actor: 'a', action: 'x', details: 'x'.repeat(20000) }) })
    const error = await fill().catch((error) => error)
    console.log(JSON.stringify({ code: error.code, rows: (await store.db('audit').select('id')).length }))
    process.exit()`
  const script = 'mount -t tmpfs -o size=1m none "$1" && exec "$2" --input-type=module -e "$3" "$1"'
  const dir = mkdtempSync(join(tmpdir(), 'kswifi-full-'))
  t.teardown(() => rmSync(dir, { recursive: true, force: true }))
  const said = execFileSync('unshare', ['-m', 'sh', '-c', script, 'sh', dir, process.execPath, program], { encoding: 'utf8' })
  t.deepEqual(JSON.parse(said), { code: 'storage-full', rows: 0 })
})

test('the clock never goes back: an old date after a power cut neither ends nor extends anybody', (t) => {
  let [wall, ticks] = [1000, 0]
  const now = createClock(
    5_000_000,
    () => wall,
    () => ticks,
  )
  t.is(now(), 5_000_000)
  ticks = 2000
  t.is(now(), 5_002_000, 'it goes on from the last note by the timer')
  wall = 9_000_000
  t.is(now(), 9_000_000, 'until the real time is known')
  wall = 8_000_000
  t.is(now(), 9_000_000)
})
