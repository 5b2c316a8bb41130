import { z } from 'zod'
import { pageAnswered, pageAsked } from '../paging.ts'

const isoTime = z.string().meta({ format: 'date-time' })

/** As somebody types it; the room makes E.164 of it with the venue's country. */
export const typedPhone = z
  .string()
  .trim()
  .regex(/^\+?[0-9][0-9 ()-]{5,22}$/, 'a phone number, such as 0771 234567 or +256 771 234567')

/** A number in a path: with its country, with or without the plus. */
export const phoneParams = z.object({
  phone: z
    .string()
    .regex(/^\+?\d{7,15}$/, 'a number with its country, such as 256771234567')
    .transform((phone) => phone.replace('+', '')),
})

const pin = z.string().regex(/^\d{4,8}$/, '4 to 8 digits')

export const codeInput = z.strictObject({ phone: typedPhone })
/** The same answer for every number, known or not. */
export const codeAnswer = z.object({
  expiresInSeconds: z.number().int(),
  resendInSeconds: z.number().int(),
})
export const signInInput = z
  .strictObject({
    phone: typedPhone,
    code: z
      .string()
      .trim()
      .regex(/^\d{6}$/, 'the six digits of the message')
      .optional()
      .meta({ description: 'where the venue sends codes by SMS' }),
    pin: pin.optional().meta({ description: 'where it does not: the PIN of this number, or the one chosen at the first purchase' }),
    isNew: z.boolean().default(false).meta({ description: 'with a PIN: this is the first purchase, the PIN is being chosen' }),
  })
  .refine((value) => (value.code === undefined) !== (value.pin === undefined), 'give the code of the message, or the PIN')
export const customerShape = z
  .object({
    phone: z.string().meta({ description: 'digits of E.164 without the plus', example: '256771234567' }),
    confirmed: z.boolean().meta({ description: 'this number was proved to be theirs, by a code or a payment' }),
    createdAt: isoTime,
    seenAt: isoTime,
  })
  .meta({ id: 'Customer' })
export const signInAnswer = z.object({ customer: customerShape })
/** How this venue signs customers in. */
export const signInWay = z.enum(['sms', 'pin'])

export const customerFilter = z.strictObject({
  search: z.string().trim().max(30).optional().meta({ description: 'part of the number' }),
  ...pageAsked,
})
/** A customer as staff see one. */
export const customerRow = customerShape.extend({
  hasPin: z.boolean(),
  points: z.number().int(),
  sessions: z.number().int(),
  liveSessionId: z.number().int().nullable(),
})
export const customerPage = z.object({
  customers: z.array(customerRow),
  ...pageAnswered,
})

export type Customer = z.output<typeof customerShape>
export type CustomerFilter = z.output<typeof customerFilter>
export type CustomerPage = z.output<typeof customerPage>
export type CustomerRow = z.output<typeof customerRow>
export type SignInInput = z.output<typeof signInInput>
export type SignInWay = z.output<typeof signInWay>
