import { readFile } from 'node:fs/promises'

/**
 * The MAC that the kernel would answer for an address of the LAN, from its neighbour table (`/proc/net/arp`:
 * IP, type, flags, MAC, mask, device). Undefined when it knows none.
 */
export async function neighbour(ip: string, device: string): Promise<string | undefined> {
  const table = await readFile('/proc/net/arp', 'utf8')
  for (const line of table.split('\n')) {
    const [address, , flags, mac, , on] = line.split(/\s+/)
    if (address === ip && on === device && flags !== '0x0') return mac
  }
  return undefined
}
