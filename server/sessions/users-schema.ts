import { z } from 'zod'
import { phoneParams } from '../customers/schema.ts'
import { hotspotCode } from '../hotspots/schema.ts'

/** Shapes of the mission's WiFi sessions document, in its names and units: minutes, MB of 1,048,576 bytes, ISO 8601. */

const isoTime = z.string().meta({ format: 'date-time' })
/** `session_12`, or just 12. */
const numbered = (word: string) =>
  z
    .union([z.string(), z.number()])
    .transform((value) => Number(String(value).replace(new RegExp(`^${word}_`), '')))
    .refine((value) => Number.isSafeInteger(value) && value > 0, `a number, such as ${word}_12`)

export const statusParams = phoneParams.extend({ hotspotId: hotspotCode })
export const sessionParams = phoneParams.extend({ sessionId: numbered('session') })

export const statusAnswer = z.object({
  hasActiveSession: z.boolean(),
  session: z
    .object({
      id: z.string().meta({ example: 'session_123' }),
      packageName: z.string(),
      timeRemaining: z.number().int().meta({ description: 'minutes' }),
      dataRemaining: z.number().nullable().meta({ description: 'MB; null is unlimited' }),
      startTime: isoTime.nullable().meta({ description: 'null: paid, and not begun' }),
      expiresAt: isoTime.nullable(),
    })
    .nullable(),
})

export const userSessionInput = z.strictObject({
  hotspotId: hotspotCode.optional(),
  hotspotName: z.string().max(120).optional(),
  packageId: numbered('package').optional(),
  packageName: z.string().max(120).optional(),
  paymentMethod: z.enum(['Mobile Money', 'voucher', 'loyalty_points']),
  paymentReference: z.string().trim().min(4).max(64).meta({
    description:
      'Mobile Money: reference of the payment, ours or the receipt of the provider. voucher: its code. loyalty_points: a key of your own, once for each purchase',
  }),
  topUp: z.boolean().default(false).meta({ description: 'add to the living session instead of resuming it' }),
  latitude: z.number().min(-90).max(90).optional(),
  longitude: z.number().min(-180).max(180).optional(),
})

/** The document of the mission. */
export const userSession = z.object({
  id: z.string(),
  userPhone: z.string(),
  hotspotId: z.string(),
  hotspotName: z.string(),
  packageId: z.string(),
  packageName: z.string(),
  paymentMethod: z.string(),
  paymentReference: z.string(),
  startTime: isoTime.nullable(),
  expiresAt: isoTime.nullable(),
  lastConnected: isoTime.nullable(),
  status: z.enum(['active', 'connected', 'disconnected', 'expired']),
  dataUsed: z.number().meta({ description: 'bytes' }),
  timeRemaining: z.number().int(),
  dataRemaining: z.number().nullable(),
  createdAt: isoTime,
  updatedAt: isoTime,
  disconnectedAt: isoTime.nullable(),
})
export const userSessionAnswer = z.object({
  resumed: z.boolean().meta({ description: 'true: it was paid before, and nothing was charged' }),
  session: userSession,
})
export const changedAnswer = z.object({ session: userSession })
export const usageInput = z.strictObject({
  dataUsed: z
    .number()
    .int()
    .min(0)
    .max(2 ** 50)
    .meta({ description: 'bytes in all; less than what is known changes nothing' }),
})
export type UserSession = z.output<typeof userSession>
export type UserSessionInput = z.output<typeof userSessionInput>
