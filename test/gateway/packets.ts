/** Packets that no program would send: whole, byte for byte, as a program of an attacker makes them. */
import { inside, run } from '#lab/run.ts'

/** A flow as its packets have it: who sends, to whom. Protocols are TCP and UDP. */
export type Flow = { from: string; fromPort: number; to: string; toPort: number }

/** Every packet of here bears this mark, and no other in the lab does: `ip dscp` counts them, whatever address they get. */
export const DSCP = 46

export const SYN_ACK = 0x12
export const RST = 0x04

const [ICMP, TCP, UDP] = [1, 6, 17]

/** What perl-base, which every Debian has, can do and Node cannot: a raw socket. Hexadecimal packets come in, one a line. */
const sender = `
  use Socket;
  socket(my $raw, PF_INET, SOCK_RAW, 255) or die $!;
  while (<STDIN>) {
    chomp;
    my $packet = pack 'H*', $_;
    my $to = substr $packet, 16, 4;
    send $raw, $packet, 0, pack_sockaddr_in(0, $to) or die $!;
    select undef, undef, undef, 0.001;
  }`

/**
 * Sends packets from a namespace, one after the other, whatever their sender's address is.
 * @throws Error when one could not be sent, or `signal` called it off
 */
export async function inject(namespace: string, packets: Buffer[], { signal }: { signal?: AbortSignal } = {}) {
  const input = packets.map((packet) => `${packet.toString('hex')}\n`).join('')
  await run(inside(namespace, ['perl', '-e', sender]), { input, ...(signal ? { signal } : {}) })
}

/** A TCP packet with these flags and `bytes` of payload. */
export function tcp(flow: Flow, flags: number, bytes: number): Buffer {
  const segment = Buffer.alloc(20 + bytes, 'x')
  writePorts(segment, flow)
  segment.writeUInt32BE(1000, 4)
  segment.writeUInt32BE(2000, 8)
  segment.writeUInt32BE((0x50 << 24) | (flags << 16) | 8192, 12)
  segment.writeUInt32BE(0, 16)
  segment.writeUInt16BE(checksum(pseudoHeader(flow, TCP, segment.length), segment), 16)
  return packet(flow, TCP, segment)
}

/** A datagram with `bytes` of payload. */
export function udp(flow: Flow, bytes: number): Buffer {
  const datagram = Buffer.alloc(8 + bytes, 'x')
  writePorts(datagram, flow)
  datagram.writeUInt16BE(datagram.length, 4)
  // Zero says that there is no checksum.
  datagram.writeUInt16BE(0, 6)
  return packet(flow, UDP, datagram)
}

/** "Port unreachable" by `from` about a TCP packet of a flow: it goes to the sender of that packet. */
export function icmpError(from: string, about: Flow): Buffer {
  const ports = Buffer.alloc(8)
  writePorts(ports, about)
  const message = Buffer.concat([Buffer.from([3, 3, 0, 0, 0, 0, 0, 0]), packet(about, TCP, ports)])
  message.writeUInt16BE(checksum(message), 2)
  return packet({ from, to: about.from }, ICMP, message)
}

function packet({ from, to }: { from: string; to: string }, protocol: number, payload: Buffer): Buffer {
  const header = Buffer.from([0x45, DSCP << 2, 0, 0, 0, 1, 0, 0, 64, protocol, 0, 0, ...octets(from), ...octets(to)])
  header.writeUInt16BE(header.length + payload.length, 2)
  header.writeUInt16BE(checksum(header), 10)
  return Buffer.concat([header, payload])
}

function pseudoHeader({ from, to }: Flow, protocol: number, length: number): Buffer {
  return Buffer.from([...octets(from), ...octets(to), 0, protocol, length >> 8, length & 0xff])
}

function writePorts(into: Buffer, { fromPort, toPort }: Flow): void {
  into.writeUInt16BE(fromPort, 0)
  into.writeUInt16BE(toPort, 2)
}

function octets(address: string): number[] {
  return address.split('.').map(Number)
}

function checksum(...parts: Buffer[]): number {
  const bytes = Buffer.concat(parts)
  let sum = 0
  for (let at = 0; at < bytes.length; at += 2) sum += (bytes[at]! << 8) | (bytes[at + 1] ?? 0)
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16)
  return ~sum & 0xffff
}
