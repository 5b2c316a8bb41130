import type { Context } from 'koa'
import { Refusal } from '../errors.ts'
import { phoneParams } from '../customers/schema.ts'
import { route, type nobody, type Route } from '../http/api.ts'
import type { WhoAsks } from '../http/asker.ts'
import type { Asker } from './buying.ts'
import type { Tries } from './tries.ts'
import {
  changedAnswer,
  sessionParams,
  statusAnswer,
  statusParams,
  usageInput,
  userSessionAnswer,
  userSessionInput,
} from './users-schema.ts'
import type { Users } from './users.ts'

type Needs = { users: Users; tries: Tries; whoAsks: WhoAsks }

const tag = 'session API'
const path = '/api/users/:phone'

/** The session API of the mission: for the customer whose number it is, or a program with a key. */
export function userRoutes({ users, tries, whoAsks }: Needs): Route[] {
  /** Whose number it is. An outsider hears the same of every number, whether anybody has it or not. */
  async function whose(ctx: Context, caller: typeof nobody, phone: string): Promise<{ phone: string; asker: Asker }> {
    const asker = await whoAsks.asker(ctx)
    if (caller.name !== '') return { phone, asker: { device: null, profile: null, sessionId: null, phone } }
    if (asker.phone === null) throw new Refusal('not-signed-in', 'Sign in with your phone number first.')
    if (asker.phone !== phone) throw new Refusal('not-allowed', 'This is not your number. You can only see what is yours.')
    return { phone, asker }
  }

  return [
    route({
      method: 'get',
      path: `${path}/session-status/:hotspotId`,
      tag,
      summary: 'Whether this number has a session at a hotspot that goes on',
      guard: 'customer',
      scope: 'sessions:read',
      params: statusParams,
      response: statusAnswer,
      handle: async ({ ctx, caller, params }) => {
        const { phone } = await whose(ctx, caller, params.phone)
        ctx.set('Cache-Control', 'no-store')
        return users.status(phone, params.hotspotId)
      },
    }),
    route({
      method: 'post',
      path: `${path}/sessions`,
      tag,
      summary: 'Open the session behind a confirmed payment, voucher or points, or resume the one that goes on',
      guard: 'customer',
      scope: 'sessions:write',
      audit: 'session.open',
      params: phoneParams,
      body: userSessionInput,
      response: userSessionAnswer,
      handle: async ({ ctx, caller, params, body }) => {
        const { phone, asker } = await whose(ctx, caller, params.phone)
        const open = () => users.open(phone, body, asker)
        // Codes of vouchers can be guessed; a program answers for itself.
        const isGuess = body.paymentMethod === 'voucher' && caller.name === ''
        const opened = await (isGuess ? tries.guard(asker.device, ctx.ip, open) : open())
        ctx.status = opened.resumed ? 200 : 201
        ctx.body = opened
        return undefined
      },
    }),
    route({
      method: 'put',
      path: `${path}/sessions/:sessionId/usage`,
      tag,
      summary: 'Report what a router has counted, in bytes in all; only upwards',
      guard: 'customer',
      scope: 'usage:write',
      params: sessionParams,
      body: usageInput,
      response: changedAnswer,
      handle: async ({ ctx, caller, params, body }) => {
        const { phone } = await whose(ctx, caller, params.phone)
        if (caller.name === '')
          throw new Refusal('not-allowed', 'Usage is reported by routers, with an API key that has the scope usage:write.')
        return users.report(phone, params.sessionId, body.dataUsed)
      },
    }),
    route({
      method: 'put',
      path: `${path}/sessions/:sessionId/disconnect`,
      tag,
      summary: 'Take the devices of a session off the network; the session stays',
      guard: 'customer',
      scope: 'sessions:write',
      audit: 'session.disconnect',
      params: sessionParams,
      response: changedAnswer,
      handle: async ({ ctx, caller, params }) => {
        const { phone } = await whose(ctx, caller, params.phone)
        return users.disconnect(phone, params.sessionId)
      },
    }),
  ]
}
