/** The host's way to the box: a plain pipe from a TCP port of this machine to the server's socket. */
import { connect, createServer } from 'node:net'
import type { AddressInfo } from 'node:net'

/**
 * Listens on 127.0.0.1 only. Port 0 takes a free one.
 * @throws Error saying what to do when the port is taken.
 */
export async function openProxy(port: number, socketPath: string): Promise<{ port: number; close: () => void }> {
  const open = new Set<{ destroy: () => void }>()
  const server = createServer({ allowHalfOpen: true }, (outer) => {
    const inner = connect({ path: socketPath, allowHalfOpen: true })
    for (const [one, other] of [[outer, inner] as const, [inner, outer] as const]) {
      open.add(one)
      one.on('error', () => other.destroy())
      one.on('close', () => open.delete(one))
      one.pipe(other)
    }
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const taken = error.code === 'EADDRINUSE'
      reject(taken ? new Error(`Port ${port} of this machine is taken: stop what uses it, or choose another with --port`) : error)
    })
    server.listen(port, '127.0.0.1', resolve)
  })
  const close = () => {
    server.close()
    for (const socket of open) socket.destroy()
  }
  return { port: (server.address() as AddressInfo).port, close }
}
