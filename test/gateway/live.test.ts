import test from 'ava'
import { until } from '#lab/run.ts'
import { MB } from '#server/units.ts'
import type { Heard } from './peer.ts'
import { openVenue, sum, type Venue } from './venue.ts'

let venue: Venue
let lastPort = 4000

test.before(async () => {
  venue = await openVenue('live')
  await venue.api('/api/admin/settings', { pollSeconds: 1 }, 'PATCH')
})
test.afterEach.always(() => venue.clear())
test.after.always(() => venue?.stop())

test.serial('a device that disconnects passes nothing from then on; the other goes on; resuming brings it back', async (t) => {
  const { phone1, phone2 } = venue
  const { resumeCode } = await venue.use(phone1, { voucher: await venue.sell({ maxDevices: 2 }) })
  await venue.use(phone2, { resume: resumeCode })
  const [one, two] = [await stream(phone1.namespace), await stream(phone2.namespace)]
  t.is((await venue.ask(phone1, '/api/me/session/disconnect', {})).status, 200)
  const answeredAtMs = Date.now()
  const count = (await two.heard()).packets
  await until('the other goes on', async () => (await two.heard()).packets > count + 20, 5000)
  const { lastAtMs } = await one.heard()
  t.log(`the last packet passed ${answeredAtMs - lastAtMs} ms before the answer`)
  t.true(lastAtMs <= answeredAtMs)
  t.is((await venue.curl(phone1, '-m', '3', 'http://captive.apple.com/hotspot-detect.html')).status, 302)

  await venue.use(phone1, { resume: resumeCode })
  await until('it passes again', async () => (await one.heard()).lastAtMs > answeredAtMs, 5000, 5)
  await Promise.all([one.stop(), two.stop()])
})

test.serial('a device that is removed from the session passes nothing from then on', async (t) => {
  const { phone1, phone2 } = venue
  const { resumeCode } = await venue.use(phone1, { voucher: await venue.sell({ maxDevices: 2 }) })
  const { devices } = await venue.use(phone2, { resume: resumeCode })
  const two = await stream(phone2.namespace)
  const second = devices.find((device) => device.mac === phone2.mac)!
  await venue.lab.exec(phone1.namespace, ['curl', '-sf', '-X', 'DELETE', `http://${venue.lab.box.lan}/api/me/devices/${second.id}`])
  const answeredAtMs = Date.now()
  t.is((await venue.curl(phone2, '-m', '3', 'http://captive.apple.com/hotspot-detect.html')).status, 302)
  t.true((await two.heard()).lastAtMs <= answeredAtMs)
  t.is((await venue.curl(phone1, '-m', '3', 'http://captive.apple.com/hotspot-detect.html')).status, 200)
  await two.stop()
})

test.serial('a session that staff end passes nothing from then on', async (t) => {
  const { id } = await venue.use(venue.phone1, { voucher: await venue.sell() })
  const one = await stream(venue.phone1.namespace)
  await venue.api(`/api/admin/sessions/${id}/end`, {})
  const answeredAtMs = Date.now()
  t.is((await venue.curl(venue.phone1, '-m', '3', 'http://captive.apple.com/hotspot-detect.html')).status, 302)
  t.true((await one.heard()).lastAtMs <= answeredAtMs)
  await one.stop()
})

test.serial('when the data is used up, a running upload is reset and the browser is led to the portal', async (t) => {
  const { phone1, lab } = venue
  const { id } = await venue.use(phone1, { voucher: await venue.sell({ dataLimit: MB }) })
  const { code, tookMs } = await lab.exec(phone1.namespace, ['curl', '-s', '-m', '20', '-T', '-', `http://${lab.internet.address}/sink`], {
    input: new Uint8Array(20_000_000),
    allowFailure: true,
  })
  t.log(`curl ended with ${code} after ${Math.round(tookMs)} ms`)
  t.true(code === 55 || code === 56, 'the connection was reset, not left to time out')
  t.is((await venue.untilEnded(id)).endReason, 'data')
  const { status, location } = await venue.curl(phone1, '-m', '3', 'http://captive.apple.com/hotspot-detect.html')
  t.deepEqual({ status, location }, { status: 302, location: `http://${lab.portalHost}/` })
  t.is((await venue.curl(phone1, '-m', '3', `https://${lab.internet.address}/`)).code, 7)
})

test.serial('a second voucher adds to a running session: the same download goes on past the old end', async (t) => {
  const { phone1, lab } = venue
  const { id } = await venue.use(phone1, { voucher: await venue.sell({ dataLimit: 4 * MB }) })
  const more = await venue.sell({ dataLimit: 8 * MB })
  const carried = await venue.count()
  const bytes = 10_000_000
  const download = venue.curl(phone1, '-m', '20', `http://${lab.internet.address}/bytes/${bytes}?rate=3000000`)
  await until('half of it is used', async () => sum(await carried()) > 2 * MB, 10_000)
  t.is((await venue.use(phone1, { voucher: more })).dataLimit, 12 * MB)
  t.true(sum(await carried()) < 4 * MB, 'in time')
  t.like(await download, { code: 0, bytes })
  await until('the ledger has it all', async () => (await venue.session(id)).dataUsed === sum(await carried()), 10_000)
})

test.serial('a customer who ran out buys again and is not charged for what was dropped in between', async (t) => {
  const { phone1, lab } = venue
  const first = await venue.use(phone1, { voucher: await venue.sell({ dataLimit: MB }) })
  await venue.curl(phone1, '-m', '1', `http://${lab.internet.address}/bytes/5000000`)
  await venue.untilEnded(first.id)
  const carried = await venue.count()
  const second = await venue.use(phone1, { voucher: await venue.sell({ dataLimit: 3 * MB }) })
  t.not(second.id, first.id)
  await venue.curl(phone1, '-m', '1', `http://${lab.internet.address}/bytes/5000000`)
  await venue.untilEnded(second.id)
  const delivered = sum(await carried())
  t.log(`delivered ${delivered} of ${3 * MB} bytes`)
  t.true(delivered <= 3 * MB && delivered > 3 * MB - 65_536)
})

test.serial('a package that goes on slowly after its data does so without a break in the connection', async (t) => {
  const { phone1, lab } = venue
  const { id } = await venue.use(phone1, { voucher: await venue.sell({ dataLimit: MB, afterData: 'slow', slowBps: 4_000_000 }) })
  const { code, bytes } = await venue.curl(phone1, '-m', '20', `http://${lab.internet.address}/bytes/2500000`)
  t.deepEqual({ code, bytes }, { code: 0, bytes: 2_500_000 })
  const { status, slow, dataUsed } = await venue.session(id)
  t.deepEqual({ status, slow, dataUsed }, { status: 'connected', slow: true, dataUsed: MB })
})

/** Small datagrams from a phone to the internet, every 5 ms, until stopped. */
async function stream(namespace: string): Promise<{ heard: () => Promise<Heard>; stop: () => Promise<void> }> {
  const port = ++lastPort
  const [phone, web] = [venue.peer(namespace), venue.peer(venue.lab.internet.namespace)]
  const heard = () => web.ask<Heard>({ do: 'heard', port })
  await heard()
  await phone.ask({ do: 'send', port, to: venue.lab.internet.address, toPort: port, count: 1, bytes: 100, everyMs: 5 })
  await until('it passes', async () => (await heard()).packets > 10, 5000)
  return { heard, stop: () => phone.ask({ do: 'stop', port }) }
}
