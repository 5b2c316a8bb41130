import { z } from 'zod'

const isoTime = z.string().meta({ format: 'date-time' })

export const pointsKind = z.enum(['earned', 'redeemed', 'taken-back', 'corrected'])

export const pointsEntry = z.object({
  id: z.number().int(),
  delta: z.number().int(),
  kind: pointsKind,
  reason: z.string(),
  by: z.string().meta({ description: 'member of staff, for a correction' }),
  at: isoTime,
})
export const pointsAnswer = z
  .object({ balance: z.number().int(), entries: z.array(pointsEntry).meta({ description: 'the last 50, newest first' }) })
  .meta({ id: 'Points' })
export const correctionInput = z.strictObject({
  delta: z
    .number()
    .int()
    .min(-1_000_000)
    .max(1_000_000)
    .refine((delta) => delta !== 0, 'a correction of nothing'),
  reason: z.string().trim().min(3, 'say why, in a few words').max(200),
})
export type PointsEntry = z.output<typeof pointsEntry>
export type PointsAnswer = z.output<typeof pointsAnswer>
