import test, { type ExecutionContext } from 'ava'
import { until } from '#lab/run.ts'
import type { Phone } from '#lab/lab.ts'
import { MB } from '#server/units.ts'
import type { Heard } from './peer.ts'
import { openVenue, sum, type Venue } from './venue.ts'

/** What may be missing at most: one packet is 1,500 bytes on the lab's wires; an aggregate of a real card is 64 KiB. */
const SHORT_AT_MOST = 65_536

let venue: Venue

test.before(async () => {
  venue = await openVenue('exact')
})
test.afterEach.always(() => venue.clear())
test.after.always(() => venue?.stop())

for (const direction of ['down', 'up'] as const) {
  test.serial(`5 MB at the speed of the line, ${direction}: not a byte more arrives`, async (t) => {
    const { id } = await venue.use(venue.phone1, { voucher: await venue.sell() })
    const carried = await venue.count()
    await spend(venue.phone1, direction)
    const ended = await venue.untilEnded(id)
    t.is(ended.endReason, 'data')
    t.is(ended.dataUsed, 5 * MB)
    check(t, await carried(), 5 * MB)
  })
}

test.serial('two devices on one allowance, at once: not a byte more arrives', async (t) => {
  const { id, resumeCode } = await venue.use(venue.phone1, { voucher: await venue.sell({ maxDevices: 2 }) })
  await venue.use(venue.phone2, { resume: resumeCode })
  const carried = await venue.count()
  await Promise.all([spend(venue.phone1, 'down'), spend(venue.phone2, 'up'), spend(venue.phone2, 'down')])
  t.is((await venue.untilEnded(id)).dataUsed, 5 * MB)
  const { down, up } = await carried()
  t.true(down[0]! > 0 && down[1]! > 0 && up > 0)
  check(t, { down, up }, 5 * MB)
})

test.serial('with server, worker and Redis stopped before the end, not a byte more arrives', async (t) => {
  const { id, resumeCode } = await venue.use(venue.phone1, { voucher: await venue.sell({ maxDevices: 2 }) })
  await venue.use(venue.phone2, { resume: resumeCode })
  const carried = await venue.count()
  await venue.curl(venue.phone1, `http://${venue.lab.internet.address}/bytes/1000000`)
  for (const unit of ['server', 'worker', 'redis']) venue.lab.kill(unit, 'SIGSTOP')
  try {
    await Promise.all([spend(venue.phone1, 'down'), spend(venue.phone2, 'up'), spend(venue.phone2, 'down')])
    check(t, await carried(), 5 * MB)
  } finally {
    for (const unit of ['redis', 'server', 'worker']) venue.lab.kill(unit, 'SIGCONT')
  }
  const ended = await venue.untilEnded(id)
  t.is(ended.endReason, 'data')
  t.is(ended.dataUsed, 5 * MB)
})

test.serial('the deadline is kept by the kernel alone: cut within a second, every process killed', async (t) => {
  const { id, expiresAt } = await venue.use(venue.phone1, { voucher: await venue.sell({ durationSeconds: 60, dataLimit: null }) })
  const [phone, web] = [venue.peer(venue.phone1.namespace), venue.peer(venue.lab.internet.namespace)]
  const port = 4001
  await web.ask({ do: 'heard', port })
  await phone.ask({ do: 'send', port, to: venue.lab.internet.address, toPort: port, count: 1, bytes: 100, everyMs: 5 })
  await until('it passes', async () => (await web.ask<Heard>({ do: 'heard', port })).packets > 10, 5000)
  // A minute is the shortest package; the kernel's clock is as long as the ledger's, so its end may be brought near.
  await venue.lab.box.units.crash('server', 'worker', 'redis')
  try {
    const deadline = Date.parse(expiresAt!)
    const heard = () => web.ask<Heard>({ do: 'heard', port })
    await until('the deadline is over', () => Date.now() > deadline + 1500, 65_000, 50)
    const { lastAtMs } = await heard()
    t.log(`the last packet passed ${lastAtMs - deadline} ms after the deadline`)
    t.true(lastAtMs - deadline <= 1000)
    t.true(lastAtMs - deadline >= -1000, 'and the customer had the time that was paid for')
  } finally {
    await phone.ask({ do: 'stop', port })
    venue.lab.box.units.start()
    await venue.lab.untilHealthy()
  }
  t.is((await venue.untilEnded(id)).endReason, 'time')
})

/** Takes as much as it can get, until nothing comes any more. */
async function spend(phone: Phone, direction: 'down' | 'up'): Promise<void> {
  const { namespace } = phone
  const url = `http://${venue.lab.internet.address}`
  const child =
    direction === 'down'
      ? venue.lab.exec(namespace, ['curl', '-s', '-o', '/dev/null', '-m', '20', '-y', '2', '-Y', '1000', `${url}/bytes/50000000`], { allowFailure: true })
      : venue.lab.exec(namespace, ['curl', '-s', '-o', '/dev/null', '-m', '20', '-y', '2', '-Y', '1000', '-T', '-', `${url}/sink`], { input: new Uint8Array(20_000_000), allowFailure: true })
  await child
}

/** Bytes of forwarded IP packets: down as they came to the phones, up as they came to the internet. */
function check(t: ExecutionContext, carried: { down: number[]; up: number }, allowance: number): void {
  const delivered = sum(carried)
  t.log(`delivered ${delivered} of ${allowance} bytes (down ${carried.down.join(' + ')}, up ${carried.up}): beyond ${Math.max(0, delivered - allowance)}, short ${allowance - delivered}`)
  t.true(delivered <= allowance, 'nothing beyond the allowance')
  t.true(allowance - delivered <= SHORT_AT_MOST)
}
