import { statfs } from 'node:fs/promises'
import type { Redis } from 'ioredis'
import type { Store } from '../store/store.ts'
import { MB } from '../units.ts'
import type { Health } from './schema.ts'

/** Below this the box says so loudly: backups and the ledger need room. */
const LOW_DISK_BYTES = 200 * MB

const KEY = 'kswifi:pulse'

/** What the worker tells of itself; gone after a while when it stops telling. */
export type Pulse = { at: number; gateway: string; line: string; tunnel: string; tunnelKind: 'kernel' | 'userspace' | null }

type Part = Health['parts']['database']
const well: Part = { ok: true, reason: '' }
const ill = (reason: string): Part => ({ ok: false, reason })

/** @param keepSeconds after which silence means that something is wrong */
export async function tellPulse(redis: Redis, pulse: Pulse, keepSeconds: number): Promise<void> {
  await redis.set(KEY, JSON.stringify(pulse), 'EX', keepSeconds)
}

/** How the tunnel is, as the worker told last. */
export async function tunnelState(redis: Redis): Promise<Part & { kind: Pulse['tunnelKind'] }> {
  const told = await readPulse(redis)
  const pulse = told === 'unreachable' ? null : told
  return { ...tunnelPart(pulse), kind: pulse?.tunnelKind ?? null }
}

/** Looks at each part of the box. Never throws; a part that cannot be looked at is not well. */
export async function checkHealth({ store, redis, dataDir }: { store: Store; redis: Redis; dataDir: string }): Promise<Health> {
  const [database, told, disk] = await Promise.all([checkDatabase(store), readPulse(redis), checkDisk(dataDir)])
  const redisPart =
    told === 'unreachable' ? ill('Redis does not answer; online customers stay online, new ones wait for it to come back.') : well
  const pulse = told === 'unreachable' ? null : told
  const worker = pulse ? well : ill('The worker has not been heard of; online customers stay online and metered, new ones wait for it.')
  const gateway = pulse ? (pulse.gateway === '' ? well : ill(pulse.gateway)) : ill('Unknown without the worker.')
  const internet = pulse ? (pulse.line === '' ? well : ill(pulse.line)) : ill('Unknown without the worker.')
  const connect = tunnelPart(pulse)
  const parts = { database, redis: redisPart, worker, gateway, connect, disk, internet }
  // Without its line the box itself is well: portal, vouchers and metering go on.
  return { ok: [database, redisPart, worker, gateway, connect, disk].every((part) => part.ok), parts }
}

function tunnelPart(pulse: Pulse | null): Part {
  if (!pulse) return ill('Unknown without the worker.')
  return pulse.tunnel === '' ? well : ill(pulse.tunnel)
}

async function checkDatabase(store: Store): Promise<Part> {
  try {
    await store.check()
    return well
  } catch (error) {
    return ill(`The database does not answer: ${(error as Error).message}`)
  }
}

async function readPulse(redis: Redis): Promise<Pulse | null | 'unreachable'> {
  if (redis.status !== 'ready') return 'unreachable'
  return redis.get(KEY).then(
    (text) => (text ? (JSON.parse(text) as Pulse) : null),
    () => 'unreachable' as const,
  )
}

async function checkDisk(dataDir: string): Promise<Part> {
  try {
    const { bavail, bsize } = await statfs(dataDir)
    const free = bavail * bsize
    return free >= LOW_DISK_BYTES
      ? well
      : ill(`Only ${Math.floor(free / MB)} MB are left on the disk. Remove old backups or fit a larger card.`)
  } catch (error) {
    return ill(`The disk cannot be looked at: ${(error as Error).message}`)
  }
}
