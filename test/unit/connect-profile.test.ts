import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { isIP } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import fc from 'fast-check'
import * as jsqr from 'jsqr'
import { PNG } from 'pngjs'
import { makeKeyPair, presharedKey } from '#server/connect/keys.ts'
import { codeText, fileName, fileText, type ProfileFacts } from '#server/connect/profile-text.ts'
import { qrOf } from '#server/connect/qr.ts'
import { connectWords, settingsPatch } from '#server/settings/schema.ts'

const golden: ProfileFacts = {
  privateKey: 'yAnz5TF+lXXJte14tji3zlMNq+hd2rYUIgJBgB3fBmk=',
  presharedKey: 'FpCyhws9cxwWoV4xELtfJvjJN+zQVRPISllRWgeopVE=',
  address: '10.8.3.7',
  dns: ['10.8.0.1'],
  boxPublicKey: 'xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg=',
  host: 'cafe.example.com',
  port: 51820,
  product: 'KSWiFi Connect',
  sessionId: 42,
  dataLimitMb: 5120,
  expiresAt: Date.UTC(2026, 10, 21, 12),
}

const goldenCode = `[Interface]
PrivateKey = yAnz5TF+lXXJte14tji3zlMNq+hd2rYUIgJBgB3fBmk=
Address = 10.8.3.7/32
DNS = 10.8.0.1
MTU = 1280

[Peer]
PublicKey = xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg=
PresharedKey = FpCyhws9cxwWoV4xELtfJvjJN+zQVRPISllRWgeopVE=
AllowedIPs = 0.0.0.0/0, ::/0
Endpoint = cafe.example.com:51820
PersistentKeepalive = 25
`

/** The owner may type any signs as the product's name; a session may have no limit and no end. */
const anyFacts: fc.Arbitrary<ProfileFacts> = fc
  .record({
    product: fc
      .oneof(
        fc.string({ unit: 'binary', minLength: 1, maxLength: 30 }),
        fc.constantFrom(
          'Café ₦et',
          'انترنت',
          '📶📶',
          '# x',
          '[Peer]',
          'A\nPostUp = reboot',
          'A\r\nTable = off',
          '...',
          '-.-.',
          'CON = "1"',
        ),
      )
      .filter((product) => connectWords.shape.product.safeParse(product).success),
    host: fc.oneof(
      fc
        .domain()
        .filter((name) => name.length <= 180)
        .map((name) => name.toLowerCase()),
      fc.ipV4(),
    ),
    port: fc.integer({ min: 1, max: 65535 }),
    dns: fc.array(fc.ipV4(), { minLength: 1, maxLength: 3 }),
    dataLimitMb: fc.option(fc.nat()),
    expiresAt: fc.option(fc.integer({ min: 0, max: 4_102_444_800_000 })),
    sessionId: fc.integer({ min: 1 }),
    place: fc.tuple(fc.nat(255), fc.integer({ min: 1, max: 254 })),
  })
  .map(({ place, ...facts }) => {
    const { privateKey, publicKey } = makeKeyPair()
    const keys = { privateKey, boxPublicKey: publicKey, presharedKey: presharedKey('secret', publicKey) }
    return { ...facts, ...keys, address: `10.8.${place.join('.')}` }
  })

test('the code and the file are, letter for letter, what was promised', (t) => {
  t.is(codeText(golden), goldenCode)
  const comments = '\n# KSWiFi Connect Session\n# Session ID: 42\n# Data Limit: 5120MB\n# Expires: 2026-11-21T12:00:00.000Z\n'
  t.is(fileText(golden), goldenCode + comments)
  t.true(
    fileText({ ...golden, dataLimitMb: null, expiresAt: null }).endsWith('\n# Data Limit: unlimited\n# Expires: when its time is over\n'),
  )
  t.is(codeText({ ...golden, dns: ['9.9.9.9', '1.1.1.1'] }), goldenCode.replace('10.8.0.1', '9.9.9.9, 1.1.1.1'))
})

test('the strict reader of Android takes code and file, whatever the owner calls it, and reads the same from both', (t) => {
  fc.assert(
    fc.property(anyFacts, (facts) => {
      const [code, file] = [codeText(facts), fileText(facts)]
      const read = readAsAndroid(code)
      t.deepEqual(readAsAndroid(file), read)
      t.deepEqual(read, {
        interface: { privatekey: facts.privateKey, address: `${facts.address}/32`, dns: facts.dns.join(', '), mtu: '1280' },
        peer: {
          publickey: facts.boxPublicKey,
          presharedkey: facts.presharedKey,
          allowedips: '0.0.0.0/0, ::/0',
          endpoint: `${facts.host}:${facts.port}`,
          persistentkeepalive: '25',
        },
      })
      t.false(code.includes('#'), 'no comment in the code')
      t.true(file.startsWith(code), 'the file is the code and more')
      const comments = file.slice(code.length).split('\n').filter(Boolean)
      t.true(comments.every((line) => line.startsWith('# ')))
      t.deepEqual(
        comments.slice(1).map((line) => line.split(':')[0]),
        ['# Session ID', '# Data Limit', '# Expires'],
      )
    }),
    { numRuns: 300 },
  )
})

test('that reader says no to what Android says no to', (t) => {
  const wrong: [string, string, RegExp][] = [
    ['MTU = 1280', 'Table = off', /unknown attribute table/],
    ['MTU = 1280', 'PostUp = reboot', /unknown attribute postup/],
    ['MTU = 1280', 'FwMark = 1', /unknown attribute fwmark/],
    ['MTU = 1280', 'SaveConfig = true', /unknown attribute saveconfig/],
    ['MTU = 1280', 'MTU =', /empty/],
    ['MTU = 1280', 'MTU = # 1280', /empty/],
    ['MTU = 1280', 'Endpoint = a:1', /unknown attribute endpoint/],
    ['MTU = 1280', 'MTU 1280', /no attribute/],
    ['MTU = 1280', 'MTU = many', /mtu/],
    ['10.8.0.1', 'dns.example', /dns/],
    ['10.8.3.7/32', '10.8.3.300/32', /address/],
    ['Bmk=', 'Bm=', /key/],
    ['Bmk=', 'Bmk', /key/],
    ['[Peer]', '[Server]', /unknown section/],
    ['cafe.example.com', 'café.example.com', /ASCII/],
    [':51820', '', /endpoint/],
    ['= 25', '= 70000', /persistentkeepalive/],
    ['PrivateKey', 'PublicKey', /unknown attribute publickey/],
  ]
  for (const [from, to, message] of wrong) t.throws(() => readAsAndroid(goldenCode.replace(from, to)), { message }, to)
  t.throws(() => readAsAndroid(goldenCode.replace(/PublicKey.*\n/, '')), { message: /no publickey/ })
})

test('real WireGuard programs take the file', (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'kswifi-test-'))
  t.teardown(() => rmSync(dir, { recursive: true }))
  /** It reads the whole text before it looks for the device, and there is none of this name. */
  const judge = (file: string) => spawnSync('wg', ['setconf', 'nodevice0', file], { encoding: 'utf8' }).stderr
  fc.assert(
    fc.property(anyFacts, (facts) => {
      // A name would be looked up.
      const text = fileText({ ...facts, host: '203.0.113.2' })
      const file = join(dir, fileName(facts.product))
      writeFileSync(file, text)
      const stripped = execFileSync('wg-quick', ['strip', file], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })
      t.notRegex(stripped, /Address|DNS|MTU/)
      for (const key of [facts.privateKey, facts.boxPublicKey, facts.presharedKey]) t.true(stripped.includes(key))
      writeFileSync(file, stripped)
      t.regex(judge(file), /Unable to modify interface/)
      writeFileSync(file, stripped.replace(facts.privateKey, facts.privateKey.slice(1)))
      t.regex(judge(file), /not the correct length|parsing error/i, 'and would not take any text')
    }),
    { numRuns: 8 },
  )
})

test('the name of the file gives a name that every app takes for the tunnel', (t) => {
  fc.assert(
    fc.property(anyFacts, ({ product }) => {
      t.regex(fileName(product), /^[a-zA-Z0-9_=+.-]{1,15}\.conf$/)
      t.notRegex(fileName(product), /^\./, 'hidden')
    }),
    { numRuns: 300 },
  )
  t.is(fileName('KSWiFi Connect'), 'KSWiFi-Connect.conf')
  t.is(fileName('انترنت'), 'Connect.conf')
  t.is(fileName('Café du Monde Wi-Fi'), 'Cafe-du-Monde-W.conf')
})

test('both pictures of the code are read by a program that did not make them, and give the text', async (t) => {
  await fc.assert(
    fc.asyncProperty(anyFacts, async (facts) => {
      const text = codeText(facts)
      const { png, svg } = await qrOf(text)
      t.true(png.startsWith('data:image/png;base64,'))
      const picture = PNG.sync.read(Buffer.from(png.split(',')[1]!, 'base64'))
      const fromPng = readCode(new Uint8ClampedArray(picture.data), picture.width, picture.height)
      t.is(fromPng?.data, text)
      t.true(fromPng!.version <= 16, `version ${fromPng!.version}`)
      const drawn = draw(svg)
      t.is(readCode(drawn.pixels, drawn.width, drawn.width)?.data, text)
      t.is(drawn.modules, 17 + 4 * fromPng!.version + 2 * 4, 'with a quiet zone of four')
    }),
    { numRuns: 6 },
  )
})

test('a code for the usual host is small, and one for a long host and all name servers is still read by cheap cameras', async (t) => {
  const versionOf = async (facts: ProfileFacts) => {
    const picture = PNG.sync.read(Buffer.from((await qrOf(codeText(facts))).png.split(',')[1]!, 'base64'))
    return readCode(new Uint8ClampedArray(picture.data), picture.width, picture.height)!.version
  }
  t.true((await versionOf(golden)) <= 13)
  const { connectDns } = settingsPatch.parse({ connectDns: ['192.168.100.101', '192.168.100.102', '192.168.100.103'] })
  t.true((await versionOf({ ...golden, host: `${'a'.repeat(60)}.${'b'.repeat(60)}.${'c'.repeat(60)}.example`, dns: connectDns! })) <= 16)
})

// Its types promise a module with a default; what Node gets is the function itself, which has that too.
const readCode = (jsqr.default as unknown as { default: typeof jsqr.default.default }).default

const known = {
  interface: ['privatekey', 'address', 'dns', 'mtu', 'listenport', 'includedapplications', 'excludedapplications'],
  peer: ['publickey', 'presharedkey', 'allowedips', 'endpoint', 'persistentkeepalive'],
}

type Read = Record<keyof typeof known, Record<string, string>>

/** As strict as the app for Android; and besides, only ASCII, which every camera app reads the same way. @throws Error */
function readAsAndroid(text: string): Read {
  // oxlint-disable-next-line no-control-regex -- all of ASCII that a text has
  if (!/^[\n\x20-\x7e]*$/.test(text)) throw new Error('more than ASCII')
  const read: Read = { interface: {}, peer: {} }
  let section: keyof typeof known | undefined
  for (const whole of text.split('\n')) {
    const line = whole.split('#')[0]!.trim()
    if (line === '') continue
    const name = /^\[(.*)\]$/.exec(line)?.[1]?.toLowerCase()
    if (name !== undefined) {
      if (name !== 'interface' && name !== 'peer') throw new Error(`unknown section ${name}`)
      section = name
      continue
    }
    if (!section) throw new Error('an attribute before any section')
    const [, key = '', value = ''] = /^(\w+)\s*=\s*(.*)$/.exec(line) ?? []
    const attribute = key.toLowerCase()
    if (attribute === '') throw new Error(`no attribute: ${line}`)
    if (!known[section].includes(attribute)) throw new Error(`unknown attribute ${attribute}`)
    if (value === '') throw new Error(`${attribute} is empty`)
    if (!isValue(attribute, value)) throw new Error(`bad value for ${attribute}: ${value}`)
    read[section][attribute] = value
  }
  if (!read.interface['privatekey']) throw new Error('no privatekey')
  if (!read.peer['publickey']) throw new Error('no publickey')
  return read
}

function isValue(attribute: string, value: string): boolean {
  const list = value.split(',').map((one) => one.trim())
  const upTo = (most: number) => /^\d+$/.test(value) && Number(value) <= most
  if (attribute.endsWith('key')) return /^[A-Za-z0-9+/]{43}=$/.test(value) && Buffer.from(value, 'base64').length === 32
  if (attribute === 'address' || attribute === 'allowedips') return list.every(isNetwork)
  if (attribute === 'dns') return list.every((one) => isIP(one) !== 0)
  if (attribute === 'mtu' || attribute === 'listenport' || attribute === 'persistentkeepalive') return upTo(65535)
  return attribute === 'endpoint' && /^[^\s:/]+:\d{1,5}$/.test(value) && Number(value.split(':')[1]) <= 65535
}

function isNetwork(text: string): boolean {
  const [address = '', bits = ''] = text.split('/')
  const version = isIP(address)
  return version !== 0 && /^\d+$/.test(bits) && Number(bits) <= (version === 4 ? 32 : 128)
}

/** Draws the dark strokes of the picture, one module as 4 pixels. Its path is runs of `M x y`, `m dx dy` and `h length`. */
function draw(svg: string): { pixels: Uint8ClampedArray; width: number; modules: number } {
  const scale = 4
  const modules = Number(/viewBox="0 0 (\d+) \1"/.exec(svg)![1])
  const width = modules * scale
  const pixels = new Uint8ClampedArray(width * width * 4).fill(255)
  const path = /stroke="#000000" d="([^"]+)"/.exec(svg)![1]!
  let [x, y] = [0, 0]
  for (const [, verb, first, second] of path.matchAll(/([Mmh])(-?[\d.]+)(?:[ ,]?(-?[\d.]+))?/g)) {
    if (verb === 'M') [x, y] = [Number(first), Number(second) - 0.5]
    if (verb === 'm') [x, y] = [x + Number(first), y + Number(second)]
    if (verb !== 'h') continue
    for (let row = y * scale; row < (y + 1) * scale; row++)
      for (let column = x * scale; column < (x + Number(first)) * scale; column++)
        pixels.fill(0, (row * width + column) * 4, (row * width + column) * 4 + 3)
    x += Number(first)
  }
  return { pixels, width, modules }
}
