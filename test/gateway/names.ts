/**
 * Asks a name server many questions as fast as it may, each for a name of its own, as a tunnel does.
 * Usage: node names.ts SERVER COUNT. Prints how many were answered, in what time.
 */
import { createSocket } from 'node:dgram'

/** No answer for so long: no more come. */
const QUIET_MS = 500

if (import.meta.main) {
  const [server = '', count = '1'] = process.argv.slice(2)
  const socket = createSocket({ type: 'udp4', recvBufferSize: 4_000_000 })
  const startedMs = performance.now()
  let answered = 0
  let lastMs = startedMs
  socket.on('message', () => {
    answered += 1
    lastMs = performance.now()
  })
  for (let number = 0; number < Number(count); number++) {
    await new Promise((resolve) => socket.send(question(number), 53, server, resolve))
    // A breath now and then: the answers must be read, and a name server's own buffer is not what is tried here.
    if (number % 20 === 19) await new Promise((resolve) => setTimeout(resolve, 2))
  }
  lastMs = performance.now()
  while (performance.now() - lastMs < QUIET_MS && answered < Number(count)) await new Promise((resolve) => setTimeout(resolve, 20))
  socket.close()
  console.log(JSON.stringify({ answered, seconds: (performance.now() - startedMs) / 1000 }))
}

function question(number: number): Buffer {
  const header = Buffer.from([number >> 8, number & 0xff, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0])
  const labels = [`data${number}`, `t${process.pid}`, 'example', 'com'].map((label) =>
    Buffer.from(`${String.fromCharCode(label.length)}${label}`, 'latin1'),
  )
  return Buffer.concat([header, ...labels, Buffer.from([0, 0, 1, 0, 1])])
}
