import { z } from 'zod'
import { type Route, route } from '../http/api.ts'
import type { WhoAsks } from '../http/asker.ts'
import type { Hotspots } from './hotspots.ts'
import { reach } from './range.ts'
import { hotspotInput, hotspotList, hotspotPatch, hotspotQuery, hotspotShape, type Coordinates, type HotspotSeen } from './schema.ts'

const tag = 'hotspots'
const path = '/api/admin/hotspots'
const params = z.object({ id: z.coerce.number().int().positive() })
const answer = z.object({ hotspot: hotspotShape })

type Needs = {
  hotspots: Hotspots
  whoAsks: WhoAsks
  /** The asker's living sessions: code of the hotspot to the session's number. */
  sessionsAt: (asker: Awaited<ReturnType<WhoAsks['asker']>>) => Promise<Map<string, number>>
}

export function hotspotRoutes({ hotspots, whoAsks, sessionsAt }: Needs): Route[] {
  return [
    route({
      method: 'get',
      path: '/api/hotspots',
      tag,
      summary: 'The hotspots as the asker sees them, the nearest first',
      guard: 'anyone',
      query: hotspotQuery,
      response: hotspotList,
      handle: async ({ ctx, query: { latitude, longitude } }) => {
        const asker = await whoAsks.asker(ctx)
        const onLan = asker.device !== null || asker.profile !== null
        const coordinates: Coordinates | null = latitude === undefined || longitude === undefined ? null : { latitude, longitude }
        const [all, sessions] = await Promise.all([hotspots.list(), sessionsAt(asker)])
        ctx.set('Cache-Control', 'no-store')
        return {
          hotspots: all
            .map((one) => ({ ...one, ...reach(one, { onLan, coordinates }), sessionId: sessions.get(one.hotspotId) ?? null }))
            .toSorted(nearestFirst),
        }
      },
    }),
    route({
      method: 'get',
      path,
      tag,
      summary: 'All hotspots',
      guard: 'cashier',
      response: z.object({ hotspots: z.array(hotspotShape) }),
      handle: async () => ({ hotspots: await hotspots.list() }),
    }),
    route({
      method: 'post',
      path,
      tag,
      summary: 'Add a hotspot',
      guard: 'owner',
      body: hotspotInput,
      response: answer,
      status: 201,
      audit: 'hotspot.create',
      handle: async ({ body }) => ({ hotspot: await hotspots.create(body) }),
    }),
    route({
      method: 'patch',
      path: `${path}/:id`,
      tag,
      summary: 'Change, close or open a hotspot; its hotspotId stays',
      guard: 'owner',
      params,
      body: hotspotPatch,
      response: answer,
      audit: 'hotspot.update',
      handle: async ({ params: { id }, body }) => ({ hotspot: await hotspots.update(id, body) }),
    }),
    route({
      method: 'delete',
      path: `${path}/:id`,
      tag,
      summary: 'Remove a hotspot; the last one that this box serves stays',
      guard: 'owner',
      params,
      status: 204,
      audit: 'hotspot.delete',
      handle: ({ params: { id } }) => hotspots.remove(id),
    }),
  ]
}

/** Whatever has no distance comes last; of those, what this box serves first. */
function nearestFirst(one: HotspotSeen, other: HotspotSeen): number {
  const byDistance = (one.distanceM ?? Infinity) - (other.distanceM ?? Infinity)
  if (byDistance < 0 || byDistance > 0) return byDistance
  return Number(other.here) - Number(one.here) || one.name.localeCompare(other.name)
}
