/**
 * Thousands of devices with a tunnel each, in one process. Speaks by JSON lines; see Ask.
 * Usage: node peers.ts BOX PORT INTERNET
 */
import { createSocket, type Socket } from 'node:dgram'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { data, identityOf, initiate, packetOf, respond, type Begun, type Identity, type Keys } from './noise.ts'

export type Device = { privateKey: string; publicKey: string; boxPublicKey: string; presharedKey: string; address: string }

export type Ask =
  /** Opens these tunnels, one handshake each. */
  | { join: Device[] }
  /** Sends a datagram through every tunnel, with the keys that it has, until it came back. */
  | { echo: { withinMs: number } }

/** How many were successful, how long all of it took, and how many handshakes the box began meanwhile. */
export type Answer = { count: number; ms: number; called: number }

type Peer = {
  me: Identity
  address: string
  socket: Socket
  begun: Begun | null
  keys: Keys | null
  /** Of a handshake that the box began: used from its first message on. */
  next: Keys | null
  /** What the last echo brought. */
  heard: number
}

/** So many wait for an answer at once: the box is to be asked, not to be flooded. */
const AT_ONCE = 64
const AGAIN_MS = 1000

const [box, port, internet] = process.argv.slice(2) as [string, string, string]
const peers: Peer[] = []
let called = 0
let round = 0

for await (const line of createInterface({ input: process.stdin })) {
  const { id, ask } = JSON.parse(line) as { id: number; ask: Ask }
  const begun = performance.now()
  const calledBefore = called
  const count = 'join' in ask ? await join(ask.join) : await echo(ask.echo.withinMs)
  const value: Answer = { count, ms: performance.now() - begun, called: called - calledBefore }
  console.log(JSON.stringify({ id, value }))
}
process.exit(0)

async function join(devices: Device[]): Promise<number> {
  for (const device of devices) peers.push(open(device))
  return each(30_000, (peer) => peer.keys !== null, begin)
}

function begin(peer: Peer): void {
  peer.begun = initiate(peer.me)
  peer.socket.send(peer.begun.message, Number(port), box)
}

async function echo(withinMs: number): Promise<number> {
  const mine = ++round
  return each(
    withinMs,
    (peer) => peer.heard === mine,
    (peer) => peer.keys && peer.socket.send(data(peer.keys, datagram(peer.address, mine)), Number(port), box),
  )
}

/** Does a thing for every peer, again after a while, until it is done for all of them or the time is over. @returns for how many it is done */
async function each(withinMs: number, isDone: (peer: Peer) => boolean, act: (peer: Peer) => unknown): Promise<number> {
  const until = performance.now() + withinMs
  const triedAt = new Map<Peer, number>()
  let waiting = peers.filter((peer) => !isDone(peer))
  while (waiting.length > 0 && performance.now() < until) {
    const now = performance.now()
    const lately = waiting.filter((peer) => now - (triedAt.get(peer) ?? -Infinity) < AGAIN_MS)
    const next = waiting.filter((peer) => now - (triedAt.get(peer) ?? -Infinity) >= AGAIN_MS).slice(0, Math.max(0, AT_ONCE - lately.length))
    for (const peer of next) {
      act(peer)
      triedAt.set(peer, now)
    }
    await sleep(2)
    waiting = waiting.filter((peer) => !isDone(peer))
  }
  return peers.length - waiting.length
}

function open(device: Device): Peer {
  const peer: Peer = {
    me: identityOf(device),
    address: device.address,
    socket: createSocket('udp4'),
    begun: null,
    keys: null,
    next: null,
    heard: 0,
  }
  peer.socket.on('message', (message) => {
    try {
      hear(peer, message)
    } catch (error) {
      console.error(`${peer.address}: a message of kind ${message[0]} could not be read: ${(error as Error).message}`)
    }
  })
  // The box may be away for a moment.
  peer.socket.on('error', () => {})
  return peer
}

function hear(peer: Peer, message: Buffer): void {
  const reply = (bytes: Buffer) => peer.socket.send(bytes, Number(port), box)
  if (message[0] === 1) {
    called++
    const answer = respond(peer.me, message)
    peer.next = answer.keys
    reply(answer.message)
  }
  if (message[0] === 2 && peer.begun) {
    peer.keys = peer.begun.finish(message)
    peer.begun = null
    // The box takes the new keys for good with the first message that they are used for.
    reply(data(peer.keys))
  }
  if (message[0] === 4) {
    const mine = message.readUInt32LE(4)
    if (peer.next?.mine === mine) [peer.keys, peer.next] = [peer.next, null]
    if (peer.keys?.mine !== mine) return
    const packet = packetOf(peer.keys, message)
    if (packet.length === 0) return
    peer.heard = packet.readUInt32BE(28)
    reply(data(peer.keys))
  }
}

/** An IP packet to the echo of the internet that carries one number. */
function datagram(from: string, number: number): Buffer {
  const packet = Buffer.alloc(32)
  packet.set([0x45, 0, 0, 32, 0, 0, 0x40, 0, 64, 17, 0, 0, ...octets(from), ...octets(internet)])
  packet.writeUInt16BE(checksum(packet.subarray(0, 20)), 10)
  packet.writeUInt16BE(40_000, 20)
  packet.writeUInt16BE(7, 22)
  packet.writeUInt16BE(12, 24)
  packet.writeUInt32BE(number, 28)
  return packet
}

function octets(address: string): number[] {
  return address.split('.').map(Number)
}

function checksum(header: Buffer): number {
  let sum = 0
  for (let at = 0; at < header.length; at += 2) sum += header.readUInt16BE(at)
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16)
  return ~sum & 0xffff
}
