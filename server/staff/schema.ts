import { z } from 'zod'
import { pageAnswered, pageAsked } from '../paging.ts'

const isoTime = z.string().meta({ format: 'date-time' })
export const role = z.enum(['owner', 'cashier'])
/** What a program may do with an API key that is no member of staff. */
export const scope = z.enum(['sessions:read', 'sessions:write', 'usage:write'])
const username = z
  .string()
  .trim()
  .toLowerCase()
  .regex(/^[a-z0-9._-]{2,40}$/, '2 to 40 letters, digits, dots or dashes')
const password = z.string().min(10, 'at least 10 characters').max(200)

export const loginInput = z.strictObject({ username: z.string().max(60), password: z.string().max(200) })
export const loginAnswer = z.object({
  username: z.string(),
  role,
  csrfToken: z.string().meta({ description: 'send it back as X-CSRF-Token with every change' }),
})
export const staffInput = z.strictObject({ username, password, role })
export const staffPatch = z
  .strictObject({ password: password.optional(), role: role.optional(), disabled: z.boolean().optional() })
  .refine((value) => Object.keys(value).length > 0, 'name at least one field to change')
export const staffShape = z.object({ id: z.number().int(), username: z.string(), role, disabled: z.boolean(), createdAt: isoTime })
export const apiKeyInput = z
  .strictObject({
    name: z.string().trim().min(1).max(60),
    role: role.nullable().default('cashier').meta({ description: 'null: no member of staff, only the scopes' }),
    scopes: z.array(scope).max(3).default([]),
  })
  .refine((value) => value.role !== null || value.scopes.length > 0, { path: ['scopes'], message: 'choose a role, or at least one scope' })
export const apiKeyShape = z.object({
  id: z.number().int(),
  name: z.string(),
  role: role.nullable(),
  scopes: z.array(scope),
  last4: z.string(),
  createdAt: isoTime,
  revokedAt: isoTime.nullable(),
})
export const auditShape = z.object({
  id: z.number().int(),
  at: isoTime,
  actor: z.string(),
  action: z.string(),
  subject: z.string(),
  details: z.unknown(),
})
export const auditFilter = z.strictObject({
  ...pageAsked,
})
export const auditPage = z.object({
  entries: z.array(auditShape),
  ...pageAnswered,
})
export type Role = z.output<typeof role>

export type Scope = z.output<typeof scope>

/** A member of staff, or a program with an API key; `role` null: neither staff nor owner, only the scopes. */
export type Caller = { name: string; role: Role | null; scopes: Scope[] }
export type StaffInput = z.output<typeof staffInput>
export type StaffPatch = z.output<typeof staffPatch>
export type Member = z.output<typeof staffShape>
export type ApiKeyInput = z.output<typeof apiKeyInput>
export type ApiKey = z.output<typeof apiKeyShape>
export type AuditPage = z.output<typeof auditPage>
export type LoginAnswer = z.output<typeof loginAnswer>
