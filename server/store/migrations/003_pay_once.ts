import type { Knex } from 'knex'

/**
 * Customers, money, points and places. A customer is a phone number: digits of E.164 without the plus, as in the
 * mission's documents. Times are UTC milliseconds, money minor units.
 */
export async function up(db: Knex): Promise<void> {
  await db.schema.alterTable('packages', (t) => {
    t.integer('points_price') // null: not for points
  })

  await db.schema.alterTable('sessions', (t) => {
    t.bigInteger('elsewhere').notNullable().defaultTo(0) // bytes of data_used that another router reported, not this kernel
    t.integer('reconnections').notNullable().defaultTo(0)
  })
  // Until now the venue's number in a larger network was optional.
  await db.raw("UPDATE sessions SET hotspot_id = 'hotspot_1' WHERE hotspot_id IS NULL")

  await db.schema.createTable('hotspots', (t) => {
    t.increments('id')
    t.string('code').notNullable().unique() // hotspotId outside
    t.string('name').notNullable()
    t.string('place').notNullable().defaultTo('')
    t.string('ssid').notNullable().defaultTo('')
    t.float('latitude')
    t.float('longitude')
    t.integer('radius_m').notNullable().defaultTo(500)
    t.string('status').notNullable().defaultTo('open') // open | closed
    t.boolean('here').notNullable().defaultTo(false) // served by this box
    t.integer('created_at').notNullable()
    t.integer('updated_at').notNullable()
  })

  await db.schema.createTable('customers', (t) => {
    t.string('phone').primary()
    t.string('pin_hash')
    t.integer('confirmed_at') // by a code, or by a payment from this number; until then anybody may have typed it
    t.integer('pin_open_until') // staff let a new PIN be chosen until then
    t.integer('created_at').notNullable()
    t.integer('seen_at').notNullable()
  })

  await db.schema.createTable('customer_logins', (t) => {
    t.string('token_hash').primary()
    t.string('phone').notNullable()
    t.integer('created_at').notNullable()
    t.integer('expires_at').notNullable()
    t.index('phone')
  })

  /** Codes sent by SMS; kept a day for the limits. */
  await db.schema.createTable('sign_in_codes', (t) => {
    t.increments('id')
    t.string('phone').notNullable()
    t.string('address').notNullable() // of the asker, for the limit
    t.string('code_hash').notNullable()
    t.integer('tries').notNullable().defaultTo(0)
    t.integer('sent_at').notNullable()
    t.integer('expires_at').notNullable()
    t.integer('used_at')
    t.index(['phone', 'sent_at'])
    t.index(['address', 'sent_at'])
  })

  /** Wrong PINs, for any number whether it is a customer's or not; kept a day for the limits. */
  await db.schema.createTable('pin_tries', (t) => {
    t.increments('id')
    t.string('phone').notNullable()
    t.string('address').notNullable()
    t.integer('at').notNullable()
    t.index(['phone', 'at'])
  })

  /** What the owner entered of accounts with outside companies; secrets are sealed with the box's own. */
  await db.schema.createTable('accounts', (t) => {
    t.string('name').primary()
    t.boolean('enabled').notNullable().defaultTo(false)
    t.json('options').notNullable()
    t.text('sealed')
    t.integer('updated_at').notNullable()
  })

  await db.schema.createTable('payments', (t) => {
    t.increments('id')
    t.string('reference').notNullable().unique() // a random UUID; the same that the provider gets
    t.string('key').notNullable() // the asker's idempotency key
    t.string('payer').notNullable() // phone, or `device <mac>` of somebody who pays cash
    t.string('user_phone')
    t.boolean('proves_phone').notNullable().defaultTo(false) // who approves it on that phone has signed in with it
    t.string('provider').notNullable()
    t.string('hotspot_id').notNullable()
    t.integer('package_id').notNullable().references('packages.id')
    t.string('package_name').notNullable()
    t.integer('amount_minor').notNullable()
    t.string('currency', 3).notNullable()
    t.boolean('top_up').notNullable().defaultTo(false)
    t.integer('target_session_id').references('sessions.id') // to be topped up
    t.string('mac') // the device that asked
    t.string('device_name').notNullable().defaultTo('')
    t.integer('profile_id') // the Connect profile that asked
    t.string('status').notNullable() // asked | pending | paid | failed
    t.string('reason') // why it failed
    t.string('detail').notNullable().defaultTo('') // the provider's own words, for staff
    t.string('checkout_url')
    t.integer('window_until') // the device may reach the provider's page until then, without a session
    t.bigInteger('window_used').notNullable().defaultTo(0) // bytes
    t.integer('received_minor') // when not what was asked
    t.string('provider_reference')
    t.string('confirmed_by') // the cashier who took cash
    t.string('outcome') // opened | topped-up | waiting
    t.integer('session_id').references('sessions.id')
    t.integer('points_earned').notNullable().defaultTo(0)
    t.bigInteger('used_before').notNullable().defaultTo(0) // bytes the session had used when this payment reached it
    t.integer('attempts').notNullable().defaultTo(0)
    t.integer('next_at') // when to look again; null: nothing to do
    t.integer('created_at').notNullable()
    t.integer('pending_at')
    t.integer('expires_at').notNullable() // the buyer is asked to confirm until then
    t.integer('given_up_at') // the buyer wants no more of it; money that comes all the same is honoured
    t.integer('paid_at')
    t.integer('failed_at')
    t.integer('opened_at')
    t.integer('granted_at')
    t.integer('first_byte_at')
    t.string('refund') // asked | done | failed
    t.boolean('refund_ends').notNullable().defaultTo(false) // takes back what it bought, too
    t.string('refund_reason')
    t.string('refund_by')
    t.string('refund_reference')
    t.string('refund_detail')
    t.integer('refund_asked_at')
    t.integer('refunded_at')
    t.unique(['payer', 'key'])
    t.index('created_at')
    t.index(['user_phone', 'created_at'])
    t.index('session_id')
  })
  await db.raw(
    "CREATE UNIQUE INDEX one_open_payment ON payments (payer, hotspot_id) WHERE status IN ('asked', 'pending') AND given_up_at IS NULL",
  )
  await db.raw(
    'CREATE UNIQUE INDEX one_credit_per_transaction ON payments (provider, provider_reference) WHERE provider_reference IS NOT NULL',
  )
  await db.raw('CREATE INDEX due_payments ON payments (next_at) WHERE next_at IS NOT NULL')
  await db.raw('CREATE INDEX payments_not_online ON payments (paid_at) WHERE paid_at IS NOT NULL AND granted_at IS NULL')
  await db.raw("CREATE INDEX open_payments ON payments (id) WHERE status IN ('asked', 'pending')")
  await db.raw("CREATE INDEX refunds_failed ON payments (refund_asked_at) WHERE refund = 'failed'")
  await db.raw("CREATE INDEX wrong_amounts ON payments (failed_at) WHERE reason = 'wrong-amount'")
  await db.raw('CREATE INDEX providers_numbers ON payments (provider_reference) WHERE provider_reference IS NOT NULL')
  await db.raw('CREATE INDEX payments_of_devices ON payments (mac, created_at) WHERE mac IS NOT NULL')
  await db.raw('CREATE INDEX payments_not_used ON payments (session_id) WHERE granted_at IS NOT NULL AND first_byte_at IS NULL')

  await db.raw('CREATE INDEX pay_windows ON payments (window_until) WHERE window_until IS NOT NULL')

  /** What providers called back, as it came. */
  await db.schema.createTable('payment_inbox', (t) => {
    t.increments('id')
    t.string('provider').notNullable()
    t.string('event_key').notNullable()
    t.string('reference')
    t.boolean('trusted').notNullable() // signed; never enough to credit anything
    t.text('body').notNullable()
    t.integer('times').notNullable().defaultTo(1)
    t.integer('received_at').notNullable()
    t.integer('last_at').notNullable()
    t.unique(['provider', 'event_key'])
    t.index('received_at')
    t.index('reference')
  })

  await db.schema.alterTable('purchases', (t) => {
    t.integer('payment_id').references('payments.id')
    t.string('hotspot_id')
    t.bigInteger('duration_ms') // what it added; null: sold before this was written down
  })
  await db.raw('CREATE UNIQUE INDEX one_purchase_per_payment ON purchases (payment_id) WHERE payment_id IS NOT NULL')

  /** Charges that were not made because the customer had paid already. */
  await db.schema.createTable('prevented', (t) => {
    t.increments('id')
    t.integer('at').notNullable()
    t.string('payer').notNullable()
    t.string('key').notNullable()
    t.integer('package_id').notNullable()
    t.integer('amount_minor').notNullable()
    t.string('currency', 3).notNullable()
    t.string('hotspot_id').notNullable()
    t.integer('session_id')
    t.integer('payment_id')
    t.unique(['payer', 'key'])
    t.index('at')
  })

  /** The ledger of points: a balance is the sum of its rows, nothing else. */
  await db.schema.createTable('points', (t) => {
    t.increments('id')
    t.string('user_phone').notNullable()
    t.integer('delta').notNullable()
    t.string('kind').notNullable() // earned | redeemed | taken-back | corrected
    t.integer('purchase_id').references('purchases.id')
    t.string('key') // idempotency key of a redemption
    t.string('reason').notNullable().defaultTo('')
    t.string('by').notNullable().defaultTo('')
    t.integer('at').notNullable()
    t.index(['user_phone', 'at'])
    t.unique(['kind', 'purchase_id'])
    t.unique(['user_phone', 'key'])
  })

  await db.schema.alterTable('api_keys', (t) => {
    t.json('scopes').notNullable().defaultTo('[]')
  })
}
