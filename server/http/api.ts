import type Router from '@koa/router'
import type { Context } from 'koa'
import { z } from 'zod'
import { createDocument } from 'zod-openapi'
import { Refusal } from '../errors.ts'
import type { Caller, Scope } from '../staff/schema.ts'

/**
 * Who may ask. `local` is the box itself (its own socket) or a valid API key: for health and metrics. `customer` is
 * anyone too, and the handler looks whose things they are; an API key stands above that.
 */
export type Guard = 'anyone' | 'customer' | 'cashier' | 'owner' | 'local'

type Shape = z.ZodType | undefined
type Parsed<S extends Shape> = S extends z.ZodType ? z.output<S> : undefined

/** One thing that can be asked over HTTP. Every route names its guard, so none can forget it. */
export type Route<P extends Shape = Shape, Q extends Shape = Shape, B extends Shape = Shape> = {
  method: 'get' | 'post' | 'put' | 'patch' | 'delete'
  path: string
  tag: string
  summary: string
  guard: Guard
  /** What an API key that asks must be allowed; for guards that are no role. */
  scope?: Scope
  params?: P
  query?: Q
  body?: B
  /** Shape of the JSON answer; documentation, and the type of the UI's client. Leave out when the handler writes the body itself. */
  response?: z.ZodType
  status?: 200 | 201 | 202 | 204
  /** For changes by staff: the action's name in the audit log. */
  audit?: string
  handle: (input: { ctx: Context; params: Parsed<P>; query: Parsed<Q>; body: Parsed<B>; caller: Caller }) => Promise<unknown>
}

/** Helps TypeScript to infer a route's shapes. */
export function route<P extends Shape = undefined, Q extends Shape = undefined, B extends Shape = undefined>(spec: Route<P, Q, B>): Route {
  return spec as unknown as Route
}

export type Guards = {
  /** @throws Refusal `not-signed-in`, `not-allowed` or `csrf` */
  admit: (ctx: Context, guard: Guard) => Promise<Caller>
  audit: (entry: { actor: string; action: string; subject: string; details: unknown }) => Promise<void>
}

/** Who asks as a customer: not a member of staff. */
export const nobody: Caller = { name: '', role: null, scopes: [] }

/** Puts routes on the router: guard, check, one call, shape. */
export function mount(router: Router, routes: Route[], guards: Guards): void {
  for (const spec of routes) {
    router[spec.method](spec.path, async (ctx) => {
      const unknown = spec.guard === 'anyone' || (spec.guard === 'customer' && !ctx.get('authorization'))
      const caller = unknown ? nobody : await guards.admit(ctx, spec.guard)
      if (spec.scope && caller !== nobody && !caller.scopes.includes(spec.scope))
        throw new Refusal('not-allowed', `This API key needs the scope ${spec.scope}. Ask the owner for one.`)
      const params = check(spec.params, ctx['params'], 'address')
      const query = check(spec.query, { ...ctx.query }, 'query')
      const body = check(spec.body, spec.body ? jsonBody(ctx) : undefined, 'body')
      const result = await spec.handle({ ctx, params, query, body, caller } as never)
      if (spec.audit && caller !== nobody)
        await guards.audit({ actor: caller.name, action: spec.audit, subject: subjectOf(ctx, result), details: body })
      if (ctx.respond === false || result === undefined) {
        if (ctx.respond !== false && ctx.status === 404) ctx.status = 204
        return
      }
      ctx.status = spec.status ?? 200
      ctx.body = result
    })
  }
}

function jsonBody(ctx: Context): unknown {
  const { body, rawBody } = ctx.request as { body?: unknown; rawBody?: string }
  if (!rawBody) return {}
  if (!ctx.is('json')) throw new Refusal('not-json', 'Send JSON, with the header Content-Type: application/json.')
  return body
}

function check(shape: Shape, value: unknown, where: string): unknown {
  if (!shape) return undefined
  const parsed = shape.safeParse(value)
  if (parsed.success) return parsed.data
  const faults = parsed.error.issues.slice(0, 10).map((issue) => ({ path: issue.path.join('.'), message: issue.message }))
  const first = faults[0]
  throw new Refusal('bad-input', `The ${where} is not right: ${first?.path ? `${first.path}: ` : ''}${first?.message}`, { where, faults })
}

function subjectOf(ctx: Context, result: unknown): string {
  const made = result as { id?: unknown; batchId?: unknown; connect_id?: unknown } | undefined
  const inner = Object.values(made ?? {}).find(
    (value): value is { id: number } => typeof (value as { id?: unknown } | null)?.id === 'number',
  )
  return String(
    ctx.state['subject'] ??
      made?.connect_id ??
      ctx['params'].id ??
      ctx['params'].name ??
      ctx['params'].number ??
      ctx['params'].phone?.replace('+', '') ??
      made?.id ??
      made?.batchId ??
      inner?.id ??
      '',
  )
}

export const errorShape = z
  .object({
    error: z.object({
      code: z.string().meta({ description: 'stable, for programs' }),
      message: z.string().meta({ description: 'for people: what is wrong and what to do' }),
      details: z.record(z.string(), z.unknown()).optional(),
      requestId: z.string(),
    }),
  })
  .meta({ id: 'Error' })

function securityOf({ guard, scope }: Route) {
  if (guard === 'anyone') return {}
  if (guard === 'customer')
    return { security: [{}, { apiKey: [] }], description: `For: the customer whose it is, or an API key${scope ? ` with ${scope}` : ''}` }
  return { security: [{ apiKey: [] }, { cookie: [] }], description: `For: ${guard}` }
}

/** The OpenAPI 3.1 description, from the very shapes that check the requests. */
export function describeApi(routes: Route[], version: string) {
  const paths: Record<string, Record<string, unknown>> = {}
  for (const spec of routes) {
    const path = spec.path.replace(/:(\w+)/g, '{$1}')
    paths[path] ??= {}
    paths[path][spec.method] = {
      tags: [spec.tag],
      summary: spec.summary,
      ...securityOf(spec),
      requestParams: { ...(spec.params ? { path: spec.params } : {}), ...(spec.query ? { query: spec.query } : {}) },
      ...(spec.body ? { requestBody: { required: true, content: { 'application/json': { schema: spec.body } } } } : {}),
      responses: {
        [String(spec.status ?? 200)]: {
          description: 'done',
          ...(spec.response ? { content: { 'application/json': { schema: spec.response } } } : {}),
        },
        default: { description: 'refused, or a fault', content: { 'application/json': { schema: errorShape } } },
      },
    }
  }
  return createDocument({
    openapi: '3.1.0',
    info: {
      title: 'KSWiFi Box',
      version,
      description: 'Sizes are bytes (1 MB = 1,048,576), speeds bit/s, money minor units, times ISO 8601 in UTC.',
    },
    components: {
      securitySchemes: {
        apiKey: { type: 'http', scheme: 'bearer' },
        cookie: { type: 'apiKey', in: 'cookie', name: 'kswifi_staff' },
      },
    },
    paths: paths as never,
  })
}
