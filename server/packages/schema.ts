import { z } from 'zod'
import { GB } from '../units.ts'

const bytes = z
  .number()
  .int()
  .positive()
  .max(2 ** 50)
const bps = z.number().int().min(64_000).max(10_000_000_000)

/** What an owner may say of a package. */
const fields = {
  name: z.string().trim().min(1).max(60),
  description: z.string().trim().max(200),
  dataLimit: bytes.nullable().meta({ description: 'bytes, both directions together; null is unlimited', example: 5 * GB }),
  durationSeconds: z
    .number()
    .int()
    .min(60)
    .max(366 * 86_400),
  activateWithinSeconds: z
    .number()
    .int()
    .min(60)
    .max(3 * 366 * 86_400)
    .meta({ description: 'a session not begun by then expires' }),
  downBps: bps.nullable().meta({ description: 'bit/s to the customer; null is the speed of the line' }),
  upBps: bps.nullable(),
  maxDevices: z.number().int().min(1).max(50),
  priceMinor: z.number().int().min(0).max(1_000_000_000_00).meta({ description: 'in the smallest unit of the currency (kobo, cents)' }),
  currency: z.string().regex(/^[A-Z]{3}$/, 'three capital letters, such as NGN'),
  afterData: z.enum(['stop', 'slow']).meta({ description: 'what happens when the data is used up' }),
  slowBps: bps.nullable().meta({ description: 'the speed after the data, with afterData "slow"' }),
  customerLimit: z
    .strictObject({
      group: z.string().trim().min(1).max(30).nullable().meta({ description: 'packages with the same group share the limit' }),
      count: z.number().int().min(1).max(1000).nullable(),
      bytes: bytes.nullable(),
      days: z.number().int().min(1).max(366),
    })
    .refine((limit) => limit.count !== null || limit.bytes !== null, { path: ['count'], message: 'say how often, or how many bytes' })
    .nullable()
    .meta({ description: 'how much of it one customer may have in a number of days' }),
  pointsPrice: z
    .number()
    .int()
    .min(1)
    .max(100_000_000)
    .nullable()
    .meta({ description: 'loyalty points that buy it; null: not for points' }),
  position: z.number().int().min(0).max(10_000),
}

type Rules = { afterData: string; slowBps: number | null; dataLimit: number | null; customerLimit: { bytes: number | null } | null }

const slowNeedsSpeed = ({ afterData, slowBps }: Rules) => afterData !== 'slow' || slowBps !== null

/** Else nobody could ever have it, or nobody could say how much of the limit it takes. */
const fitsLimit = ({ dataLimit, customerLimit }: Rules) => !customerLimit?.bytes || (dataLimit !== null && dataLimit <= customerLimit.bytes)

export const packageInput = z
  .strictObject({
    ...fields,
    description: fields.description.default(''),
    activateWithinSeconds: fields.activateWithinSeconds.default(90 * 86_400),
    downBps: fields.downBps.default(null),
    upBps: fields.upBps.default(null),
    maxDevices: fields.maxDevices.default(1),
    currency: fields.currency.optional().meta({ description: "the venue's currency when left out" }),
    afterData: fields.afterData.default('stop'),
    slowBps: fields.slowBps.default(null),
    customerLimit: fields.customerLimit.default(null),
    pointsPrice: fields.pointsPrice.default(null),
    position: fields.position.default(100),
  })
  .refine(slowNeedsSpeed, { path: ['slowBps'], message: 'say how slow, in bit/s, when afterData is "slow"' })
  .refine(fitsLimit, { path: ['customerLimit', 'bytes'], message: 'a limit in bytes needs a package with a data limit that is not larger' })

export const packagePatch = z
  .strictObject(fields)
  .partial()
  .refine((value) => Object.keys(value).length > 0, 'name at least one field to change')

export const packageShape = z.object({ id: z.number().int(), ...fields, archived: z.boolean() }).meta({ id: 'Package' })

export const packageFilter = z.strictObject({
  archived: z.enum(['with', 'without']).default('without').meta({ description: 'packages taken off sale' }),
})

export type PackageInput = z.output<typeof packageInput>
export type PackagePatch = z.output<typeof packagePatch>
/** A package as it is sold. Sizes bytes, speeds bit/s, money minor units. */
export type Package = z.output<typeof packageShape>
