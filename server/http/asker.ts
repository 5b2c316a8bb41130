import type { Context } from 'koa'
import type { Leases } from '../gateway/dhcp.ts'
import type { Neighbours } from '../gateway/neighbours.ts'
import type { Asker } from '../sessions/buying.ts'
import type { AskingDevice } from '../sessions/devices.ts'
import { DAY } from '../units.ts'
import { customerCookie } from './customer-cookie.ts'

const COOKIE = 'kswifi'

type Needs = {
  leases: Leases
  neighbours: Neighbours
  /** The Connect profile that has this address inside the tunnel. */
  profileAt: (ip: string) => Promise<{ id: number; sessionId: number } | undefined>
  /** The number that the cookie of this token signs in. */
  customerOf: (token: string) => Promise<{ phone: string } | null>
  /** Given to every asker where there is no network to look at (work on the UI). */
  pretended: AskingDevice | null
}

export type WhoAsks = ReturnType<typeof createWhoAsks>

/** Finds out who asks: by the network first, by the cookie second. */
export function createWhoAsks({ leases, neighbours, profileAt, customerOf, pretended }: Needs) {
  /** The device on the customers' network; null for everybody else, and for a device that uses another's address. */
  async function device(ctx: Context): Promise<AskingDevice | null> {
    if (pretended) return pretended
    const ip = ctx.req.socket.remoteAddress
    if (!ip) return null
    const lease = await leases.holder(ip)
    if (!lease || !(await neighbours.has(ip, lease.mac))) return null
    return { mac: lease.mac, ip, name: lease.name }
  }

  return {
    device,
    async asker(ctx: Context): Promise<Asker> {
      const named = ctx.cookies.get(COOKIE, { signed: true })
      const token = customerCookie.read(ctx)
      const [own, customer] = await Promise.all([device(ctx), token ? customerOf(token) : null])
      const found = own ? undefined : await profileAt(ctx.req.socket.remoteAddress ?? '')
      return {
        device: own,
        profile: found ? { id: found.id, sessionId: found.sessionId } : null,
        sessionId: named && /^\d{1,10}$/.test(named) ? Number(named) : null,
        phone: customer?.phone ?? null,
      }
    },
    /** Names the session in the browser; signed, so that nobody can name another's. */
    remember(ctx: Context, sessionId: number): void {
      ctx.cookies.set(COOKIE, String(sessionId), { signed: true, httpOnly: true, sameSite: 'lax', maxAge: 400 * DAY, overwrite: true })
    },
  }
}

/** Takes the name of the session out of the browser. */
export function forgetSession(ctx: Context): void {
  ctx.cookies.set(COOKIE, null, { signed: true, httpOnly: true, sameSite: 'lax', overwrite: true })
}

/** True when the request came over the box's own socket, not over a network. */
export function isLocal(ctx: Context): boolean {
  return ctx.req.socket.remoteAddress === undefined
}
