/**
 * The internet of the lab, in one program: it answers every name with its own address, and is every web site.
 * Usage: node internet.ts ADDRESS
 */
import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { createSocket } from 'node:dgram'
import { createServer as createHttpServer } from 'node:http'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer as createTcpServer } from 'node:net'
import { answerDns } from './dns.ts'
import { findProbe } from './probes.ts'

const address = process.argv[2] ?? '203.0.113.10'

serveDns()
// Port 80 is the portal's while a customer pays on a page; other ports lead there then.
for (const port of [80, 8080]) serveHttp(port)
serveTls()
serveEcho()
let leaving = false
const iperfs = new Set<ChildProcess>()
for (const port of [5201, 5202, 5203]) serveIperf(port)
process.on('SIGTERM', leave)

function serveDns(): void {
  const udp = createSocket({ type: 'udp6', reuseAddr: true, recvBufferSize: 4_000_000 })
  udp.on('message', (question, from) => {
    const answer = answerDns(question, address)
    if (answer) udp.send(answer, from.port, from.address)
  })
  // An answer that cannot be sent is the asker's loss; names must go on being answered.
  udp.on('error', (error) => console.error(`DNS: ${error.message}`))
  udp.bind(53, '::')

  createTcpServer((socket) => {
    let pending = Buffer.alloc(0)
    socket.on('error', () => {})
    socket.on('data', (chunk) => {
      pending = Buffer.concat([pending, chunk])
      while (pending.length >= 2 && pending.length >= 2 + pending.readUInt16BE(0)) {
        const length = pending.readUInt16BE(0)
        const answer = answerDns(pending.subarray(2, 2 + length), address)
        pending = pending.subarray(2 + length)
        if (!answer) return socket.destroy()
        const prefix = Buffer.alloc(2)
        prefix.writeUInt16BE(answer.length)
        socket.write(Buffer.concat([prefix, answer]))
      }
    })
  }).listen(53, '::')
}

function serveHttp(port: number): void {
  const server = createHttpServer({ keepAliveTimeout: 30_000 }, (request, response) => {
    const url = new URL(request.url ?? '/', 'http://any')
    const host = (request.headers.host ?? '').replace(/:\d+$/, '').toLowerCase()
    const bytes = /^\/bytes\/(\d+)$/.exec(url.pathname)
    if (bytes) return void streamBytes(response, Number(bytes[1]), Number(url.searchParams.get('rate') ?? Infinity))
    if (url.pathname === '/sink') return void swallow(request, response)

    const probe = findProbe(host, url.pathname)
    if (probe) return void reply(response, probe.status, probe.type ?? 'text/plain', probe.body)
    const from = request.socket.remoteAddress?.replace('::ffff:', '')
    reply(response, 200, 'text/html', `<!doctype html><title>${host.replace(/[<&]/g, '')}</title><p>The internet. You come from ${from}.\n`)
  })
  server.requestTimeout = 0
  server.listen(port, '::')
}

/** Sends exactly `total` bytes, as fast as the other side takes them, or at `bytesPerSecond`. */
function streamBytes(response: ServerResponse, total: number, bytesPerSecond: number): void {
  const everyMs = 20
  const chunk = Buffer.alloc(Math.min(1 << 20, Math.ceil((bytesPerSecond * everyMs) / 1000)), 'kswifi ')
  let leftBytes = total
  response.writeHead(200, { 'content-type': 'application/octet-stream', 'content-length': total, 'cache-control': 'no-store' })
  const pump = () => {
    while (leftBytes > 0) {
      const piece = leftBytes < chunk.length ? chunk.subarray(0, leftBytes) : chunk
      leftBytes -= piece.length
      const goOn = response.write(piece)
      if (bytesPerSecond !== Infinity) return void setTimeout(pump, everyMs)
      if (!goOn) return
    }
    response.end()
  }
  if (bytesPerSecond === Infinity) response.on('drain', pump)
  pump()
}

function swallow(request: IncomingMessage, response: ServerResponse): void {
  let bytes = 0
  request.on('data', (chunk: Buffer) => (bytes += chunk.length))
  request.on('end', () => reply(response, 200, 'application/json', JSON.stringify({ bytes })))
}

function reply(response: ServerResponse, status: number, type: string, body: string): void {
  const headers = { 'content-type': type, 'content-length': Buffer.byteLength(body), 'cache-control': 'no-store' }
  response.writeHead(status, status === 204 ? { 'cache-control': 'no-store' } : headers).end(body)
}

/** Not TLS: enough to see whether a connection to port 443 gets through. */
function serveTls(): void {
  createTcpServer((socket) => {
    socket.on('error', () => {})
    socket.end('internet\n')
  }).listen(443, '::')
}

/** UDP packets come back as they are, to measure delay and to try what is let through. */
function serveEcho(): void {
  const udp = createSocket('udp6')
  udp.on('message', (message, from) => udp.send(message, from.port, from.address))
  udp.on('error', (error) => console.error(`echo: ${error.message}`))
  udp.bind(7, '::')
}

/** One iperf3 server takes one test at a time, so there are several. */
function serveIperf(port: number): void {
  const child = spawn('setpriv', ['--pdeathsig', 'KILL', '--', 'iperf3', '--server', '--port', String(port)], { stdio: 'ignore' })
  iperfs.add(child)
  child.on('error', (error) => console.error(`iperf3 on port ${port}: ${error.message}`))
  child.on('exit', () => {
    iperfs.delete(child)
    if (leaving && iperfs.size === 0) process.exit(0)
    if (!leaving) setTimeout(() => serveIperf(port), 1000)
  })
}

/** Waits for its children, so that no process is left to whoever adopts them. */
function leave(): void {
  leaving = true
  for (const child of iperfs) child.kill('SIGKILL')
  if (iperfs.size === 0) process.exit(0)
}
