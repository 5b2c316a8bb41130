import { readFile } from 'node:fs/promises'

/** A table read this long ago is believed when it agrees with what is asked; a paying device's entry is pinned anyway. */
const FRESH_MS = 1000

export type Neighbours = ReturnType<typeof createNeighbours>

/** Who really answers for an address of the LAN: the kernel's neighbour table, as in /proc/net/arp. */
export function createNeighbours(device: string, file = '/proc/net/arp') {
  let readAt = -Infinity
  let table = new Map<string, string>()

  async function refresh(): Promise<void> {
    readAt = performance.now()
    table = parseNeighbours(await readFile(file, 'utf8'), device)
  }

  return {
    /** True when the kernel would send what is for this address to this MAC. */
    async has(ip: string, mac: string): Promise<boolean> {
      if (performance.now() - readAt > FRESH_MS || table.get(ip) !== mac) await refresh()
      return table.get(ip) === mac
    },
  }
}

/** Reads `IP, type, flags, MAC, mask, device` a line; flags 0x0 is an entry that is not complete. */
export function parseNeighbours(text: string, device: string): Map<string, string> {
  const entries = text.split('\n').flatMap((line): [string, string][] => {
    const [ip, , flags, mac, , on] = line.split(/\s+/)
    return ip && mac && on === device && flags !== '0x0' ? [[ip, mac]] : []
  })
  return new Map(entries)
}
