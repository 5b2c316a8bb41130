import { execFileSync } from 'node:child_process'
import { openSync, readdirSync, rmSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { until } from '#lab/run.ts'
import { MB } from '#server/units.ts'
import { backup } from '#server/store/backup.ts'
import { openStore } from '#server/store/store.ts'
import { openVenue, type Venue } from '#test/gateway/venue.ts'

let venue: Venue
test.before(async () => {
  venue = await openVenue('reliable')
  await venue.api('/api/admin/settings', { pollSeconds: 1 }, 'PATCH')
})
test.after.always(() => venue?.lab.stop())

const passes = async (phone: Venue['phone1']) => {
  const { stdout } = await venue.lab.exec(
    phone.namespace,
    ['curl', '-s', '-m', '3', '-o', '/dev/null', '-w', '%{http_code}', 'http://connectivitycheck.gstatic.com/generate_204'],
    { allowFailure: true },
  )
  return stdout === '204'
}
const units = ['server', 'worker', 'redis'] as const

test.serial('each process and all of them are killed during a download: it goes on, and all of it is charged', async (t) => {
  const { lab, phone1 } = venue
  const session = await venue.use(phone1, { voucher: await venue.sell({ dataLimit: 100 * MB, downBps: 20_000_000 }) })
  const carried = await venue.count()
  const size = 15 * MB
  const download = lab.exec(phone1.namespace, [
    'curl',
    '-sf',
    '-o',
    '/dev/null',
    '-w',
    '%{size_download}',
    `http://${lab.internet.address}/bytes/${size}`,
  ])
  for (const victims of [['server'], ['worker'], ['redis'], units] as const) {
    const pids = victims.map((unit) => [unit, lab.kill(unit, 'SIGKILL')] as const)
    for (const [unit, pid] of pids) await lab.box.units.untilRestarted(unit, pid)
    await lab.untilHealthy()
  }
  t.is((await download).stdout, String(size))
  const { down, up, sent } = await carried()
  const delivered = down.reduce((sum, bytes) => sum + bytes, 0) + up
  await until('the ledger has it all', async () => (await venue.session(session.id)).dataUsed >= sent, 10_000)
  const { dataUsed } = await venue.session(session.id)
  t.log(`charged ${dataUsed} for ${sent} sent out, of which ${delivered} arrived`)
  t.is(dataUsed, sent)
  t.true(delivered <= dataUsed)
})

test.serial('a voucher that is redeemed while the worker or Redis is dead is not lost', async (t) => {
  const { lab, phone2 } = venue
  for (const unit of ['worker', 'redis'] as const) {
    const code = await venue.sell()
    await lab.box.units.stop(unit)
    const { status, body } = await venue.ask<{ session: { id: number } }>(phone2, '/api/vouchers/redeem', { code })
    t.is(status, 201, unit)
    const health = (await (await fetch(`${lab.url}/healthz`)).json()) as { parts: Record<string, { ok: boolean; reason: string }> }
    if (unit === 'redis') t.like(health.parts['redis'], { ok: false })
    lab.box.units.start(unit)
    await until(`it comes about once ${unit} is back`, () => passes(phone2), 15_000)
    await lab.untilHealthy()
    await venue.api(`/api/admin/sessions/${body.session.id}/end`, {})
  }
})

test.serial('Redis begins anew with nothing: the polls go on', async (t) => {
  const { lab, phone1 } = venue
  await lab.box.units.stop('redis')
  for (const name of readdirSync(join(lab.dataDir, 'redis'))) rmSync(join(lab.dataDir, 'redis', name), { recursive: true })
  lab.box.units.start('redis')
  await lab.untilHealthy()
  const session = await venue.use(phone1, { voucher: await venue.sell() })
  const { dataUsed } = await venue.session(session.id)
  await lab.exec(phone1.namespace, ['curl', '-s', '-o', '/dev/null', `http://${lab.internet.address}/bytes/${MB}`])
  await until('use is seen', async () => (await venue.session(session.id)).dataUsed >= dataUsed + MB, 10_000)
  t.pass()
})

test.serial('after a power cut the session is back by itself, with what was left of it', async (t) => {
  const { lab, phone2 } = venue
  const session = await venue.use(phone2, { voucher: await venue.sell({ dataLimit: 20 * MB }) })
  await lab.exec(phone2.namespace, ['curl', '-s', '-o', '/dev/null', `http://${lab.internet.address}/bytes/${5 * MB}`])
  await until('use is in the ledger', async () => (await venue.session(session.id)).dataUsed > 5 * MB, 10_000)
  const before = await venue.session(session.id)
  await lab.powerCut()
  t.false(await passes(phone2))
  lab.powerOn()
  await lab.untilHealthy()
  await until('the customer is back', () => passes(phone2), 10_000)
  const after = await venue.session(session.id)
  t.true(after.dataUsed >= before.dataUsed)
  t.is(after.expiresAt, before.expiresAt)
  const carried = await venue.count()
  await lab.exec(phone2.namespace, ['curl', '-s', '-m', '5', '-o', '/dev/null', `http://${lab.internet.address}/bytes/${40 * MB}`], {
    allowFailure: true,
  })
  t.true((await carried()).sent <= 20 * MB - before.dataUsed, 'not a byte more than was left')
})

test.serial('a damaged database: who is online stays online, the words name the backup, and restoring brings it back', async (t) => {
  const { lab, phone1 } = venue
  await venue.use(phone1, { voucher: await venue.sell({ dataLimit: 50 * MB }) })
  const file = join(lab.dataDir, 'kswifi.db')
  await lab.box.units.stop('server', 'worker')
  const store = await openStore(file)
  const kept = await backup(store, join(lab.dataDir, 'backups'), 'daily')
  await store.db.raw('PRAGMA wal_checkpoint(TRUNCATE)')
  await store.close()
  const damaged = openSync(file, 'r+')
  writeSync(damaged, Buffer.alloc(65_536, 0xff), 0, 65_536, 4096)
  const starts = () =>
    lab.box.units
      .status()
      .filter(({ name }) => name === 'server' || name === 'worker')
      .map((unit) => unit.starts)
  lab.box.units.start('server', 'worker')
  const started = starts()
  const said = await until(
    'the box says what is wrong',
    async () => {
      const answer = await fetch(`${lab.url}/api/portal`).catch(() => undefined)
      return answer?.status === 503 ? await answer.text() : null
    },
    10_000,
  )
  t.true(said.includes(kept.split('/').at(-1)!), said)
  t.true(await passes(phone1), 'who paid stays online')
  t.deepEqual(starts(), started, 'no start after start')
  const env = { ...process.env, KSWIFI_DATA: lab.dataDir, KSWIFI_RUN: lab.runDir }
  execFileSync(process.execPath, ['server/main.ts', 'restore'], { env })
  await lab.untilHealthy()
  t.true(await passes(phone1))
})
