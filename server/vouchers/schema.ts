import { z } from 'zod'

const isoTime = z.string().meta({ format: 'date-time' })

export const batchInput = z.strictObject({
  packageId: z.number().int().positive(),
  count: z.number().int().min(1).max(5000),
  alphabet: z
    .enum(['letters', 'digits'])
    .default('letters')
    .meta({ description: 'letters and digits without look-alikes, or digits only' }),
  expiresAt: z.iso
    .datetime({ offset: true })
    .transform((text) => Date.parse(text))
    .nullable()
    .optional()
    .meta({ description: 'the last moment to redeem; never when left out' }),
  note: z.string().trim().max(200).default(''),
  seller: z.string().trim().max(60).default(''),
})
export type BatchInput = z.output<typeof batchInput>

/** Cash for a package, taken from somebody who stands at the counter. `key`: chosen anew for every sale. */
export const sellInput = z.strictObject({ packageId: z.number().int().positive(), key: z.string().regex(/^[A-Za-z0-9-]{8,64}$/) })
export const sellAnswer = z.object({ code: z.string(), packageName: z.string() })

/** The only answer that ever holds the codes: they are kept as hashes. */
export const batchMade = z.object({ batchId: z.number().int(), codes: z.array(z.string()) })

export const batchShape = z
  .object({
    id: z.number().int(),
    packageId: z.number().int(),
    packageName: z.string(),
    count: z.number().int(),
    used: z.number().int(),
    alphabet: z.enum(['letters', 'digits']),
    expiresAt: isoTime.nullable(),
    note: z.string(),
    seller: z.string(),
    createdBy: z.string(),
    createdAt: isoTime,
    voidedAt: isoTime.nullable(),
  })
  .meta({ id: 'VoucherBatch' })
export type Batch = z.output<typeof batchShape>

export const voucherShape = z.object({
  id: z.number().int(),
  last4: z.string(),
  status: z.enum(['unused', 'used', 'void']),
  redeemedAt: isoTime.nullable(),
  sessionId: z.number().int().nullable(),
})
export type Voucher = z.output<typeof voucherShape>
