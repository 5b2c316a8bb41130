import type { Now } from '../clock.ts'
import type { Connect, Made, Profile } from '../connect/connect.ts'
import type { ConnectAnswer } from '../connect/schema.ts'
import { Refusal } from '../errors.ts'
import type { Bus } from '../events.ts'
import type { Store, Tx } from '../store/store.ts'
import { DAY } from '../units.ts'
import { sessionEnded } from './ended.ts'
import * as life from './lifecycle.ts'
import type { Session } from './lifecycle.ts'
import * as table from './table.ts'

/** A profile shows the way to a new voucher for so long after its session; then its address is free for others. */
const KEEP_AFTER_END_MS = 30 * DAY

type Needs = {
  store: Store
  now: Now
  bus: Bus
  connect: Connect
  /** Makes gateway and tunnel agree with these sessions and profiles, and answers when they do. */
  enforce: (sessions: number[], profiles: number[]) => Promise<void>
}

type Wish = { endpointId: number | undefined; port: number | undefined }

export type Profiles = ReturnType<typeof createProfiles>

/** What customers and staff do with a session's Connect profiles. Every change is committed first and enforced after. */
export function createProfiles({ store, now, bus, connect, enforce }: Needs) {
  async function mustLive(tx: Tx, sessionId: number): Promise<Session> {
    const found = await table.findSession(tx, sessionId)
    if (!found) throw new Refusal('not-found', 'There is no such session.')
    const session = life.atTime(found, now())
    if (life.hasEnded(session)) throw sessionEnded(session)
    return session
  }

  async function mustFind(id: number, tx?: Tx): Promise<Profile> {
    const profile = await connect.find(id, tx)
    if (!profile) throw new Refusal('not-found', 'There is no such profile, or it was removed.')
    return profile
  }

  async function bringAbout({ sessionId, id }: Pick<Profile, 'sessionId' | 'id'>): Promise<void> {
    await enforce([sessionId], [id])
    bus.publish('session.changed', { id: sessionId, what: 'devices' })
  }

  async function answer({ made, session }: { made: Made; session: Session }): Promise<ConnectAnswer> {
    const [, answered] = await Promise.all([bringAbout(made.profile), connect.answer(made, session)])
    return answered
  }

  async function renew(wish: Wish, find: (db?: Tx) => Promise<Profile>): Promise<ConnectAnswer> {
    const plan = await connect.plan(wish, await find())
    return answer(
      await store.transaction(async (tx) => {
        const profile = await find(tx)
        const session = await mustLive(tx, profile.sessionId)
        return { session, made: await connect.renew(tx, plan, profile) }
      }),
    )
  }

  return {
    /**
     * Makes a profile for a living session, of which there may be as many as its devices. A session that was paid and
     * not yet begun begins.
     * @throws Refusal `session-ended`, `profiles-full`, `connect-full`, `connect-unavailable`
     */
    async make(sessionId: number, wish: Wish & { name: string | undefined }): Promise<ConnectAnswer> {
      const plan = await connect.plan(wish)
      return answer(
        await store.transaction(async (tx) => {
          const found = await mustLive(tx, sessionId)
          const session = life.resume(found, now())
          if (session !== found) await table.saveSessions(tx, [session])
          return { session, made: await connect.make(tx, plan, { sessionId, places: session.maxDevices, name: wish.name }) }
        }),
      )
    },

    /** New keys for a profile, for when it was lost or goes to another device. @throws Refusal `session-ended` */
    renew: (id: number, wish: Wish): Promise<ConnectAnswer> => renew(wish, (tx) => mustFind(id, tx)),

    /** The same by a one-time link. @throws Refusal `link-unknown` */
    claim: (token: string): Promise<ConnectAnswer> => renew({ endpointId: undefined, port: undefined }, (tx) => connect.byLink(token, tx)),

    async rename(id: number, name: string): Promise<Profile> {
      const profile = await store.transaction(async (tx) => {
        const found = await mustFind(id, tx)
        await connect.rename(tx, id, name)
        return { ...found, name }
      })
      bus.publish('session.changed', { id: profile.sessionId, what: 'devices' })
      return profile
    },

    /** Takes a profile away; it is dead before the answer, or within a second after it should Redis be away. */
    async revoke(id: number): Promise<Profile> {
      const profile = await store.transaction(async (tx) => {
        const found = await mustFind(id, tx)
        await connect.revoke(tx, [id])
        return found
      })
      await bringAbout(profile)
      return profile
    },

    /** The profile's session is the asker's business; @throws Refusal `not-found` otherwise. */
    async mustBeOf(id: number, sessionId: number | null): Promise<void> {
      const profile = await connect.find(id)
      if (!profile || profile.sessionId !== sessionId) throw new Refusal('not-found', 'There is no such profile in your session.')
    },
  }
}

/** Takes away profiles whose sessions ended long ago. @returns their numbers, for the tunnel */
export function tidyProfiles({ store, now, connect }: Pick<Needs, 'store' | 'now' | 'connect'>): Promise<number[]> {
  return store.transaction(async (tx) => {
    const sessions = await table.findSessions(tx, await connect.sessionsWithProfiles(tx))
    const over = sessions.filter((one) => one.endedAt !== null && now() - one.endedAt > KEEP_AFTER_END_MS).map((one) => one.id)
    const ids = (await connect.ofSessions(over, tx)).map((one) => one.id)
    await connect.revoke(tx, ids)
    return ids
  })
}
