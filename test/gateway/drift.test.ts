import test from 'ava'
import { until } from '#lab/run.ts'
import { MB } from '#server/units.ts'
import type { Heard } from './peer.ts'
import { openVenue, sum, type Venue } from './venue.ts'

const nft = '/usr/sbin/nft'
const port = 4001
const POLL_SECONDS = 1

let venue: Venue

test.before(async () => {
  venue = await openVenue('drift')
  await venue.api('/api/admin/settings', { pollSeconds: POLL_SECONDS }, 'PATCH')
})
test.afterEach.always(() => venue.clear())
test.after.always(() => venue?.stop())

test.serial('after `nft flush ruleset` a customer is back within one poll, with the right remainder', async (t) => {
  const carried = await venue.count()
  const { id } = await venue.use(venue.phone1, { voucher: await venue.sell() })
  await venue.curl(venue.phone1, `http://${venue.lab.internet.address}/bytes/2000000`)
  const used = sum(await carried())
  await until('the ledger has it all', async () => (await venue.session(id)).dataUsed === used, 5000)

  const flushedAt = performance.now()
  await venue.inBox(nft, 'flush', 'ruleset')
  await until('the customer is back', async () => (await quota(id))?.used !== undefined, 10_000, 10)
  const backMs = performance.now() - flushedAt
  t.log(`back ${Math.round(backMs)} ms after the flush, with a poll every ${POLL_SECONDS} s`)
  t.true(backMs < (POLL_SECONDS + 1.5) * 1000)
  t.deepEqual(await quota(id), { bytes: 5 * MB, used })

  await venue.curl(venue.phone1, '-m', '2', `http://${venue.lab.internet.address}/bytes/9000000`)
  t.is((await venue.untilEnded(id)).dataUsed, 5 * MB)
  const delivered = sum(await carried())
  t.log(`delivered ${delivered} of ${5 * MB} bytes over both lives of the ruleset`)
  t.true(delivered <= 5 * MB)
  t.true(5 * MB - delivered <= 65_536)
})

test.serial('while there is no ruleset, nobody gets an answer from the internet', async (t) => {
  await venue.use(venue.phone1, { voucher: await venue.sell() })
  const web = venue.peer(venue.lab.internet.namespace)
  const { lab } = venue
  await web.ask({ do: 'heard', port })
  lab.kill('worker', 'SIGSTOP')
  try {
    await venue.inBox(nft, 'flush', 'ruleset')
    await lab.exec('internet', [nft, '-f', '-'], {
      input:
        'add table inet leak\nadd counter inet leak raw\nadd chain inet leak came { type filter hook prerouting priority raw; }\nadd rule inet leak came ip saddr 10.64.0.0/16 counter name raw\n',
    })
    for (const phone of [venue.phone1, venue.phone2]) {
      const peer = venue.peer(phone.namespace)
      await peer.ask({ do: 'send', port: 7007, to: lab.internet.address, toPort: 7, count: 100, bytes: 100 })
      const { code, bytes } = await venue.curl(phone, '-m', '1', `http://${lab.internet.address}/bytes/1000`)
      t.deepEqual({ phone: phone.namespace, code, bytes }, { phone: phone.namespace, code: 28, bytes: 0 })
      t.is((await peer.ask<Heard>({ do: 'heard', port: 7007 })).packets, 0)
    }
    const { stdout } = await lab.exec('internet', [nft, '-j', 'list', 'counter', 'inet', 'leak', 'raw'])
    const leaked = (JSON.parse(stdout) as { nftables: { counter?: { packets: number } }[] }).nftables.find((one) => one.counter)!.counter!
      .packets
    t.log(`${leaked} packets left the box with a customer's own address; no answer to them came back`)
  } finally {
    lab.kill('worker', 'SIGCONT')
    await lab.exec('internet', [nft, 'delete', 'table', 'inet', 'leak'], { allowFailure: true })
  }
  await until(
    'the customer is back',
    async () => (await venue.curl(venue.phone1, '-m', '1', `http://${lab.internet.address}/bytes/1000`)).bytes === 1000,
    10_000,
  )
})

const damages: [what: string, argv: () => Promise<string[]>][] = [
  [
    'a rule of the forward chain',
    async () => [nft, 'delete', 'rule', 'inet', 'kswifi', 'forward', 'handle', await handle('forward', 'quota name')],
  ],
  [
    'the rule that hides customers behind the address of the box',
    async () => [nft, 'delete', 'rule', 'inet', 'kswifi', 'to_internet', 'handle', await handle('to_internet', 'masquerade')],
  ],
  ['the rules of a whole chain', async () => [nft, 'flush', 'chain', 'inet', 'kswifi', 'upload']],
  ['the whole table', async () => [nft, 'delete', 'table', 'inet', 'kswifi']],
  [
    'the meaning of a rule, for another',
    async () => [nft, 'replace', 'rule', 'inet', 'kswifi', 'forward', 'handle', await handle('forward', 'quota name'), 'counter'],
  ],
  ['the policy that drops what nobody paid for', async () => [nft, 'add', 'chain', 'inet', 'kswifi', 'forward', '{ policy accept; }']],
  ['the device of a customer', async () => [nft, 'flush', 'map', 'inet', 'kswifi', 'phones']],
  ['the caps of all customers', async () => [nft, 'flush', 'map', 'inet', 'kswifi', 'quotas']],
  ['the speeds of all customers', async () => [nft, 'flush', 'map', 'inet', 'kswifi', 'down_class']],
  ['the shaper of downloads', async () => ['tc', 'qdisc', 'del', 'dev', 'lan0', 'root']],
  ['the shaper of uploads', async () => ['tc', 'qdisc', 'del', 'dev', 'wan0', 'root']],
  ['a class of the shaper', async () => ['tc', 'class', 'del', 'dev', 'lan0', 'classid', (await shapes('lan0'))[0]!.split(' ')[2]!]],
]

for (const [what, damage] of damages) {
  test.serial(`a poll repairs it when somebody takes away ${what}`, async (t) => {
    const { id } = await venue.use(venue.phone1, { voucher: await venue.sell({ downBps: 20_000_000, upBps: 10_000_000 }) })
    const whole = await state()
    await venue.lab.exec('box', await damage())
    t.notDeepEqual(await state(), whole, 'the damage was done')
    await until('it is as before', async () => JSON.stringify(await state()) === JSON.stringify(whole), (POLL_SECONDS + 4) * 1000)
    const { bytes } = await venue.curl(venue.phone1, `http://${venue.lab.internet.address}/bytes/100000`)
    t.is(bytes, 100_000)
    t.true((await quota(id))!.used >= 100_000)
  })
}

/** Rules, elements and classes, without counts, numbers and times. */
async function state(): Promise<unknown> {
  const rules = await venue.inBox(nft, 'list', 'table', 'inet', 'kswifi')
  const plain = rules
    .replace(/ (timeout|expires) \w+/g, '')
    .replace(/(used|bytes|packets) \d+( bytes)?/g, '')
    .replace(/set dns_askers[^]*?\n\t\}\n/, '')
  return { rules: plain.split('\n').toSorted(), down: await shapes('lan0'), up: await shapes('wan0') }
}

async function shapes(device: string): Promise<string[]> {
  return (await venue.inBox('tc', 'class', 'show', 'dev', device)).split('\n').filter((line) => line.startsWith('class htb'))
}

async function handle(chain: string, words: string): Promise<string> {
  const listed = await venue.inBox(nft, '-a', 'list', 'chain', 'inet', 'kswifi', chain)
  return /# handle (\d+)/.exec(listed.split('\n').find((line) => line.includes(words))!)![1]!
}

async function quota(id: number): Promise<{ bytes: number; used: number } | undefined> {
  const listed = await venue.inBox(nft, '-j', 'list', 'quota', 'inet', 'kswifi', `s${id}`)
  if (!listed) return undefined
  const found = (JSON.parse(listed) as { nftables: { quota?: { bytes: number; used: number } }[] }).nftables.find((one) => one.quota)?.quota
  return found && { bytes: found.bytes, used: found.used }
}
