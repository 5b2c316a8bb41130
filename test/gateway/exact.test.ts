import { closeSync, openSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import test, { type ExecutionContext } from 'ava'
import { until } from '#lab/run.ts'
import type { Phone } from '#lab/lab.ts'
import { MB } from '#server/units.ts'
import type { Heard } from './peer.ts'
import { openVenue, sum, type Carried, type Venue } from './venue.ts'

/** What may be missing at most: one packet is 1,500 bytes on the lab's wires; an aggregate of a real card is 64 KiB. */
const SHORT_AT_MOST = 65_536

type Direction = 'down' | 'up'

let venue: Venue

test.before(async () => {
  venue = await openVenue('exact')
  await venue.api('/api/admin/settings', { pollSeconds: 1 }, 'PATCH')
})
test.afterEach.always(() => venue.clear())
test.after.always(() => venue?.stop())

for (const direction of ['down', 'up'] as const) {
  test.serial(`5 MB at the speed of the line, ${direction}: not a byte more arrives`, async (t) => {
    const carried = await venue.count()
    const { id } = await venue.use(venue.phone1, { voucher: await venue.sell() })
    await spendAll(id, [[venue.phone1, direction]])
    const ended = await venue.untilEnded(id)
    t.is(ended.endReason, 'data')
    t.is(ended.dataUsed, 5 * MB)
    check(t, await carried(), 5 * MB)
  })
}

const everyWay = (): [Phone, Direction][] => [
  [venue.phone1, 'down'],
  [venue.phone2, 'up'],
  [venue.phone2, 'down'],
]

test.serial('two devices on one allowance, at once: not a byte more arrives', async (t) => {
  const carried = await venue.count()
  const { id, resumeCode } = await venue.use(venue.phone1, { voucher: await venue.sell({ maxDevices: 2, dataLimit: 40 * MB }) })
  await venue.use(venue.phone2, { resume: resumeCode })
  await spendAll(id, everyWay())
  t.is((await venue.untilEnded(id)).dataUsed, 40 * MB)
  const seen = await carried()
  t.true(seen.down[0]! > 0 && seen.down[1]! > 0 && seen.up > 0)
  check(t, seen, 40 * MB)
})

test.serial('with server, worker and Redis stopped before the end, not a byte more arrives', async (t) => {
  const carried = await venue.count()
  const { id, resumeCode } = await venue.use(venue.phone1, { voucher: await venue.sell({ maxDevices: 2 }) })
  await venue.use(venue.phone2, { resume: resumeCode })
  await venue.curl(venue.phone1, `http://${venue.lab.internet.address}/bytes/1000000`)
  for (const unit of ['server', 'worker', 'redis']) venue.lab.kill(unit, 'SIGSTOP')
  try {
    await spendAll(id, everyWay())
    check(t, await carried(), 5 * MB)
  } finally {
    for (const unit of ['redis', 'server', 'worker']) venue.lab.kill(unit, 'SIGCONT')
  }
  const ended = await venue.untilEnded(id)
  t.is(ended.endReason, 'data')
  t.is(ended.dataUsed, 5 * MB)
})

test.serial('the deadline is kept by the kernel alone: cut within a second, every process killed', async (t) => {
  const { id } = await venue.use(venue.phone1, { voucher: await venue.sell({ dataLimit: null }) })
  const [phone, web] = [venue.peer(venue.phone1.namespace), venue.peer(venue.lab.internet.namespace)]
  const port = 4001
  const heard = () => web.ask<Heard>({ do: 'heard', port })
  await heard()
  await phone.ask({ do: 'send', port, to: venue.lab.internet.address, toPort: port, count: 1, bytes: 100, everyMs: 5 })
  await until('it passes', async () => (await heard()).packets > 10, 5000)
  // The shortest package takes a minute: for the test its end is brought near in the ledger, and a poll takes that up.
  const deadline = Date.now() + 5000
  const ledger = new DatabaseSync(join(venue.lab.dataDir, 'kswifi.db'))
  ledger.prepare('update sessions set expires_at = ? where id = ?').run(deadline, id)
  ledger.close()
  await until(
    'the kernel knows the new deadline',
    async () => /expires [1-4]s/.test(await venue.inBox('/usr/sbin/nft', 'list', 'map', 'inet', 'kswifi', 'phones')),
    5000,
  )
  await venue.lab.box.units.crash('server', 'worker', 'redis')
  try {
    await until('the deadline is over', () => Date.now() > deadline + 1500, 10_000)
    const lateMs = (await heard()).lastAtMs - deadline
    t.log(`the last packet passed ${lateMs} ms after the deadline`)
    t.true(lateMs <= 1000)
    t.true(lateMs >= -500, 'and the customer had the time that was paid for')
  } finally {
    await phone.ask({ do: 'stop', port })
    venue.lab.box.units.start()
    await venue.lab.untilHealthy()
  }
  t.is((await venue.untilEnded(id)).endReason, 'time')
})

/** Has phones take all that they can get, and then push on against the closed door. */
async function spendAll(id: number, ways: [Phone, Direction][]): Promise<void> {
  const url = `http://${venue.lab.internet.address}`
  const zeros = openSync('/dev/zero', 'r')
  const running = ways.map(([phone, direction]) =>
    direction === 'down'
      ? venue.lab.spawn(phone.namespace, ['curl', '-s', '-o', '/dev/null', `${url}/bytes/50000000`], { stdio: 'ignore' })
      : venue.lab.spawn(phone.namespace, ['curl', '-s', '-o', '/dev/null', '-T', '.', `${url}/sink`], {
          stdio: [zeros, 'ignore', 'ignore'],
        }),
  )
  closeSync(zeros)
  await until('the kernel has let all of it pass', () => isSpent(id), 30_000)
  for (const [phone] of ways) {
    const peer = venue.peer(phone.namespace)
    await peer.ask({ do: 'send', port: 4009, to: venue.lab.internet.address, toPort: 4009, count: 500, bytes: 1400 })
    await venue.curl(phone, '-m', '0.5', `${url}:5201/`)
  }
  for (const child of running) child.kill('SIGKILL')
}

/** True once the quota is at its end, or the session is gone from the kernel because it was. */
async function isSpent(id: number): Promise<boolean> {
  const listed = await venue.inBox('/usr/sbin/nft', '-j', 'list', 'quota', 'inet', 'kswifi', `s${id}`)
  if (!listed) return true
  const { quota } = (JSON.parse(listed) as { nftables: { quota?: { bytes: number; used: number } }[] }).nftables.find((one) => one.quota)!
  return quota!.used >= quota!.bytes
}

/** Not a byte beyond arrives, and the box sent out all of it: what a busy machine lost behind it is not missing here. */
function check(t: ExecutionContext, carried: Carried, allowance: number): void {
  const { down, up, sent } = carried
  const arrived = sum(carried)
  t.log(
    `sent out ${sent} of ${allowance} bytes: beyond ${Math.max(0, sent - allowance)}, short ${allowance - sent}; arrived ${arrived} (down ${down.join(' + ')}, up ${up})`,
  )
  t.true(arrived <= sent && sent <= allowance, 'nothing beyond the allowance')
  t.true(allowance - sent <= SHORT_AT_MOST)
}
