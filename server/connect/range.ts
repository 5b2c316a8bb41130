/** Addresses of one block of 256 that are given out: not the first and the last, which old devices take for something else. */
const PER_BLOCK = 254

/** Addresses for profiles in a /16; the very first is the box's. */
export const PLACES = 256 * PER_BLOCK - 1

/** What the addresses of a range begin with: `10.8.` of `10.8.0.0/16`. */
export function prefixOf(range: string): string {
  return range.split('.').slice(0, 2).join('.') + '.'
}

/** The box's own address in a range. */
export function boxAddressOf(range: string): string {
  return addressAt(prefixOf(range), 0)
}

/** The address of a place, 0 to PLACES. */
export function addressAt(prefix: string, place: number): string {
  return `${prefix}${Math.floor(place / PER_BLOCK)}.${(place % PER_BLOCK) + 1}`
}

/** True when two IPv4 networks have an address in common. Both as `10.8.0.0/16`. */
export function overlap(one: string, other: string): boolean {
  const [a, b] = [one, other].map((network) => {
    const [address = '', bits = '32'] = network.split('/')
    return { address: address.split('.').reduce((sum, byte) => sum * 256 + Number(byte), 0), bits: Number(bits) }
  }) as [{ address: number; bits: number }, { address: number; bits: number }]
  const size = 2 ** (32 - Math.min(a.bits, b.bits))
  return Math.floor(a.address / size) === Math.floor(b.address / size)
}

/** Addresses that mean nothing on the internet: private ones, a provider's shared ones (RFC 6598), and those of one link. */
const NOT_PUBLIC = [
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.168.0.0/16',
  '224.0.0.0/3',
]

/** True for an IPv4 address that the internet can reach. */
export function isPublic(address: string): boolean {
  return !NOT_PUBLIC.some((network) => overlap(network, `${address}/32`))
}
