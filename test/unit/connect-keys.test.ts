import { execFileSync } from 'node:child_process'
import test from 'ava'
import { boxKeyPair, hashToken, makeKeyPair, makeToken, presharedKey, type KeyPair } from '#server/connect/keys.ts'

const secret = 'b1946ac92492d2347c6235b4d2611184'

test("the public half is the one that WireGuard's own program finds", (t) => {
  const boxes = Array.from({ length: 10 }, (_, generation) => boxKeyPair(secret, generation))
  for (const pair of [...Array.from({ length: 10 }, makeKeyPair), ...boxes]) {
    t.is(publicKeyBy(pair), pair.publicKey)
    t.is(Buffer.from(pair.privateKey, 'base64').length, 32)
    t.is(pair.privateKey.length, 44)
  }
})

test("the box's private key reads as WireGuard shows it, so that looking at the device finds no difference", (t) => {
  for (let generation = 1; generation < 50; generation++) {
    const bytes = Buffer.from(boxKeyPair(secret, generation).privateKey, 'base64')
    t.is(bytes[0]! & 7, 0)
    t.is(bytes[31]! >> 6, 1)
  }
})

test('every profile has a pair of its own', (t) => {
  const pairs = Array.from({ length: 100 }, makeKeyPair)
  t.is(new Set(pairs.map((pair) => pair.privateKey)).size, 100)
  t.is(new Set(pairs.map((pair) => pair.publicKey)).size, 100)
})

test("the box's pair follows from its secret and the generation, and from nothing else", (t) => {
  t.deepEqual(boxKeyPair(secret, 1), boxKeyPair(secret, 1))
  // Should this ever change, every profile out there dies with an update.
  t.is(boxKeyPair(secret, 1).publicKey, 'tfWtVz0fL9VsPHEfDBIscT0/pace6scJYwBGz+CkJn4=')
  const all = [boxKeyPair(secret, 1), boxKeyPair(secret, 2), boxKeyPair(secret, 12), boxKeyPair(`${secret}1`, 2), boxKeyPair('other', 1)]
  t.is(new Set(all.map((pair) => pair.privateKey)).size, all.length)
  t.is(new Set(all.map((pair) => pair.publicKey)).size, all.length)
})

test('the preshared key is 32 bytes, another for every profile and every box', (t) => {
  const keys = Array.from({ length: 50 }, () => makeKeyPair().publicKey)
  const shared = keys.map((key) => presharedKey(secret, key))
  for (const one of shared) t.regex(one, /^[A-Za-z0-9+/]{43}=$/)
  t.is(new Set([...shared, ...keys.map((key) => presharedKey('other', key))]).size, 100)
  t.deepEqual(
    keys.map((key) => presharedKey(secret, key)),
    shared,
  )
})

test('a one-time token cannot be guessed, and is not told by its hash', (t) => {
  const tokens = Array.from({ length: 100 }, makeToken)
  t.is(new Set(tokens).size, 100)
  for (const token of tokens) t.is(Buffer.from(token, 'base64url').length, 24)
  const hash = hashToken(secret, tokens[0]!)
  t.is(hashToken(secret, tokens[0]!), hash)
  t.not(hashToken(secret, tokens[1]!), hash)
  t.not(hashToken('other', tokens[0]!), hash)
  t.false(hash.includes(tokens[0]!))
})

function publicKeyBy({ privateKey }: KeyPair): string {
  return execFileSync('wg', ['pubkey'], { input: `${privateKey}\n`, encoding: 'utf8' }).trim()
}
