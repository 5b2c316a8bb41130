import { createServer } from 'node:http'
import { rmSync } from 'node:fs'
import type { Config } from '../config.ts'
import type { Log } from '../log.ts'
import { backups } from '../store/backup.ts'
import { openStore, type CorruptDatabase } from '../store/store.ts'
import { SECOND } from '../units.ts'

/**
 * Stays up over a damaged database instead of starting again and again: says plainly what is wrong and how to go on,
 * and ends (for the supervisor to start anew) once the database is whole. The kernel keeps everybody online meanwhile.
 */
export async function serveTrouble({
  config,
  log,
  role,
  error,
}: {
  config: Config
  log: Log
  role: string
  error: CorruptDatabase
}): Promise<() => Promise<void>> {
  const newest = (await backups(config.backupDir))[0]
  const remedy = newest
    ? `The last good backup is ${newest}. Put it in place with: node server/main.ts restore`
    : 'There is no backup yet. Move the file away and start again: the box begins anew.'
  log.fatal({ err: error, newestBackup: newest }, `the database is damaged. ${remedy}`)
  const timer = setInterval(() => {
    openStore(config.databaseFile)
      .then((store) => store.close())
      .then(
        () => process.exit(0),
        () => {},
      )
  }, 3 * SECOND)
  if (role !== 'server') return async () => clearInterval(timer)

  const words = `The box cannot read its own records. Who is online stays online. Staff: ${remedy}`
  const servers = [config.port, config.serverSocket].map((where) => {
    if (typeof where === 'string') rmSync(where, { force: true })
    return createServer((request, response) => {
      const isPage = !request.url?.startsWith('/api') && request.headers.accept?.includes('text/html')
      response.writeHead(503, {
        'Content-Type': isPage ? 'text/html; charset=utf-8' : 'application/json',
        'Cache-Control': 'no-store',
        'Retry-After': '30',
      })
      response.end(isPage ? page(words) : JSON.stringify({ error: { code: 'unavailable', message: words, requestId: '' } }))
    }).listen(where)
  })
  return async () => {
    clearInterval(timer)
    for (const server of servers) server.close()
  }
}

function page(words: string): string {
  const safe = words.replace(/[&<>]/g, (sign) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;' })[sign]!)
  return `<!doctype html><html lang="en"><meta name="viewport" content="width=device-width"><title>The box needs help</title><body style="font:18px/1.5 system-ui;margin:10vh auto;max-width:34rem;padding:0 1rem"><h1>The box needs help</h1><p>${safe}</p></body></html>`
}
