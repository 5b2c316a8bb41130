import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { send } from '@koa/send'
import type { Middleware } from 'koa'
import { Refusal } from '../errors.ts'
import { DAY } from '../units.ts'

/** Pages of the portal: all are the same file, so that a full navigation works and shows an address of its own. */
const portalPages = /^\/(?:connected|v|ended)?\/?$/

/** The page to read the API with: our own two files, and those of swagger-ui-dist that it loads. (Its own page shows somebody else's API.) */
const docsRoot = fileURLToPath(new URL('./docs', import.meta.url))
const docsFiles = new Set(['index.html', 'start.js'])
const swaggerFiles = new Set(['swagger-ui.css', 'swagger-ui-bundle.js', 'favicon-32x32.png'])

/** The built UI, and the page that shows the API's description. @param root absolute path of web/dist */
export function staticFiles(root: string, swaggerRoot: string): Middleware {
  return async (ctx, next) => {
    await next()
    if ((ctx.method !== 'GET' && ctx.method !== 'HEAD') || ctx.body !== undefined || ctx.status !== 404) return
    if (portalPages.test(ctx.path)) return page(ctx, `${root}/index.html`)
    if (/^\/admin\/?$/.test(ctx.path)) return page(ctx, `${root}/admin/index.html`)
    if (ctx.path.startsWith('/assets/'))
      return void (await send(ctx, ctx.path, { root, maxage: 365 * DAY, immutable: true }).catch(missing))
    if (ctx.path === '/api/docs') return ctx.redirect('/api/docs/')
    const docs = docsFile(ctx.path)
    if (docs) return void (await send(ctx, docs, { root: docsFiles.has(docs) ? docsRoot : swaggerRoot, maxage: DAY }).catch(missing))
  }
}

function docsFile(path: string): string | undefined {
  if (!path.startsWith('/api/docs/')) return undefined
  const name = path.slice('/api/docs/'.length) || 'index.html'
  return docsFiles.has(name) || swaggerFiles.has(name) ? name : undefined
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
