import { chmod, chown, copyFile, mkdir, readdir, rename, rm, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { openStore, type Store } from './store.ts'

const KEEP = 7

/**
 * Writes a whole copy of the database beside it, while everybody goes on; the seven newest stay.
 * @param why part of the file's name, such as `daily`
 * @returns the file
 */
export async function backup(store: Store, directory: string, why: string): Promise<string> {
  await mkdir(directory, { recursive: true })
  const stamp = new Date().toISOString().replace(/[:.]/g, '-')
  const file = join(directory, `kswifi-${stamp}-${why}.db`)
  await store.db.raw('VACUUM INTO ?', [`${file}.part`])
  await chmod(`${file}.part`, 0o600)
  await rename(`${file}.part`, file)
  const old = (await backups(directory)).slice(KEEP)
  for (const one of old) await rm(one)
  return file
}

/** Backups, newest first. */
export async function backups(directory: string): Promise<string[]> {
  const names = await readdir(directory).catch(() => [])
  return names
    .filter((name) => name.endsWith('.db'))
    .toSorted((one, other) => other.localeCompare(one))
    .map((name) => join(directory, name))
}

/**
 * Puts the newest backup that is whole in the place of the database; the damaged one is kept beside it.
 * @returns the backup that was used
 * @throws Error when there is no usable backup
 */
export async function restoreNewest(databaseFile: string, directory: string): Promise<string> {
  for (const candidate of await backups(directory)) {
    const trial = `${databaseFile}.restore`
    await copyFile(candidate, trial)
    const whole = await openStore(trial).then(
      (store) => store.close().then(() => true),
      () => false,
    )
    for (const suffix of ['-wal', '-shm']) await rm(trial + suffix, { force: true })
    if (!whole) {
      await rm(trial)
      continue
    }
    // Restoring is root's work; the box itself is another user.
    const { uid, gid } = await stat(dirname(databaseFile))
    await chown(trial, uid, gid)
    await rename(databaseFile, `${databaseFile}.damaged-${Date.now()}`).catch((error: { code?: string }) => {
      if (error.code !== 'ENOENT') throw error
    })
    for (const suffix of ['-wal', '-shm']) await rm(databaseFile + suffix, { force: true })
    await rename(trial, databaseFile)
    return candidate
  }
  throw new Error(`There is no usable backup in ${directory}.`)
}
