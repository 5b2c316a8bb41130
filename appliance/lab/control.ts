/** How other commands talk to the running lab: one JSON line each way, over a socket that only its owner may open. */
import { chmodSync, rmSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { createInterface } from 'node:readline'

export type Verb = 'status' | 'phone add' | 'phone remove' | 'remote connect' | 'remote disconnect' | 'power cut' | 'power on' | 'stop'

/** Listens at `path`; each verb answers with plain JSON. Returns the function that ends it. */
export async function openControl(path: string, verbs: Record<Verb, (argument: string) => unknown>): Promise<() => void> {
  rmSync(path, { force: true })
  const server = createServer((socket) => {
    socket.on('error', () => {})
    createInterface({ input: socket }).on('line', async (line) => {
      const reply = await answer(line, verbs)
      if (!socket.destroyed) socket.end(`${JSON.stringify(reply)}\n`)
    })
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(path, resolve)
  })
  chmodSync(path, 0o600)
  return () => server.close()
}

/**
 * Asks the running lab.
 * @returns null when no lab listens there.
 * @throws Error with the lab's own words when it could not do it.
 */
export function askLab<T>(path: string, verb: Verb, argument = ''): Promise<T | null> {
  return new Promise((resolve, reject) => {
    const socket = connect(path, () => socket.write(`${JSON.stringify({ verb, argument })}\n`))
    let text = ''
    socket.on('data', (chunk) => (text += chunk))
    socket.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT' || error.code === 'ECONNREFUSED') resolve(null)
      else reject(error)
    })
    socket.on('end', () => {
      const reply = JSON.parse(text || '{"error":"The lab went away"}') as { value?: T; error?: string }
      if (reply.error !== undefined) reject(new Error(reply.error))
      else resolve(reply.value as T)
    })
  })
}

async function answer(line: string, verbs: Record<Verb, (argument: string) => unknown>): Promise<{ value?: unknown; error?: string }> {
  try {
    const { verb, argument } = JSON.parse(line) as { verb: Verb; argument: string }
    if (!Object.hasOwn(verbs, verb)) return { error: `The lab does not know how to "${verb}"` }
    return { value: (await verbs[verb](argument)) ?? null }
  } catch (error) {
    return { error: (error as Error).message }
  }
}
