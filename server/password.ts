import { type BinaryLike, type ScryptOptions, randomBytes, scrypt, timingSafeEqual } from 'node:crypto'
import { promisify } from 'node:util'

const derive = promisify<BinaryLike, BinaryLike, number, ScryptOptions, Buffer>(scrypt)

/** 32 MB and about a tenth of a second on a Pi 4. Stored with each hash, so they may rise later. */
const cost = { N: 2 ** 15, r: 8, p: 1 }

/** `scrypt$N$r$p$salt$key`, salt and key in base64. */
export async function hashPassword(password: string): Promise<string> {
  const salt = randomBytes(16)
  return format(salt, await deriveKey(password, salt, 32, cost))
}

/** The hash of no password: to take as long over an unknown name as over a wrong password. */
export const nobodysHash = format(randomBytes(16), randomBytes(32))

/** @param hash one made by `hashPassword` */
export async function verifyPassword(password: string, hash: string): Promise<boolean> {
  const [, N, r, p, salt = '', key = ''] = hash.split('$')
  const expected = Buffer.from(key, 'base64')
  const actual = await deriveKey(password, Buffer.from(salt, 'base64'), expected.length, { N: Number(N), r: Number(r), p: Number(p) })
  return timingSafeEqual(actual, expected)
}

function format(salt: Buffer, key: Buffer): string {
  return ['scrypt', cost.N, cost.r, cost.p, salt.toString('base64'), key.toString('base64')].join('$')
}

/** Everybody waits for the one before: SQLite runs on the same few threads, and a flood of sign-ins must not hold up customers. */
let turn: Promise<unknown> = Promise.resolve()

function deriveKey(password: string, salt: Buffer, length: number, { N, r, p }: typeof cost): Promise<Buffer> {
  const key = turn.then(() => derive(password.normalize('NFKC'), salt, length, { N, r, p, maxmem: 256 * N * r }))
  turn = key.catch(() => undefined)
  return key
}
