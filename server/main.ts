import { readConfig } from './config.ts'
import { createLog } from './log.ts'
import { startServer } from './roles/server.ts'
import { startWorker } from './roles/worker.ts'
import { restoreNewest } from './store/backup.ts'
import { CorruptDatabase } from './store/store.ts'
import { serveTrouble } from './roles/trouble.ts'

/** Long enough for requests and jobs in progress, shorter than the supervisor's patience. */
const STOP_WITHIN_MS = 5000

const role = process.argv[2]
const config = readConfig(process.env)
const log = createLog(role ?? 'box', config.logLevel)

if (role === 'server') await start(startServer)
else if (role === 'worker') await start(startWorker)
else if (role === 'restore')
  console.log(`Restored from ${await restoreNewest(config.databaseFile, config.backupDir)}. Start the box again.`)
else {
  console.error('Say which part to run: server, worker, or restore (puts the last good backup in the place of a damaged database).')
  process.exit(2)
}

async function start(startRole: (needs: { config: typeof config; log: typeof log }) => Promise<() => Promise<void>>): Promise<void> {
  const stop = await startRole({ config, log }).catch((error: unknown) => {
    if (error instanceof CorruptDatabase) return serveTrouble({ config, log, role: role!, error })
    log.fatal({ err: error }, 'could not start')
    process.exit(1)
  })
  log.info('started')
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.once(signal, () => {
      setTimeout(() => process.exit(1), STOP_WITHIN_MS).unref()
      void stop().then(() => process.exit(0))
    })
  }
}
