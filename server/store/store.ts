import { mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import knex, { type Knex } from 'knex'
import sqliteClient from 'knex/lib/dialects/sqlite3/index.js'
import { Refusal, isDiskFull } from '../errors.ts'

/** A transaction in progress; every table function takes one, so that a room can join another's. */
export type Tx = Knex.Transaction

/** What a table function needs: the store itself, or a transaction on it. */
export type Db = Knex

export type Store = Awaited<ReturnType<typeof openStore>>

/** Both processes write; a transaction that begins as a reader and turns writer would fail with SQLITE_BUSY at once, without waiting. */
class ImmediateSqlite extends sqliteClient {
  override _query(connection: unknown, query: { sql: string }) {
    if (query.sql === 'BEGIN;') query.sql = 'BEGIN IMMEDIATE;'
    return super._query(connection, query)
  }
}

/**
 * Opens the database and checks that it is whole.
 * WAL with synchronous=FULL: a commit that was answered survives a power cut.
 * @throws CorruptDatabase when SQLite finds damage; the file is left as it is
 */
export async function openStore(file: string) {
  mkdirSync(dirname(file), { recursive: true })
  const db = knex({
    client: ImmediateSqlite as unknown as typeof Knex.Client,
    connection: { filename: file },
    useNullAsDefault: true,
    // An error is logged with its statement: numbers of customers and hashes are among the values.
    compileSqlOnError: false,
    pool: {
      min: 1,
      max: 1,
      afterCreate: (
        connection: { exec: (sql: string, done: (error: unknown) => void) => void },
        done: (error: unknown, connection: unknown) => void,
      ) =>
        connection.exec('PRAGMA busy_timeout=5000; PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON;', (error) =>
          done(error, connection),
        ),
    },
  })
  try {
    const [row] = await patiently(() => db.raw('PRAGMA quick_check(1)'))
    if (row.quick_check !== 'ok') throw new CorruptDatabase(file, row.quick_check)
  } catch (error) {
    await db.destroy()
    const code = (error as { code?: string }).code
    if (code === 'SQLITE_CORRUPT' || code === 'SQLITE_NOTADB') throw new CorruptDatabase(file, (error as Error).message)
    throw error
  }

  return {
    file,
    db,
    /**
     * Runs `work` in one write transaction: all or nothing. Never await the kernel or the network inside.
     * @throws Refusal `storage-full` when the disk is full; nothing is kept then
     */
    async transaction<T>(work: (tx: Tx) => Promise<T>): Promise<T> {
      let cause: unknown
      try {
        return await db.transaction((tx) =>
          work(tx).catch((error: unknown) => {
            cause = error
            throw error
          }),
        )
      } catch (error) {
        // SQLite rolls back by itself when the disk is full; knex then fails to do it again, and says only that.
        const real = cause ?? error
        if (isDiskFull(real)) throw new Refusal('storage-full', 'The disk of the box is full, so nothing was saved. Please tell the staff.')
        throw real
      }
    },
    /** @throws whatever SQLite says when it does not answer */
    async check(): Promise<void> {
      await db.raw('select 1')
    },
    close: () => db.destroy(),
  }
}

/** Two processes that open a new database at once: the switch to WAL does not wait for the other, whatever busy_timeout says. */
async function patiently<T>(open: () => Promise<T>): Promise<T> {
  const until = performance.now() + 5000
  for (;;) {
    try {
      return await open()
    } catch (error) {
      if ((error as { code?: string }).code !== 'SQLITE_BUSY' || performance.now() > until) throw error
      await sleep(20)
    }
  }
}

/** The database file is damaged; `restore` from the last good backup. */
export class CorruptDatabase extends Error {
  readonly file: string
  constructor(file: string, detail: string) {
    super(`The database ${file} is damaged: ${detail}`)
    this.file = file
  }
}
