import { createHmac, randomInt } from 'node:crypto'
import type { BatchInput } from './schema.ts'

export type Alphabet = BatchInput['alphabet']

/**
 * How the codes are made.
 *
 * `letters`: 10 of 26 signs are 47 bits. Left out are 0 O, 1 I L, U V, and of B 8, S 5, Z 2 the letter. With 50,000 codes
 * unused in the drawer, one guess in 2.8 thousand million hits: at one guess a second, all phones together, a hit takes 90 years.
 * `digits`: 12 digits are 40 bits. One guess in 20 million hits then, 230 days at one a second: good behind the limits on
 * redeeming, but large batches that stay unsold for long are better made of letters.
 */
const kinds = {
  letters: { signs: '23456789ACDEFGHJKMNPQRTWXY', length: 10, group: 5 },
  digits: { signs: '0123456789', length: 12, group: 4 },
} as const satisfies Record<Alphabet, unknown>

/** A new code, as it is stored: without dashes. */
export function makeCode(alphabet: Alphabet): string {
  const { signs, length } = kinds[alphabet]
  return Array.from({ length }, () => signs[randomInt(signs.length)]).join('')
}

/**
 * The code of one sale at the counter, which can be made again from the same sale and by nobody without the secret.
 * Numbers of 48 random bits over 26: the signs are as even as a code needs.
 */
export function codeOfSale(sale: string, secret: string): string {
  const { signs, length } = kinds.letters
  const bytes = createHmac('sha512', secret).update(`kswifi sale ${sale}`).digest()
  return Array.from({ length }, (_, index) => signs[bytes.readUIntBE(index * 6, 6) % signs.length]).join('')
}

/** As it is printed: XXXXX-XXXXX, or 1234-5678-9012. */
export function formatCode(code: string, alphabet: Alphabet): string {
  return code.match(new RegExp(`.{1,${kinds[alphabet].group}}`, 'g'))!.join('-')
}

/**
 * What somebody typed or scanned, as it is stored. Case, spaces and dashes don't count. A sign that is in no code
 * is read as the one it looks like: whoever takes the 8 for a B is right, too.
 */
export function normaliseCode(typed: string): string {
  return typed
    .toUpperCase()
    .replace(/[\s-]/g, '')
    .replace(/[OILBSZ]/g, (sign) => ({ O: '0', I: '1', L: '1', B: '8', S: '5', Z: '2' })[sign]!)
}

/**
 * What is kept of a code. One HMAC is enough, no slow hash: nobody can try 2^40 random codes without the secret,
 * which is not in the database or its backups.
 */
export function hashCode(code: string, secret: string): string {
  return createHmac('sha256', secret).update(code).digest('hex')
}
