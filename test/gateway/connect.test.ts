import test from 'ava'
import jsQR from 'jsqr'
import { PNG } from 'pngjs'
import type { Remote } from '#lab/remotes.ts'
import { until } from '#lab/run.ts'
import type { ConnectAnswer } from '#server/connect/schema.ts'
import type { SessionView } from '#server/sessions/schema.ts'
import { MB } from '#server/units.ts'
import type { Heard } from './peer.ts'
import { openVenue, sum, type Customer, type Venue } from './venue.ts'

/** What may be missing at most, as for the hotspot alone. */
const SHORT_AT_MOST = 65_536

const web = 'http://203.0.113.10'

let venue: Venue
let remote: Remote

test.before(async () => {
  venue = await openVenue('connect', { remotes: 2 })
  remote = venue.lab.remotes[0]!
  await venue.api('/api/admin/settings', { pollSeconds: 1 }, 'PATCH')
})
test.afterEach.always(async () => {
  for (const one of [...venue.lab.remotes, ...connected]) await one.disconnect().catch(() => {})
  connected.length = 0
  // A profile would go on with the next session of its phone.
  for (const id of profiles.splice(0)) await venue.api(`/api/connect/profiles/${id}`, undefined, 'DELETE').catch(() => {})
  await venue.clear()
})
test.after.always(() => venue?.stop())

test.serial('a phone somewhere else imports the profile from its QR code and browses, and nothing goes past the tunnel', async (t) => {
  const { made } = await sellProfile()
  const text = readQr(made.profile_qr)
  t.is(text, made.profile_text.slice(0, made.profile_text.indexOf('\n# ')))
  t.regex(await page(remote), /You come from 192\.168\.77\.2|You come from 203\.0\.113\.101/)
  await remote.connect(text)
  t.regex(await page(remote), /You come from 203\.0\.113\.2\./, 'the internet sees the box')
  const { stdout } = await venue.lab.exec(remote.namespace, ['curl', '-s', '-m', '5', 'http://kswifi.internal/api/portal'])
  t.is((JSON.parse(stdout) as { profileId: number }).profileId, made.connect_id, 'the name of the box leads to it, and it knows who asks')
  const six = await venue.lab.exec(remote.namespace, ['curl', '-6', '-s', '-m', '2', 'http://[2001:db8:113::10]/'], { allowFailure: true })
  t.not(six.code, 0, 'IPv6 goes into the tunnel, and ends there')
  const portal = await venue.ask<{ session: SessionView }>(remote, '/api/portal')
  t.like(portal.body.session.profiles[0], { id: made.connect_id, active: true, current: true })
})

test.serial('hotspot and tunnel together drain one session of 50 MB: not a byte more arrives', async (t) => {
  const carried = await venue.count()
  const { session, made } = await sellProfile({ dataLimit: 50 * MB })
  await remote.connect(made.profile_text)
  const drain = async (phone: Customer) => {
    for (let bytes = 4 * MB; bytes === 4 * MB;)
      ({ bytes } = await venue.curl(phone, '-m', '20', '-y', '2', '-Y', '1', `${web}/bytes/${4 * MB}`))
  }
  const upload = venue.lab.exec(remote.namespace, ['curl', '-s', '-m', '20', '-y', '2', '-Y', '1', '-T', '-', `${web}/sink`], {
    input: new Uint8Array(3 * MB),
    allowFailure: true,
  })
  await Promise.all([drain(venue.phone1), drain(remote), upload])
  const ended = await venue.untilEnded(session.id)
  t.like(ended, { endReason: 'data', dataUsed: 50 * MB })
  const { down, up, sent } = await carried()
  const [hotspot, , tunnel] = down
  t.log(`hotspot ${hotspot} down, tunnel ${tunnel} down, ${up} up; short by ${50 * MB - sent} bytes; ${ended.viaConnect} by Connect`)
  t.true(hotspot! > MB && tunnel! > MB && up > MB)
  t.true(sum({ down, up }) <= 50 * MB, 'not a byte beyond')
  // What a phone's own WireGuard is too slow to take is lost on the phone; so the other end is read where the box sends it out.
  t.true(sent <= 50 * MB && 50 * MB - sent < SHORT_AT_MOST)
  t.true(ended.viaConnect >= tunnel! && ended.viaConnect <= 50 * MB - hotspot!)
})

test.serial("a peer that uses another's address gets nothing, and the other is not charged", async (t) => {
  const mine = await sellProfile()
  const other = await sellProfile({}, venue.phone2)
  await remote.connect(mine.made.profile_text)
  const [own, others] = [mine, other].map(({ made }) => /Address = (\S+)\/32/.exec(made.profile_text)![1]!) as [string, string]
  t.is(await send(4101), 20)
  await venue.lab.exec(remote.namespace, ['ip', 'addr', 'add', `${others}/32`, 'dev', 'kswifi'])
  await venue.lab.exec(remote.namespace, ['ip', 'addr', 'del', `${own}/32`, 'dev', 'kswifi'])
  t.is(await send(4102), 0, 'a flow of its own')
  t.is(await send(4101), 0, 'the flow that it had')
  await venue.lab.exec(remote.namespace, ['ip', 'addr', 'add', `${own}/32`, 'dev', 'kswifi'])
  await venue.lab.exec(remote.namespace, ['ip', 'addr', 'del', `${others}/32`, 'dev', 'kswifi'])
  t.is(await send(4101), 20, 'and its own is as good as before')
  t.is((await venue.session(other.session.id)).dataUsed, 0)
})

test.serial('a revoked profile is dead within a second, downloads that run included', async (t) => {
  const { made } = await sellProfile({ dataLimit: null })
  await remote.connect(made.profile_text)
  const carried = await venue.count()
  const download = venue.curl(remote, '-m', '20', '-y', '3', '-Y', '1', `${web}/bytes/${200 * MB}?rate=2000000`)
  await until('the download runs', async () => (await carried()).down[2]! > MB, 10_000)
  const { tookMs } = await timed(() => venue.api(`/api/connect/profiles/${made.connect_id}`, undefined, 'DELETE'))
  const atAnswer = (await carried()).down[2]!
  const later = (await download).bytes
  t.log(`revoked in ${tookMs.toFixed(0)} ms`)
  t.true((await carried()).down[2]! - atAnswer < 200_000, 'what was on its way at most')
  t.true(later < 200 * MB)
  t.is((await venue.curl(remote, '-m', '2', `${web}/`)).status, 0)
  t.notRegex(await venue.inBox('wg', 'show', 'wg0', 'peers'), /=/)
})

test.serial('used up: the tunnel shows the way to a new voucher, with which the same profile goes on', async (t) => {
  const { session, made } = await sellProfile({ dataLimit: 2 * MB })
  await remote.connect(made.profile_text)
  await venue.curl(remote, '-m', '5', '-y', '2', '-Y', '1', `${web}/bytes/${4 * MB}`)
  t.is((await venue.untilEnded(session.id)).endReason, 'data')

  const port80 = await venue.curl(remote, '-m', '5', 'http://neverssl.example/')
  t.like(port80, { status: 302, location: 'http://kswifi.internal/' })
  const port443 = await venue.curl(remote, '-m', '5', 'https://bank.example/')
  t.is(port443.code, 7, 'refused at once, so that no page waits')
  t.is((await venue.curl(remote, '-m', '5', 'http://kswifi.internal/')).status, 200)
  const seen = await venue.ask<{ session: SessionView; profileId: number }>(remote, '/api/portal')
  t.like(seen.body, { profileId: made.connect_id, session: { id: session.id, status: 'expired' } })

  const handshake = () => venue.inBox('wg', 'show', 'wg0', 'latest-handshakes')
  const before = await handshake()
  const renewed = await venue.use(remote, { voucher: await venue.sell({ dataLimit: 3 * MB }) })
  t.not(renewed.id, session.id)
  t.is((await venue.curl(remote, '-m', '5', `${web}/bytes/${MB}`)).bytes, MB)
  t.is(await handshake(), before, 'over the tunnel that was there')
  t.is((await venue.session(renewed.id)).profiles[0]?.id, made.connect_id)

  const topped = await venue.use(remote, { voucher: await venue.sell({ dataLimit: 3 * MB }) })
  t.like(topped, { id: renewed.id, dataLimit: 6 * MB }, 'before the end it is a top-up')
  t.is(await handshake(), before)
})

test.serial('a voucher on the hotspot takes the profile of the session before along', async (t) => {
  const { session, made } = await sellProfile()
  await remote.connect(made.profile_text)
  await venue.api(`/api/admin/sessions/${session.id}/end`, {})
  t.is((await venue.curl(remote, '-m', '5', `${web}/`)).status, 302)
  await venue.use(venue.phone1, { voucher: await venue.sell() })
  t.is((await venue.curl(remote, '-m', '5', `${web}/bytes/1000`)).bytes, 1000)
})

test.serial('peers reach neither each other, nor the venue, nor the box beyond its portal and names', async (t) => {
  const [one, two] = [await sellProfile(), await sellProfile({}, venue.phone2)]
  const [first, second] = venue.lab.remotes as [Remote, Remote]
  await first.connect(one.made.profile_text)
  await second.connect(two.made.profile_text)
  t.is((await venue.curl(second, '-m', '5', `${web}/`)).status, 200)
  const address = /Address = (\S+)\/32/.exec(two.made.profile_text)![1]!
  for (const target of [address, venue.phone2.ip, '172.16.0.1'])
    t.not(
      (await venue.lab.exec(first.namespace, ['ping', '-c', '2', '-i', '0.2', '-W', '1', target], { allowFailure: true })).code,
      0,
      target,
    )
  await venue.peer(venue.phone2.namespace).ask<Heard>({ do: 'heard', port: 4200 })
  await venue.peer(first.namespace).ask({ do: 'send', port: 4200, to: venue.phone2.ip, toPort: 4200, count: 20, bytes: 100 })
  t.is((await venue.curl(first, '-m', '5', `http://${venue.lab.box.lan}:8080/healthz`)).status, 200)
  for (const port of [22, 53_000, 6379]) t.is((await venue.curl(first, '-m', '2', `http://10.8.0.1:${port}/`)).code, 7, `port ${port}`)
  t.is((await venue.peer(venue.phone2.namespace).ask<Heard>({ do: 'heard', port: 4200 })).packets, 0)
})

test.serial('kill -9 of server, worker and Redis disturbs no tunnel, and every byte is charged', async (t) => {
  const { session, made } = await sellProfile({ dataLimit: null })
  await remote.connect(made.profile_text)
  const carried = await venue.count()
  const download = venue.curl(remote, '-m', '30', `${web}/bytes/${8 * MB}?rate=2000000`)
  await until('the download runs', async () => (await carried()).down[2]! > MB, 10_000)
  const peers = () => venue.inBox('wg', 'show', 'wg0', 'latest-handshakes')
  const before = await peers()
  const tunnelPid = venue.lab.box.units.pid('wireguard')
  for (const unit of ['server', 'worker', 'redis']) {
    const pid = venue.lab.kill(unit, 'SIGKILL')
    await venue.lab.box.units.untilRestarted(unit, pid)
  }
  t.is((await download).bytes, 8 * MB)
  t.is(await peers(), before)
  t.is(venue.lab.box.units.pid('wireguard'), tunnelPid)
  await venue.lab.untilHealthy()
  const { sent } = await carried()
  const used = await until(
    'all is in the ledger',
    async () => {
      const { dataUsed } = await venue.session(session.id)
      return dataUsed >= sent ? dataUsed : null
    },
    15_000,
  )
  t.is(used, sent)
})

test.serial('whoever takes the tunnel from below looks after it: device, key, peers and strangers', async (t) => {
  const { session, made } = await sellProfile()
  const works = async () => (await venue.curl(remote, '-m', '3', `${web}/bytes/1000`)).bytes === 1000
  await remote.connect(made.profile_text)
  t.true(await works())
  const peers = async () => (await venue.inBox('wg', 'show', 'wg0', 'peers')).trim()
  const key = await peers()
  await until('the box has seen it', async () => (await venue.session(session.id)).profiles[0]?.active, 10_000)
  await venue.inBox('wg', 'set', 'wg0', 'peer', key, 'remove')
  await until('the peer is back', async () => (await peers()) === key, 10_000)
  await until('its phone is back too', works, 20_000)
  const stranger = Buffer.alloc(32, 7).toString('base64')
  await venue.inBox('wg', 'set', 'wg0', 'peer', stranger, 'allowed-ips', '10.8.99.99/32')
  await until('the stranger is gone', async () => (await peers()) === key, 10_000)
  const pid = venue.lab.kill('wireguard', 'SIGKILL')
  await venue.lab.box.units.untilRestarted('wireguard', pid)
  await until('the tunnel works again, without a hand on the phone', works, 20_000)
})

test.serial('a power cut takes the tunnel away and brings it back, with the same profile', async (t) => {
  const { session, made } = await sellProfile({ downBps: 50_000_000 })
  await remote.connect(made.profile_text)
  t.is((await venue.curl(remote, '-m', '5', `${web}/bytes/${MB}`)).bytes, MB)
  await until('it is in the ledger', async () => (await venue.session(session.id)).dataUsed > MB, 10_000)
  const { dataUsed } = await venue.session(session.id)
  await venue.lab.powerCut()
  venue.lab.powerOn()
  await venue.lab.untilHealthy()
  await until('the tunnel works again', async () => (await venue.curl(remote, '-m', '3', `${web}/bytes/1000`)).bytes === 1000, 40_000)
  t.true((await venue.session(session.id)).dataUsed >= dataUsed)
})

test.serial('at the venue itself the profile works too, without a session on the Wi-Fi, by either port, and is charged once', async (t) => {
  const { session, made } = await sellProfile({ dataLimit: null })
  for (const port of [51820, 443]) {
    const again = await venue.api<ConnectAnswer>(`/api/connect/profiles/${made.connect_id}/renew`, { port })
    t.regex(again.profile_text, new RegExp(`Endpoint = 203\\.0\\.113\\.2:${port}\n`))
    await connectAtVenue(again.profile_text)
    const [before, carried] = [(await settled(session.id)).dataUsed, await venue.count()]
    t.is((await venue.curl(venue.phone2, '-m', '10', `${web}/bytes/${2 * MB}`)).bytes, 2 * MB)
    t.is((await settled(session.id)).dataUsed - before, (await carried()).sent)
    await connected.pop()!.disconnect()
  }
  t.is((await venue.curl(venue.phone2, '-m', '5', `${web}/`)).status, 302, 'without the tunnel it has nothing')
})

test.serial('hotspot and tunnel at once have the speed of one package', async (t) => {
  const rate = 16_000_000
  const { made } = await sellProfile({ dataLimit: null, downBps: rate, upBps: rate })
  await remote.connect(made.profile_text)
  const carried = await venue.count()
  const seconds = 4
  const { tookMs } = await timed(() =>
    Promise.all([venue.phone1, remote].map((phone) => venue.curl(phone, '-m', String(seconds), `${web}/bytes/${100 * MB}`))),
  )
  const { down } = await carried()
  const share = ((down[0]! + down[2]!) * 8) / (tookMs / 1000) / rate
  t.log(`both together ${share.toFixed(3)} of the rate: hotspot ${down[0]}, tunnel ${down[2]}`)
  t.true(share <= 1.05 && down[0]! > 100_000 && down[2]! > 100_000)
})

const profiles: number[] = []

/** Who was connected besides the remotes; taken off after the test. */
const connected: { disconnect: () => Promise<void> }[] = []

async function connectAtVenue(text: string): Promise<void> {
  const { namespace } = venue.phone2
  await venue.lab.connectProfile(namespace, text)
  connected.push({ disconnect: () => venue.lab.disconnectProfile(namespace) })
}

/** A session on a phone at the venue, and a profile of it. */
async function sellProfile(terms: object = {}, phone: Customer = venue.phone1): Promise<{ session: SessionView; made: ConnectAnswer }> {
  const session = await venue.use(phone, { voucher: await venue.sell(terms) })
  const answer = await venue.ask<ConnectAnswer>(phone, '/api/connect/generate-profile', { session_id: session.id })
  if (answer.status !== 200) throw new Error(`${answer.status} ${JSON.stringify(answer.body)}`)
  profiles.push(answer.body.connect_id)
  return { session, made: answer.body }
}

/** Reads a QR code as a phone's camera does, by a library that did not make it. */
function readQr(dataUrl: string): string {
  const { data, width, height } = PNG.sync.read(Buffer.from(dataUrl.split(',')[1]!, 'base64'))
  // What a module of CommonJS exports by default, types and Node see differently.
  const read = (jsQR as unknown as { default?: typeof jsQR.default }).default ?? (jsQR as unknown as typeof jsQR.default)
  return read(new Uint8ClampedArray(data), width, height)!.data
}

async function page(phone: Customer): Promise<string> {
  return (await venue.lab.exec(phone.namespace, ['curl', '-s', '-m', '10', 'http://example.com/'])).stdout
}

/** The session once the kernel's count has stood still for a poll. */
async function settled(id: number): Promise<SessionView> {
  let before = await venue.session(id)
  return until(
    'the ledger stands still',
    async () => {
      await new Promise((resolve) => setTimeout(resolve, 1200))
      const now = await venue.session(id)
      const still = now.dataUsed === before.dataUsed
      before = now
      return still ? now : null
    },
    30_000,
  )
}

/** Datagrams of the remote to the internet; how many of 20 arrived. */
async function send(port: number): Promise<number> {
  const ear = venue.peer(venue.lab.internet.namespace)
  const before = (await ear.ask<Heard>({ do: 'heard', port })).packets
  await venue.peer(remote.namespace).ask({ do: 'send', port, to: venue.lab.internet.address, toPort: port, count: 20, bytes: 400 })
  // One more round trip through the same tunnel: what was before it has arrived, or never will.
  await venue.lab.exec(remote.namespace, ['ping', '-c', '2', '-i', '0.2', '-W', '1', '203.0.113.10'], { allowFailure: true })
  return (await ear.ask<Heard>({ do: 'heard', port })).packets - before
}

async function timed<T>(work: () => Promise<T>): Promise<{ value: T; tookMs: number }> {
  const from = performance.now()
  return { value: await work(), tookMs: performance.now() - from }
}
