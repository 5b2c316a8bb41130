import test from 'ava'
import { until } from '#lab/run.ts'
import type { Heard } from './peer.ts'
import { openVenue, type Venue } from './venue.ts'
import { drained } from './wires.ts'

const nft = '/usr/sbin/nft'

let venue: Venue

test.before(async () => {
  venue = await openVenue('spoof')
})
test.beforeEach(async () => {
  await venue.use(venue.phone1, { voucher: await venue.sell() })
})
test.afterEach.always(async () => {
  await dress(venue.phone2.namespace, { ip: venue.phone2.ip, mac: venue.phone2.mac })
  await venue.clear()
})
test.after.always(() => venue?.stop())

test.serial("a device that wears a customer's address gets nothing, not even on the customer's own flows", async (t) => {
  const { phone1, phone2 } = venue
  t.is(await send(phone1.namespace, 4001), 20)
  await dress(phone2.namespace, { ip: phone1.ip })
  t.is(await send(phone2.namespace, 4002), 0, 'a flow of its own')
  t.is(await send(phone2.namespace, 4001), 0, "the customer's flow")
  const { bytes } = await venue.curl(phone2, '-m', '1', `http://${venue.lab.internet.address}/bytes/1000`)
  t.is(bytes, 0)
  t.is(await send(phone1.namespace, 4001), 20, 'and the customer goes on')
})

test.serial("a device that wears a customer's MAC with its own address gets nothing", async (t) => {
  const { phone1, phone2 } = venue
  await dress(phone2.namespace, { ip: phone2.ip, mac: phone1.mac })
  t.is(await send(phone2.namespace, 4003), 0)
})

test.serial("a device that wears a customer's address cannot read the session, nor end it", async (t) => {
  const { phone1, phone2 } = venue
  const url = `http://${venue.lab.box.lan}/api/me/session`
  t.is((await venue.curl(phone1, url)).status, 200)
  await dress(phone2.namespace, { ip: phone1.ip })
  t.is((await venue.curl(phone2, '-m', '1', url)).status, 0, 'the answer goes to the customer, and the connection never begins')
  t.is((await venue.curl(phone2, '-m', '1', '-X', 'POST', `${url}/disconnect`)).status, 0)
  t.is(await send(phone1.namespace, 4001), 20)
})

test.serial("claiming a customer's address by ARP turns none of the downloads", async (t) => {
  const { phone1, phone2, lab } = venue
  const carried = await venue.count()
  const download = venue.curl(phone1, `http://${lab.internet.address}/bytes/2000000?rate=1000000`)
  await until('the download runs', async () => (await carried()).down[0]! > 100_000, 5000)
  await dress(phone2.namespace, { ip: phone1.ip })
  // Every question by ARP tells the asker's own address and MAC; so does the announcement of a new one.
  for (let times = 0; times < 5; times++) {
    await lab.exec(phone2.namespace, ['ip', 'neigh', 'flush', 'dev', 'eth0'])
    await lab.exec(phone2.namespace, ['ping', '-c', '1', '-W', '1', lab.box.lan], { allowFailure: true, timeoutMs: 5000 })
    await lab.exec(phone2.namespace, ['ip', 'link', 'set', 'eth0', 'down'])
    await dress(phone2.namespace, { ip: phone1.ip })
  }
  t.is((await download).bytes, 2_000_000)
  t.is((await carried()).down[1], 0)
  t.regex(await venue.inBox('ip', 'neigh', 'show', phone1.ip), new RegExp(`lladdr ${phone1.mac} .*PERMANENT`))
})

test.serial('customers cannot reach each other, on the wire or through the box', async (t) => {
  const { phone1, phone2, lab } = venue
  await venue.use(phone2, { voucher: await venue.sell() })
  const [one, two] = [venue.peer(phone1.namespace), venue.peer(phone2.namespace)]
  const heard = () => two.ask<Heard>({ do: 'heard', port: 4010 })
  await heard()
  const knock = async () => {
    await one.ask({ do: 'send', port: 4010, to: phone2.ip, toPort: 4010, count: 20, bytes: 100 })
    await one.ask({ do: 'send', port: 4010, to: '10.64.255.255', toPort: 4010, count: 20, bytes: 100 }).catch(() => {})
    return (await venue.curl(phone1, '-m', '1', `http://${phone2.ip}:4010/`)).code
  }
  t.not(await knock(), 0)
  // With the neighbour's MAC known, nobody needs to be asked for it.
  await lab.exec(phone1.namespace, ['ip', 'neigh', 'replace', phone2.ip, 'lladdr', phone2.mac, 'dev', 'eth0'])
  t.not(await knock(), 0)
  await lab.exec(phone1.namespace, ['ip', 'neigh', 'del', phone2.ip, 'dev', 'eth0'])
  await lab.exec(phone1.namespace, ['ip', 'route', 'add', phone2.ip, 'via', lab.box.lan])
  t.not(await knock(), 0)
  await lab.exec(phone1.namespace, ['ip', 'route', 'del', phone2.ip])
  t.is((await heard()).packets, 0)
})

test.serial('of the box, a customer reaches portal, DHCP and DNS only', async (t) => {
  const { phone1, lab } = venue
  const listener = lab.spawn('box', ['iperf3', '-s', '-p', '9999'], { stdio: 'ignore' })
  const box = venue.peer(lab.box.namespace)
  await box.ask({ do: 'heard', port: 9998 })
  try {
    await until(
      'somebody listens',
      async () => (await venue.inBox('curl', '-s', '-m', '1', '-w', '%{num_connects}', 'http://10.64.0.1:9999/')).startsWith('1'),
      5000,
    )
    const codes = async (host: string) =>
      Object.fromEntries(
        await Promise.all(
          [80, 8080, 9999, 22, 6379].map(async (port) => [port, (await venue.curl(phone1, '-m', '2', `http://${host}:${port}/`)).code]),
        ),
      )
    const refused = 7
    t.deepEqual(await codes(lab.box.lan), { 80: 0, 8080: 0, 9999: refused, 22: refused, 6379: refused })
    t.deepEqual(
      await codes('203.0.113.2'),
      { 80: refused, 8080: refused, 9999: refused, 22: refused, 6379: refused },
      "nor by the box's other address",
    )
    const peer = venue.peer(phone1.namespace)
    for (const to of [lab.box.lan, '203.0.113.2', '10.64.255.255'])
      await peer.ask({ do: 'send', port: 9998, to, toPort: 9998, count: 10, bytes: 100 }).catch(() => {})
    t.is((await box.ask<Heard>({ do: 'heard', port: 9998 })).packets, 0)
    t.not((await lab.exec(phone1.namespace, ['ping', '-c', '1', '-W', '1', '203.0.113.2'], { allowFailure: true })).code, 0)
  } finally {
    listener.kill('SIGKILL')
  }
})

test.serial("a customer does not reach the private networks that lie behind the box's own", async (t) => {
  const { phone1, lab } = venue
  const web = venue.peer(lab.internet.namespace)
  const peer = venue.peer(phone1.namespace)
  await web.ask({ do: 'heard', port: 4020 })
  const addresses = ['10.1.2.3', '172.16.9.9', '192.168.77.1', '169.254.169.254']
  for (const address of addresses) await lab.exec('internet', ['ip', 'addr', 'add', `${address}/32`, 'dev', 'eth0'])
  for (const address of addresses) {
    await peer.ask({ do: 'send', port: 4020, to: address, toPort: 4020, count: 5, bytes: 100 })
  }
  const codes = await Promise.all(addresses.map(async (address) => (await venue.curl(phone1, '-m', '2', `http://${address}/`)).code))
  t.false(codes.includes(0))
  t.is((await web.ask<Heard>({ do: 'heard', port: 4020 })).packets, 0)
  t.is(await send(phone1.namespace, 4020, 5), 5, 'and the same port of the internet is open')
})

test.serial('from the internet, nobody reaches the box or a customer', async (t) => {
  const { phone1, lab } = venue
  const refusedOrSilent = async (url: string) => (await lab.exec('internet', ['curl', '-s', '-m', '1', url], { allowFailure: true })).code
  const codes = await Promise.all([80, 8080, 53, 22].map((port) => refusedOrSilent(`http://203.0.113.2:${port}/`)))
  t.false(codes.includes(0))
  await lab.exec('internet', ['ip', 'route', 'add', '10.64.0.0/16', 'via', '203.0.113.2'])
  const [web, phone] = [venue.peer(lab.internet.namespace), venue.peer(phone1.namespace)]
  await phone.ask({ do: 'heard', port: 4030 })
  await web.ask({ do: 'send', port: 4031, to: phone1.ip, toPort: 4030, count: 20, bytes: 100 })
  t.not(await refusedOrSilent(`http://${lab.box.lan}:8080/`), 0)
  await lab.exec('internet', ['ip', 'route', 'del', '10.64.0.0/16'])
  t.is((await phone.ask<Heard>({ do: 'heard', port: 4030 })).packets, 0)
})

test.serial('IPv6 from a customer goes nowhere, though box, phone and internet are set up for it', async (t) => {
  const { phone1, lab } = venue
  const setUp = await venue.inBox('sh', '-c', 'test -e /proc/net/if_inet6 && echo yes')
  if (!setUp) return t.log('this kernel has no IPv6: nothing can leak')
  const [phone, web, box] = [venue.peer(phone1.namespace), venue.peer(lab.internet.namespace), venue.peer(lab.box.namespace)]
  const lanMac = '02:4b:53:ff:00:01'
  await venue.inBox('sysctl', '-q', 'net.ipv6.conf.lan0.disable_ipv6=0', 'net.ipv6.conf.all.forwarding=1')
  await venue.inBox('ip', 'addr', 'add', '2001:db8:64::1/64', 'dev', 'lan0', 'nodad')
  await venue.inBox('ip', 'neigh', 'replace', '2001:db8:64::11', 'lladdr', phone1.mac, 'dev', 'lan0')
  await lab.exec('internet', ['ip', 'route', 'add', '2001:db8:64::/64', 'via', '2001:db8:113::2'])
  const linkLocal = /inet6 (fe80::\S+)\/64/.exec(await venue.inBox('ip', 'addr', 'show', 'dev', 'lan0'))?.[1] ?? 'fe80::4b:53ff:feff:1'
  for (const words of [
    ['addr', 'add', '2001:db8:64::11/64', 'dev', 'eth0', 'nodad'],
    ['neigh', 'replace', linkLocal, 'lladdr', lanMac, 'dev', 'eth0'],
    ['neigh', 'replace', '2001:db8:64::1', 'lladdr', lanMac, 'dev', 'eth0'],
    ['route', 'add', 'default', 'via', linkLocal, 'dev', 'eth0'],
  ])
    await lab.exec(phone1.namespace, ['ip', '-6', ...words])
  await lab.exec('internet', [nft, '-f', '-'], {
    input:
      'add table inet six\nadd counter inet six came\nadd chain inet six came { type filter hook prerouting priority raw; }\nadd rule inet six came ip6 saddr 2001:db8:64::/64 counter name came\n',
  })
  await web.ask({ do: 'send', port: 4040, to: '::1', toPort: 4049, count: 1, bytes: 60 })
  await box.ask({ do: 'send', port: 4041, to: '::1', toPort: 4049, count: 1, bytes: 60 })
  const knock = async () => {
    await phone.ask({ do: 'send', port: 4042, to: '2001:db8:113::10', toPort: 4040, count: 20, bytes: 100 })
    for (const to of [`${linkLocal}%eth0`, '2001:db8:64::1'])
      await phone.ask({ do: 'send', port: 4042, to, toPort: 4041, count: 20, bytes: 100 })
    await lab.exec(phone1.namespace, ['ping', '-6', '-c', '1', '-W', '1', '2001:db8:64::1'], { allowFailure: true })
    const { code } = await venue.curl(phone1, '-g', '-m', '1', 'http://[2001:db8:113::10]/bytes/1000')
    const { stdout } = await lab.exec('internet', [nft, '-j', 'list', 'counters'])
    const counters = (JSON.parse(stdout) as { nftables: { counter?: { name: string; packets: number } }[] }).nftables
    return {
      browses: code === 0,
      reachedInternet: counters.find((one) => one.counter?.name === 'came')!.counter!.packets > 0,
      reachedBox: (await box.ask<Heard>({ do: 'heard', port: 4041 })).packets > 0,
    }
  }
  t.deepEqual(await knock(), { browses: false, reachedInternet: false, reachedBox: false })

  // The same without our rules: else this test would also be content with a cable that is not plugged in.
  lab.kill('worker', 'SIGSTOP')
  await venue.inBox(nft, 'flush', 'ruleset')
  const open = await knock()
  lab.kill('worker', 'SIGCONT')
  t.deepEqual(open, { browses: true, reachedInternet: true, reachedBox: true })
})

/** @returns how many of these datagrams reached the internet */
async function send(namespace: string, port: number, count = 20): Promise<number> {
  const [phone, web] = [venue.peer(namespace), venue.peer(venue.lab.internet.namespace)]
  const before = (await web.ask<Heard>({ do: 'heard', port })).packets
  await phone.ask({ do: 'send', port, to: venue.lab.internet.address, toPort: port, count, bytes: 100 })
  const box = venue.lab.box.namespace
  await drained(box, [
    [
      { namespace, device: 'eth0' },
      { namespace: box, device: namespace === venue.phone1.namespace ? 'p1' : 'p2' },
    ],
    [
      { namespace: box, device: 'wan0' },
      { namespace: venue.lab.internet.namespace, device: 'eth0' },
    ],
  ])
  return (await web.ask<Heard>({ do: 'heard', port })).packets - before
}

/** Gives a device another address, or another MAC as well. */
async function dress(namespace: string, { ip, mac }: { ip: string; mac?: string }): Promise<void> {
  const lines = [
    'link set eth0 down',
    ...(mac ? [`link set eth0 address ${mac}`] : []),
    'addr flush dev eth0',
    `addr add ${ip}/16 dev eth0`,
    'link set eth0 up',
    'route replace default via 10.64.0.1',
  ]
  await venue.lab.exec(namespace, ['sysctl', '-q', 'net.ipv4.conf.eth0.arp_notify=1'])
  await venue.lab.exec(namespace, ['ip', '-batch', '-'], { input: lines.join('\n') })
}
