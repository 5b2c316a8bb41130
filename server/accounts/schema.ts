import { z } from 'zod'

export const accountName = z.enum(['mtn-momo', 'paystack', 'cash', 'sandbox', 'africas-talking'])
export type AccountName = z.output<typeof accountName>

/** A field of an account, so that one screen can show any of them. */
export const accountField = z.object({
  key: z.string(),
  label: z.string(),
  help: z.string(),
  secret: z.boolean().meta({ description: 'kept sealed and never shown again' }),
  value: z.string().meta({ description: 'empty for a secret' }),
  isSet: z.boolean(),
  choices: z.array(z.string()).nullable().meta({ description: 'null: free text' }),
})

/** An account with an outside company, as the owner sees it. */
export const accountShape = z
  .object({
    name: accountName,
    title: z.string(),
    use: z.enum(['payments', 'sms']),
    enabled: z.boolean(),
    ready: z.boolean().meta({ description: 'enabled, and nothing that it needs is missing' }),
    missing: z.array(z.string()).meta({ description: 'labels of what is missing' }),
    callbackUrl: z
      .string()
      .nullable()
      .meta({ description: "to be entered at the provider's; null when there is none, or the box has no public address" }),
    fields: z.array(accountField),
    updatedAt: z.string().meta({ format: 'date-time' }).nullable(),
  })
  .meta({ id: 'Account' })

export const accountPatch = z
  .strictObject({
    enabled: z.boolean().optional(),
    values: z.record(z.string().max(40), z.string().trim().max(500)).optional().meta({ description: 'by key; a field left out stays' }),
  })
  .refine((value) => Object.keys(value).length > 0, 'name at least one thing to change')
/** What a try of an account found. */
export const accountTried = z.object({ ok: z.boolean(), words: z.string() })

export type AccountView = z.output<typeof accountShape>
export type AccountPatch = z.output<typeof accountPatch>
export type AccountTried = z.output<typeof accountTried>
