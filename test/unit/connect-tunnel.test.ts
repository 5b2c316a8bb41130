import test from 'ava'
import { boxKeyPair, makeKeyPair, presharedKey } from '#server/connect/keys.ts'
import { parseDump, peerText } from '#server/gateway/wireguard.ts'

// Lines as `wg show` prints them; T stands for the tab between columns.
const [ownPrivate, ownPublic] = ['yAnz5TF+lXXJte14tji3zlMNq+hd2rYUIgJBgB3fBmk=', 'HIgo9xNzJMWLKASShiTqIybxZ0U3wGLiUeJ1PKf8ykw=']
const [ada, bo, cy] = [
  'xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg=',
  'TrMvSoP4jYQlY6RIzBgbssQqY3vxI2Pi+y71lOWWXX0=',
  'gN65BkIKy1eCE9pP1wdc8ROUtkHLF2PfAqYdyYBz6EA=',
]
const shared = 'FpCyhws9cxwWoV4xELtfJvjJN+zQVRPISllRWgeopVE='
const tabs = (text: string) => text.replaceAll(' T ', '\t')
const device = `${ownPrivate} T ${ownPublic} T 51820 T off`
const peers = [
  `${ada} T ${shared} T 198.51.100.7:40112 T 10.8.0.2/32 T 1795255200 T 148 T 92 T 25`,
  `${bo} T (none) T [2001:db8:113::10]:51820 T 10.8.0.3/32,fd00::3/128 T 1795255300 T 1 T 2 T off`,
  `${cy} T ${shared} T (none) T (none) T 0 T 0 T 0 T off`,
]
const expected = [
  [ada, { presharedKey: shared, endpoint: '198.51.100.7:40112', allowed: '10.8.0.2/32', handshake: 1_795_255_200 }],
  [bo, { presharedKey: '', endpoint: '[2001:db8:113::10]:51820', allowed: '10.8.0.3/32,fd00::3/128', handshake: 1_795_255_300 }],
  [cy, { presharedKey: shared, endpoint: '', allowed: '', handshake: 0 }],
]

test('a dump of one device is read: 4 columns for itself, 8 for a peer, (none), off, never, and IPv6', (t) => {
  const dump = parseDump(tabs([device, ...peers, ''].join('\n')))
  t.is(dump.privateKey, ownPrivate)
  t.is(dump.port, 51820)
  t.deepEqual([...dump.peers], expected)
})

test('a dump of all devices says the same with one column more', (t) => {
  const lines = [device, ...peers].map((line) => `wg0 T ${line}`)
  t.deepEqual(parseDump(tabs([...lines, ''].join('\n'))), parseDump(tabs([device, ...peers, ''].join('\n'))))
  t.is(parseDump(tabs(lines.join('\n'))).peers.size, 3)
})

test('a device without a key and without peers is one with nothing', (t) => {
  t.deepEqual(parseDump(tabs('(none) T (none) T 0 T off\n')), { privateKey: '', port: 0, peers: new Map() })
  t.deepEqual(parseDump(tabs('(none) T (none) T 34567 T 0xca6c\n')), { privateKey: '', port: 34567, peers: new Map() })
  t.deepEqual(parseDump(tabs(`${device}\n`)), { privateKey: ownPrivate, port: 51820, peers: new Map() })
  t.deepEqual(parseDump(''), { privateKey: '', port: 0, peers: new Map() })
})

test('peers are written as the program reads them, and none as nothing', (t) => {
  const list = [
    { id: 1, publicKey: ada!, presharedKey: shared, address: '10.8.0.2' },
    { id: 2, publicKey: bo!, presharedKey: ownPublic!, address: '10.8.255.254' },
  ]
  t.is(
    peerText(list),
    `[Peer]
PublicKey = ${ada}
PresharedKey = ${shared}
AllowedIPs = 10.8.0.2/32
[Peer]
PublicKey = ${bo}
PresharedKey = ${ownPublic}
AllowedIPs = 10.8.255.254/32
`,
  )
  t.is(peerText([]), '')
  const called = peerText(list, new Map([[bo!, '[2001:db8:113::10]:40000']]))
  t.is(
    called,
    `${peerText(list)}Endpoint = [2001:db8:113::10]:40000\nPersistentKeepalive = 1\n`,
    'only the one whose place is known is called',
  )
})

test('what WireGuard would show after a change is, read again, what was wanted: the next look finds no difference', (t) => {
  const own = boxKeyPair('secret', 1)
  const wanted = Array.from({ length: 20 }, (_, index) => {
    const { publicKey } = makeKeyPair()
    return { id: index + 1, publicKey, presharedKey: presharedKey('secret', publicKey), address: `10.8.0.${index + 2}` }
  })
  const shown = wanted.map((peer) => `${peer.publicKey} T ${peer.presharedKey} T (none) T ${peer.address}/32 T 0 T 0 T 0 T off`)
  const dump = parseDump(tabs([`${own.privateKey} T ${own.publicKey} T 443 T off`, ...shown, ''].join('\n')))
  t.is(dump.privateKey, own.privateKey)
  t.deepEqual(
    wanted.map(({ publicKey }) => dump.peers.get(publicKey)),
    wanted.map(({ presharedKey: key, address }) => ({ presharedKey: key, endpoint: '', allowed: `${address}/32`, handshake: 0 })),
  )
})
