import { createServer } from 'node:net'

/**
 * Takes a name that one process at a time can hold, and that the kernel takes back however the process ends.
 * @throws Error with `words` when another one holds it
 */
export function hold(name: string, words: string): Promise<() => void> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', (error: NodeJS.ErrnoException) => reject(error.code === 'EADDRINUSE' ? new Error(words) : error))
    server.listen(`\0kswifi ${name}`.slice(0, 107), () => resolve(() => server.close()))
  })
}
