/**
 * A program for a phone or for the internet that sends datagrams and says what came. It is asked over standard input and
 * answers over standard output, one JSON line each.
 */
import { createSocket } from 'node:dgram'
import type { Socket } from 'node:dgram'
import { createInterface } from 'node:readline'

/** IPv4 and UDP headers: a datagram of 1,000 bytes carries 972. */
export const HEADER_BYTES = 28

/** Sizes are those of the IP packet. `connected` sockets hear refusals of the network. */
export type Ask =
  | { do: 'send'; port: number; to: string; toPort: number; count: number; bytes: number; everyMs?: number; connected?: boolean }
  | { do: 'answer'; port: number; count: number; bytes: number }
  | { do: 'heard'; port: number }
  | { do: 'stop'; port: number }

export type Heard = { packets: number; bytes: number; lastAtMs: number; from: string; refusals: string[] }

type Line = { socket: Socket; heard: Heard; last: { address: string; port: number } | undefined; timer: NodeJS.Timeout | undefined }

if (import.meta.main) {
  const lines = new Map<number, Promise<Line>>()
  createInterface({ input: process.stdin }).on('line', (text) => {
    const { id, ask } = JSON.parse(text) as { id: number; ask: Ask }
    answer(lines, ask).then(
      (value) => console.log(JSON.stringify({ id, value })),
      (error: Error) => console.log(JSON.stringify({ id, error: error.message })),
    )
  })
  process.stdin.on('end', () => process.exit(0))
}

async function answer(lines: Map<number, Promise<Line>>, ask: Ask): Promise<unknown> {
  if (!lines.has(ask.port)) lines.set(ask.port, open(ask))
  const line = await lines.get(ask.port)!
  if (ask.do === 'heard') return line.heard
  if (ask.do === 'stop') return clearInterval(line.timer)
  if (ask.do === 'answer') {
    if (!line.last) return 0
    for (let sent = 0; sent < ask.count; sent++) await send(line.socket, ask.bytes, line.last)
    return ask.count
  }
  const to = ask.connected ? undefined : { address: ask.to, port: ask.toPort }
  if (ask.everyMs) {
    line.timer = setInterval(() => void send(line.socket, ask.bytes, to), ask.everyMs)
    return 0
  }
  let sent = 0
  for (let count = 0; count < ask.count; count++) sent += (await send(line.socket, ask.bytes, to)) ? 1 : 0
  return sent
}

async function open(ask: Ask): Promise<Line> {
  const socket = createSocket({ type: ask.do === 'send' && ask.to.includes(':') ? 'udp6' : 'udp4', recvBufferSize: 4_000_000 })
  const line: Line = { socket, heard: { packets: 0, bytes: 0, lastAtMs: 0, from: '', refusals: [] }, last: undefined, timer: undefined }
  socket.on('message', (message, from) => {
    line.heard.packets += 1
    line.heard.bytes += message.length + HEADER_BYTES
    line.heard.lastAtMs = Date.now()
    line.heard.from = from.address
    line.last = from
  })
  socket.on('error', (error: NodeJS.ErrnoException) => line.heard.refusals.push(error.code ?? error.message))
  await new Promise<void>((resolve, reject) => {
    socket.once('error', reject)
    socket.bind(ask.port, resolve)
  })
  if (ask.do === 'send' && ask.connected) await new Promise<void>((resolve) => socket.connect(ask.toPort, ask.to, resolve))
  return line
}

function send(socket: Socket, bytes: number, to: { address: string; port: number } | undefined): Promise<boolean> {
  const payload = Buffer.alloc(Math.max(0, bytes - HEADER_BYTES), 'kswifi ')
  return new Promise((resolve) => {
    // A refusal of an earlier datagram is told by the next one; it is written down by the socket's own event or here.
    const done = (error: Error | null) => resolve(!error)
    if (to) socket.send(payload, to.port, to.address, done)
    else socket.send(payload, done)
  })
}
