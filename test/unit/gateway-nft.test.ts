import test from 'ava'
import type { Grant } from '#server/gateway/grant.ts'
import { capChanges, changeToCut, changeToGrant, changeToNothing, heldAfter, noChanges, script } from '#server/gateway/changes.ts'
import type { Held } from '#server/gateway/listing.ts'
import { countRules, ruleset } from '#server/gateway/ruleset.ts'

const now = 1_789_000_000_000
const hour = 3_600_000
const ann = { mac: '02:4b:53:00:00:01', ip: '10.64.0.11' }
const ben = { mac: '02:4b:53:00:00:02', ip: '10.64.0.12' }

const base: Grant = {
  session: 7,
  limitBytes: 5_000_000,
  usedBytes: 0,
  uploadedBytes: 0,
  tunnelledBytes: 0,
  until: now + hour,
  downBps: 10_000_000,
  upBps: 2_000_000,
  devices: [ann],
  peers: [],
}

/** One session through its life: each step is what changed, and the script that brings it about. */
const steps: { title: string; grant: Partial<Grant>; counted?: Partial<Held>; at?: number; expected: string }[] = [
  {
    title: 'fresh',
    grant: {},
    expected: `
add quota inet kswifi s7 { over 5000000 bytes used 0 bytes }
add element inet kswifi phones { 02:4b:53:00:00:01 . 10.64.0.11 timeout 3600s : 7 }
add element inet kswifi down_class { 7 timeout 3600s : 1:1a }
add element inet kswifi up_class { 7 counter packets 0 bytes 0 : 1:1a }
add element inet kswifi quotas { 7 : "s7" }
`,
  },
  { title: 'the same again', grant: {}, expected: '' },
  { title: 'used since', grant: { usedBytes: 900_000, uploadedBytes: 1000 }, counted: { usedBytes: 1_000_000 }, expected: '' },
  {
    title: 'a device more',
    grant: { devices: [ann, ben] },
    expected: `
add element inet kswifi phones { 02:4b:53:00:00:02 . 10.64.0.12 timeout 3600s : 7 }
`,
  },
  {
    title: 'a device less',
    grant: { devices: [ben] },
    expected: `
delete element inet kswifi phones { 02:4b:53:00:00:01 . 10.64.0.11 }
`,
  },
  {
    title: 'a device with another address',
    grant: { devices: [{ ...ben, ip: '10.64.0.99' }] },
    expected: `
delete element inet kswifi phones { 02:4b:53:00:00:02 . 10.64.0.12 }
add element inet kswifi phones { 02:4b:53:00:00:02 . 10.64.0.99 timeout 3600s : 7 }
`,
  },
  {
    title: 'back to the first device',
    grant: {},
    expected: `
delete element inet kswifi phones { 02:4b:53:00:00:02 . 10.64.0.99 }
add element inet kswifi phones { 02:4b:53:00:00:01 . 10.64.0.11 timeout 3600s : 7 }
`,
  },
  {
    title: 'a limit raised in time keeps the count',
    grant: { limitBytes: 9_000_000 },
    counted: { usedBytes: 4_000_000 },
    expected: `
add quota inet kswifi s7 { over 9000000 bytes }
`,
  },
  {
    title: 'a limit raised too late begins anew at the old one',
    grant: { limitBytes: 12_000_000, usedBytes: 8_999_000, uploadedBytes: 2000 },
    counted: { usedBytes: 9_000_000, uploadedBytes: 70_000 },
    expected: `
delete element inet kswifi quotas { 7 }
delete quota inet kswifi s7
add quota inet kswifi s7 { over 12000000 bytes used 9000000 bytes }
add element inet kswifi quotas { 7 : "s7" }
`,
  },
  {
    title: 'on slowly after the data',
    grant: { limitBytes: null, usedBytes: 12_000_000, downBps: 64_000, upBps: 64_000 },
    counted: { usedBytes: 12_000_000 },
    expected: `
delete element inet kswifi quotas { 7 }
delete quota inet kswifi s7
add quota inet kswifi s7 { over 4503599627370496 bytes used 12000000 bytes }
add element inet kswifi quotas { 7 : "s7" }
`,
  },
  {
    title: 'at the speed of the line',
    grant: { limitBytes: null, downBps: null, upBps: null },
    expected: `
delete element inet kswifi down_class { 7 }
delete element inet kswifi up_class { 7 }
add element inet kswifi down_class { 7 timeout 3600s : 1:0 }
add element inet kswifi up_class { 7 counter packets 0 bytes 70000 : 1:0 }
`,
  },
  {
    title: 'time moved by less than the kernel tells',
    grant: { limitBytes: null, downBps: null, upBps: null, until: now + hour + 2000 },
    expected: '',
  },
  {
    title: 'time added',
    grant: { limitBytes: null, downBps: null, upBps: null, until: now + 2 * hour + 250 },
    expected: `
delete element inet kswifi phones { 02:4b:53:00:00:01 . 10.64.0.11 }
delete element inet kswifi down_class { 7 }
add element inet kswifi phones { 02:4b:53:00:00:01 . 10.64.0.11 timeout 7200s250ms : 7 }
add element inet kswifi down_class { 7 timeout 7200s250ms : 1:0 }
`,
  },
  {
    title: 'time added after its end: what the kernel dropped by itself is not deleted',
    at: now + 3 * hour,
    grant: { limitBytes: null, downBps: null, upBps: null, until: now + 4 * hour },
    expected: `
add element inet kswifi phones { 02:4b:53:00:00:01 . 10.64.0.11 timeout 3600s : 7 }
add element inet kswifi down_class { 7 timeout 3600s : 1:0 }
`,
  },
]

test('a session is walked through its life by the smallest scripts', (t) => {
  let held: Held | undefined
  for (const { title, grant, counted, at, expected } of steps) {
    const wanted = { ...base, ...grant }
    if (held && counted) Object.assign(held, counted)
    const changes = noChanges()
    changeToGrant(changes, held, wanted, 0x1a, at ?? now)
    t.is(script(changes), expected.trimStart(), title)
    held = heldAfter(held, wanted, 0x1a)
  }
})

test('with a peer the class is on what hotspot and tunnel share, and its use is counted apart', (t) => {
  const changes = noChanges()
  const wanted = { ...base, peers: ['10.8.0.5'], usedBytes: 900, tunnelledBytes: 300 }
  changeToGrant(changes, heldAfter(undefined, base, 0x1a), wanted, 0x1a, now)
  t.is(
    script(changes),
    `
delete element inet kswifi down_class { 7 }
add element inet kswifi peers { 10.8.0.5 timeout 3600s : 7 }
add element inet kswifi down_class { 7 timeout 3600s : 2:1a }
add element inet kswifi tunnelled { 7 counter packets 0 bytes 300 }
`.trimStart(),
  )
  const held = heldAfter(heldAfter(undefined, base, 0x1a), wanted, 0x1a)
  const [cut, gone] = [noChanges(), noChanges()]
  changeToCut(cut, held, now)
  changeToNothing(gone, held)
  t.regex(script(cut), /delete element inet kswifi peers \{ 10\.8\.0\.5 \}/)
  t.regex(script(gone), /delete element inet kswifi tunnelled \{ 7 \}/)
  const without = noChanges()
  changeToGrant(without, held, base, 0x1a, now)
  t.notRegex(script(without), /tunnelled/, 'the count goes on with the session')
  t.regex(script(without), /down_class \{ 7 timeout 3600s : 1:1a \}/)
})

test('a session is cut off first, with its count kept, and then taken away', (t) => {
  const held = heldAfter(undefined, base, 3)
  const cut = noChanges()
  changeToCut(cut, held, now)
  t.is(script(cut), 'delete element inet kswifi phones { 02:4b:53:00:00:01 . 10.64.0.11 }\ndelete element inet kswifi down_class { 7 }\n')
  const gone = noChanges()
  changeToNothing(gone, held)
  t.is(script(gone), 'delete element inet kswifi up_class { 7 }\ndelete element inet kswifi quotas { 7 }\ndelete quota inet kswifi s7\n')
})

test('what a deadline took away already is not deleted again', (t) => {
  const changes = noChanges()
  changeToCut(changes, heldAfter(undefined, base, 3), base.until + 1)
  t.is(script(changes), '')
})

test('a device that moves leaves its old session before it enters the new one', (t) => {
  const old = heldAfter(undefined, { ...base, devices: [ann, ben] }, 1)
  const other = { ...base, session: 8, devices: [ben] }
  const changes = noChanges()
  changeToGrant(changes, undefined, other, 2, now)
  changeToGrant(changes, old, base, 1, now)
  const lines = script(changes).split('\n')
  const [leaves, enters] = [
    'delete element inet kswifi phones { 02:4b:53:00:00:02',
    'add element inet kswifi phones { 02:4b:53:00:00:02',
  ].map((start) => lines.findIndex((line) => line.startsWith(start)))
  t.true(leaves! >= 0 && leaves! < enters!)
})

test('a session of which the kernel lost a part gets all of it anew, with its count', (t) => {
  const held = heldAfter(undefined, { ...base, usedBytes: 4_000_000 }, 0x1a)
  held.parts = new Set(['quota'])
  const changes = noChanges()
  changeToGrant(changes, held, { ...base, usedBytes: 1 }, 0x1a, now)
  t.is(
    script(changes),
    `
delete quota inet kswifi s7
add quota inet kswifi s7 { over 5000000 bytes used 4000000 bytes }
add element inet kswifi quotas { 7 : "s7" }
`.trimStart(),
  )
})

test('a limit lowered below what was used ends it at once', (t) => {
  const held = { ...heldAfter(undefined, base, 1), usedBytes: 4_000_000 }
  const changes = noChanges()
  changeToGrant(changes, held, { ...base, limitBytes: 3_000_000 }, 1, now)
  t.true(script(changes).includes('add quota inet kswifi s7 { over 3000000 bytes used 4000000 bytes }'))
})

test('many sessions are one script with one line for each map', (t) => {
  const changes = noChanges()
  for (let session = 1; session <= 500; session++)
    changeToGrant(changes, undefined, { ...base, session, devices: [{ ...ann, ip: `10.64.1.${session}` }] }, session, now)
  const lines = script(changes).trim().split('\n')
  t.is(lines.filter((line) => line.startsWith('add element')).length, 4)
  t.is(lines.filter((line) => line.startsWith('add quota')).length, 500)
})

test('the count is read anew only before a cap changes', (t) => {
  const held = heldAfter(undefined, base, 1)
  t.false(capChanges(undefined, base))
  t.false(capChanges(held, { ...base, usedBytes: 3, until: now + 9 * hour }))
  t.true(capChanges(held, { ...base, limitBytes: 6_000_000 }))
  t.true(capChanges(held, { ...base, limitBytes: null }))
})

test('the ruleset names the devices and addresses of its box, and nothing lets a flow pass before its quota', (t) => {
  const { text } = ruleset({
    lan: 'br-lan',
    wan: 'eth7',
    lanAddress: '192.0.2.1',
    portalPort: 8181,
    callbackPort: null,
    tunnel: { device: 'tun7', address: '192.0.2.65', port: 4500, otherPorts: [443] },
  })
  t.regex(text, /iifname "br-lan" goto from_lan/)
  t.regex(text, /oifname "eth7" masquerade/)
  t.regex(text, /ip daddr \{ 192\.0\.2\.1, 192\.0\.2\.65 \} tcp dport 80 redirect to :8181/)
  t.regex(text, /iifname "tun7" goto from_tunnel/)
  t.regex(text, /ip daddr @public_addresses udp dport \{ 4500, 443 \} redirect to :4500/)
  t.notRegex(text, /lan0|wan0|wg0|10\.64|10\.8\.|8080|51820|flowtable|offload/)
  const forward = /chain forward \{([^]*?)\n {2}\}/
    .exec(text)![1]!
    .trim()
    .split('\n')
    .map((line) => line.trim())
  t.deepEqual(forward.slice(0, 2), ['type filter hook forward priority filter; policy drop;', 'quota name ct mark map @quotas drop'])
  t.is(countRules(text), text.split('\n').filter((line) => /^ {4}/.test(line)).length - (text.match(/ hook /g) ?? []).length)
})
