import type { Context } from 'koa'
import { Refusal } from '../errors.ts'
import type { Staff } from '../staff/staff.ts'
import type { Guards } from './api.ts'

type Needs = {
  staff: Pick<Staff, 'authenticate' | 'audit'>
  /** True for a request over the box's own socket. */
  isLocal: (ctx: Context) => boolean
}

/** Stands before every route that is not for anyone. */
export function createGuards({ staff, isLocal }: Needs): Guards {
  return {
    async admit(ctx, guard) {
      if (guard === 'local' && isLocal(ctx)) return { name: 'box', role: 'cashier', scopes: [] }
      const caller = await staff.authenticate(credentialsOf(ctx))
      if (guard !== 'customer' && caller.role === null)
        throw new Refusal('not-allowed', 'This API key is for programs of the session API only. Ask the owner for one with a role.')
      if (guard === 'owner' && caller.role !== 'owner') throw new Refusal('not-allowed', 'Only an owner may do this. Please ask one.')
      return caller
    },
    audit: staff.audit,
  }
}

/** The cookie of a member of staff who is signed in: out of reach of scripts, never sent along from another site. */
export const staffCookie = {
  read: (ctx: Context): string | undefined => ctx.cookies.get('kswifi_staff', { signed: false }),
  /** @param token null takes the cookie away */
  write(ctx: Context, token: string | null): void {
    ctx.cookies.set('kswifi_staff', token, { httpOnly: true, sameSite: 'strict', path: '/', overwrite: true, signed: false })
  },
}

/** A header is what the asker means, even when it is wrong: the cookie counts only without one. */
function credentialsOf(ctx: Context) {
  const safe = ctx.method === 'GET' || ctx.method === 'HEAD'
  const authorization = ctx.get('authorization')
  if (authorization) return { apiKey: /^Bearer\s+(\S+)$/i.exec(authorization)?.[1] ?? '', safe }
  return { token: staffCookie.read(ctx), csrfToken: ctx.get('x-csrf-token'), safe }
}
