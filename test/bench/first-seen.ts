/** Stands in the internet and notes when the first packet of each customer came. Usage: node first-seen.ts PORT */
import { createSocket } from 'node:dgram'
import { createInterface } from 'node:readline'

/** Who came, by the text that their packets hold, and when (UTC ms). */
export type Seen = Record<string, number>
export type Ask = 'seen'

if (import.meta.main) {
  const seen: Seen = {}
  const socket = createSocket({ type: 'udp4', recvBufferSize: 4_000_000 })
  socket.on('message', (message, from) => {
    seen[message.toString()] ??= Date.now()
    // So that whoever is through stops asking.
    socket.send(message, from.port, from.address)
  })
  socket.bind(Number(process.argv[2]))
  createInterface({ input: process.stdin }).on('line', (text) => {
    const { id } = JSON.parse(text) as { id: number }
    console.log(JSON.stringify({ id, value: seen }))
  })
  process.stdin.on('end', () => process.exit(0))
}
