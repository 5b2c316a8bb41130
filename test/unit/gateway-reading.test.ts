import test from 'ava'
import { parseLeases } from '#server/gateway/dhcp.ts'
import { askCounts, depletedSession, parseListing, parseCounts, readingOf } from '#server/gateway/listing.ts'
import { classScript, parseClasses } from '#server/gateway/shaper.ts'

const now = 1_789_000_000_000

/** As nft 1.0.6 said it on Linux 6.18; of the rules, one is left. */
const listed = JSON.stringify({
  nftables: [
    { metainfo: { version: '1.0.6', release_name: 'Lester Gooch #5', json_schema_version: 1 } },
    { table: { family: 'inet', name: 'kswifi', handle: 2 } },
    { quota: { family: 'inet', name: 's1', table: 'kswifi', handle: 52, bytes: 1048576, used: 107213, inv: true } },
    { quota: { family: 'inet', name: 's2', table: 'kswifi', handle: 54, bytes: 4503599627370496, used: 0, inv: true } },
    {
      map: {
        family: 'inet',
        name: 'phones',
        table: 'kswifi',
        type: ['ether_addr', 'ipv4_addr'],
        handle: 10,
        map: 'mark',
        flags: ['timeout'],
        elem: [
          [{ elem: { val: { concat: ['02:4b:53:00:00:01', '10.64.162.113'] }, timeout: 3599, expires: 3599 } }, 1],
          [{ elem: { val: { concat: ['02:4b:53:00:00:02', '10.64.162.114'] }, timeout: 3599, expires: 3599 } }, 2],
        ],
      },
    },
    {
      map: {
        family: 'inet',
        name: 'quotas',
        table: 'kswifi',
        type: 'mark',
        handle: 11,
        map: 'quota',
        elem: [
          [1, 's1'],
          [2, 's2'],
        ],
      },
    },
    {
      map: {
        family: 'inet',
        name: 'down_class',
        table: 'kswifi',
        type: 'mark',
        handle: 13,
        map: 'classid',
        flags: ['timeout'],
        elem: [
          [{ elem: { val: 1, timeout: 3599, expires: 3599 } }, '2:1f'],
          [{ elem: { val: 2, timeout: 3599, expires: 3599 } }, '1:0'],
        ],
      },
    },
    {
      map: {
        family: 'inet',
        name: 'up_class',
        table: 'kswifi',
        type: 'mark',
        handle: 14,
        map: 'classid',
        stmt: [{ counter: null }],
        elem: [[{ elem: { val: 1, counter: { packets: 60, bytes: 3216 } } }, '1:1f']],
      },
    },
    {
      map: {
        family: 'inet',
        name: 'peers',
        table: 'kswifi',
        type: 'ipv4_addr',
        handle: 17,
        map: 'mark',
        flags: ['timeout'],
        elem: [[{ elem: { val: '10.8.0.5', timeout: 3599, expires: 3599 } }, 1]],
      },
    },
    {
      set: {
        family: 'inet',
        name: 'tunnelled',
        table: 'kswifi',
        type: 'mark',
        handle: 18,
        stmt: [{ counter: null }],
        elem: [{ elem: { val: 1, counter: { packets: 20, bytes: 1200 } } }],
      },
    },
    {
      set: {
        family: 'inet',
        name: 'dns_askers',
        table: 'kswifi',
        type: 'ether_addr',
        handle: 15,
        size: 65535,
        flags: ['timeout'],
        timeout: 60,
      },
    },
    {
      chain: {
        family: 'inet',
        table: 'kswifi',
        name: 'classify',
        handle: 1,
        type: 'filter',
        hook: 'prerouting',
        prio: -150,
        policy: 'accept',
      },
    },
    {
      rule: {
        family: 'inet',
        table: 'kswifi',
        chain: 'classify',
        handle: 16,
        expr: [{ match: { op: '==', left: { meta: { key: 'iifname' } }, right: 'lan0' } }, { goto: { target: 'from_lan' } }],
      },
    },
  ],
})

test('the listing of the kernel is read back as what it holds for each session', (t) => {
  const { rules, sessions } = parseListing(listed, now)
  const until = now + 3_599_500
  t.is(rules, 1)
  t.deepEqual(sessions.get(1), {
    session: 1,
    limitBytes: 1048576,
    usedBytes: 107213,
    uploadedBytes: 3216,
    tunnelledBytes: 1200,
    parts: new Set(['quota', 'quotas'] as const),
    phones: new Map([['02:4b:53:00:00:01 . 10.64.162.113', until]]),
    peers: new Map([['10.8.0.5', until]]),
    down: { major: 2, minor: 31, until },
    up: { minor: 31 },
  })
  t.deepEqual(sessions.get(2)?.down, { major: 1, minor: 0, until })
  t.is(sessions.get(2)?.up, undefined)
  t.is(sessions.size, 2)
})

test('a reading says what was used, never more than the cap, and whether that was all', (t) => {
  const { sessions } = parseListing(listed.replace('"used":107213', '"used":1999999').replace('"bytes":3216', '"bytes":1888888'), now)
  t.deepEqual(readingOf(sessions.get(1)!), { session: 1, usedBytes: 1048576, uploadedBytes: 1048576, tunnelledBytes: 1200, depleted: true })
  t.deepEqual(readingOf(sessions.get(2)!), { session: 2, usedBytes: 0, uploadedBytes: 0, tunnelledBytes: 0, depleted: false })
})

test('counts of some sessions are asked for in one go, and read from JSON and text as nft mixes them', (t) => {
  t.is(askCounts([1, 31]), 'list quota inet kswifi s1; list quota inet kswifi s31; get element inet kswifi up_class { 1, 31 }')
  t.is(
    askCounts([31], [31]),
    'list quota inet kswifi s31; get element inet kswifi up_class { 31 }; get element inet kswifi tunnelled { 31 }',
  )
  const answer = `{"nftables": [{"metainfo": {"version": "1.0.6", "release_name": "Lester Gooch #5", "json_schema_version": 1}}, {"quota": {"family": "inet", "name": "s1", "table": "kswifi", "handle": 53, "bytes": 1048576, "used": 107265, "inv": true}}]}
{"nftables": [{"metainfo": {"version": "1.0.6", "release_name": "Lester Gooch #5", "json_schema_version": 1}}, {"quota": {"family": "inet", "name": "s31", "table": "kswifi", "handle": 54, "bytes": 4503599627370496, "used": 0, "inv": true}}]}
table inet kswifi {
	map up_class {
		type mark : classid
		elements = { 0x00000001 counter packets 61 bytes 3268 : 1:1, 0x0000001f counter packets 0 bytes 0 : 1:0 }
	}
}
table inet kswifi {
	set tunnelled {
		type mark
		elements = { 0x0000001f counter packets 3 bytes 180 }
	}
}
`
  t.deepEqual(parseCounts(answer), [
    { session: 1, limitBytes: 1048576, usedBytes: 107265 },
    { session: 31, limitBytes: 4503599627370496, usedBytes: 0 },
    { session: 1, uploadedBytes: 3268 },
    { session: 31, uploadedBytes: 0 },
    { session: 31, tunnelledBytes: 180 },
  ])
})

test('of all that the kernel tells, only a quota that ran out is heard', (t) => {
  const quota = (used: number, name = 's41') =>
    `{"add": {"quota": {"family": "ip", "name": "${name}", "table": "kswifi", "handle": 52, "bytes": 1048576, "used": ${used}, "inv": true}}}`
  const cases: [line: string, session: number | undefined][] = [
    [quota(1048576), 41],
    [quota(2048576), 41],
    [quota(1048575), undefined],
    [quota(1048576, 'guests'), undefined],
    [
      '{"delete": {"element": {"family": "inet", "table": "kswifi", "name": "up_class", "elem": {"set": [[{"elem": {"val": 1, "timeout": 3599, "expires": 3599}}, "1:1"]]}}}}',
      undefined,
    ],
    ['# Unable to cache object', undefined],
    ['', undefined],
  ]
  for (const [line, session] of cases) t.is(depletedSession(line), session, line)
})

test('leases are read as dnsmasq writes them', (t) => {
  const text = `1795273761 02:4b:53:00:00:01 10.64.162.113 * 01:02:4b:53:00:00:01
1795273762 02:4b:53:00:00:02 10.64.162.114 adas-phone 01:02:4b:53:00:00:02
0 02:4b:53:00:00:02 10.64.162.115 adas-phone *
duid 00:01:00:01:2a:bc
1795273763 08-00-27-00-00-01 10.64.162.116 * *
1795273764 02:4b:53:00:0
`
  t.deepEqual(parseLeases(text), [
    { mac: '02:4b:53:00:00:01', ip: '10.64.162.113', name: '', until: 1_795_273_761_000 },
    { mac: '02:4b:53:00:00:02', ip: '10.64.162.114', name: 'adas-phone', until: 1_795_273_762_000 },
    { mac: '02:4b:53:00:00:02', ip: '10.64.162.115', name: 'adas-phone', until: Infinity },
  ])
  t.deepEqual(parseLeases(''), [])
})

test('classes are set in one batch for each device; who has the speed of the line has none', (t) => {
  const plain = classScript({
    device: 'lan0',
    major: 1,
    set: [
      [26, 10_000_000],
      [27, null],
    ],
    removed: [3],
    fqCodel: false,
  })
  t.regex(
    plain,
    /^class del dev lan0 classid 1:3\nclass replace dev lan0 parent 1: classid 1:1a htb rate 10000000bit burst \d+b cburst \d+b quantum 1514 overhead \d+\n$/,
  )
  const leaves = classScript({ device: 'wan0', major: 1, set: [[26, 10_000_000]], removed: [], fqCodel: true })
    .trim()
    .split('\n')
  t.is(leaves.length, 2)
  t.regex(leaves[1]!, /^qdisc replace dev wan0 parent 1:1a fq_codel /)
  t.is(classScript({ device: 'lan0', major: 1, set: [[27, null]], removed: [], fqCodel: false }), '')
})

test('classes are read as tc lists them, in hexadecimal', (t) => {
  const text = `class htb 1:1 root prio 0 rate 10Mbit ceil 10Mbit burst 12500b cburst 12500b
class htb 1:fffe root leaf 8001: prio 0 rate 64Kbit ceil 64Kbit burst 3000b cburst 3000b
class fq_codel 8001:1a parent 8001:
`
  t.deepEqual(parseClasses(text), new Set([1, 0xfffe]))
})
