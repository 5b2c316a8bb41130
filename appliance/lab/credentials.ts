/** The owner of the lab's box: made once, kept for the owner's eyes only. */
import { randomInt } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'

export type Credentials = { username: string; password: string; apiKey: string }

/** Reads the credentials from `file`, or makes them at the first start. */
export function ownerCredentials(file: string): Credentials {
  if (existsSync(file)) return JSON.parse(readFileSync(file, 'utf8')) as Credentials
  const made = { username: 'owner', password: random(16), apiKey: `ksw_${random(40)}` }
  writeFileSync(file, `${JSON.stringify(made, null, 2)}\n`, { mode: 0o600 })
  return made
}

function random(length: number): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789'
  return Array.from({ length }, () => alphabet[randomInt(alphabet.length)]).join('')
}
