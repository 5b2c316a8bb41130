import type { Knex } from 'knex'

/**
 * The owner's numbers, a row for each of the venue's days, and the hours whose facts changed since they were counted.
 * Triggers note those, so that whatever writes a fact, early or late, cannot forget to.
 */
export async function up(db: Knex): Promise<void> {
  await db.schema.createTable('report_days', (t) => {
    t.string('day').notNullable() // 2026-11-21, in the box's time zone
    t.string('hotspot_id').notNullable()
    t.integer('opened').notNullable()
    t.integer('reconnected').notNullable() // of those opened, how many went on after a break
    t.integer('ended').notNullable()
    t.integer('used').notNullable() // of those ended, how many had begun
    t.bigInteger('length_ms').notNullable() // of those used
    t.bigInteger('used_bytes').notNullable() // of those used
    t.bigInteger('bytes').notNullable() // through the box on this day
    t.primary(['day', 'hotspot_id'])
  })

  await db.schema.createTable('report_revenue', (t) => {
    t.string('day').notNullable()
    t.string('hotspot_id').notNullable()
    t.string('method').notNullable()
    t.integer('package_id').notNullable()
    t.string('currency', 3).notNullable()
    t.integer('sales').notNullable()
    t.bigInteger('sold_minor').notNullable()
    t.integer('refunds').notNullable()
    t.bigInteger('refunded_minor').notNullable()
    t.primary(['day', 'hotspot_id', 'method', 'package_id', 'currency'])
  })

  await db.schema.createTable('report_prevented', (t) => {
    t.string('day').notNullable()
    t.string('hotspot_id').notNullable()
    t.string('currency', 3).notNullable()
    t.integer('charges').notNullable()
    t.bigInteger('amount_minor').notNullable()
    t.primary(['day', 'hotspot_id', 'currency'])
  })

  await db.schema.createTable('report_points', (t) => {
    t.string('day').primary()
    t.integer('earned').notNullable()
    t.integer('redeemed').notNullable() // these three as they stand in the ledger: below zero when taken
    t.integer('taken_back').notNullable()
    t.integer('corrected').notNullable()
  })

  await db.schema.createTable('report_changes', (t) => {
    t.integer('hour').primary() // start of the hour, UTC ms
  })

  await db.schema.createTable('report_zone', (t) => {
    t.string('time_zone').primary() // whose days these are; one row
  })

  await db.schema.alterTable('sessions', (t) => {
    t.index('created_at')
  })
  await db.raw('CREATE INDEX ended_sessions ON sessions (ended_at) WHERE ended_at IS NOT NULL')
  await db.raw("CREATE INDEX refunds_done ON payments (refunded_at) WHERE refund = 'done'")
  await db.raw('CREATE INDEX points_by_time ON points (at)')

  const insert = (table: string, time: string) => watch(db, `${table}_added`, `INSERT ON ${table}`, [`NEW.${time}`])
  const remove = (table: string, time: string) => watch(db, `${table}_gone`, `DELETE ON ${table}`, [`OLD.${time}`])
  const change = (table: string, time: string, columns: string[], only = 'true') =>
    watch(
      db,
      `${table}_${time}_moved`,
      `UPDATE OF ${columns.join(', ')} ON ${table}`,
      [`OLD.${time}`, `NEW.${time}`],
      `(${only}) AND (${differs(columns)})`,
    )

  await insert('sessions', 'created_at')
  await watch(
    db,
    'sessions_reconnected',
    'UPDATE OF reconnections ON sessions',
    ['NEW.created_at'],
    '(OLD.reconnections > 0) <> (NEW.reconnections > 0)',
  )
  // The last reading of a session may come after its end.
  await change('sessions', 'ended_at', ['ended_at', 'data_used', 'slow_used'], 'NEW.ended_at IS NOT NULL')
  await insert('usage', 'hour')
  await change('usage', 'hour', ['bytes'])
  await insert('purchases', 'at')
  await change('payments', 'refunded_at', ['refund', 'refunded_at'])
  await insert('prevented', 'at')
  await insert('points', 'at')
  // Whoever has their data deleted takes their points along.
  await remove('points', 'at')

  // What a box sold before it had these tables.
  for (const [table, time] of facts)
    await db.raw(
      `INSERT INTO report_changes SELECT DISTINCT ${hourOf(time)} FROM ${table} WHERE ${time} IS NOT NULL ${unlessMarked(hourOf(time))}`,
    )
}

const facts = [
  ['sessions', 'created_at'],
  ['sessions', 'ended_at'],
  ['usage', 'hour'],
  ['purchases', 'at'],
  ['payments', 'refunded_at'],
  ['prevented', 'at'],
  ['points', 'at'],
] as const

/** "OR IGNORE" would not do: within a trigger the statement that set it off says what happens to conflicts. */
async function watch(db: Knex, name: string, event: string, times: string[], when = 'true'): Promise<void> {
  const marks = times.map(
    (time) => `INSERT INTO report_changes SELECT ${hourOf(time)} WHERE ${time} IS NOT NULL ${unlessMarked(hourOf(time))};`,
  )
  await db.raw(`CREATE TRIGGER report_${name} AFTER ${event} WHEN ${when} BEGIN ${marks.join(' ')} END`)
}

/** Whole, whatever was written: a note for the reports must never stop a sale. */
function hourOf(time: string): string {
  return `CAST(${time} / 3600000 AS INTEGER) * 3600000`
}

function unlessMarked(hour: string): string {
  return `AND NOT EXISTS (SELECT 1 FROM report_changes WHERE hour = ${hour})`
}

function differs(columns: string[]): string {
  return columns.map((column) => `OLD.${column} IS NOT NEW.${column}`).join(' OR ')
}
