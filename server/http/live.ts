import { PassThrough } from 'node:stream'
import type { Context } from 'koa'
import { SECOND } from '../units.ts'

/** More than this waiting for a slow reader, and it is let go: it will connect anew and get the present. */
const MAX_BACKLOG_BYTES = 256 * 1024

/**
 * Turns the answer into a stream of server-sent events.
 * @param closed called once when the reader has gone
 */
export function openStream(ctx: Context, closed: () => void): { send: (event: string, data: unknown) => void } {
  const stream = new PassThrough()
  ctx.req.socket.setTimeout(0)
  ctx.req.socket.setNoDelay(true)
  ctx.set({ 'Content-Type': 'text/event-stream; charset=utf-8', 'Cache-Control': 'no-store', 'X-Accel-Buffering': 'no' })
  ctx.status = 200
  ctx.body = stream
  stream.write('retry: 2000\n\n')
  const heartbeat = setInterval(() => stream.write(': still here\n\n'), 15 * SECOND)
  stream.on('close', () => {
    clearInterval(heartbeat)
    closed()
  })
  return {
    send(event, data) {
      if (stream.writableLength > MAX_BACKLOG_BYTES) stream.destroy()
      else if (!stream.destroyed) stream.write(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`)
    },
  }
}
