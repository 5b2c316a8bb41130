import { readdir } from 'node:fs/promises'
import type { Knex } from 'knex'
import { backup } from './backup.ts'
import type { Store } from './store.ts'

const directory = new URL('./migrations/', import.meta.url)

/**
 * Brings the schema up to date, forward only, after a copy of the database was made; the number of the last step is
 * SQLite's own user_version. All steps are one transaction: a power cut leaves the old schema, and of two processes
 * that start at once one finds it done. (Knex's migrator keeps a lock row, which a power cut would leave locked.)
 */
export async function migrate(store: Store, { backupDir }: { backupDir: string }): Promise<void> {
  const steps = (await readdir(directory)).filter((name) => /^\d{3}_\w+\.ts$/.test(name)).toSorted()
  const version = await versionOf(store.db)
  if (version >= steps.length) return
  if (version > 0) await backup(store, backupDir, 'before-update')
  await store.transaction(async (tx) => {
    for (const name of steps.slice(await versionOf(tx))) {
      const step = (await import(new URL(name, directory).href)) as { up: (db: Knex) => Promise<void> }
      await step.up(tx)
    }
    await tx.raw(`PRAGMA user_version = ${steps.length}`)
  })
}

async function versionOf(db: Knex): Promise<number> {
  const [row] = await db.raw('PRAGMA user_version')
  return row.user_version
}
