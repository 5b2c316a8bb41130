import { bytes, counted } from '../../shared/format.ts'
import type { Package } from '../contract.ts'
import { GB, moneyDigits } from '../words.ts'

/** A package while it is written: every number is there, switches say which of them count. */
export type Draft = {
  name: string
  description: string
  hasDataLimit: boolean
  dataLimit: number
  durationSeconds: number
  activateWithinSeconds: number
  hasSpeedLimit: boolean
  downBps: number
  upBps: number
  maxDevices: number
  /** In major units, as people write it: 800, 1.5. */
  price: number
  currency: string
  isForPoints: boolean
  pointsPrice: number
  afterData: 'stop' | 'slow'
  slowBps: number
  isLimited: boolean
  limitBy: 'count' | 'bytes'
  limitCount: number
  limitBytes: number
  limitDays: number
  limitGroup: string
}

export function draftOf(known: Package | null, currency: string): Draft {
  const limit = known?.customerLimit ?? null
  return {
    name: known?.name ?? '',
    description: known?.description ?? '',
    hasDataLimit: known ? known.dataLimit !== null : true,
    dataLimit: known?.dataLimit ?? GB,
    durationSeconds: known?.durationSeconds ?? 86_400,
    activateWithinSeconds: known?.activateWithinSeconds ?? 90 * 86_400,
    hasSpeedLimit: known ? known.downBps !== null || known.upBps !== null : true,
    downBps: known?.downBps ?? 10_000_000,
    upBps: known?.upBps ?? 5_000_000,
    maxDevices: known?.maxDevices ?? 1,
    price: known ? known.priceMinor / 10 ** moneyDigits(known.currency) : 0,
    currency: known?.currency ?? currency,
    isForPoints: known ? known.pointsPrice !== null : false,
    pointsPrice: known?.pointsPrice ?? 100,
    afterData: known?.afterData ?? 'stop',
    slowBps: known?.slowBps ?? 512_000,
    isLimited: limit !== null,
    limitBy: limit?.bytes ? 'bytes' : 'count',
    limitCount: limit?.count ?? 1,
    limitBytes: limit?.bytes ?? 5 * GB,
    limitDays: limit?.days ?? 30,
    limitGroup: limit?.group ?? '',
  }
}

/** What is sent: all fields but the position. */
export function packageOf(draft: Draft): Omit<Package, 'id' | 'archived' | 'position'> {
  const afterData = draft.hasDataLimit ? draft.afterData : 'stop'
  return {
    name: draft.name.trim(),
    description: draft.description.trim(),
    dataLimit: draft.hasDataLimit ? draft.dataLimit : null,
    durationSeconds: draft.durationSeconds,
    activateWithinSeconds: draft.activateWithinSeconds,
    downBps: draft.hasSpeedLimit ? draft.downBps : null,
    upBps: draft.hasSpeedLimit ? draft.upBps : null,
    maxDevices: draft.maxDevices,
    priceMinor: Math.round(draft.price * 10 ** moneyDigits(draft.currency)),
    currency: draft.currency,
    pointsPrice: draft.isForPoints ? draft.pointsPrice : null,
    afterData,
    slowBps: afterData === 'slow' ? draft.slowBps : null,
    customerLimit: draft.isLimited
      ? {
          group: draft.limitGroup.trim() || null,
          count: draft.limitBy === 'count' ? draft.limitCount : null,
          bytes: draft.limitBy === 'bytes' ? draft.limitBytes : null,
          days: draft.limitDays,
        }
      : null,
  }
}

/** "2 a customer in 30 days". */
export function limitWords(limit: NonNullable<Package['customerLimit']>): string {
  const parts = [...(limit.count === null ? [] : [String(limit.count)]), ...(limit.bytes === null ? [] : [bytes(limit.bytes)])]
  return `${parts.join(' and ') || 'Limited'} a customer in ${counted(limit.days, 'day')}`
}
