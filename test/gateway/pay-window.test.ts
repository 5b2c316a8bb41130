import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import test from 'ava'
import { until } from '#lab/run.ts'
import { MB } from '#server/units.ts'
import { openVenue, sum, type Customer, type Venue } from './venue.ts'

let venue: Venue
let sites: string

test.before(async () => {
  venue = await openVenue('window')
  sites = `http://${venue.lab.internet.address}`
  await venue.api('/api/admin/settings', { pollSeconds: 1 }, 'PATCH')
})
test.afterEach.always(() => venue.clear())
test.after.always(() => venue?.stop())

// The lab's provider has no page of its own: a payment that stays pending (its number ends in 2) gets a window by hand.
test.serial('whoever pays on a page reaches it: port 443 alone, for this device alone, and not a byte more', async (t) => {
  const { phone1, phone2 } = venue
  const carried = await venue.count()
  const payment = await pendingPayment(phone1, '08030000002')
  t.false(await reaches(phone1), 'nothing passes without a window')
  setWindow(payment.number, Date.now() + 60_000, 9 * MB)
  await until('the page can be reached', () => reaches(phone1), 5000)
  t.true((await venue.curl(phone1, '-m', '2', `${sites}/bytes/1000`)).location.startsWith('http://'), 'port 80 leads to the portal')
  t.is((await venue.curl(phone1, '-m', '1', `${sites}:8080/bytes/1000`)).bytes, 0, 'and no other port leads anywhere')
  t.is((await venue.curl(phone1, '-m', '1', `${sites}:5201/`)).bytes, 0)
  t.false(await reaches(phone2))

  const peer = venue.peer(phone1.namespace)
  await peer.ask({ do: 'send', port: 4443, to: venue.lab.internet.address, toPort: 443, count: 1000, bytes: 1400 })
  const { sent } = await carried()
  t.true(sent <= MB && MB - sent < 65_536, `${sent} bytes passed`)
  t.true(sum(await carried()) <= MB)
  t.false(await reaches(phone1), 'and it stays shut after the next polls')
})

test.serial('a session takes the device over from its window, and a window that ended lets nothing pass', async (t) => {
  const { phone2 } = venue
  const payment = await pendingPayment(phone2, '08030000012')
  setWindow(payment.number, Date.now() + 60_000)
  await until('the page can be reached', () => reaches(phone2), 5000)
  const { id } = await venue.use(phone2, { voucher: await venue.sell() })
  t.is((await venue.curl(phone2, `${sites}/bytes/200000`)).bytes, 200_000, 'port 80 is open at once')
  await until('it is charged to the session', async () => (await venue.session(id)).dataUsed > 200_000, 5000)
  await venue.api(`/api/admin/sessions/${id}/end`, {})
  setWindow(payment.number, Date.now() - 1)
  await until('the window is shut', async () => !(await reaches(phone2)), 5000)
})

test.serial('a phone with two payments has one window, and keeps nobody else from coming back after a power cut', async (t) => {
  const { phone1, phone2, lab } = venue
  await venue.use(phone2, { voucher: await venue.sell() })
  for (const number of ['08030000022', '08030000032']) setWindow((await pendingPayment(phone1, number)).number, Date.now() + 120_000)
  await until('the page can be reached', () => reaches(phone1), 5000)
  await lab.powerCut()
  await lab.powerOn()
  await lab.untilHealthy()
  await until('who paid is back', async () => (await venue.curl(phone2, '-m', '1', `${sites}/bytes/1000`)).bytes === 1000, 30_000)
  t.notRegex(lab.tail('worker'), /File exists/)
})

/** What listens on the internet's port 443 says one line to everybody. */
async function reaches(phone: Customer): Promise<boolean> {
  return (await venue.curl(phone, '-m', '1', '--http0.9', `${sites}:443/`)).bytes === 9
}

async function pendingPayment(phone: Customer, number: string): Promise<{ number: number }> {
  const jar = join(venue.lab.dataDir, `jar-${number}`)
  const ask = async (path: string, body: object) => {
    const json = ['-H', 'content-type: application/json', '-d', JSON.stringify(body)]
    const { stdout } = await venue.lab.exec(phone.namespace, [
      'curl',
      '-s',
      '-b',
      jar,
      '-c',
      jar,
      ...json,
      `http://${venue.lab.box.lan}${path}`,
    ])
    return JSON.parse(stdout) as { payment: { number: number } }
  }
  await ask('/api/customers/sign-in', { phone: number, pin: '4711', isNew: true })
  const { packages } = await venue.api<{ packages: { id: number; priceMinor: number }[] }>('/api/admin/packages')
  const { id } = packages.find(({ priceMinor }) => priceMinor > 0)!
  return (await ask('/api/payments', { packageId: id, provider: 'sandbox', key: `window-${number}` })).payment
}

function setWindow(payment: number, until: number, usedBytes = 0): void {
  const ledger = new DatabaseSync(join(venue.lab.dataDir, 'kswifi.db'))
  ledger.exec('PRAGMA busy_timeout=5000')
  ledger.prepare('update payments set window_until = ?, window_used = ? where id = ?').run(until, usedBytes, payment)
  ledger.close()
}
