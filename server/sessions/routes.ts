import { z } from 'zod'
import { Refusal } from '../errors.ts'
import { route, type Route } from '../http/api.ts'
import type { WhoAsks } from '../http/asker.ts'
import { openStream } from '../http/live.ts'
import { SECOND } from '../units.ts'
import type { LiveUsage } from './live.ts'
import {
  endInput,
  extendInput,
  redeemAnswer,
  redeemInput,
  resumeInput,
  sessionAnswer,
  sessionFilter,
  sessionPage,
  type SessionView,
} from './schema.ts'
import type { Sessions } from './sessions.ts'
import { staffViewer, viewerOf, type Viewer } from './view.ts'
import type { Tries } from './tries.ts'

type Needs = { sessions: Sessions; live: LiveUsage; tries: Tries; whoAsks: WhoAsks }

const params = z.object({
  id: z.coerce
    .number()
    .int()
    .positive()
    .max(2 ** 53),
})

/** What a customer asks of sessions. */
export function customerRoutes({ sessions, live, tries, whoAsks }: Needs): Route[] {
  async function mustView(id: number, viewer: Viewer): Promise<SessionView> {
    const view = await live.viewFor(id, viewer)
    if (!view) throw noSession()
    return view
  }

  return [
    route({
      method: 'post',
      path: '/api/vouchers/redeem',
      tag: 'customer',
      summary: 'Redeem a voucher: opens a session for this device, or tops up its live one',
      guard: 'anyone',
      body: redeemInput,
      status: 201,
      response: redeemAnswer,
      handle: async ({ ctx, body }) => {
        const asker = await whoAsks.asker(ctx)
        const { session, outcome } = await tries.guard(asker.device, ctx.ip, () => sessions.redeem(body.code, body.phone ?? null, asker))
        if (outcome !== 'waiting') whoAsks.remember(ctx, session.id)
        return { session: await mustView(session.id, viewerOf(asker)), outcome }
      },
    }),
    route({
      method: 'post',
      path: '/api/sessions/resume',
      tag: 'customer',
      summary: 'Continue a session on this device, by its resume code',
      guard: 'anyone',
      body: resumeInput,
      response: sessionAnswer,
      handle: async ({ ctx, body }) => {
        const asker = await whoAsks.asker(ctx)
        const session = await tries.guard(asker.device, ctx.ip, () => sessions.resume(body.code, asker))
        whoAsks.remember(ctx, session.id)
        return { session: await mustView(session.id, viewerOf(asker)) }
      },
    }),
    route({
      method: 'get',
      path: '/api/me/session',
      tag: 'customer',
      summary: "This customer's session, with what is used and left",
      guard: 'anyone',
      response: sessionAnswer,
      handle: async ({ ctx }) => {
        const asker = await whoAsks.asker(ctx)
        const id = await live.sessionIdOf(asker)
        if (id === null) throw noSession()
        ctx.set('Cache-Control', 'no-store')
        return { session: await mustView(id, viewerOf(asker)) }
      },
    }),
    route({
      method: 'get',
      path: '/api/me/session/events',
      tag: 'customer',
      summary: 'The same, live: server-sent events session, usage, topped-up, changed and ended, each with {session}',
      guard: 'anyone',
      handle: async ({ ctx }) => {
        const asker = await whoAsks.asker(ctx)
        const id = await live.sessionIdOf(asker)
        if (id === null) throw noSession()
        let stop = () => {}
        const stream = openStream(ctx, () => stop())
        stop = live.hear(id, viewerOf(asker), (event, session) => stream.send(event, { session }))
        return undefined
      },
    }),
    route({
      method: 'post',
      path: '/api/me/session/disconnect',
      tag: 'customer',
      summary: 'Take this device off the network; the session stays',
      guard: 'anyone',
      response: sessionAnswer,
      handle: async ({ ctx }) => {
        const asker = await whoAsks.asker(ctx)
        const id = await live.sessionIdOf(asker)
        if (id === null) throw noSession()
        if (asker.profile) throw new Refusal('not-on-wifi', 'This device came through its Connect profile: switch that off in its app.')
        if (!asker.device) throw new Refusal('not-on-wifi', "This device is not on the venue's Wi-Fi, so there is nothing to disconnect.")
        await sessions.disconnect(id, asker.device.mac)
        return { session: await mustView(id, viewerOf(asker)) }
      },
    }),
    route({
      method: 'delete',
      path: '/api/me/devices/:id',
      tag: 'customer',
      summary: 'Remove a device from the session',
      guard: 'anyone',
      params,
      response: sessionAnswer,
      handle: async ({ ctx, params: { id: deviceId } }) => {
        const asker = await whoAsks.asker(ctx)
        const id = await live.sessionIdOf(asker)
        if (id === null) throw noSession()
        await sessions.removeDevice(id, deviceId)
        return { session: await mustView(id, viewerOf(asker)) }
      },
    }),
  ]
}

/** What staff ask of sessions. */
export function staffSessionRoutes({ sessions, live }: Pick<Needs, 'sessions' | 'live'>): Route[] {
  const answer = async (id: number) => ({ session: await live.viewFor(id, staffViewer) })
  return [
    route({
      method: 'get',
      path: '/api/admin/sessions',
      tag: 'sessions',
      summary: 'Sessions, filtered and paged, newest first',
      guard: 'cashier',
      query: sessionFilter,
      response: sessionPage,
      handle: async ({ query }) => {
        const { sessions: found, total } = await sessions.page(query)
        const views = await Promise.all(found.map((session) => live.viewFor(session.id, staffViewer)))
        return { sessions: views, total, page: query.page, pageSize: query.pageSize }
      },
    }),
    route({
      method: 'get',
      path: '/api/admin/sessions/:id',
      tag: 'sessions',
      summary: 'One session',
      guard: 'cashier',
      params,
      response: sessionAnswer,
      handle: async ({ params: { id } }) => {
        const session = await live.viewFor(id, staffViewer)
        if (!session) throw new Refusal('not-found', 'There is no such session.')
        return { session }
      },
    }),
    route({
      method: 'post',
      path: '/api/admin/sessions/:id/end',
      tag: 'sessions',
      summary: 'End a session now',
      guard: 'cashier',
      audit: 'session.end',
      params,
      body: endInput,
      response: sessionAnswer,
      handle: async ({ params: { id }, body }) => answer((await sessions.end(id, body.reason)).id),
    }),
    route({
      method: 'post',
      path: '/api/admin/sessions/:id/extend',
      tag: 'sessions',
      summary: 'Add time or data to a living session',
      guard: 'cashier',
      audit: 'session.extend',
      params,
      body: extendInput,
      response: sessionAnswer,
      handle: async ({ params: { id }, body }) =>
        answer((await sessions.extend(id, { ms: (body.seconds ?? 0) * SECOND, bytes: body.bytes ?? 0 })).id),
    }),
  ]
}

function noSession(): Refusal {
  return new Refusal(
    'no-session',
    'This device has no session here. Buy a package, or enter a voucher or the code of a session that you have.',
  )
}
