import { createHmac, createPrivateKey, createPublicKey, generateKeyPairSync, hkdfSync, randomBytes } from 'node:crypto'

/** Both halves as WireGuard writes them: 32 bytes, base64. */
export type KeyPair = { privateKey: string; publicKey: string }

/** RFC 8410: what stands before the 32 bytes of an X25519 private key in PKCS #8. */
const PKCS8_X25519 = Buffer.from('302e020100300506032b656e04220420', 'hex')

/** A fresh pair for one profile. */
export function makeKeyPair(): KeyPair {
  const { d, x } = generateKeyPairSync('x25519').privateKey.export({ format: 'jwk' })
  return { privateKey: base64(d!), publicKey: base64(x!) }
}

/**
 * The box's own pair. It follows from the box's secret, so there is nothing else to keep or to lose.
 * @param generation rises when the owner rotates the keys
 */
export function boxKeyPair(secret: string, generation: number): KeyPair {
  const bytes = Buffer.from(hkdfSync('sha256', secret, '', `kswifi connect key ${generation}`, 32))
  // Curve25519 ignores these bits (RFC 7748); WireGuard shows a key with them set so, and the two must read the same.
  bytes.writeUInt8(bytes.readUInt8(0) & 248, 0)
  bytes.writeUInt8((bytes.readUInt8(31) & 127) | 64, 31)
  const privateKey = createPrivateKey({ key: Buffer.concat([PKCS8_X25519, bytes]), format: 'der', type: 'pkcs8' })
  const { x } = createPublicKey(privateKey).export({ format: 'jwk' })
  return { privateKey: bytes.toString('base64'), publicKey: base64(x!) }
}

/** The secret that box and profile share besides their keys; it follows from the box's secret, so no table holds it. */
export function presharedKey(secret: string, publicKey: string): string {
  return createHmac('sha256', secret).update(`kswifi connect preshared ${publicKey}`).digest('base64')
}

/** What opens a profile once on another device; the box keeps only its hash. */
export function makeToken(): string {
  return randomBytes(24).toString('base64url')
}

/** Hash of a one-time token. */
export function hashToken(secret: string, token: string): string {
  return createHmac('sha256', secret).update(`kswifi connect link ${token}`).digest('base64url')
}

function base64(base64url: string): string {
  return Buffer.from(base64url, 'base64url').toString('base64')
}
