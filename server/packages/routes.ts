import { z } from 'zod'
import { type Route, route } from '../http/api.ts'
import type { Packages } from './packages.ts'
import { packageFilter, packageInput, packagePatch, packageShape } from './schema.ts'

const tag = 'packages'
const path = '/api/admin/packages'
const params = z.object({ id: z.coerce.number().int().positive() })
const answer = z.object({ package: packageShape })

/** @param currency asks for the venue's currency, used when a new package names none */
export function packageRoutes({ packages, currency }: { packages: Packages; currency: () => Promise<string> }): Route[] {
  return [
    route({
      method: 'get',
      path,
      tag,
      summary: 'The packages on sale',
      guard: 'cashier',
      query: packageFilter,
      response: z.object({ packages: z.array(packageShape) }),
      handle: async ({ query }) => ({ packages: await (query.archived === 'with' ? packages.listAll() : packages.list()) }),
    }),
    route({
      method: 'post',
      path,
      tag,
      summary: 'Put a new package on sale',
      guard: 'owner',
      body: packageInput,
      response: answer,
      status: 201,
      audit: 'package.create',
      handle: async ({ body }) => ({ package: await packages.create(body, await currency()) }),
    }),
    route({
      method: 'patch',
      path: `${path}/:id`,
      tag,
      summary: 'Change a package; sessions already opened keep what they were sold',
      guard: 'owner',
      params,
      body: packagePatch,
      response: answer,
      audit: 'package.update',
      handle: async ({ params: { id }, body }) => ({ package: await packages.update(id, body) }),
    }),
    route({
      method: 'delete',
      path: `${path}/:id`,
      tag,
      summary: 'Take a package off sale; vouchers already made for it stay good',
      guard: 'owner',
      params,
      status: 204,
      audit: 'package.archive',
      handle: ({ params: { id } }) => packages.archive(id),
    }),
  ]
}
