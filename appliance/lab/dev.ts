/** `npm run dev`: server and worker over a gateway without a kernel, and the UI built as it is edited. Needs no root. */
import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ownerCredentials } from './credentials.ts'

const checkout = join(import.meta.dirname, '../..')
const dir = join(checkout, '.lab/dev')
const [dataDir, runDir] = [join(dir, 'data'), join(dir, 'run')]
const port = process.env['KSWIFI_PORT'] ?? '8080'

const redis = ['/usr/bin/redis-server', '/usr/local/bin/redis-server', '/opt/homebrew/bin/redis-server'].find((path) => existsSync(path))
if (!redis) {
  console.error('Redis is not installed: it carries jobs from server to worker. On Debian: apt-get install redis-server')
  process.exit(1)
}

mkdirSync(dataDir, { recursive: true })
rmSync(runDir, { recursive: true, force: true })
mkdirSync(runDir, { recursive: true })
const owner = ownerCredentials(join(dir, 'credentials.json'))
if (!existsSync(join(dataDir, 'kswifi.db'))) writeFileSync(join(dataDir, 'first-owner.json'), JSON.stringify(owner), { mode: 0o600 })

const env = {
  ...process.env,
  KSWIFI_GATEWAY: 'memory',
  KSWIFI_DATA: dataDir,
  KSWIFI_RUN: runDir,
  KSWIFI_PORT: port,
  KSWIFI_SANDBOX: 'true',
  // Port 80 leads to the portal on the box; here the server is all there is.
  KSWIFI_PORTAL_HOST: 'localhost',
}
const main = join(checkout, 'server/main.ts')
const programs: [string, string, ...string[]][] = [
  ['redis', redis, '--port', '0', '--unixsocket', join(runDir, 'redis.sock'), '--dir', dataDir, '--save', '', '--loglevel', 'warning'],
  ['worker', process.execPath, '--watch', '--watch-preserve-output', main, 'worker'],
  ['server', process.execPath, '--watch', '--watch-preserve-output', main, 'server'],
  ['ui', process.execPath, join(checkout, 'node_modules/vite/bin/vite.js'), '--config', join(checkout, 'web/vite.config.ts')],
]

const running = new Set<ChildProcess>()
let ending = false
for (const [name, command, ...args] of programs) run(name, command, args)
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, end)
console.log(
  `Server: http://localhost:${port}/   sign in at /admin/ as ${owner.username} / ${owner.password}\nData: ${dir}\nThe UI's address follows.`,
)

function run(name: string, command: string, args: string[]): void {
  const child = spawn(command, args, { cwd: checkout, env, stdio: ['ignore', 'inherit', 'inherit'], detached: true })
  running.add(child)
  child.on('error', (error) => console.error(`${name} could not be started: ${error.message}`))
  child.on('exit', (code, signal) => {
    running.delete(child)
    if (ending) return
    console.error(`${name} ended (${code ?? signal}): everything ends`)
    end()
  })
}

/** The first call ends all; what does not listen is killed after three seconds. */
function end(): void {
  if (ending) return
  ending = true
  signalAll('SIGTERM')
  setTimeout(() => signalAll('SIGKILL'), 3000).unref()
}

function signalAll(signal: NodeJS.Signals): void {
  for (const child of running) {
    try {
      // The group: `node --watch` has a child of its own.
      if (child.pid) process.kill(-child.pid, signal)
    } catch {
      // It ended meanwhile.
    }
  }
}
