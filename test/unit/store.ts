import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ExecutionContext } from 'ava'
import { migrate } from '#server/store/migrate.ts'
import { type Store, openStore } from '#server/store/store.ts'

/** A new database in a folder of its own, with the box's real schema; both are gone after the test. */
export async function openTestStore(t: ExecutionContext<unknown>): Promise<Store> {
  const dir = mkdtempSync(join(tmpdir(), 'kswifi-test-'))
  t.teardown(() => rmSync(dir, { recursive: true, force: true }))
  const store = await openStore(join(dir, 'kswifi.db'))
  t.teardown(() => store.close())
  await migrate(store, { backupDir: join(dir, 'backups') })
  return store
}
