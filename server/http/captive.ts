import type { Middleware } from 'koa'
import { isLocal } from './asker.ts'

/**
 * Sends everybody who asked for another host to the portal: the gateway redirected them here because they have no
 * live session. 302, never cached, and the connection closed, so that the next probe of the phone travels anew and
 * meets the opened gateway. (Not 511: Android then shows no sign-in. Not 200: that would be a false success.)
 */
export function captive({ portalHost, lanAddress }: { portalHost: string; lanAddress: string }): Middleware {
  const own = new Set([portalHost, lanAddress, 'localhost', '127.0.0.1', '[::1]'])
  return async (ctx, next) => {
    if (isLocal(ctx) || own.has(ctx.hostname)) return next()
    ctx.set('Cache-Control', 'no-store')
    ctx.set('Connection', 'close')
    ctx.status = 302
    ctx.redirect(`http://${portalHost}/`)
    ctx.body = 'Sign in to the Wi-Fi first.'
  }
}
