import type { Knex } from 'knex'

/** KSWiFi Connect: profiles of sessions, and the addresses under which the box is reached from outside. */
export async function up(db: Knex): Promise<void> {
  await db.schema.alterTable('sessions', (t) => {
    t.bigInteger('tunnelled').notNullable().defaultTo(0) // bytes of data_used and slow_used that went through the tunnel
  })

  await db.schema.createTable('profiles', (t) => {
    t.increments('id')
    t.integer('session_id').notNullable().references('sessions.id')
    t.string('name').notNullable()
    t.string('public_key').notNullable() // the private one is the customer's alone
    t.string('address').notNullable()
    t.integer('place').notNullable() // number of the address within the range
    t.integer('endpoint_id').notNullable()
    t.integer('port').notNullable()
    t.integer('created_at').notNullable()
    t.integer('handshake_at')
    t.integer('revoked_at')
    t.string('link_hash').unique() // of the one-time link that is open, if any
    t.integer('link_expires_at')
    t.index('session_id')
  })
  await db.raw('CREATE UNIQUE INDEX one_profile_per_address ON profiles (address) WHERE revoked_at IS NULL')
  await db.raw('CREATE INDEX living_places ON profiles (place) WHERE revoked_at IS NULL')

  await db.schema.createTable('endpoints', (t) => {
    t.increments('id')
    t.string('name').notNullable()
    t.string('region').notNullable().defaultTo('')
    t.string('host') // null: the address of this box on the line
    t.json('ports').notNullable()
    t.boolean('self').notNullable().defaultTo(false)
    t.integer('created_at').notNullable()
  })
  // 443 gets through networks that let only the web pass.
  await db('endpoints').insert({
    name: 'This box',
    region: '',
    host: null,
    ports: JSON.stringify([51820, 443]),
    self: true,
    created_at: Date.now(),
  })
}
