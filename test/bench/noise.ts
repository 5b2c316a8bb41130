/** WireGuard's handshake and data messages, both sides of them, so that one program can be thousands of devices. */
import { createCipheriv, createDecipheriv, createHash, createHmac, createPrivateKey, createPublicKey, diffieHellman } from 'node:crypto'
import { generateKeyPairSync, randomBytes, type KeyObject } from 'node:crypto'
import { mac } from './blake2s.ts'

/** Keys as raw bytes. */
export type Identity = { privateKey: KeyObject; publicKey: Buffer; boxPublicKey: Buffer; presharedKey: Buffer }

/** An open session: what one side may send, and how it reads what comes. */
export type Keys = { mine: number; theirs: number; send: Buffer; receive: Buffer; counter: bigint }

/** A handshake that this side began. */
export type Begun = { message: Buffer; finish: (response: Buffer) => Keys }

const [PKCS8, SPKI] = ['302e020100300506032b656e04220420', '302a300506032b656e032100'].map((hex) => Buffer.from(hex, 'hex')) as [
  Buffer,
  Buffer,
]
const BEGIN = hash(Buffer.from('Noise_IKpsk2_25519_ChaChaPoly_BLAKE2s'))
const IDENTIFIER = Buffer.from('WireGuard v1 zx2c4 Jason@zx2c4.com')
const LABEL_MAC1 = Buffer.from('mac1----')
const NOTHING = Buffer.alloc(0)
/** TAI64: seconds since 1970 have this number before them, and a few leap seconds that nobody here asks about. */
const TAI_BASE = 2n ** 62n + 10n

/** @param keys base64, as WireGuard writes them */
export function identityOf(keys: { privateKey: string; publicKey: string; boxPublicKey: string; presharedKey: string }): Identity {
  const [own, publicKey, boxPublicKey, presharedKey] = [keys.privateKey, keys.publicKey, keys.boxPublicKey, keys.presharedKey].map((key) =>
    Buffer.from(key, 'base64'),
  ) as [Buffer, Buffer, Buffer, Buffer]
  const privateKey = createPrivateKey({ key: Buffer.concat([PKCS8, own]), format: 'der', type: 'pkcs8' })
  return { privateKey, publicKey, boxPublicKey, presharedKey }
}

/** Begins a handshake with the box. `finish` throws when the response is not the box's. */
export function initiate(me: Identity): Begun {
  const mine = randomBytes(4).readUInt32LE()
  const talk = transcript(me.boxPublicKey)
  const ephemeral = ephemeralKey()
  const head = Buffer.alloc(8)
  head.writeUInt32LE(1, 0)
  head.writeUInt32LE(mine, 4)
  talk.mixHash(ephemeral.publicKey)
  talk.mixKey(ephemeral.publicKey)
  const sealedStatic = talk.seal(dh(ephemeral.privateKey, me.boxPublicKey), me.publicKey)
  const sealedTime = talk.seal(dh(me.privateKey, me.boxPublicKey), timestamp())
  const message = signed(Buffer.concat([head, ephemeral.publicKey, sealedStatic, sealedTime]), me.boxPublicKey)
  return {
    message,
    finish(response) {
      const theirEphemeral = response.subarray(12, 44)
      talk.mixHash(theirEphemeral)
      talk.mixKey(theirEphemeral)
      talk.mixKey(dh(ephemeral.privateKey, theirEphemeral))
      talk.mixKey(dh(me.privateKey, theirEphemeral))
      talk.openEmpty(me.presharedKey, response.subarray(44, 60))
      const [send, receive] = talk.split()
      return { mine, theirs: response.readUInt32LE(4), send, receive, counter: 0n }
    },
  }
}

/** Answers a handshake that the box began. @throws when it is not the box's */
export function respond(me: Identity, initiation: Buffer): { message: Buffer; keys: Keys } {
  const talk = transcript(me.publicKey)
  const theirEphemeral = initiation.subarray(8, 40)
  talk.mixHash(theirEphemeral)
  talk.mixKey(theirEphemeral)
  talk.open(dh(me.privateKey, theirEphemeral), initiation.subarray(40, 88))
  talk.open(dh(me.privateKey, me.boxPublicKey), initiation.subarray(88, 116))
  const mine = randomBytes(4).readUInt32LE()
  const ephemeral = ephemeralKey()
  const head = Buffer.alloc(12)
  head.writeUInt32LE(2, 0)
  head.writeUInt32LE(mine, 4)
  head.writeUInt32LE(initiation.readUInt32LE(4), 8)
  talk.mixHash(ephemeral.publicKey)
  talk.mixKey(ephemeral.publicKey)
  talk.mixKey(dh(ephemeral.privateKey, theirEphemeral))
  talk.mixKey(dh(ephemeral.privateKey, me.boxPublicKey))
  const empty = talk.sealEmpty(me.presharedKey)
  const [receive, send] = talk.split()
  const message = signed(Buffer.concat([head, ephemeral.publicKey, empty]), me.boxPublicKey)
  return { message, keys: { mine, theirs: initiation.readUInt32LE(4), send, receive, counter: 0n } }
}

/** A data message that carries an IP packet, or nothing: a keepalive. */
export function data(keys: Keys, packet: Buffer = NOTHING): Buffer {
  const head = Buffer.alloc(16)
  head.writeUInt32LE(4, 0)
  head.writeUInt32LE(keys.theirs, 4)
  head.writeBigUInt64LE(keys.counter, 8)
  const padded = Buffer.concat([packet, Buffer.alloc(-packet.length & 15)])
  return Buffer.concat([head, aead(keys.send, keys.counter++, padded, NOTHING)])
}

/** The packet of a data message. @throws when it is not for these keys */
export function packetOf(keys: Keys, message: Buffer): Buffer {
  return unaead(keys.receive, message.readBigUInt64LE(8), message.subarray(16), NOTHING)
}

/** The running hash and chaining key of one handshake, of which the responder is `to`. */
function transcript(to: Buffer) {
  let chain = BEGIN
  let sum = hash(hash(BEGIN, IDENTIFIER), to)
  const mixHash = (bytes: Buffer) => void (sum = hash(sum, bytes))
  const mixKey = (input: Buffer) => void ([chain] = derive(chain, input, 1) as [Buffer])
  const keyFrom = (input: Buffer) => {
    const [next, key] = derive(chain, input, 2) as [Buffer, Buffer]
    chain = next
    return key
  }
  const keyFromShared = (presharedKey: Buffer) => {
    const [next, tau, key] = derive(chain, presharedKey, 3) as [Buffer, Buffer, Buffer]
    chain = next
    mixHash(tau)
    return key
  }
  return {
    mixHash,
    mixKey,
    seal(input: Buffer, plain: Buffer): Buffer {
      const sealed = aead(keyFrom(input), 0n, plain, sum)
      mixHash(sealed)
      return sealed
    },
    open(input: Buffer, sealed: Buffer): void {
      unaead(keyFrom(input), 0n, sealed, sum)
      mixHash(sealed)
    },
    sealEmpty: (presharedKey: Buffer): Buffer => aead(keyFromShared(presharedKey), 0n, NOTHING, sum),
    openEmpty: (presharedKey: Buffer, sealed: Buffer): Buffer => unaead(keyFromShared(presharedKey), 0n, sealed, sum),
    split: () => derive(chain, NOTHING, 2) as [Buffer, Buffer],
  }
}

/** Signed for whom it is meant. Nobody here is asked for the second signature, which a peer under attack wants. */
function signed(message: Buffer, to: Buffer): Buffer {
  return Buffer.concat([message, mac(hash(LABEL_MAC1, to), message), Buffer.alloc(16)])
}

function timestamp(): Buffer {
  const bytes = Buffer.alloc(12)
  const now = BigInt(Math.round((performance.timeOrigin + performance.now()) * 1000)) * 1000n
  bytes.writeBigUInt64BE(TAI_BASE + now / 1_000_000_000n, 0)
  bytes.writeUInt32BE(Number(now % 1_000_000_000n), 8)
  return bytes
}

function ephemeralKey(): { privateKey: KeyObject; publicKey: Buffer } {
  const { privateKey, publicKey } = generateKeyPairSync('x25519')
  return { privateKey, publicKey: publicKey.export({ format: 'der', type: 'spki' }).subarray(-32) }
}

function dh(privateKey: KeyObject, publicKey: Buffer): Buffer {
  const key = createPublicKey({ key: Buffer.concat([SPKI, publicKey]), format: 'der', type: 'spki' })
  return diffieHellman({ privateKey, publicKey: key })
}

function hash(...parts: Buffer[]): Buffer {
  return createHash('blake2s256').update(Buffer.concat(parts)).digest()
}

function derive(key: Buffer, input: Buffer, count: number): Buffer[] {
  const hmac = (secret: Buffer, ...parts: Buffer[]) => createHmac('blake2s256', secret).update(Buffer.concat(parts)).digest()
  const secret = hmac(key, input)
  const made: Buffer[] = []
  for (let number = 1; number <= count; number++) made.push(hmac(secret, made.at(-1) ?? NOTHING, Buffer.from([number])))
  return made
}

function aead(key: Buffer, counter: bigint, plain: Buffer, associated: Buffer): Buffer {
  const cipher = createCipheriv('chacha20-poly1305', key, nonce(counter), { authTagLength: 16 })
  cipher.setAAD(associated, { plaintextLength: plain.length })
  return Buffer.concat([cipher.update(plain), cipher.final(), cipher.getAuthTag()])
}

function unaead(key: Buffer, counter: bigint, sealed: Buffer, associated: Buffer): Buffer {
  const cipher = createDecipheriv('chacha20-poly1305', key, nonce(counter), { authTagLength: 16 })
  cipher.setAAD(associated, { plaintextLength: sealed.length - 16 })
  cipher.setAuthTag(sealed.subarray(-16))
  return Buffer.concat([cipher.update(sealed.subarray(0, -16)), cipher.final()])
}

function nonce(counter: bigint): Buffer {
  const bytes = Buffer.alloc(12)
  bytes.writeBigUInt64LE(counter, 4)
  return bytes
}
