import type { Db } from '../store/store.ts'

/** Every stored setting: key to JSON text. The box's own notes are left out. */
export async function readAll(db: Db): Promise<Map<string, string>> {
  const rows: { key: string; value: string }[] = await db('settings').select('key', 'value').whereNot('key', 'like', 'box.%')
  return new Map(rows.map((row) => [row.key, row.value]))
}

/** JSON text of one row. */
export async function read(db: Db, key: string): Promise<string | undefined> {
  const row: { value: string } | undefined = await db('settings').select('value').where({ key }).first()
  return row?.value
}

export async function write(db: Db, key: string, value: unknown, at: number): Promise<void> {
  await db('settings')
    .insert({ key, value: JSON.stringify(value), updated_at: at })
    .onConflict('key')
    .merge()
}
