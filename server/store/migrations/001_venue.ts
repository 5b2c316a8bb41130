import type { Knex } from 'knex'

/**
 * The first schema. Times are UTC milliseconds, sizes bytes, speeds bit/s, money minor units.
 * Names follow the mission's wifi_sessions document in snake_case.
 */
export async function up(db: Knex): Promise<void> {
  await db.schema.createTable('settings', (t) => {
    t.string('key').primary()
    t.json('value').notNullable()
    t.integer('updated_at').notNullable()
  })

  await db.schema.createTable('packages', (t) => {
    t.increments('id')
    t.string('name').notNullable()
    t.string('description').notNullable().defaultTo('')
    t.bigInteger('data_limit') // null: unlimited
    t.bigInteger('duration_ms').notNullable()
    t.bigInteger('activate_within_ms').notNullable()
    t.bigInteger('down_bps') // null: as fast as the line
    t.bigInteger('up_bps')
    t.integer('max_devices').notNullable().defaultTo(1)
    t.integer('price_minor').notNullable()
    t.string('currency', 3).notNullable()
    t.string('after_data').notNullable().defaultTo('stop') // stop | slow
    t.bigInteger('slow_bps')
    t.string('limit_group') // packages of one group share the limit
    t.integer('limit_count')
    t.bigInteger('limit_bytes')
    t.integer('limit_days')
    t.integer('position').notNullable().defaultTo(0)
    t.integer('archived_at')
    t.integer('created_at').notNullable()
    t.integer('updated_at').notNullable()
  })

  await db.schema.createTable('sessions', (t) => {
    t.increments('id')
    t.string('user_phone')
    t.string('hotspot_id')
    t.string('hotspot_name').notNullable()
    t.integer('package_id').notNullable().references('packages.id')
    t.string('package_name').notNullable()
    t.string('payment_method').notNullable()
    t.string('payment_reference').notNullable()
    t.string('resume_code').notNullable().unique()
    t.integer('start_time')
    t.integer('expires_at')
    t.integer('activate_by').notNullable()
    t.integer('last_connected')
    t.integer('disconnected_at')
    t.string('status').notNullable() // ready | active | connected | disconnected | expired
    t.string('end_reason') // time | data | ended-by-staff | refunded
    t.integer('ended_at')
    t.bigInteger('data_limit')
    t.bigInteger('data_used').notNullable().defaultTo(0)
    t.bigInteger('slow_used').notNullable().defaultTo(0)
    t.bigInteger('uploaded').notNullable().defaultTo(0)
    t.bigInteger('duration_ms').notNullable()
    t.bigInteger('down_bps')
    t.bigInteger('up_bps')
    t.integer('max_devices').notNullable()
    t.string('after_data').notNullable()
    t.bigInteger('slow_bps')
    t.integer('follows').references('sessions.id')
    t.integer('created_at').notNullable()
    t.integer('updated_at').notNullable()
    t.index(['status', 'expires_at'])
    t.index(['user_phone', 'created_at'])
    t.index('follows')
  })

  /** What was paid for: a session opens with one and may be topped up by more. */
  await db.schema.createTable('purchases', (t) => {
    t.increments('id')
    t.integer('session_id').notNullable().references('sessions.id')
    t.integer('package_id').notNullable().references('packages.id')
    t.string('payment_method').notNullable()
    t.string('payment_reference').notNullable()
    t.integer('price_minor').notNullable()
    t.string('currency', 3).notNullable()
    t.bigInteger('data_limit')
    t.string('user_phone')
    t.string('mac')
    t.integer('at').notNullable()
    t.index('at')
    t.index(['user_phone', 'at'])
    t.index(['mac', 'at'])
  })

  await db.schema.createTable('devices', (t) => {
    t.increments('id')
    t.integer('session_id').notNullable().references('sessions.id')
    t.string('mac').notNullable()
    t.string('name').notNullable().defaultTo('')
    t.integer('attached_at').notNullable()
    t.integer('last_seen').notNullable()
    t.integer('paused_at') // the customer pressed "disconnect" on it
    t.integer('detached_at')
    t.index(['session_id'])
    t.index(['mac', 'attached_at'])
  })
  await db.raw('CREATE UNIQUE INDEX one_session_per_device ON devices (mac) WHERE detached_at IS NULL')

  await db.schema.createTable('usage', (t) => {
    t.integer('session_id').notNullable().references('sessions.id')
    t.integer('hour').notNullable() // start of the hour, UTC ms
    t.bigInteger('bytes').notNullable()
    t.bigInteger('uploaded').notNullable()
    t.primary(['session_id', 'hour'])
    t.index('hour')
  })

  await db.schema.createTable('voucher_batches', (t) => {
    t.increments('id')
    t.integer('package_id').notNullable().references('packages.id')
    t.integer('count').notNullable()
    t.string('alphabet').notNullable() // letters | digits
    t.integer('expires_at')
    t.string('note').notNullable().defaultTo('')
    t.string('seller').notNullable().defaultTo('')
    t.string('created_by').notNullable()
    t.integer('created_at').notNullable()
    t.integer('voided_at')
  })

  await db.schema.createTable('vouchers', (t) => {
    t.increments('id')
    t.integer('batch_id').notNullable().references('voucher_batches.id')
    t.string('code_hash').notNullable().unique()
    t.string('last4', 4).notNullable()
    t.string('status').notNullable().defaultTo('unused') // unused | used | void
    t.integer('redeemed_at')
    t.integer('session_id').references('sessions.id')
    t.index(['batch_id', 'status'])
    t.index('redeemed_at')
  })

  await db.schema.createTable('staff', (t) => {
    t.increments('id')
    t.string('username').notNullable().unique()
    t.string('password_hash').notNullable()
    t.string('role').notNullable() // owner | cashier
    t.integer('created_at').notNullable()
    t.integer('disabled_at')
  })

  await db.schema.createTable('staff_logins', (t) => {
    t.string('token_hash').primary()
    t.integer('staff_id').notNullable().references('staff.id')
    t.string('csrf_token').notNullable()
    t.integer('expires_at').notNullable()
  })

  await db.schema.createTable('api_keys', (t) => {
    t.increments('id')
    t.string('name').notNullable()
    t.string('role').notNullable()
    t.string('key_hash').notNullable().unique()
    t.string('last4', 4).notNullable()
    t.integer('created_at').notNullable()
    t.integer('revoked_at')
  })

  await db.schema.createTable('audit', (t) => {
    t.increments('id')
    t.integer('at').notNullable()
    t.string('actor').notNullable()
    t.string('action').notNullable()
    t.string('subject').notNullable().defaultTo('')
    t.json('details')
    t.index('at')
  })

  /** One row a minute for the charts. */
  await db.schema.createTable('traffic', (t) => {
    t.integer('minute').primary()
    t.bigInteger('bytes').notNullable()
    t.bigInteger('uploaded').notNullable()
    t.integer('online').notNullable()
  })
}
