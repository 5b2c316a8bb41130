import test from 'ava'
import { planFor } from '#server/connect/endpoints.ts'
import { addressAt, boxAddressOf, overlap, PLACES, prefixOf } from '#server/connect/range.ts'
import { judgeReach, type ReachFacts } from '#server/connect/reach.ts'
import type { Refusal } from '#server/errors.ts'
import { defaults, settingsPatch } from '#server/settings/schema.ts'
import { DAY } from '#server/units.ts'

const anywhere = { endpointId: undefined, port: undefined }

test('every place has an address of its own, never the one of the box, and none that ends in .0 or .255', (t) => {
  t.is(PLACES, 65_023)
  const all = Array.from({ length: PLACES }, (_, index) => addressAt('10.8.', index + 1))
  t.is(new Set(all).size, PLACES)
  t.false(all.includes(boxAddressOf('10.8.0.0/16')))
  t.true(all.every((address) => /^10\.8\.\d{1,3}\.\d{1,3}$/.test(address)))
  const ends = all.map((address) => address.split('.').slice(2).map(Number) as [number, number])
  t.true(ends.every(([block, last]) => block <= 255 && last >= 1 && last <= 254))
  t.is(all[0], '10.8.0.2')
  t.is(all.at(-1), '10.8.255.254')
})

test('a profile leads where it was wished, or else to the first endpoint and its first port', (t) => {
  const self = { id: 1, name: 'This box', region: '', host: null, ports: [51820, 443], self: true }
  const far = { id: 2, name: 'London', region: 'Europe', host: 'lon.example.com', ports: [443], self: false }
  type Facts = Parameters<typeof planFor>[1]
  const choices = { ...defaults, connectRange: '172.20.0.0/16' }
  const facts: Facts = { choices, endpoints: [self, far], lineAddress: '203.0.113.2' }
  const plan = planFor(anywhere, facts)
  t.like(plan, { host: '203.0.113.2', port: 51820, boxAddress: '172.20.0.1', prefix: '172.20.' })
  t.is(plan.endpoint.id, 1)
  t.like(planFor({ endpointId: 2, port: undefined }, facts), { host: 'lon.example.com', port: 443 })
  t.like(planFor({ endpointId: undefined, port: 443 }, facts), { host: '203.0.113.2', port: 443 })
  t.like(planFor(anywhere, { ...facts, lineAddress: null }), { host: 'lon.example.com' }, 'the box knows no address of its own')
  const before = { endpointId: 1, port: 443 }
  const led = (wish: Partial<typeof before>, was: typeof before, change: Partial<Facts> = {}) => {
    const { endpoint, port } = planFor({ ...anywhere, ...wish }, { ...facts, ...change }, was)
    return [endpoint.id, port]
  }
  t.deepEqual(led({}, before), [1, 443], 'made anew it leads where it led')
  t.deepEqual(led({ port: 51820 }, before), [1, 51820])
  t.deepEqual(led({ endpointId: 2 }, { endpointId: 1, port: 51820 }), [2, 443])
  t.deepEqual(led({}, { endpointId: 1, port: 4500 }), [1, 51820], 'that port is no more')
  t.deepEqual(led({}, { endpointId: 9, port: 443 }), [1, 51820], 'nor is that endpoint')
  t.deepEqual(led({}, before, { lineAddress: null }), [2, 443], 'nor has it an address')
  const refused: [Parameters<typeof planFor>[0], Partial<Facts>, Refusal['code']][] = [
    [anywhere, { choices: { ...defaults, connectOn: false } }, 'connect-unavailable'],
    [anywhere, { endpoints: [self], lineAddress: null }, 'connect-unavailable'],
    [{ endpointId: 3, port: undefined }, {}, 'not-found'],
    [{ endpointId: 1, port: undefined }, { lineAddress: null }, 'not-found'],
    [{ endpointId: 2, port: 51820 }, {}, 'bad-input'],
    [{ endpointId: undefined, port: 1 }, {}, 'bad-input'],
  ]
  for (const [wish, change, code] of refused) t.is(t.throws<Refusal>(() => planFor(wish, { ...facts, ...change })).code, code)
})

test('what is known of the way in is said in every case, with what to do where it is closed', (t) => {
  const facts: ReachFacts = {
    host: 'cafe.example.com',
    resolved: '203.0.113.2',
    lineAddress: '203.0.113.2',
    ports: [51820, 443],
    product: 'KSWiFi Connect',
    lastFromOutside: null,
    now: 100 * DAY,
  }
  const cases: [Partial<ReachFacts>, string, RegExp | null][] = [
    [{}, 'likely', null],
    [{ lastFromOutside: 99 * DAY }, 'proven', null],
    [{ lastFromOutside: 99 * DAY, lineAddress: '192.168.1.7' }, 'proven', null],
    [{ lastFromOutside: 93 * DAY }, 'likely', null],
    [{ lineAddress: null }, 'no-address', /line/],
    [{ lineAddress: '100.64.0.1' }, 'shared-address', /provider/],
    [{ lineAddress: '100.127.255.254', host: null }, 'shared-address', /provider/],
    [{ lineAddress: '100.128.0.1', resolved: '100.128.0.1' }, 'likely', null],
    [{ lineAddress: '192.168.1.7', host: null }, 'behind-router', /UDP 51820 and 443 to 192\.168\.1\.7/],
    [{ lineAddress: '172.31.0.7' }, 'behind-router', /UDP 51820 and 443 to 172\.31\.0\.7/],
    [{ lineAddress: '172.32.0.7', resolved: '172.32.0.7' }, 'likely', null],
    [{ host: null, resolved: undefined }, 'likely', /dynamic DNS/],
    [{ resolved: undefined }, 'name-unknown', /DNS record/],
    [{ resolved: '198.51.100.7' }, 'name-elsewhere', /203\.0\.113\.2/],
  ]
  for (const [change, state, todo] of cases) {
    const reach = judgeReach({ ...facts, ...change })
    t.is(reach.state, state as typeof reach.state, JSON.stringify(change))
    t.true(reach.words.length > 0)
    if (todo) t.regex(reach.todo.join('\n'), todo)
    else t.deepEqual(reach.todo, [])
  }
})

test('two networks meet when they have an address in common', (t) => {
  const cases: [string, string, boolean][] = [
    ['10.8.0.0/16', '10.8.0.0/16', true],
    ['10.8.0.0/16', '10.9.0.0/16', false],
    ['10.8.0.0/16', '10.8.77.1/24', true],
    ['10.8.0.0/16', '10.0.0.0/8', true],
    ['192.168.0.0/16', '192.169.0.1/24', false],
    ['192.168.0.0/16', '192.168.255.255/32', true],
    ['10.8.0.0/16', '10.7.255.255/32', false],
    ['0.0.0.0/0', '203.0.113.9/32', true],
    ['10.64.0.1/16', '10.64.200.3', true],
    ['10.64.0.1/16', '10.65.0.0', false],
  ]
  for (const [one, other, meet] of cases) {
    t.is(overlap(one, other), meet, `${one} and ${other}`)
    t.is(overlap(other, one), meet, `${other} and ${one}`)
  }
  t.is(prefixOf('172.16.0.0/16'), '172.16.')
})

test('a range that is no network is refused: the box could not take an address in it', (t) => {
  for (const connectRange of ['10.256.0.0/16', '10.999.0.0/16', '10.08.0.0/16'])
    t.false(settingsPatch.safeParse({ connectRange }).success, connectRange)
})
