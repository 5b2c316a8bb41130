import { z } from 'zod'
import { pageAnswered, pageAsked } from '../paging.ts'
import { profileShape } from '../connect/schema.ts'

export const sessionStatus = z.enum(['ready', 'active', 'connected', 'disconnected', 'expired'])
export const endReason = z.enum(['time', 'data', 'ended-by-staff', 'refunded'])
/** The mission's three; cash and free packages need words of their own. Whatever is paid online counts as Mobile Money. */
export const paymentMethod = z.enum(['Mobile Money', 'voucher', 'loyalty_points', 'cash', 'free'])

export type SessionStatus = z.output<typeof sessionStatus>
export type EndReason = z.output<typeof endReason>
export type PaymentMethod = z.output<typeof paymentMethod>

/** Codes are typed by people: spaces and dashes don't count, nor does case. */
const typedCode = z
  .string()
  .max(64)
  .transform((text) => text.toUpperCase().replace(/[\s-]/g, ''))

export const redeemInput = z.strictObject({
  code: typedCode.refine((code) => /^[A-Z0-9]{4,32}$/.test(code), 'letters and digits only, as printed on the voucher'),
  phone: z
    .string()
    .trim()
    .regex(/^\+?[0-9][0-9 -]{6,18}$/, 'a phone number, such as +256 771 234567')
    .transform((text) => text.replace(/[^0-9]/g, ''))
    .optional(),
})

export const resumeInput = z.strictObject({
  code: typedCode.refine((code) => /^[A-Z0-9]{4,16}$/.test(code), 'letters and digits only, as shown on your session page'),
})

const isoTime = z.string().meta({ format: 'date-time' })

export const deviceShape = z.object({
  id: z.number().int(),
  mac: z.string(),
  name: z.string(),
  current: z.boolean().meta({ description: 'the device that is asking' }),
  paused: z.boolean().meta({ description: 'the customer disconnected it' }),
  lastSeen: isoTime,
})

export const sessionShape = z
  .object({
    id: z.number().int(),
    status: sessionStatus,
    endReason: endReason.nullable(),
    userPhone: z.string().nullable(),
    hotspotId: z.string(),
    hotspotName: z.string(),
    packageId: z.number().int(),
    packageName: z.string(),
    paymentMethod,
    paymentReference: z.string(),
    startTime: isoTime.nullable(),
    expiresAt: isoTime.nullable(),
    activateBy: isoTime,
    lastConnected: isoTime.nullable(),
    disconnectedAt: isoTime.nullable(),
    endedAt: isoTime.nullable(),
    dataLimit: z.number().nullable().meta({ description: 'bytes; null is unlimited' }),
    dataUsed: z.number().meta({ description: 'bytes, both directions' }),
    dataRemaining: z.number().nullable(),
    uploaded: z.number(),
    viaConnect: z
      .number()
      .meta({ description: 'bytes of dataUsed and slowUsed that went through Connect profiles; the rest went over the hotspot' }),
    reconnections: z.number().int().meta({ description: 'how often it went on after a break' }),
    slowUsed: z.number().meta({ description: 'bytes at the slow speed, after the data' }),
    slow: z.boolean().meta({ description: 'the data is used up and the session goes on slowly' }),
    secondsRemaining: z.number().nullable().meta({ description: 'null until it is activated' }),
    downBps: z.number().nullable(),
    upBps: z.number().nullable(),
    currentDownBps: z.number().meta({ description: 'measured in the last poll' }),
    currentUpBps: z.number(),
    maxDevices: z.number().int(),
    devices: z.array(deviceShape),
    profiles: z
      .array(profileShape)
      .meta({ description: 'Connect profiles of this session; as many as maxDevices, besides the devices on the Wi-Fi' }),
    resumeCode: z.string(),
    waiting: z
      .array(z.object({ id: z.number().int(), packageName: z.string(), resumeCode: z.string() }))
      .meta({ description: 'paid sessions that begin when this one ends, or when resumed by their code' }),
    createdAt: isoTime,
    updatedAt: isoTime,
  })
  .meta({ id: 'Session' })

/** A session as it leaves the server. */
export type SessionView = z.output<typeof sessionShape>

export const sessionAnswer = z.object({ session: sessionShape })
export const redeemAnswer = z.object({
  session: sessionShape,
  outcome: z.enum(['opened', 'topped-up', 'waiting']).meta({ description: 'waiting: kept until the live session ends' }),
})

export const sessionFilter = z.strictObject({
  status: z.enum(['live', 'ready', 'active', 'connected', 'disconnected', 'expired', 'all']).default('live'),
  search: z.string().trim().max(60).optional().meta({ description: 'phone, MAC, resume code, package or session number' }),
  ...pageAsked,
})
export type SessionFilter = z.output<typeof sessionFilter>

export const sessionPage = z.object({
  sessions: z.array(sessionShape),
  ...pageAnswered,
})

export const endInput = z.strictObject({ reason: z.enum(['ended-by-staff', 'refunded']).default('ended-by-staff') })
export const extendInput = z
  .strictObject({
    seconds: z
      .number()
      .int()
      .min(60)
      .max(366 * 86_400)
      .optional(),
    bytes: z
      .number()
      .int()
      .min(1)
      .max(2 ** 50)
      .optional(),
  })
  .refine((value) => value.seconds !== undefined || value.bytes !== undefined, 'say how many seconds or bytes to add')
