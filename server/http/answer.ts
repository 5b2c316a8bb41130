import { randomUUID } from 'node:crypto'
import type { Middleware } from 'koa'
import { Refusal, isDiskFull } from '../errors.ts'
import type { Log } from '../log.ts'

/** Gives every request a number, and turns every error into the one shape that is promised. The only place that does. */
export function answers(log: Log): Middleware {
  return async (ctx, next) => {
    const requestId = randomUUID()
    ctx.state['requestId'] = requestId
    ctx.set('X-Request-Id', requestId)
    try {
      await next()
      if (ctx.status === 404 && ctx.body === undefined && ctx.respond !== false)
        throw new Refusal('not-found', 'There is nothing at this address.')
      if (ctx.status === 405 || ctx.status === 501) throw new Refusal('not-found', `This address does not take ${ctx.method.slice(0, 10)}.`)
    } catch (error) {
      const refusal = refusalFrom(error)
      if (!refusal) log.error({ err: error, requestId, method: ctx.method, path: ctx.path }, 'a request failed')
      const { status, code, message, facts } = refusal ?? {
        status: 500,
        code: 'fault',
        message: 'Something went wrong in the box. Try again; if it stays, show the number to the staff.',
        facts: undefined,
      }
      if (ctx.headerSent) return
      ctx.status = status
      const wait = facts?.['retryAfterSeconds']
      if (typeof wait === 'number') ctx.set('Retry-After', String(wait))
      ctx.set('Cache-Control', 'no-store')
      ctx.body = { error: { code, message, ...(facts ? { details: facts } : {}), requestId } }
    }
  }
}

function refusalFrom(error: unknown): Refusal | undefined {
  if (error instanceof Refusal) return error
  if (isDiskFull(error)) return new Refusal('storage-full', 'The disk of the box is full, so nothing was saved. Please tell the staff.')
  const { status, type } = error as { status?: number; type?: string }
  if (status === 413 || type === 'entity.too.large') return new Refusal('too-large', 'That is too much at once.')
  if (status === 415) return new Refusal('not-json', 'Send JSON, with the header Content-Type: application/json.')
  if (status === 400 || error instanceof URIError)
    return new Refusal('bad-input', 'That could not be read: send well-formed JSON, and an address without stray % signs.')
  return undefined
}
