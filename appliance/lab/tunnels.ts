/** Tunnels of the lab's devices: a profile is imported as a customer's laptop would, by the real wg-quick. */
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { inside, run } from './run.ts'

/** The programs of the lab that stand in for what a laptop has: they come first on PATH. */
const programs = join(import.meta.dirname, 'remote')

/** The interface takes its name from the file's. */
const profileFile = 'kswifi.conf'

/** Where a namespace's /run/wireguard lies on this machine: sockets, and the profile while it is on. `short` is `box` or `phone1`. */
export function tunnelDir(labDir: string, short: string): string {
  return join(labDir, 'tunnels', short)
}

/** The argument array that runs a program in a namespace of the lab, where `wg` sees the tunnels of that namespace and no others. */
export function insideLab({ dir, prefix }: { dir: string; prefix: string }, namespace: string, argv: readonly string[]): string[] {
  const place = tunnelDir(dir, namespace.slice(prefix.length + 1))
  mkdirSync(place, { recursive: true, mode: 0o700 })
  return inside(namespace, ['sh', join(programs, 'enter-namespace.sh'), place, ...argv])
}

/**
 * Imports the text of a profile in a namespace (its full name) and turns it on. One at a time.
 * @throws Error with what wg-quick said when it is no profile, or one is on already.
 */
export async function connectProfile(lab: { dir: string; prefix: string }, namespace: string, text: string): Promise<void> {
  const argv = insideLab(lab, namespace, ['wg-quick', 'up', join('/run/wireguard', profileFile)])
  const file = fileOf(lab, namespace)
  if (existsSync(file)) throw new Error(`${namespace} has a profile on already: disconnect it first`)
  writeFileSync(file, text, { mode: 0o600 })
  try {
    await run(argv, { env: laptop() })
  } catch (error) {
    rmSync(file, { force: true })
    throw error
  }
}

/** Turns the profile of a namespace off and forgets it. @throws Error when none is on. */
export async function disconnectProfile(lab: { dir: string; prefix: string }, namespace: string): Promise<void> {
  const file = fileOf(lab, namespace)
  if (!existsSync(file)) throw new Error(`${namespace} has no profile on`)
  await run(insideLab(lab, namespace, ['wg-quick', 'down', join('/run/wireguard', profileFile)]), { env: laptop() })
  rmSync(file)
}

function fileOf({ dir, prefix }: { dir: string; prefix: string }, namespace: string): string {
  return join(tunnelDir(dir, namespace.slice(prefix.length + 1)), profileFile)
}

function laptop(): Record<string, string> {
  return {
    // None of ours: npm puts node_modules/.bin first, where another program is called nft.
    PATH: `${programs}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin`,
    WG_QUICK_USERSPACE_IMPLEMENTATION: 'wireguard-go',
  }
}
