import test, { type ExecutionContext } from 'ava'
import { createBus } from '#server/events.ts'
import { defaults, settingsPatch } from '#server/settings/schema.ts'
import { createSettings } from '#server/settings/settings.ts'
import { openTestStore } from './store.ts'

async function setUp(t: ExecutionContext) {
  const store = await openTestStore(t)
  const bus = createBus()
  const clock = { at: 1_000_000 }
  return { store, bus, clock, settings: createSettings({ store, now: () => clock.at, bus }) }
}

test('a new box has the defaults', async (t) => {
  const { settings } = await setUp(t)
  t.deepEqual(await settings.get(), defaults)
})

test('a change keeps the rest and is there at once', async (t) => {
  const { settings, bus } = await setUp(t)
  const heard: string[] = []
  bus.subscribe('catalogue.changed', ({ what }) => heard.push(what))
  await settings.get()
  const wanted = { ...defaults, venueName: 'Café ₦', pollSeconds: 1 }
  t.deepEqual(await settings.update({ venueName: 'Café ₦', pollSeconds: 1 }), wanted)
  t.deepEqual(await settings.get(), wanted)
  t.deepEqual(await settings.update({ pollSeconds: 7 }), { ...wanted, pollSeconds: 7 })
  t.deepEqual(heard, ['settings', 'settings'])
})

test('another process reads again when the bus tells it to', async (t) => {
  const { store, bus, settings } = await setUp(t)
  const other = createSettings({ store, now: () => 1_000_000, bus })
  await other.get()
  await settings.update({ pollSeconds: 2 })
  t.is((await other.get()).pollSeconds, 2)
})

test('a message that was lost costs seconds, not the change', async (t) => {
  const { store, clock, settings } = await setUp(t)
  const deaf = createSettings({ store, now: () => clock.at, bus: createBus() })
  await deaf.get()
  await settings.update({ pollSeconds: 2 })
  t.is((await deaf.get()).pollSeconds, defaults.pollSeconds, 'kept in memory')
  clock.at += 10_000
  t.is((await deaf.get()).pollSeconds, 2)
})

const row = (key: string, value: string) => ({ key, value, updated_at: 1 })

test('a stored value that cannot be used falls back to the default of its key alone', async (t) => {
  const { store, settings } = await setUp(t)
  await store
    .db('settings')
    .insert([
      row('venueName', '"Good"'),
      row('accent', '"red"'),
      row('currency', '{"broken'),
      row('pollSeconds', '900'),
      row('logo', '"javascript:alert(1)"'),
      row('gone', '"an older version had this"'),
    ])
  t.deepEqual(await settings.get(), { ...defaults, venueName: 'Good' })
})

test('a database that fails once is asked again', async (t) => {
  const { store, settings } = await setUp(t)
  await store.db.schema.renameTable('settings', 'elsewhere')
  await t.throwsAsync(settings.get())
  await store.db.schema.renameTable('elsewhere', 'settings')
  t.deepEqual(await settings.get(), defaults)
})

test('the notes of the box are kept apart from the choices of the owner', async (t) => {
  const { store, settings } = await setUp(t)
  t.is(await settings.noted('seenAt'), undefined)
  await settings.note('seenAt', 1_789_000_000_123)
  await settings.note('venueName', 'not a choice')
  t.is(await settings.noted('seenAt'), 1_789_000_000_123)
  await store.transaction((tx) => settings.note('seenAt', { at: 2 }, tx))
  t.deepEqual(await settings.noted('seenAt'), { at: 2 })
  t.deepEqual(await settings.get(), defaults)
})

const refused = test.macro({
  exec: (t, patch: Record<string, unknown>) => t.false(settingsPatch.safeParse(patch).success),
  title: (title) => `not a change of settings: ${title}`,
})

test('nothing', refused, {})
test('an unknown key', refused, { 'box.seenAt': 1 })
test('a poll interval under a second', refused, { pollSeconds: 0 })
test('a logo that is a script', refused, { logo: 'data:image/svg+xml;base64,AAAA' })
