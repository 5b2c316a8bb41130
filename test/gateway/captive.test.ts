import { join } from 'node:path'
import test from 'ava'
import type { Phone } from '#lab/lab.ts'
import { probes } from '#lab/probes.ts'
import { until } from '#lab/run.ts'
import type { Heard } from './peer.ts'
import { openVenue, type Venue } from './venue.ts'

/** As the ruleset has it: so many questions at once, and then so many in a second. */
const DNS_BURST = 200
const DNS_A_SECOND = 20

let venue: Venue

test.before(async () => {
  venue = await openVenue('captive')
})
test.afterEach.always(() => venue.clear())
test.after.always(() => venue?.stop())

test.serial('every probe of every system is led to the portal, and the real host is reached once it is paid', async (t) => {
  const ask = (phone: Phone) =>
    Promise.all(probes.map(async ({ host, path }) => ({ host, path, ...(await venue.curl(phone, '-m', '5', `http://${host}${path}`)) })))
  const captive = await ask(venue.phone1)
  for (const { host, path, status, location } of captive)
    t.deepEqual({ host, path, status, location }, { host, path, status: 302, location: `http://${venue.lab.portalHost}/` })
  await venue.use(venue.phone1, { voucher: await venue.sell() })
  const free = await ask(venue.phone1)
  t.deepEqual(
    free.map(({ host, path, status }) => ({ host, path, status })),
    probes.map(({ host, path, status }) => ({ host, path, status })),
  )
})

test.serial('without a session, TLS is refused at once and everything else is rejected in words of ICMP', async (t) => {
  const { phone1, lab } = venue
  const { code, tookMs } = await venue.curl(phone1, '-m', '5', `https://${lab.internet.address}/`)
  t.log(`443 was refused after ${Math.round(tookMs)} ms`)
  t.is(code, 7)
  const [phone, web] = [venue.peer(phone1.namespace), venue.peer(lab.internet.namespace)]
  const heard = () => phone.ask<Heard>({ do: 'heard', port: 4001 })
  await web.ask({ do: 'heard', port: 4001 })
  await phone.ask({ do: 'send', port: 4001, to: lab.internet.address, toPort: 4001, count: 1, bytes: 100, connected: true })
  await until('the refusal is heard', async () => (await heard()).refusals.length > 0, 5000)
  t.deepEqual((await heard()).refusals, ['EHOSTUNREACH'])
  t.is((await web.ask<Heard>({ do: 'heard', port: 4001 })).packets, 0)
  t.not((await lab.exec(phone1.namespace, ['ping', '-c', '1', '-W', '1', lab.internet.address], { allowFailure: true })).code, 0)
})

test.serial('without a session, the box answers whatever name server is asked', async (t) => {
  const nobody = '198.51.100.53'
  t.is((await names(venue.phone1, nobody, 1)).answered, 1)
  await venue.use(venue.phone1, { voucher: await venue.sell() })
  t.is((await names(venue.phone1, nobody, 1)).answered, 0, 'a customer may choose, and nobody is there')
  t.is((await names(venue.phone1, venue.lab.internet.address, 1)).answered, 1)
})

test.serial('a tunnel through names gets a trickle, without a session and with one: names are not charged', async (t) => {
  const most = (seconds: number) => DNS_BURST + DNS_A_SECOND * seconds
  const { answered, seconds } = await names(venue.phone2, venue.lab.box.lan, 2000)
  t.log(
    `without a session ${answered} of 2000 questions were answered in ${seconds.toFixed(2)} s; the bucket allows ${Math.round(most(seconds))}`,
  )
  t.true(answered <= most(seconds) + 1)
  t.true(answered >= DNS_BURST / 2, 'and a phone can still look up what it needs')
  t.is((await names(venue.phone1, venue.lab.box.lan, 1)).answered, 1, 'and another is not held up by it')

  await venue.use(venue.phone1, { voucher: await venue.sell() })
  const page = await names(venue.phone1, venue.lab.box.lan, 100)
  t.is(page.answered, 100, 'a page full of names is looked up at once')
  const paid = await names(venue.phone1, venue.lab.box.lan, 2000)
  t.true(paid.answered <= most(paid.seconds) + 1)
})

async function names(phone: Phone, server: string, count: number): Promise<{ answered: number; seconds: number }> {
  const { stdout } = await venue.lab.exec(phone.namespace, [process.execPath, join(import.meta.dirname, 'names.ts'), server, String(count)])
  return JSON.parse(stdout) as { answered: number; seconds: number }
}
