import type { Connect } from '../connect/connect.ts'
import type { Now } from '../clock.ts'
import type { Tx } from '../store/store.ts'
import { moveDevices } from './devices.ts'
import * as life from './lifecycle.ts'
import type { Session } from './lifecycle.ts'
import * as table from './table.ts'

export type Followers = ReturnType<typeof createFollowers>

/** Paid sessions that wait for another's end. */
export function createFollowers({ now, connect }: { now: Now; connect: Connect }) {
  /** The first becomes something of its own, and the others wait for that one. */
  async function lead(tx: Tx, ended: Session, first: (session: Session) => Session): Promise<Session | undefined> {
    const [next, ...later] = await table.findFollowers(tx, ended.id)
    if (!next) return undefined
    const leading = { ...first(next), follows: null, updatedAt: now() }
    await table.saveSessions(tx, [leading, ...later.map((session) => ({ ...session, follows: leading.id }))])
    return leading
  }

  /** Nobody may be there to begin it: it stays ready, with its code, and is what its customer has from now on. */
  const release = (tx: Tx, ended: Session) => lead(tx, ended, (session) => session)

  return {
    release,

    /**
     * Begins the first of them where the other ended, with its devices and profiles; one whose forerunner was never begun
     * is released instead, since nobody is there.
     * @returns the session that began
     */
    async begin(tx: Tx, ended: Session): Promise<Session | undefined> {
      if (ended.startTime === null) {
        await release(tx, ended)
        return undefined
      }
      const begun = await lead(tx, ended, (session) => life.activate(session, now()))
      if (!begun) return undefined
      await moveDevices(tx, ended, begun, now())
      await connect.follow(tx, ended.id, begun)
      return begun
    },
  }
}
