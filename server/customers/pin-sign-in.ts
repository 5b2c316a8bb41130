import type { Now } from '../clock.ts'
import { Refusal } from '../errors.ts'
import { hashPassword, nobodysHash, verifyPassword } from '../password.ts'
import type { Store } from '../store/store.ts'
import { keyPin } from './codes.ts'
import type { Logins } from './logins.ts'
import * as table from './table.ts'
import type { Tries } from './tries.ts'

type Needs = { store: Store; now: Now; secret: string; logins: Logins; tries: Tries }

/** `isNew`: the PIN is being chosen. */
export type TypedPin = { phone: string; pin: string; isNew: boolean }

/**
 * Signing in by a PIN, where the venue sends no messages.
 *
 * A number cannot be proved without a message: whoever comes first may have typed anybody's. So a PIN protects what was
 * bought, not the number.
 *
 * - **Squatting.** As long as nothing was bought under a number, nothing is being paid for and nobody proved it, a PIN is
 *   worth nothing: the next who chooses one replaces it, and every login before ends. Somebody who took a number in
 *   advance thus holds up nobody, and is out when its owner comes. What costs nothing does not count as bought, nor does a
 *   number for the counter as paid for: else whoever wants could shut an owner out. From the moment a payment is asked
 *   for, the PIN stands: nobody can slip in between the owner's question and the confirmation on the owner's phone. Numbers
 *   under which things were bought without a PIN (by a program, or while the venue sent messages) are free for nobody: staff look at whose
 *   number it is and open it for an hour, once.
 * - **Guessing.** A wrong PIN, an unknown number and a PIN that may not be chosen get one refusal, after the same work.
 *   Tries count per number in the database whether the number is known or not, and per address. The price: by ten wrong
 *   PINs a stranger keeps a customer from signing in anew for a day. Whoever is signed in stays so, and staff lift it.
 *   PINs that everybody tries first cannot be chosen. A stolen backup does not help: hashes are made with the box's secret.
 * - **Enumeration.** Signing in tells nothing. Choosing does: it succeeds for a number that nobody uses. Without a message
 *   this cannot be hidden from somebody who is ready to leave a PIN on each number tried, so it is made slow and is
 *   counted per address, as a wrong try where it fails.
 */
export function createPinSignIn({ store, now, secret, logins, tries }: Needs) {
  /** @returns the token of a new login, or undefined when number and PIN do not go together */
  async function attempt({ phone, pin, isNew }: TypedPin): Promise<{ token: string } | undefined> {
    const known = await table.findSecrets(store.db, phone)
    const keyed = keyPin(pin, secret)
    // Whatever is refused in the end has cost the work of one hash.
    const isFirst = isNew && known.pinHash === null
    const isRight = !isFirst && (await verifyPassword(keyed, known.pinHash ?? nobodysHash)) && known.pinHash !== null
    const isChosen = isFirst || (isNew && !isRight && mayChoose(known, now()))
    const chosenHash = isChosen ? await hashPassword(keyed) : undefined
    const done = await store.transaction(async (tx) => {
      const still = await table.findSecrets(tx, phone)
      if (still.pinHash !== known.pinHash) return 'changed' as const
      if (isRight) return { token: await logins.open(tx, phone) }
      if (!chosenHash || !mayChoose(still, now())) return undefined
      await table.insertMissing(tx, phone, now())
      await table.setPin(tx, phone, chosenHash)
      await table.deleteLoginsOf(tx, phone)
      return { token: await logins.open(tx, phone) }
    })
    // Two taps on the button choose one PIN: the second finds it chosen, and right.
    return done === 'changed' ? attempt({ phone, pin, isNew }) : done
  }

  return {
    /**
     * @param address of the asker, for the limits
     * @returns the token of a new login
     * @throws Refusal `not-signed-in`, `too-many-tries` with `retryAfterSeconds`, `bad-input` for a PIN that is too easy
     */
    async signIn(typed: TypedPin, address: string): Promise<string> {
      if (typed.isNew && isEasy(typed.pin))
        throw new Refusal(
          'bad-input',
          'This PIN is guessed first by everybody. Choose one that is not a row of digits or one digit over and over.',
        )
      const takeBack = await tries.begin(address)
      if (typed.isNew) await tries.choose(address)
      const forgive = await tries.beginPin(typed.phone, address)
      const login = await attempt(typed)
      if (!login)
        throw new Refusal('not-signed-in', 'This number and this PIN do not go together. Try again, or ask the staff for a new PIN.')
      await takeBack()
      await forgive()
      return login.token
    },
  }
}

function mayChoose({ pinHash, confirmedAt, pinOpenUntil, hasThings }: table.Secrets, at: number): boolean {
  if (pinHash === null && pinOpenUntil !== null && at < pinOpenUntil) return true
  return confirmedAt === null && !hasThings
}

/** 0000, 1234, 8765: what a stranger tries first. */
function isEasy(pin: string): boolean {
  const steps = new Set(Array.from(pin.slice(1), (digit, index) => Number(digit) - Number(pin[index])))
  return steps.size === 1 && [-1, 0, 1].includes([...steps][0]!)
}
