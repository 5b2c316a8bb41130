import { join } from 'node:path'
import { createInterface } from 'node:readline'
import test from 'ava'
import { tuneBox } from '#lab/box.ts'
import { makeBackbone, namesOf, phoneNamespace, plugPhone, removeVenue, internetAddress } from '#lab/namespaces.ts'
import { inside, run, start, until } from '#lab/run.ts'
import type { Reading } from '#server/gateway/grant.ts'
import type { Way } from '#server/gateway/memory.ts'
import { countRules, ruleset } from '#server/gateway/ruleset.ts'
import { facts, type Ask as AskBox } from './box.ts'
import { PACKET_BYTES, conformance, grant, peer, phone1, phone2, type Bench } from './conformance.ts'
import type { Ask as AskPeer, Heard } from './peer.ts'
import { talkTo, type Talk } from './talk.ts'
import { drained } from './wires.ts'

const prefix = 'kgw-conf'
const { box, internet } = namesOf(prefix)
const program = join(import.meta.dirname, 'peer.ts')
const internetPort = 4000
const share = 'kswifi-share'
/** Each with its own port at both ends, so that the internet knows them apart behind one address; `port` names the box's end. */
const wires: { way: Way; namespace: string; port: string; talk: Talk<AskPeer> }[] = []
let web: Talk<AskPeer>

test.before(async () => {
  await removeVenue(prefix)
  await makeBackbone(prefix)
  await tuneBox(prefix)
  web = talkTo(internet, program)
  for (const [index, device] of [phone1, phone2].entries()) {
    const { namespace } = await plugPhone(prefix, index + 1)
    await addAddress(namespace, device.ip)
    wires.push({ way: device, namespace, port: `p${index + 1}`, talk: talkTo(namespace, program) })
  }
  wires.push({ way: peer, ...(await plugPeer()) })
})

test.after.always(async () => {
  await Promise.all([...wires.map((wire) => wire.talk.end()), web?.end()])
  await removeVenue(prefix)
})

conformance(test, 'kernel', open)

test.serial('kernel: it lists as many rules as the ruleset is counted to have', async (t) => {
  const bench = await open()
  t.teardown(bench.close)
  await bench.enforce()
  const listed = JSON.parse(await inBox('/usr/sbin/nft', '-j', 'list', 'table', 'inet', 'kswifi')) as { nftables: { rule?: unknown }[] }
  const { text } = ruleset(facts)
  t.is(listed.nftables.filter((one) => one.rule).length, countRules(text))
})

test.serial('kernel: enforcing what is already so writes nothing', async (t) => {
  const bench = await open()
  t.teardown(bench.close)
  await bench.want(grant({ limitBytes: 10_500, downBps: 10_000_000, upBps: 5_000_000 }))
  await bench.enforce()
  const told = await watchKernel()
  await bench.enforce()
  await bench.enforce([7])
  await bench.poll()
  t.deepEqual(await told(), [])
})

test.serial('kernel: a session that ended leaves nothing behind', async (t) => {
  const bench = await open()
  t.teardown(bench.close)
  await bench.enforce()
  const [table, classes] = [await rules(), await inBox('tc', 'class', 'show', 'dev', 'lan0')]
  await bench.want(grant({ limitBytes: 10_500, downBps: 10_000_000, upBps: 5_000_000 }))
  await bench.enforce()
  await bench.pass(phone1, 'up', 2)
  t.not(await rules(), table)
  t.not(await inBox('tc', 'class', 'show', 'dev', 'lan0'), classes)
  await bench.want()
  await bench.enforce([7])
  t.is(await rules(), table)
  t.is(await inBox('tc', 'class', 'show', 'dev', 'lan0'), classes)
  t.is(await inBox('conntrack', '-L', '-m', '7'), '')
  t.notRegex(await inBox('ip', 'neigh', 'show', 'nud', 'permanent'), /10\.64/)
})

test.serial('kernel: a session with a peer has one class for both ways; it comes and goes with the peer, and is mended', async (t) => {
  const bench = await open()
  t.teardown(bench.close)
  const classes = async (device: string) => (await inBox('tc', 'class', 'show', 'dev', device)).match(/^class htb \S+/gm) ?? []
  const speeds = { downBps: 10_000_000, upBps: 5_000_000 }
  await bench.want(grant(speeds))
  await bench.enforce()
  t.is((await classes('lan0')).length, 1)
  await bench.want(grant({ ...speeds, peers: [peer.peer] }))
  await bench.enforce([7])
  // The move follows the answer: nobody has the peer's keys before it.
  const moved = async () => /: 2:/.test(await inBox('/usr/sbin/nft', 'list', 'map', 'inet', 'kswifi', 'down_class'))
  await until('the session has moved to the shared class', moved, 5000, 5)
  t.deepEqual([(await classes('lan0')).length, (await classes(share)).length], [0, 1])
  const shaped = async () => Number(/Sent (\d+) bytes/.exec(await inBox('tc', '-s', 'class', 'show', 'dev', share))![1])
  for (const way of [phone1, peer]) {
    const before = await shaped()
    t.is(await bench.pass(way, 'up', 1), 1)
    t.is(await bench.pass(way, 'down', 5), 5)
    t.true((await shaped()) - before >= 5 * PACKET_BYTES, 'both ways go through it')
  }
  await inBox('/usr/sbin/nft', 'delete', 'table', 'netdev', 'kswifi')
  await bench.poll()
  const before = await shaped()
  t.is(await bench.pass(phone1, 'down', 5), 5)
  t.true((await shaped()) - before >= 5 * PACKET_BYTES, 'a poll leads packets there again')
  await inBox('ip', 'link', 'del', share)
  await bench.poll()
  t.is((await classes(share)).length, 1)
  t.is(await bench.pass(phone1, 'down', 5), 5, 'what was led to the old device goes to the new one')
  await bench.want(grant(speeds))
  await bench.enforce([7])
  t.deepEqual([(await classes('lan0')).length, (await classes(share)).length], [1, 0])
  await bench.want()
  await bench.enforce([7])
  t.deepEqual([(await classes('lan0')).length, (await classes(share)).length], [0, 0])
})

test.serial('kernel: a second gateway takes over what the first left, with the higher count', async (t) => {
  const first = await open()
  const terms = grant({ limitBytes: 10_500, downBps: 50_000_000 })
  await first.want(terms)
  await first.enforce()
  t.is(await first.pass(phone1, 'up', 4), 4)
  await first.close()
  t.is(await pass(phone1, 'up', 2), 2, 'the kernel goes on without anybody')
  const before = await inBox('tc', 'class', 'show', 'dev', 'lan0')
  const second = await adopt()
  t.teardown(second.close)
  await second.want(terms)
  await second.enforce()
  t.is(await inBox('tc', 'class', 'show', 'dev', 'lan0'), before, 'the same class is used on')
  await second.poll()
  t.is((await second.readings()).at(-1)?.usedBytes, 6_000)
  t.is(await second.pass(phone1, 'up', 30), 4)
})

test.serial('kernel: a gateway that was away when the data ran out settles that at its start', async (t) => {
  const first = await open()
  const terms = grant({ limitBytes: 10_500 })
  await first.want(terms)
  await first.enforce()
  await first.close()
  t.is(await pass(phone1, 'up', 30), 10)
  const second = await adopt()
  t.teardown(second.close)
  await second.want(terms)
  await second.poll()
  const { usedBytes, depleted } = (await second.readings()).at(-1)!
  t.deepEqual({ usedBytes, depleted }, { usedBytes: 10_500, depleted: true })
})

test.serial('kernel: the moment of depletion is told without a poll', async (t) => {
  const bench = await open()
  t.teardown(bench.close)
  await bench.want(grant({ limitBytes: 3_000 }))
  await bench.enforce()
  t.is(await bench.pass(phone1, 'up', 5), 3)
  const depleted = await until('it is told', async () => (await bench.readings()).find((one) => one.depleted), 5000, 5)
  t.deepEqual(depleted, { session: 7, usedBytes: 3_000, uploadedBytes: 3_000, tunnelledBytes: 0, depleted: true })
})

/** A gateway in a process of its own, in a box that holds nothing. */
async function open(): Promise<Bench> {
  await forget()
  await inBox('conntrack', '-F')
  await inBox('ip', 'neigh', 'flush', 'dev', 'lan0', 'nud', 'permanent')
  await run(inside(box, ['ip', 'link', 'del', share]), { allowFailure: true })
  for (const device of ['lan0', 'wan0']) await run(inside(box, ['tc', 'qdisc', 'del', 'dev', device, 'root']), { allowFailure: true })
  return adopt()
}

async function adopt(): Promise<Bench> {
  const talk = talkTo<AskBox>(box, join(import.meta.dirname, 'box.ts'))
  return {
    want: (...grants) => talk.ask({ do: 'want', grants }),
    enforce: (sessions) => talk.ask({ do: 'enforce', sessions }),
    poll: (sessions) => talk.ask({ do: 'poll', sessions }),
    readings: () => talk.ask<Reading[]>({ do: 'readings' }),
    pass,
    forget,
    close: talk.end,
  }
}

async function forget(): Promise<void> {
  await inBox('/usr/sbin/nft', 'flush', 'ruleset')
}

/** Real datagrams between a phone or peer and the internet; a MAC's wire is the phone that sends, whatever address it wears. */
async function pass(way: Way, direction: 'down' | 'up', packets: number): Promise<number> {
  const number = wires.findIndex((wire) => nameOf(wire.way) === nameOf(way)) + 1
  const { namespace, talk, port: boxEnd, way: owner } = wires[number - 1]!
  const wears = 'ip' in way && 'ip' in owner && way.ip !== owner.ip ? [way.ip, owner.ip] : undefined
  if (wears) await addAddress(namespace, wears[0]!, wears[1])
  const port = internetPort + number
  const ear = direction === 'up' ? web : talk
  const before = (await ear.ask<Heard>({ do: 'heard', port })).packets
  if (direction === 'up') await talk.ask({ do: 'send', port, to: internetAddress, toPort: port, count: packets, bytes: PACKET_BYTES })
  else await web.ask({ do: 'answer', port, count: packets, bytes: PACKET_BYTES })
  await drained(box, [
    [
      { namespace, device: 'eth0' },
      { namespace: box, device: boxEnd },
    ],
    [
      { namespace: box, device: 'wan0' },
      { namespace: internet, device: 'eth0' },
    ],
  ])
  const arrived = (await ear.ask<Heard>({ do: 'heard', port })).packets - before
  if (wears) await addAddress(namespace, wears[1]!, wears[0])
  return arrived
}

function nameOf(way: Way): string {
  return 'peer' in way ? way.peer : way.mac
}

/** Somebody at the end of `wg0`, which is a plain wire here: what WireGuard itself does is tried on the whole venue. */
async function plugPeer(): Promise<{ namespace: string; port: string; talk: Talk<AskPeer> }> {
  const namespace = phoneNamespace(prefix, 9)
  await run(['ip', 'netns', 'add', namespace])
  await run(['ip', 'link', 'add', 'eth0', 'netns', namespace, 'type', 'veth', 'peer', 'name', 'wg0', 'netns', box])
  await run(['ip', '-n', box, '-batch', '-'], { input: 'addr add 10.8.0.1/16 dev wg0\nlink set wg0 up\n' })
  await run(['ip', '-n', namespace, '-batch', '-'], {
    input: `link set lo up\naddr add ${peer.peer}/16 dev eth0\nlink set eth0 up\nroute add default via 10.8.0.1\n`,
  })
  return { namespace, port: 'wg0', talk: talkTo(namespace, program) }
}

/** Gives a phone an address, in place of the one it had, and the route through the box. */
async function addAddress(namespace: string, ip: string, instead?: string): Promise<void> {
  const lines = [instead ? `addr del ${instead}/16 dev eth0` : '', `addr add ${ip}/16 dev eth0`, 'route replace default via 10.64.0.1']
  await run(['ip', '-n', namespace, '-batch', '-'], { input: lines.filter(Boolean).join('\n') })
}

async function inBox(...argv: string[]): Promise<string> {
  return (await run(inside(box, argv), { allowFailure: argv[0] === 'conntrack' })).stdout
}

/** Everything of our table but counts and remaining times. */
async function rules(): Promise<string> {
  return (await inBox('/usr/sbin/nft', 'list', 'table', 'inet', 'kswifi')).replace(/expires \S+/g, '')
}

/** @returns what ends the watch, and gives the lines that the kernel told of every change in between */
async function watchKernel(): Promise<() => Promise<string[]>> {
  const child = start(inside(box, ['/usr/sbin/nft', 'monitor']), { stdio: ['ignore', 'pipe', 'ignore'] })
  const lines: string[] = []
  createInterface({ input: child.stdout! }).on('line', (line) => lines.push(line))
  // The monitor has begun, or has ended hearing, once it tells of a table that is made for it.
  const mark = async (name: string) => {
    await until(
      `the monitor tells of ${name}`,
      async () => {
        await inBox('/usr/sbin/nft', `add table ip ${name}; delete table ip ${name}`)
        return lines.some((line) => line.includes(`add table ip ${name}`))
      },
      5000,
    )
  }
  await mark('begins')
  return async () => {
    await mark('ends')
    child.kill()
    return lines.filter((line) => !/^#|table ip (begins|ends)$/.test(line))
  }
}
