import type { Context } from 'koa'
import { RateLimiterMemory } from 'rate-limiter-flexible'
import { z } from 'zod'
import { Refusal } from '../errors.ts'
import { nobody, route, type Route } from '../http/api.ts'
import type { WhoAsks } from '../http/asker.ts'
import type { LiveUsage } from '../sessions/live.ts'
import type { Profiles } from '../sessions/profiles.ts'
import type { Connect, Profile } from './connect.ts'
import {
  claimInput,
  connectOverview,
  endpointInput,
  endpointPatch,
  endpointShape,
  generateAnswer,
  generateInput,
  profileParams,
  profileShape,
  profilesQuery,
  renameInput,
  renewInput,
} from './schema.ts'

type By = { ctx: Context; caller: typeof nobody }

type CustomerNeeds = { connect: Connect; profiles: Profiles; live: LiveUsage; whoAsks: WhoAsks }

type StaffNeeds = {
  connect: Connect
  profiles: Profiles
  /** How the tunnel is, as the worker told last. */
  tunnel: () => Promise<{ ok: boolean; reason: string; kind: 'kernel' | 'userspace' | null }>
  /** Has the worker look at the tunnel at once. */
  mend: () => Promise<void>
}

/** New profiles and keys for one customer; an API key answers for itself. */
const MADE_AT_MOST = { points: 20, duration: 600 }

const oneProfile = z.object({ profile: profileShape })
const oneEndpoint = z.object({ endpoint: endpointShape })

/** What the session's customer asks of Connect, or an API key. The keys in an answer are shown once: nothing may keep it. */
export function connectRoutes({ connect, profiles, live, whoAsks }: CustomerNeeds): Route[] {
  const tag = 'connect'
  const made = new RateLimiterMemory(MADE_AT_MOST)

  /** Each profile is keys, a commit and programs that run: nobody needs so many. @throws Refusal `too-many-tries` */
  async function pace(caller: typeof nobody, who: string): Promise<void> {
    if (caller !== nobody) return
    const { msBeforeNext } = await made.consume(who).then(
      () => ({ msBeforeNext: 0 }),
      (refused: { msBeforeNext: number }) => refused,
    )
    if (msBeforeNext === 0) return
    const retryAfterSeconds = Math.ceil(msBeforeNext / 1000)
    throw new Refusal(
      'too-many-tries',
      `That was many new profiles in a short time. Wait ${Math.ceil(retryAfterSeconds / 60)} min, or ask the staff.`,
      {
        retryAfterSeconds,
      },
    )
  }

  /** The asker's own session, and the profile through which they come. */
  async function own(ctx: Context): Promise<{ session: number | null; profile: number | null }> {
    const asker = await whoAsks.asker(ctx)
    return { session: await live.sessionIdOf(asker), profile: asker.profile?.id ?? null }
  }
  /** @throws Refusal `not-found` for another's session, as for one that is none. @returns the profile through which the asker comes */
  async function mustOwn({ ctx, caller }: By, sessionId: number): Promise<number | null> {
    if (caller !== nobody) return null
    const { session, profile } = await own(ctx)
    if (session !== sessionId) throw new Refusal('not-found', 'There is no such session of yours. Enter its resume code first.')
    return profile
  }
  /** The same for a profile. */
  async function mustOwnProfile({ ctx, caller }: By, id: number): Promise<number | null> {
    if (caller !== nobody) return null
    const { session, profile } = await own(ctx)
    await profiles.mustBeOf(id, session)
    return profile
  }
  const view = async (profile: Profile, current: number | null) => ({ profile: (await connect.views([profile], current))[0] })

  return [
    route({
      method: 'post',
      path: '/api/connect/generate-profile',
      tag,
      summary: 'Make a Connect profile for a session',
      guard: 'customer',
      scope: 'sessions:write',
      audit: 'connect.generate',
      body: generateInput,
      response: generateAnswer,
      handle: async ({ ctx, caller, body }) => {
        await mustOwn({ ctx, caller }, body.session_id)
        await pace(caller, `session ${body.session_id}`)
        ctx.set('Cache-Control', 'no-store')
        return profiles.make(body.session_id, { endpointId: body.endpoint_id, port: body.port, name: body.name })
      },
    }),
    route({
      method: 'get',
      path: '/api/connect/profiles',
      tag,
      summary: 'Profiles of a session',
      guard: 'customer',
      scope: 'sessions:read',
      query: profilesQuery,
      response: z.object({ profiles: z.array(profileShape) }),
      handle: async ({ ctx, caller, query }) => {
        const current = await mustOwn({ ctx, caller }, query.session_id)
        ctx.set('Cache-Control', 'no-store')
        return { profiles: await connect.views(await connect.ofSessions([query.session_id]), current) }
      },
    }),
    route({
      method: 'patch',
      path: '/api/connect/profiles/:id',
      tag,
      summary: 'Rename a profile',
      guard: 'customer',
      scope: 'sessions:write',
      audit: 'connect.rename',
      params: profileParams,
      body: renameInput,
      response: oneProfile,
      handle: async ({ ctx, caller, params: { id }, body }) => {
        const current = await mustOwnProfile({ ctx, caller }, id)
        return view(await profiles.rename(id, body.name), current)
      },
    }),
    route({
      method: 'delete',
      path: '/api/connect/profiles/:id',
      tag,
      summary: 'Revoke a profile: dead before the answer',
      guard: 'customer',
      scope: 'sessions:write',
      audit: 'connect.revoke',
      params: profileParams,
      response: oneProfile,
      handle: async ({ ctx, caller, params: { id } }) => {
        const current = await mustOwnProfile({ ctx, caller }, id)
        return view(await profiles.revoke(id), current)
      },
    }),
    route({
      method: 'post',
      path: '/api/connect/profiles/:id/renew',
      tag,
      summary: 'New keys for a profile; its old copy is of no use any more',
      guard: 'customer',
      scope: 'sessions:write',
      audit: 'connect.renew',
      params: profileParams,
      body: renewInput,
      response: generateAnswer,
      handle: async ({ ctx, caller, params: { id }, body }) => {
        await mustOwnProfile({ ctx, caller }, id)
        await pace(caller, `profile ${id}`)
        ctx.set('Cache-Control', 'no-store')
        return profiles.renew(id, { endpointId: body.endpoint_id, port: body.port })
      },
    }),
    route({
      method: 'post',
      path: '/api/connect/claim',
      tag,
      summary: 'Open a profile on this device by its one-time link; it works no longer where it was',
      guard: 'customer',
      body: claimInput,
      response: generateAnswer,
      handle: async ({ ctx, caller, body }) => {
        await pace(caller, `address ${ctx.ip}`)
        ctx.set('Cache-Control', 'no-store')
        return profiles.claim(body.token)
      },
    }),
    route({
      method: 'get',
      path: '/api/connect/endpoints',
      tag,
      summary: 'Where profiles can lead',
      guard: 'anyone',
      response: z.object({ endpoints: z.array(endpointShape) }),
      handle: async () => ({ endpoints: (await connect.offer()).endpoints }),
    }),
  ]
}

/** What staff ask of Connect. */
export function staffConnectRoutes({ connect, profiles, tunnel, mend }: StaffNeeds): Route[] {
  const tag = 'connect'
  const view = async (profile: Profile) => ({ profile: (await connect.views([profile]))[0] })
  const overview = async () => connect.overview(await tunnel())
  return [
    route({
      method: 'get',
      path: '/api/admin/connect',
      tag,
      summary: 'The tunnel, its reachability, its profiles and endpoints',
      guard: 'cashier',
      response: connectOverview,
      handle: overview,
    }),
    route({
      method: 'post',
      path: '/api/admin/connect/rotate-keys',
      tag,
      summary: 'A new key pair for the box: every profile must be made anew',
      guard: 'owner',
      audit: 'connect.rotate-keys',
      body: z.strictObject({}),
      response: connectOverview,
      handle: async () => {
        await connect.rotateKeys()
        await mend()
        return overview()
      },
    }),
    route({
      method: 'post',
      path: '/api/admin/connect/endpoints',
      tag,
      summary: 'Add a way to this box from outside',
      guard: 'owner',
      audit: 'connect.endpoint-create',
      body: endpointInput,
      status: 201,
      response: oneEndpoint,
      handle: async ({ body }) => ({ endpoint: await connect.endpoints.add(body) }),
    }),
    route({
      method: 'patch',
      path: '/api/admin/connect/endpoints/:id',
      tag,
      summary: 'Change one',
      guard: 'owner',
      audit: 'connect.endpoint-update',
      params: profileParams,
      body: endpointPatch,
      response: oneEndpoint,
      handle: async ({ params: { id }, body }) => ({ endpoint: await connect.endpoints.change(id, body) }),
    }),
    route({
      method: 'delete',
      path: '/api/admin/connect/endpoints/:id',
      tag,
      summary: 'Remove one',
      guard: 'owner',
      audit: 'connect.endpoint-remove',
      params: profileParams,
      response: oneEndpoint,
      handle: async ({ params: { id } }) => ({ endpoint: await connect.endpoints.remove(id) }),
    }),
    route({
      method: 'post',
      path: '/api/admin/sessions/:id/profiles',
      tag,
      summary: 'Make a profile for a customer at the counter',
      guard: 'cashier',
      audit: 'connect.generate',
      params: profileParams,
      body: generateInput.omit({ session_id: true, data_limit_mb: true }),
      response: generateAnswer,
      handle: async ({ ctx, params: { id }, body }) => {
        ctx.set('Cache-Control', 'no-store')
        return profiles.make(id, { endpointId: body.endpoint_id, port: body.port, name: body.name })
      },
    }),
    route({
      method: 'patch',
      path: '/api/admin/profiles/:id',
      tag,
      summary: 'Rename a profile',
      guard: 'cashier',
      audit: 'connect.rename',
      params: profileParams,
      body: renameInput,
      response: oneProfile,
      handle: async ({ params: { id }, body }) => view(await profiles.rename(id, body.name)),
    }),
    route({
      method: 'delete',
      path: '/api/admin/profiles/:id',
      tag,
      summary: 'Revoke a profile',
      guard: 'cashier',
      audit: 'connect.revoke',
      params: profileParams,
      response: oneProfile,
      handle: async ({ params: { id } }) => view(await profiles.revoke(id)),
    }),
  ]
}
