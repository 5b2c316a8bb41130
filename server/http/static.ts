import { readFile } from 'node:fs/promises'
import { send } from '@koa/send'
import type { Middleware } from 'koa'
import { Refusal } from '../errors.ts'
import { DAY } from '../units.ts'

/** Pages of the portal: all are the same file, so that a full navigation works and shows an address of its own. */
const portalPages = /^\/(?:connected|v|ended)?\/?$/

/** The built UI, and the page that shows the API's description. @param root absolute path of web/dist */
export function staticFiles(root: string, swaggerRoot: string): Middleware {
  return async (ctx, next) => {
    await next()
    if ((ctx.method !== 'GET' && ctx.method !== 'HEAD') || ctx.body !== undefined || ctx.status !== 404) return
    if (portalPages.test(ctx.path)) return page(ctx, `${root}/index.html`)
    if (/^\/admin\/?$/.test(ctx.path)) return page(ctx, `${root}/admin/index.html`)
    if (ctx.path.startsWith('/assets/'))
      return void (await send(ctx, ctx.path, { root, maxage: 365 * DAY, immutable: true }).catch(missing))
    if (ctx.path.startsWith('/api/docs/'))
      return void (await send(ctx, ctx.path.slice('/api/docs'.length), { root: swaggerRoot, maxage: DAY }).catch(missing))
  }
}

async function page(ctx: Parameters<Middleware>[0], file: string): Promise<void> {
  const html = await readFile(file).catch(() => undefined)
  if (!html) throw new Refusal('unavailable', 'The pages of the box are not built yet: run npm run build.')
  ctx.type = 'html'
  ctx.set('Cache-Control', 'no-store')
  ctx.body = html
}

function missing(error: { status?: number }): void {
  if (error.status !== 404 && error.status !== 403 && error.status !== 400) throw error
}
