import { randomInt } from 'node:crypto'
import { join } from 'node:path'
import test from 'ava'
import type { Phone } from '#lab/lab.ts'
import type { Remote } from '#lab/remotes.ts'
import { until } from '#lab/run.ts'
import type { ConnectAnswer } from '#server/connect/schema.ts'
import type { SessionView } from '#server/sessions/schema.ts'
import { MB } from '#server/units.ts'
import { DSCP, icmpError, inject, RST, SYN_ACK, tcp, udp } from './packets.ts'
import { openVenue, type Customer, type Venue } from './venue.ts'

const internet = '203.0.113.10'

let venue: Venue
let remote: Remote
const profiles: number[] = []

test.before(async () => {
  venue = await openVenue('leaks', { remotes: 2 })
  remote = venue.lab.remotes[0]!
  await venue.api('/api/admin/settings', { pollSeconds: 1 }, 'PATCH')
})
test.afterEach.always(async () => {
  for (const one of venue.lab.remotes) await one.disconnect().catch(() => {})
  // A profile would go on with the next session of its phone.
  for (const id of profiles.splice(0)) await venue.api(`/api/connect/profiles/${id}`, undefined, 'DELETE').catch(() => {})
  await venue.clear()
})
test.after.always(() => venue?.stop())

test.serial('packets that belong to no flow reach nobody, from a paid phone and from a paid peer', async (t) => {
  const { phone1, phone2 } = venue
  const [one, two] = [await sellProfile(), await sellProfile(phone2)]
  const other = venue.lab.remotes[1]!
  await remote.connect(one.made.profile_text)
  await other.connect(two.made.profile_text)
  for (const customer of [phone1, remote, other]) t.is(await browse(customer), 1000)
  const senders = [
    { namespace: phone1.namespace, from: phone1.ip },
    { namespace: remote.namespace, from: one.address },
  ]
  const targets = [
    { namespace: venue.lab.internet.namespace, to: internet },
    { namespace: phone2.namespace, to: phone2.ip },
    { namespace: other.namespace, to: two.address },
  ]
  // Phones of one Wi-Fi would ask each other by ARP; this one asks the box.
  await venue.lab.exec(phone1.namespace, ['ip', 'route', 'add', `${phone2.ip}/32`, 'via', venue.lab.box.lan])
  t.teardown(async () => void (await venue.lab.exec(phone1.namespace, ['ip', 'route', 'del', `${phone2.ip}/32`])))

  for (const { namespace, from } of senders)
    for (const { namespace: target, to } of targets) {
      const watched = await watch(target)
      const packets = [SYN_ACK, RST].flatMap((flags) => Array.from({ length: 50 }, () => tcp({ from, to, ...randomPorts() }, flags, 1000)))
      await inject(namespace, packets)
      await follow(namespace)
      const { got, ...further } = await watched()
      // A phone's own WireGuard may lose some before they come.
      t.true(got >= 50, `${got} came to the box`)
      t.deepEqual(further, { sent: 0, arrived: 0 }, `${from} to ${to}`)
    }
})

test.serial("errors that quote another customer's download neither stop it nor have anybody else charged", async (t) => {
  const { phone1, phone2 } = venue
  const victim = await venue.use(phone1, { voucher: await venue.sell({ dataLimit: null }) })
  const carried = await venue.count()
  const attack = async (who: string, namespace: string, from: string, port: number) => {
    const watched = await watch(phone1.namespace)
    const before = (await carried()).down[0]!
    const download = venue.curl(phone1, '-m', '10', '--local-port', String(port), `http://${internet}/bytes/${3 * MB}?rate=2000000`)
    await until('the download runs', async () => (await carried()).down[0]! - before > 100_000, 5000)
    const over = new AbortController()
    const lie = icmpError(from, { from: internet, fromPort: 80, to: phone1.ip, toPort: port })
    const lies = inject(namespace, Array<Buffer>(20_000).fill(lie), { signal: over.signal })
    const { bytes } = await download
    over.abort()
    await t.throwsAsync(lies, { message: /was called off/ })
    t.is(bytes, 3 * MB, who)
    const { got, sent } = await watched()
    t.true(got > 100, `${who}: ${got} came to the box`)
    t.is(sent, 0, who)
    const charged = async () => (await venue.session(victim.id)).dataUsed
    await until(`${who}: every byte is charged to whom it went`, async () => (await charged()) === (await carried()).sent, 5000)
  }
  await attack('a phone without a session', phone2.namespace, phone2.ip, 45_001)
  const { session, made, address } = await sellProfile(phone2)
  await attack('a phone with a session', phone2.namespace, phone2.ip, 45_002)
  t.is((await venue.session(session.id)).dataUsed, 0)
  await remote.connect(made.profile_text)
  await attack('a peer', remote.namespace, address, 45_003)
  t.is((await venue.session(session.id)).dataUsed, 0)
})

test.serial('names cost nothing, so a flood of them is answered at a crawl, while a page full of them is answered whole', async (t) => {
  const { phone1, phone2 } = venue
  const { made } = await sellProfile(phone1)
  await venue.use(phone2, { voucher: await venue.sell() })
  await remote.connect(made.profile_text)
  const askers = [
    { customer: phone1 as Customer, server: venue.lab.box.lan },
    { customer: remote, server: '10.8.0.1' },
  ]
  for (const { customer, server } of askers) {
    t.is((await names(customer, server, 100)).answered, 100)
    const flood = await names(customer, server, 10_000)
    t.log(`${server}: ${flood.answered} of 10,000 answered in ${flood.seconds.toFixed(2)} s`)
    t.true(flood.answered > 0 && flood.answered <= 1.5 * (200 + 20 * flood.seconds))
  }
  t.is((await names(phone2, venue.lab.box.lan, 100)).answered, 100, 'who did not flood has all names')
})

test.serial("the tunnel's addresses are worth nothing on the hotspot, nor a phone's in the tunnel", async (t) => {
  const { phone1, phone2 } = venue
  const { made, address } = await sellProfile()
  await venue.use(phone2, { voucher: await venue.sell() })
  await remote.connect(made.profile_text)
  t.is(await browse(remote), 1000)
  const flow = { to: internet, toPort: 4300 }
  const send = async (namespace: string, from: string) => {
    const watched = await watch(venue.lab.internet.namespace)
    await inject(
      namespace,
      Array.from({ length: 20 }, () => udp({ ...flow, from, fromPort: 4300 }, 400)),
    )
    await follow(namespace)
    return watched()
  }
  t.deepEqual(await send(remote.namespace, address), { got: 20, sent: 20, arrived: 20 })
  t.deepEqual(await send(phone2.namespace, phone2.ip), { got: 20, sent: 20, arrived: 20 })
  t.deepEqual(await send(phone2.namespace, address), { got: 20, sent: 0, arrived: 0 }, "on the hotspot, the peer's own flow")
  // WireGuard itself takes from a peer its own address alone.
  for (const { ip } of [phone1, phone2]) t.deepEqual(await send(remote.namespace, ip), { got: 0, sent: 0, arrived: 0 }, ip)
})

/** Counts packets of packets.ts from now on: what comes to the box from customers, what it sends on, and what arrives at an end. */
async function watch(end: string): Promise<() => Promise<{ got: number; sent: number; arrived: number }>> {
  const meter = (...chains: string[]) =>
    `add table inet leaks\ndelete table inet leaks\ntable inet leaks {\n${chains.map((chain) => `chain ${chain}\n`).join('')}}\n`
  const seen = `ip dscp ${DSCP} counter`
  const put = (namespace: string, input: string) => venue.lab.exec(namespace, ['/usr/sbin/nft', '-f', '-'], { input })
  const box = venue.lab.box.namespace
  // As it leaves, a packet's mark may be the box's own refusal of it, which goes back: only what was let through has one hop less.
  const out = `sent { type filter hook postrouting priority 300; ip ttl 63 ${seen}; }`
  await put(box, meter(`got { type filter hook prerouting priority raw; iifname { "lan0", "wg0" } ${seen}; }`, out))
  await put(end, meter(`arrived { type filter hook prerouting priority raw; ${seen}; }`))
  const read = async (namespace: string, chain: string) => {
    const { stdout } = await venue.lab.exec(namespace, ['/usr/sbin/nft', 'list', 'chain', 'inet', 'leaks', chain])
    return Number(/packets (\d+)/.exec(stdout)![1])
  }
  return async () => ({ got: await read(box, 'got'), sent: await read(box, 'sent'), arrived: await read(end, 'arrived') })
}

/** A round trip of an honest packet by the same way: what went before it has arrived, or never will. */
async function follow(namespace: string): Promise<void> {
  await venue.lab.exec(namespace, ['ping', '-c', '3', '-i', '0.1', '-W', '2', internet])
}

/** A session on a phone at the venue, a profile of it, and that profile's address. */
async function sellProfile(phone: Phone = venue.phone1): Promise<{ session: SessionView; made: ConnectAnswer; address: string }> {
  const session = await venue.use(phone, { voucher: await venue.sell() })
  const { status, body } = await venue.ask<ConnectAnswer>(phone, '/api/connect/generate-profile', { session_id: session.id })
  if (status !== 200) throw new Error(`${status} ${JSON.stringify(body)}`)
  profiles.push(body.connect_id)
  return { session, made: body, address: /Address = (\S+)\/32/.exec(body.profile_text)![1]! }
}

async function browse(customer: Customer): Promise<number> {
  return (await venue.curl(customer, '-m', '5', `http://${internet}/bytes/1000`)).bytes
}

async function names(customer: Customer, server: string, count: number): Promise<{ answered: number; seconds: number }> {
  const program = join(import.meta.dirname, 'names.ts')
  const { stdout } = await venue.lab.exec(customer.namespace, [process.execPath, program, server, String(count)])
  return JSON.parse(stdout) as { answered: number; seconds: number }
}

function randomPorts(): { fromPort: number; toPort: number } {
  return { fromPort: randomInt(1024, 65_536), toPort: randomInt(1024, 65_536) }
}
