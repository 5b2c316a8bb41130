import type { Middleware } from 'koa'
import { Refusal } from '../errors.ts'

const SAFE = new Set(['GET', 'HEAD', 'OPTIONS'])

/**
 * Takes changes from the box's own pages only. A customer is known by the address of the device, so any page that the
 * same phone has open could otherwise press the portal's buttons. Browsers name the page's origin with every change;
 * programs name none.
 */
export const ownPagesOnly: Middleware = async (ctx, next) => {
  const origin = ctx.get('origin')
  if (!SAFE.has(ctx.method) && origin && !isOwn(origin, ctx.host))
    throw new Refusal('csrf', 'This was asked by a page of another site. Open the portal itself and try again.')
  await next()
}

function isOwn(origin: string, host: string): boolean {
  return URL.canParse(origin) && new URL(origin).host === host
}
