import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

/** A callback as it arrived, before anybody made sense of it. */
export type Heard = { method: string; path: string; headers: Record<string, string | string[] | undefined>; body: string }

/**
 * Something that callbacks can be sent to, on a free port of this machine. `answers` are the statuses of the first ones; all
 * others get 200.
 */
export async function startEar({ answers = [] }: { answers?: number[] } = {}) {
  const heard: Heard[] = []
  const left = [...answers]
  let wake = () => {}
  const server = createServer(async (request, response) => {
    let body = ''
    for await (const chunk of request.setEncoding('utf8')) body += chunk
    heard.push({ method: request.method!, path: request.url!, headers: request.headers, body })
    response.writeHead(left.shift() ?? 200).end()
    wake()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    heard,
    /** Waits until there are so many. @returns all of them */
    async count(wanted: number): Promise<Heard[]> {
      while (heard.length < wanted) await new Promise<void>((resolve) => (wake = resolve))
      return heard
    },
    async stop(): Promise<void> {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
