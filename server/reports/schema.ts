import { z } from 'zod'

const MAX_DAYS = 731
const DAY_MS = 86_400_000

const day = z.iso.date('a day such as 2026-11-21').meta({ description: "the venue's day, in the box's own time zone" })
const count = z.number().int()
const minor = z.number().int().meta({ description: 'in the smallest unit of the currency' })

/** What to count: two years at most, so that no question takes the box long. */
const rangeFields = {
  from: day.optional().meta({ description: '29 days before `to` when left out' }),
  to: day.optional().meta({ description: 'included; today when left out' }),
  hotspot: z.string().max(64).optional().meta({ description: 'hotspotId; all when left out' }),
}

type Range = { from?: string | undefined; to?: string | undefined }
const isForward = ({ from, to }: Range) => !from || !to || from <= to
const isShort = ({ from, to }: Range) => !from || !to || (Date.parse(to) - Date.parse(from)) / DAY_MS < MAX_DAYS
const backward = { path: ['to'], message: 'ends before it begins: `to` is a day before `from`' }
const long = { path: ['from'], message: `too long: ask for ${MAX_DAYS} days at most` }

export const reportFilter = z.strictObject(rangeFields).refine(isForward, backward).refine(isShort, long)
export type ReportFilter = z.output<typeof reportFilter>

export const reportTable = z.enum(['days', 'revenue', 'prevented', 'points'])
export type ReportTable = z.output<typeof reportTable>
export const csvFilter = z
  .strictObject({ table: reportTable, ...rangeFields })
  .refine(isForward, backward)
  .refine(isShort, long)

const money = {
  currency: z.string(),
  count: count.meta({ description: 'purchases' }),
  soldMinor: minor,
  refunds: count.meta({ description: 'payments given back, on the day they were given back' }),
  refundedMinor: minor,
  amountMinor: minor.meta({ description: 'sold less refunded; below zero when more was given back than sold' }),
}
const prevented = { currency: z.string(), count: count.meta({ description: 'charges that were not made' }), amountMinor: minor }

export const reportDay = z.object({
  day,
  opened: count.meta({ description: 'sessions that were paid for on this day' }),
  reconnected: count.meta({ description: 'of those, how many went on after a break, on whatever day' }),
  ended: count,
  used: count.meta({ description: 'of those ended, how many had begun' }),
  lengthSeconds: z.number().meta({ description: 'of those used, from begin to end, together' }),
  usedBytes: z.number().meta({ description: 'of those used, together' }),
  bytes: z.number().meta({ description: 'went through on this day, whoever they belong to' }),
})
export type ReportDay = z.output<typeof reportDay>

export const reportShape = z
  .object({
    from: day,
    to: day,
    today: day,
    days: z.array(reportDay).meta({ description: 'every day of the range, oldest first' }),
    revenue: z.array(z.object({ day, method: z.string().meta({ description: 'paymentMethod of sessions' }), ...money })),
    packages: z
      .array(z.object({ packageId: count, packageName: z.string(), method: z.string(), ...money }))
      .meta({ description: 'the same money by package and method, over the whole range' }),
    prevented: z.array(z.object({ day, ...prevented })),
    points: z
      .array(
        z.object({
          day,
          earned: count,
          redeemed: count,
          takenBack: count.meta({ description: 'with refunds' }),
          corrected: count.meta({ description: 'by staff, up or down' }),
          outstanding: count.meta({ description: 'with all customers at the end of the day' }),
        }),
      )
      .meta({ description: 'days on which a point moved, at all hotspots' }),
    totals: z.object({
      opened: count,
      ended: count,
      bytes: z.number(),
      averageSeconds: z.number().nullable().meta({ description: 'of sessions that had begun and ended; null without any' }),
      averageBytes: z.number().nullable(),
      reconnectionRate: z.number().nullable().meta({ description: '0 to 1, of the sessions opened; null without any' }),
      revenue: z.array(z.object(money)),
      prevented: z.array(z.object(prevented)),
      pointsOutstanding: count.meta({ description: 'at the end of the range' }),
    }),
    hotspots: z.array(z.object({ id: z.string(), name: z.string() })).meta({ description: 'that have numbers in the range' }),
  })
  .meta({ id: 'Report' })
export type Report = z.output<typeof reportShape>
