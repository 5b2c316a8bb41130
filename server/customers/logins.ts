import type { Now } from '../clock.ts'
import type { Store, Tx } from '../store/store.ts'
import { hashToken, makeToken } from '../token.ts'
import { DAY, HOUR } from '../units.ts'
import * as table from './table.ts'

/** A login ends when it was not used for so long. */
const LASTS_MS = 60 * DAY
/** Its end is moved at most so often, so that a page that asks every few seconds does not write each time. */
const SLIDE_EVERY_MS = HOUR

export type Logins = ReturnType<typeof createLogins>

/** Who is signed in: tokens of which only hashes are kept. */
export function createLogins({ store, now }: { store: Store; now: Now }) {
  return {
    /** @returns the token, for the cookie; only ever here. The customer must exist */
    async open(tx: Tx, phone: string): Promise<string> {
      const token = makeToken()
      const at = now()
      await table.sweepLogins(tx, at)
      await table.insertLogin(tx, { tokenHash: hashToken(token), phone, expiresAt: at + LASTS_MS }, at)
      return token
    },

    /** Whose token it is, and moves its end. */
    async of(token: string): Promise<{ phone: string; confirmed: boolean } | null> {
      const tokenHash = hashToken(token)
      const at = now()
      const login = await table.findLogin(store.db, tokenHash, at)
      if (!login) return null
      if (login.expiresAt < at + LASTS_MS - SLIDE_EVERY_MS) await table.moveLogin(store.db, tokenHash, at + LASTS_MS, at)
      return { phone: login.phone, confirmed: login.confirmed }
    },

    close: (token: string): Promise<void> => table.deleteLogin(store.db, hashToken(token)),
  }
}
