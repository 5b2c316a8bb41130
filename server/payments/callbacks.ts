import Router from '@koa/router'
import Koa, { type Context } from 'koa'
import type { Log } from '../log.ts'
import type { Payments } from './payments.ts'
import { providerName } from './schema.ts'

/** More than any provider sends. */
const BODY_AT_MOST = 64 * 1024

type Needs = {
  payments: Pick<Payments, 'hear'>
  /** Has this payment looked at now. */
  hurry: (payment: number) => void
  log: Log
}

/**
 * The only thing that the internet may ask of this box: where providers call back. An app of its own, on a port of its
 * own, so that nothing else of the box can be reached there. It answers at once and the same whatever came.
 */
export function createCallbackApp({ payments, hurry, log }: Needs): Koa {
  const app = new Koa()
  app.silent = true
  const router = new Router()
  const hear = async (ctx: Context & { params: Record<string, string> }) => {
    ctx.status = 200
    ctx.body = ''
    const provider = providerName.safeParse(ctx.params['provider'])
    const body = await readBody(ctx)
    if (!provider.success || body === null) return
    try {
      const headers = Object.fromEntries(Object.entries(ctx.headers).map(([name, value]) => [name, String(value)]))
      await payments.hear(provider.data, { headers, body, pathReference: ctx.params['reference'] ?? null }, hurry)
    } catch (error) {
      log.error({ err: error, provider: provider.data }, 'a callback could not be kept; the payment is asked about all the same')
    }
  }
  // MTN comes with PUT or POST, as it likes; Paystack has one address for everything.
  router.post('/api/callbacks/:provider', hear)
  router.post('/api/callbacks/:provider/:reference', hear)
  router.put('/api/callbacks/:provider/:reference', hear)
  app.use(router.routes())
  return app
}

/** The body as it came, since signatures are over its bytes. @returns null for one that is too long or breaks off */
async function readBody(ctx: Context): Promise<string | null> {
  const chunks: Buffer[] = []
  let size = 0
  try {
    for await (const chunk of ctx.req as AsyncIterable<Buffer>) {
      size += chunk.length
      if (size > BODY_AT_MOST) return null
      chunks.push(chunk)
    }
  } catch {
    return null
  }
  return Buffer.concat(chunks).toString('utf8')
}
