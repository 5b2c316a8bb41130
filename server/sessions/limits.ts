import { Refusal } from '../errors.ts'
import type { Package } from '../packages/schema.ts'
import { DAY, GB } from '../units.ts'

/**
 * Checks how much of a package one customer may have in a number of days.
 * @param bought what the customer had of it, or of its group, in that time
 * @throws Refusal `limit-reached` with the time at which it is possible again
 */
export function checkLimit(wanted: Package, bought: { at: number; dataLimit: number | null }[], now: number): void {
  const limit = wanted.customerLimit
  if (!limit) return
  const inPeriod = bought.filter((one) => one.at > now - limit.days * DAY)
  const bytes = inPeriod.reduce((sum, one) => sum + (one.dataLimit ?? 0), 0)
  const tooMany = limit.count !== null && inPeriod.length + 1 > limit.count
  const tooMuch = limit.bytes !== null && bytes + (wanted.dataLimit ?? Infinity) > limit.bytes
  if (!tooMany && !tooMuch) return
  const again = new Date(Math.min(now, ...inPeriod.map((one) => one.at)) + limit.days * DAY)
  const most = limit.bytes === null ? `${limit.count} of these` : `${limit.bytes / GB} GB of these`
  throw new Refusal(
    'limit-reached',
    `Each customer may have ${most} in ${limit.days} days. More is possible from ${again.toISOString().slice(0, 10)}; or choose another package.`,
    {
      againAt: again.toISOString(),
      usedBytes: bytes,
      usedCount: inPeriod.length,
    },
  )
}
