import { unwatchFile, watchFile } from 'node:fs'
import { readFile, stat } from 'node:fs/promises'
import type { LanDevice } from './grant.ts'

/** Who holds an address is believed for so long; that it really is them is checked in the neighbour table. */
const FRESH_MS = 1000

export type Lease = LanDevice & { name: string; until: number }

/**
 * Reads dnsmasq's lease file: `expiry mac ip name client-id` a line, expiry in s (0: for ever).
 * One MAC may hold several addresses and then appears several times.
 */
export function parseLeases(text: string): Lease[] {
  return text.split('\n').flatMap((line) => {
    const [expiry, mac, ip, name] = line.split(' ')
    if (!expiry || !mac || !ip || !/^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/.test(mac)) return []
    return [{ mac, ip, name: !name || name === '*' ? '' : name, until: expiry === '0' ? Infinity : Number(expiry) * 1000 }]
  })
}

export type Leases = ReturnType<typeof createLeases>

/** One device that always has its lease: where there is no network, for work on the UI. */
export function pretendLeases(device: LanDevice & { name: string }): Leases {
  const lease = { ...device, until: Infinity }
  return {
    addresses: async () => (mac) => (mac === device.mac ? [lease] : []),
    holder: async () => lease,
    watch: () => () => {},
  }
}

/** The leases of the box, read again only when the file has changed. A missing file is no leases. */
export function createLeases(file: string) {
  let stamp = ''
  let lookedAt = -Infinity
  let byMac = new Map<string, Lease[]>()
  let byIp = new Map<string, Lease>()

  async function refresh(): Promise<void> {
    lookedAt = performance.now()
    const info = await stat(file).catch(() => undefined)
    const newStamp = info ? `${info.mtimeMs}/${info.size}/${info.ino}` : 'none'
    if (newStamp === stamp) return
    const leases = info ? parseLeases(await readFile(file, 'utf8')) : []
    stamp = newStamp
    byMac = Map.groupBy(leases, (lease) => lease.mac) as Map<string, Lease[]>
    byIp = new Map(leases.map((lease) => [lease.ip, lease]))
  }

  return {
    /** Addresses leased to each MAC. */
    async addresses(): Promise<(mac: string) => Lease[]> {
      await refresh()
      return (mac) => byMac.get(mac) ?? []
    },
    /** Calls back when a lease came, went or moved. @returns a function that ends it */
    watch(changed: () => void): () => void {
      watchFile(file, { interval: 1000 }, changed)
      return () => unwatchFile(file, changed)
    },
    /** Who holds this address. */
    async holder(ip: string): Promise<Lease | undefined> {
      if (performance.now() - lookedAt > FRESH_MS || !byIp.has(ip)) await refresh()
      return byIp.get(ip)
    },
  }
}
