import { randomBytes } from 'node:crypto'
import { linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createClock } from '../clock.ts'
import type { Config } from '../config.ts'
import { createAccounts } from '../accounts/accounts.ts'
import { createConnect } from '../connect/connect.ts'
import { createCustomers } from '../customers/customers.ts'
import type { Bus } from '../events.ts'
import { createLeases, pretendLeases } from '../gateway/dhcp.ts'
import { createHotspots } from '../hotspots/hotspots.ts'
import type { Log } from '../log.ts'
import { createLoyalty } from '../loyalty/loyalty.ts'
import { createPackages } from '../packages/packages.ts'
import { createPayments } from '../payments/payments.ts'
import { createProviders } from '../payments/providers.ts'
import { createReports } from '../reports/reports.ts'
import { createBuying } from '../sessions/buying.ts'
import { createSettings, lastAlive } from '../settings/settings.ts'
import { createSms } from '../sms/sms.ts'
import { migrate } from '../store/migrate.ts'
import { openStore } from '../store/store.ts'
import { createVouchers } from '../vouchers/vouchers.ts'

/** Where there is no network to look at, everybody is this phone. */
export const pretended = { mac: '02:00:00:00:00:99', ip: '127.0.0.1', name: 'this browser' }

/** What both processes stand on: the store, brought up to date, and a clock that knows when the box was last alive. */
export async function openGround(config: Config) {
  const secret = readSecret(config)
  const store = await openStore(config.databaseFile)
  await migrate(store, { backupDir: config.backupDir })
  const now = createClock(await lastAlive(store))
  const leases = config.gateway === 'memory' ? pretendLeases(pretended) : createLeases(config.leaseFile)
  return { store, now, secret, leases, config }
}

/** The rooms that both processes use. */
export function openRooms({ store, now, secret, config }: Awaited<ReturnType<typeof openGround>>, bus: Bus, log: Log) {
  const settings = createSettings({ store, now, bus })
  const packages = createPackages({ store, now, bus })
  const vouchers = createVouchers({ store, now, secret, packages, bus })
  const connect = createConnect({ store, now, secret, settings, config })
  const hotspots = createHotspots({ store, now, settings })
  const loyalty = createLoyalty({ store, now })
  const accounts = createAccounts({ store, now, bus, secret, settings, sandbox: config.sandbox })
  const sms = createSms({ accounts })
  const customers = createCustomers({ store, now, secret, sms, log, settings })
  const providers = createProviders({ accounts, now, sandbox: config.sandbox })
  const payments = createPayments({ store, now, bus, providers, settings })
  const buying = createBuying({ now, packages, connect, loyalty })
  const reports = createReports({ store, now })
  return { settings, packages, vouchers, connect, hotspots, loyalty, accounts, sms, customers, providers, payments, buying, reports }
}

export type Rooms = ReturnType<typeof openRooms>

/** The box's own secret: signs cookies and hashes voucher codes. Made once; two processes may try at the same time. */
function readSecret({ secretFile, dataDir }: Config): string {
  mkdirSync(dataDir, { recursive: true })
  const mine = `${secretFile}.${process.pid}`
  try {
    return readFileSync(secretFile, 'utf8').trim()
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
  }
  writeFileSync(mine, `${randomBytes(32).toString('hex')}\n`, { mode: 0o600, flush: true })
  try {
    linkSync(mine, secretFile)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  } finally {
    rmSync(mine)
  }
  return readFileSync(secretFile, 'utf8').trim()
}
