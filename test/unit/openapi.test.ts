import test from 'ava'
import { describeApi, route, type Route } from '#server/http/api.ts'
import { accountRoutes } from '#server/accounts/routes.ts'
import { hotspotRoutes } from '#server/hotspots/routes.ts'
import { paymentRoutes, staffPaymentRoutes } from '#server/payments/routes.ts'
import { reportRoutes } from '#server/reports/routes.ts'
import { meRoutes, staffCustomerDataRoutes } from '#server/sessions/me-routes.ts'
import { userRoutes } from '#server/sessions/users-routes.ts'
import { connectRoutes, staffConnectRoutes } from '#server/connect/routes.ts'
import { customerAccountRoutes, staffCustomerRoutes } from '#server/customers/routes.ts'
import { venueRoutes } from '#server/venue/routes.ts'
import { packageRoutes } from '#server/packages/routes.ts'
import { customerRoutes, staffSessionRoutes } from '#server/sessions/routes.ts'
import { settingsRoutes } from '#server/settings/routes.ts'
import { staffRoutes } from '#server/staff/routes.ts'
import { voucherRoutes } from '#server/vouchers/routes.ts'
import { z } from 'zod'

type Parameter = { name: string; in: string; required?: boolean; schema?: unknown }
type Operation = {
  tags?: string[]
  summary?: string
  security?: Record<string, unknown[]>[]
  parameters?: Parameter[]
  requestBody?: { required?: boolean; content: Record<string, { schema?: unknown }> }
  responses: Record<string, { description?: string; content?: Record<string, { schema?: unknown }> }>
}
type Document = {
  openapi: string
  info: { title: string; version: string }
  paths: Record<string, Record<string, Operation>>
  components: { schemas: Record<string, unknown>; securitySchemes: Record<string, unknown> }
}

/** The shapes stand in the routes themselves: the rooms behind them may be empty. */
const noRooms = { config: { portalHost: '', dataDir: '', version: '' } } as never
const routes: Route[] = [
  ...customerRoutes(noRooms),
  ...customerAccountRoutes(noRooms),
  ...staffCustomerRoutes(noRooms),
  ...venueRoutes(noRooms),
  ...staffRoutes(noRooms),
  ...packageRoutes(noRooms),
  ...voucherRoutes(noRooms),
  ...staffSessionRoutes(noRooms),
  ...settingsRoutes(noRooms),
  ...accountRoutes(noRooms),
  ...connectRoutes(noRooms),
  ...staffConnectRoutes(noRooms),
  ...hotspotRoutes(noRooms),
  ...paymentRoutes(noRooms),
  ...staffPaymentRoutes(noRooms),
  ...meRoutes(noRooms),
  ...staffCustomerDataRoutes(noRooms),
  ...userRoutes(noRooms),
  ...reportRoutes(noRooms),
]
const described = describe(routes)
const operations = Object.entries(described.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({ name: `${method.toUpperCase()} ${path}`, path, operation })),
)

/** What programs get: the document after JSON. */
function describe(some: Route[]): Document {
  return JSON.parse(JSON.stringify(describeApi(some, '1.2.3'))) as Document
}

/** Names in the path that are not declared as its parameters, and the other way round. */
function undeclared(path: string, operation: Operation): string[] {
  const inPath = [...path.matchAll(/\{(\w+)\}/g)].map((match) => match[1]!)
  const declared = (operation.parameters ?? []).filter((one) => one.in === 'path')
  const names = declared.filter((one) => one.required === true && one.schema !== undefined).map((one) => one.name)
  return [...new Set(inPath).symmetricDifference(new Set(names))]
}

function refsIn(value: unknown): string[] {
  if (value === null || typeof value !== 'object') return []
  return Object.entries(value).flatMap(([key, inner]) => (key === '$ref' && typeof inner === 'string' ? [inner] : refsIn(inner)))
}

test('the document says what it is', (t) => {
  t.is(described.openapi, '3.1.0')
  t.truthy(described.info.title)
  t.is(described.info.version, '1.2.3')
})

test('every route is an operation, and no two share one', (t) => {
  const wanted = routes.map(({ method, path }) => `${method.toUpperCase()} ${path.replace(/:(\w+)/g, '{$1}')}`)
  t.true(wanted.length > 30)
  t.deepEqual(operations.map(({ name }) => name).toSorted(), wanted.toSorted())
})

test('every parameter in a path is declared, required and has a shape', (t) => {
  for (const { name, path, operation } of operations) t.deepEqual(undeclared(path, operation), [], name)
})

test('a parameter that somebody forgot is noticed', (t) => {
  const spec = { method: 'get', path: '/api/x/:id', tag: 'x', summary: 'x', guard: 'anyone', handle: async () => undefined } as const
  const forgotten = describe([route(spec)]).paths['/api/x/{id}']!['get']!
  t.deepEqual(undeclared('/api/x/{id}', forgotten), ['id'])
  const declared = describe([route({ ...spec, params: z.object({ id: z.coerce.number() }) })]).paths['/api/x/{id}']!['get']!
  t.deepEqual(undeclared('/api/x/{id}', declared), [])
})

test('every operation has a tag, a summary, an answer, and the one shape of errors', (t) => {
  for (const { name, operation } of operations) {
    t.is(operation.tags?.length, 1, name)
    t.regex(operation.summary ?? '', /^\S.{3,}[^.]$/, name)
    const codes = Object.keys(operation.responses)
    t.true(
      codes.some((code) => /^2\d\d$/.test(code)),
      name,
    )
    for (const [code, { description }] of Object.entries(operation.responses)) t.truthy(description, `${name} ${code}`)
    t.deepEqual(operation.responses['default']?.content?.['application/json']?.schema, { $ref: '#/components/schemas/Error' }, name)
  }
})

test('a body is JSON with a shape, and never with GET', (t) => {
  for (const { name, operation } of operations) {
    if (!operation.requestBody) continue
    t.false(name.startsWith('GET'), name)
    t.truthy(operation.requestBody.content['application/json']?.schema, name)
  }
})

test('what is for staff says so, and nothing else under /api/admin is open', (t) => {
  const open = operations.filter(({ path, operation }) => path.startsWith('/api/admin/') && !operation.security).map(({ name }) => name)
  t.deepEqual(open, ['POST /api/admin/login'])
  const schemes = Object.keys(described.components.securitySchemes)
  for (const { name, operation } of operations)
    for (const scheme of (operation.security ?? []).flatMap((one) => Object.keys(one))) t.true(schemes.includes(scheme), name)
})

test('every reference leads to a shape', (t) => {
  const refs = refsIn(described)
  t.true(refs.length > 0)
  for (const ref of refs) t.true(ref.replace('#/components/schemas/', '') in described.components.schemas, ref)
})
