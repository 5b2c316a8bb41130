import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Router from '@koa/router'
import Koa from 'koa'
import compress from 'koa-compress'
import { mount } from '#server/http/api.ts'
import { dayOf, daysAfter } from '#server/reports/day.ts'
import { createReports } from '#server/reports/reports.ts'
import { reportRoutes } from '#server/reports/routes.ts'
import { migrate } from '#server/store/migrate.ts'
import { openStore, type Store } from '#server/store/store.ts'
import { DAY, HOUR, MINUTE } from '#server/units.ts'
import { atMost, median, quantile, type Figure } from './figure.ts'

const DAYS = 365
const A_DAY = 500
const PACKAGES = 12
const READS = 200

/** A year of 500 sessions a day: counted from scratch, brought up to date, and read over HTTP. */
export async function reports(): Promise<Figure[]> {
  const dir = mkdtempSync(join(tmpdir(), 'kswifi-bench-'))
  const store = await openStore(join(dir, 'kswifi.db'))
  try {
    await migrate(store, { backupDir: dir })
    const now = Date.now()
    await seed(store, now)
    const numbers = createReports({ store, now: () => now })
    const rebuilt = await timed(() => numbers.rebuild())
    const rolled: number[] = []
    for (let n = 0; n < 50; n++) {
      await store
        .db('usage')
        .where({ hour: Math.floor(now / HOUR) * HOUR })
        .limit(1)
        .increment('bytes', 1)
      rolled.push(await timed(() => numbers.roll()))
    }
    const idle: number[] = []
    for (let n = 0; n < 50; n++) idle.push(await timed(() => numbers.roll()))
    const read = await readOverHttp(numbers, now)
    const year = `a year of ${A_DAY} sessions a day`
    return [
      { what: `reading ${year}, p50`, measured: median(read.ms), unit: 'ms' },
      {
        what: `reading ${year}, p99`,
        measured: quantile(read.ms, 0.99),
        unit: 'ms',
        must: atMost(200),
        mustWords: '≤ 200',
        aim: atMost(100),
        aimWords: '≤ 100',
        note: `GET /api/admin/reports over HTTP, compressed; ${PACKAGES} packages, 3 ways to pay, ${Math.round(read.bytes / 1024)} KB of JSON`,
      },
      { what: 'the whole year counted from scratch', measured: rebuilt / 1000, unit: 's' },
      { what: 'today counted anew, p99', measured: quantile(rolled, 0.99), unit: 'ms' },
      { what: 'nothing to count, p99', measured: quantile(idle, 0.99), unit: 'ms' },
    ]
  } finally {
    await store.close()
    rmSync(dir, { recursive: true })
  }
}

async function readOverHttp(numbers: ReturnType<typeof createReports>, now: number): Promise<{ ms: number[]; bytes: number }> {
  const router = new Router()
  mount(router, reportRoutes({ reports: numbers }), {
    admit: async () => ({ name: 'bench', role: 'owner', scopes: [] }),
    audit: async () => {},
  })
  const server = new Koa()
    .use(compress({ br: false }))
    .use(router.routes())
    .listen(0, '127.0.0.1')
  try {
    await once(server, 'listening')
    const to = dayOf(now)
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/api/admin/reports?from=${daysAfter(to, 1 - DAYS)}&to=${to}`
    const ms: number[] = []
    let bytes = 0
    for (let n = 0; n < READS; n++) ms.push(await timed(async () => (bytes = (await (await fetch(url)).text()).length)))
    return { ms, bytes }
  } finally {
    server.close()
    server.closeAllConnections()
  }
}

/** Rows as a year of selling leaves them; each session used data in three hours, one in 50 payments was given back. */
async function seed(store: Store, now: number): Promise<void> {
  await store.transaction(async (tx) => {
    await tx.raw(
      `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)
       INSERT INTO packages (id, name, duration_ms, activate_within_ms, price_minor, currency, created_at, updated_at)
       SELECT i, 'Package ' || i, 3600000, 3600000, i * 10000, 'NGN', 0, 0 FROM n`,
      [PACKAGES],
    )
    await tx.raw(
      `WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < :count - 1)
       INSERT INTO sessions (id, hotspot_id, hotspot_name, package_id, package_name, payment_method, payment_reference, resume_code, start_time,
         expires_at, activate_by, status, end_reason, ended_at, data_used, duration_ms, max_devices, after_data, reconnections, created_at, updated_at)
       SELECT i + 1, 'hotspot_1', 'V', 1 + i % :packages, 'P', 'voucher', 'r', 'R' || i, at, at + 7200000, at, 'expired', 'time', at + 7200000,
         i % 1000 * 1000000, 7200000, 1, 'stop', i % 4 = 0, at, at
       FROM (SELECT i, :now - i * :step AS at FROM n)`,
      { count: DAYS * A_DAY, packages: PACKAGES, now, step: Math.floor(DAY / A_DAY) },
    )
    await tx.raw(
      `INSERT INTO payments (id, reference, "key", payer, provider, hotspot_id, package_id, package_name, amount_minor, currency, status, session_id,
         created_at, expires_at, paid_at, refund, refunded_at)
       SELECT id, 'ref' || id, 'key' || id, 'p', 'sandbox', 'hotspot_1', package_id, 'P', package_id * 10000, 'NGN', 'paid', id,
         created_at, created_at, created_at, iif(id % 50 = 0, 'done', NULL), iif(id % 50 = 0, created_at + :later, NULL)
       FROM sessions`,
      { later: 10 * MINUTE },
    )
    await tx.raw(
      `INSERT INTO purchases (session_id, package_id, payment_method, payment_reference, price_minor, currency, payment_id, hotspot_id, at)
       SELECT id, package_id, CASE id % 3 WHEN 0 THEN 'Mobile Money' WHEN 1 THEN 'voucher' ELSE 'cash' END, 'r', package_id * 10000, 'NGN', id,
         'hotspot_1', created_at FROM sessions`,
    )
    await tx.raw(
      `INSERT INTO usage (session_id, hour, bytes, uploaded)
       SELECT sessions.id, (created_at / 3600000 - h.value) * 3600000, 1000000, 0 FROM sessions, json_each('[0, 1, 2]') AS h`,
    )
    await tx.raw(
      `INSERT INTO points (user_phone, delta, kind, purchase_id, at) SELECT 'p' || id % 5000, 5, 'earned', id, at FROM purchases WHERE id % 2 = 0`,
    )
    await tx.raw(
      `INSERT INTO prevented (at, payer, "key", package_id, amount_minor, currency, hotspot_id)
       SELECT created_at, 'p', 'k' || id, package_id, 10000, 'NGN', 'hotspot_1' FROM sessions WHERE id % 40 = 0`,
    )
  })
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const begun = performance.now()
  await work()
  return performance.now() - begun
}
