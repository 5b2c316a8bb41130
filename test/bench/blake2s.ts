const IV = new Uint32Array([0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19])
const ORDERS = [
  [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15],
  [14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3],
  [11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4],
  [7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8],
  [9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13],
  [2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9],
  [12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11],
  [13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10],
  [6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5],
  [10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0],
] as const
/** Which words each of the eight steps of a round mixes: the columns, then the diagonals. */
const LANES = [
  [0, 4, 8, 12],
  [1, 5, 9, 13],
  [2, 6, 10, 14],
  [3, 7, 11, 15],
  [0, 5, 10, 15],
  [1, 6, 11, 12],
  [2, 7, 8, 13],
  [3, 4, 9, 14],
] as const

/** The keyed BLAKE2s of RFC 7693, 16 bytes, which WireGuard signs its handshakes with; Node's crypto has only the unkeyed one. */
export function mac(key: Uint8Array, message: Uint8Array): Buffer {
  const blocks = new Uint8Array(64 * (1 + Math.ceil(message.length / 64)))
  blocks.set(key)
  blocks.set(message, 64)
  const state = IV.slice()
  state[0]! ^= 0x01010000 ^ (key.length << 8) ^ 16
  for (let at = 0; at < blocks.length; at += 64) {
    const last = at + 64 >= blocks.length
    compress(state, new DataView(blocks.buffer, at, 64), last ? 64 + message.length : at + 64, last)
  }
  return Buffer.from(state.buffer, 0, 16)
}

function compress(state: Uint32Array, block: DataView, counted: number, last: boolean): void {
  const v = new Uint32Array(16)
  v.set(state)
  v.set(IV, 8)
  v[12]! ^= counted
  if (last) v[14] = ~v[14]!
  for (const order of ORDERS) {
    for (const [step, [a, b, c, d]] of LANES.entries()) {
      for (const [half, [first, second]] of [
        [16, 12],
        [8, 7],
      ].entries() as Iterable<[number, [number, number]]>) {
        v[a] = v[a]! + v[b]! + block.getUint32(4 * order[2 * step + half]!, true)
        v[d] = turn(v[d]! ^ v[a]!, first)
        v[c] = v[c]! + v[d]!
        v[b] = turn(v[b]! ^ v[c]!, second)
      }
    }
  }
  for (let word = 0; word < 8; word++) state[word]! ^= v[word]! ^ v[word + 8]!
}

function turn(word: number, bits: number): number {
  return (word >>> bits) | (word << (32 - bits))
}
