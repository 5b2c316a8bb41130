import { z } from 'zod'
import { type Route, route } from '../http/api.ts'
import { staffCookie } from '../http/guard.ts'
import { apiKeyInput, apiKeyShape, auditFilter, auditPage, loginAnswer, loginInput, staffInput, staffPatch, staffShape } from './schema.ts'
import type { Staff } from './staff.ts'

const tag = 'staff'
const path = '/api/admin'
const params = z.object({ id: z.coerce.number().int().positive() })
const member = z.object({ member: staffShape })

/** Signing in, the members of staff, API keys, and the audit log. */
export function staffRoutes({ staff }: { staff: Staff }): Route[] {
  return [...signInRoutes(staff), ...memberRoutes(staff), ...keyRoutes(staff)]
}

function signInRoutes(staff: Staff): Route[] {
  return [
    route({
      method: 'post',
      path: `${path}/login`,
      tag,
      summary: 'Sign in; sets the cookie',
      guard: 'anyone',
      body: loginInput,
      response: loginAnswer,
      handle: async ({ ctx, body }) => {
        const { token, ...answer } = await staff.login(body.username, body.password, ctx.ip)
        staffCookie.write(ctx, token)
        return answer
      },
    }),
    route({
      method: 'post',
      path: `${path}/logout`,
      tag,
      summary: 'Sign out',
      guard: 'cashier',
      status: 204,
      handle: async ({ ctx }) => {
        await staff.logout(staffCookie.read(ctx) ?? '')
        staffCookie.write(ctx, null)
      },
    }),
    route({
      method: 'get',
      path: `${path}/me`,
      tag,
      summary: 'Who is asking; a program with an API key gets no CSRF token, and needs none',
      guard: 'cashier',
      response: loginAnswer,
      handle: ({ ctx, caller }) =>
        ctx.get('authorization')
          ? Promise.resolve({ username: caller.name, role: caller.role!, csrfToken: '' })
          : staff.resumeLogin(staffCookie.read(ctx)),
    }),
    route({
      method: 'get',
      path: `${path}/audit`,
      tag,
      summary: 'Who changed what, newest first',
      guard: 'owner',
      query: auditFilter,
      response: auditPage,
      handle: ({ query }) => staff.auditPage(query.page, query.pageSize),
    }),
  ]
}

function memberRoutes(staff: Staff): Route[] {
  return [
    route({
      method: 'get',
      path: `${path}/staff`,
      tag,
      summary: 'The members of staff',
      guard: 'owner',
      response: z.object({ staff: z.array(staffShape) }),
      handle: async () => ({ staff: await staff.list() }),
    }),
    route({
      method: 'post',
      path: `${path}/staff`,
      tag,
      summary: 'Add a member of staff',
      guard: 'owner',
      body: staffInput,
      response: member,
      status: 201,
      audit: 'staff.create',
      handle: async ({ body }) => ({ member: await staff.create(body) }),
    }),
    route({
      method: 'patch',
      path: `${path}/staff/:id`,
      tag,
      summary: 'Change role or password, disable or enable',
      guard: 'owner',
      params,
      body: staffPatch,
      response: member,
      audit: 'staff.update',
      handle: async ({ params: { id }, body }) => ({ member: await staff.update(id, body) }),
    }),
  ]
}

function keyRoutes(staff: Staff): Route[] {
  return [
    route({
      method: 'get',
      path: `${path}/keys`,
      tag,
      summary: 'The API keys, without the keys themselves',
      guard: 'owner',
      response: z.object({ keys: z.array(apiKeyShape) }),
      handle: async () => ({ keys: await staff.listKeys() }),
    }),
    route({
      method: 'post',
      path: `${path}/keys`,
      tag,
      summary: 'Make an API key; only this answer ever holds it',
      guard: 'owner',
      body: apiKeyInput,
      response: z.object({ id: z.number().int(), apiKey: z.string() }),
      status: 201,
      audit: 'key.create',
      handle: ({ body }) => staff.createKey(body),
    }),
    route({
      method: 'delete',
      path: `${path}/keys/:id`,
      tag,
      summary: 'Revoke an API key',
      guard: 'owner',
      params,
      status: 204,
      audit: 'key.revoke',
      handle: ({ params: { id } }) => staff.revokeKey(id),
    }),
  ]
}
