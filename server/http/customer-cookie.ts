import type { Context } from 'koa'
import { DAY } from '../units.ts'

const NAME = 'kswifi_customer'

/**
 * The cookie of a customer who is signed in: out of reach of scripts. It is sent along when a link leads to the portal, as
 * from the payment company's page, but with no change that another site asks for.
 */
export const customerCookie = {
  read: (ctx: Context): string | undefined => ctx.cookies.get(NAME, { signed: false }),
  /** Kept longer than the login, whose end moves with every use. @param token null takes the cookie away */
  write(ctx: Context, token: string | null): void {
    ctx.cookies.set(NAME, token, { httpOnly: true, sameSite: 'lax', path: '/', maxAge: 400 * DAY, overwrite: true, signed: false })
  },
}
