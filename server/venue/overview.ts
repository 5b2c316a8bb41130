import { statfs } from 'node:fs/promises'
import si from 'systeminformation'
import { iso, type Now } from '../clock.ts'
import type { LiveUsage } from '../sessions/live.ts'
import type { Sessions } from '../sessions/sessions.ts'
import type { Payments } from '../payments/payments.ts'
import type { Sms } from '../sms/sms.ts'
import { alarmsOf } from './alarms.ts'
import { DAY, MINUTE } from '../units.ts'
import type { Settings } from '../settings/settings.ts'
import type { Vouchers } from '../vouchers/vouchers.ts'
import type { Health, Overview } from './schema.ts'

const STEP_MS = 5 * MINUTE

type Needs = {
  payments: Payments
  sms: Sms
  sessions: Sessions
  settings: Settings
  vouchers: Vouchers
  live: LiveUsage
  now: Now
  version: string
  dataDir: string
}

/** The owner's first screen, in one answer. */
export async function overviewOf(
  { payments, sms, sessions, settings, vouchers, live, now, version, dataDir }: Needs,
  health: Health,
): Promise<Overview> {
  const today = startOfDay(now())
  const { currency } = await settings.get()
  const [online, tally, redeemed, traffic, box, alarms] = await Promise.all([
    sessions.online(),
    sessions.tallySince(today, currency),
    vouchers.countRedeemed(today),
    sessions.traffic(now() - DAY, STEP_MS),
    boxFacts(version, dataDir),
    alarmsOf({ payments, sms }),
  ])
  return {
    online: { sessions: online.sessions, devices: online.devices },
    liveSessions: online.live,
    alarms,
    throughput: live.throughput(),
    today: {
      vouchersRedeemed: redeemed,
      sessionsOpened: tally.sessions,
      bytes: tally.bytes,
      salesMinor: tally.salesMinor,
    },
    traffic: traffic.map((point) => ({
      at: iso(point.at),
      downBytes: point.bytes - point.uploaded,
      upBytes: point.uploaded,
      online: point.online,
    })),
    box,
    health,
  }
}

async function boxFacts(version: string, dataDir: string): Promise<Overview['box']> {
  const [load, memory, temperature, disk] = await Promise.all([si.currentLoad(), si.mem(), si.cpuTemperature(), statfs(dataDir)])
  return {
    version,
    uptimeSeconds: Math.floor(si.time().uptime),
    cpuPercent: Math.round(load.currentLoad * 10) / 10,
    memoryUsed: memory.active,
    memoryTotal: memory.total,
    diskUsed: (disk.blocks - disk.bfree) * disk.bsize,
    diskTotal: disk.blocks * disk.bsize,
    temperatureC: temperature.main ?? null,
  }
}

/** The venue's day begins at midnight of the box's own time zone. */
function startOfDay(ms: number): number {
  return new Date(ms).setHours(0, 0, 0, 0)
}
