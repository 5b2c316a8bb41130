import type { Now } from '../clock.ts'
import { Refusal } from '../errors.ts'
import type { Log } from '../log.ts'
import type { Sms } from '../sms/sms.ts'
import { SmsTrouble } from '../sms/trouble.ts'
import type { Store, Tx } from '../store/store.ts'
import { DAY, MINUTE, SECOND } from '../units.ts'
import { hashSignInCode, makeSignInCode, sameHash } from './codes.ts'
import type { Logins } from './logins.ts'
import * as codes from './signin-table.ts'
import * as table from './table.ts'
import { inWords, type Tries } from './tries.ts'

const LASTS_MS = 10 * MINUTE
const RESEND_AFTER_MS = 30 * SECOND
const TRIES = 5
/** In 24 hours. A message costs money, and somebody who did not ask for it gets it. */
const A_DAY_PER_NUMBER = 8
const A_DAY_PER_ADDRESS = 40
/** In 24 hours, of the whole box: some have others pay for messages to numbers of which they get a share. */
const A_DAY = 1000

/** Text messages; `send` throws an SmsTrouble. */
export type Messages = Pick<Sms, 'isOn' | 'send'>

type Needs = {
  store: Store
  now: Now
  secret: string
  sms: Pick<Sms, 'send'>
  log: Pick<Log, 'warn'>
  venueName: () => Promise<string>
  logins: Logins
  tries: Tries
}

/** Signing in by a code in a message, which proves the number. Only the newest code of a number counts, and only once. */
export function createCodeSignIn({ store, now, secret, sms, log, venueName, logins, tries }: Needs) {
  async function checkLimits(tx: Tx, phone: string, address: string): Promise<void> {
    const at = now()
    const newest = await codes.findNewestCode(tx, phone)
    if (newest && at - newest.sentAt < RESEND_AFTER_MS)
      throw wait('A code was sent to this number just now.', newest.sentAt + RESEND_AFTER_MS - at)
    const limits = [
      { whose: { phone }, most: A_DAY_PER_NUMBER, words: 'This number was sent too many codes today.' },
      { whose: { address }, most: A_DAY_PER_ADDRESS, words: 'Too many codes were asked for from this device today.' },
      { whose: {}, most: A_DAY, words: 'This venue has sent as many codes as it may in a day.' },
    ]
    for (const { whose, most, words } of limits) {
      const sent = await codes.countCodes(tx, whose, at - DAY)
      if (sent.count >= most) throw wait(words, sent.firstAt + DAY - at)
    }
  }

  /**
   * What others did under this number without a message ends: they may have typed anybody's. That holds after a payment
   * too, which its owner may have approved without looking. As long as there is a PIN, every login was made by it.
   */
  async function prove(tx: Tx, phone: string): Promise<void> {
    await table.insertMissing(tx, phone, now())
    const { pinHash, confirmedAt } = await table.findSecrets(tx, phone)
    if (pinHash === null && confirmedAt !== null) return
    await table.dropPin(tx, phone, null)
    await table.deleteLoginsOf(tx, phone)
    await table.confirm(tx, phone, now())
  }

  return {
    /**
     * Sends a code. The answer is the same for every number, known or not.
     * @param address of the asker, for the limits
     * @throws Refusal `too-many-tries` with `retryAfterSeconds`; `unavailable` when the message cannot be sent
     */
    async send(phone: string, address: string): Promise<{ expiresInSeconds: number; resendInSeconds: number }> {
      const code = makeSignInCode()
      const name = await venueName()
      // Written down before it is sent, so that many who ask at once get one, and a message that fails counts too.
      await store.transaction(async (tx) => {
        await codes.sweepCodes(tx, now() - DAY)
        await checkLimits(tx, phone, address)
        const codeHash = hashSignInCode(code, phone, secret)
        await codes.insertCode(tx, { phone, address, codeHash, sentAt: now(), expiresAt: now() + LASTS_MS })
      })
      try {
        await sms.send(phone, wordsOf(code, name))
      } catch (error) {
        if (!(error instanceof SmsTrouble)) throw error
        log.warn({ err: error }, 'a sign-in code could not be sent')
        throw new Refusal('unavailable', `${error.forUser} A voucher needs no sign-in.`)
      }
      return { expiresInSeconds: LASTS_MS / SECOND, resendInSeconds: RESEND_AFTER_MS / SECOND }
    },

    /**
     * @returns the token of a new login; the number is confirmed
     * @throws Refusal `not-signed-in` for a code that is wrong, used, too old or tried too often; `too-many-tries`
     */
    async signIn(phone: string, typed: string, address: string): Promise<string> {
      const takeBack = await tries.begin(address)
      const token = await store.transaction(async (tx) => {
        const newest = await codes.findNewestCode(tx, phone)
        if (!newest || newest.usedAt !== null || newest.expiresAt <= now() || newest.tries >= TRIES) return undefined
        await codes.countCodeTry(tx, newest.id)
        if (!sameHash(newest.codeHash, hashSignInCode(typed, phone, secret))) return undefined
        await codes.useCode(tx, newest.id, now())
        await prove(tx, phone)
        return logins.open(tx, phone)
      })
      if (!token)
        throw new Refusal('not-signed-in', 'This code is not right, or it has run out. Type the newest one, or have another sent to you.')
      await takeBack()
      return token
    },
  }
}

/** Signs that every phone shows: one other, and the message costs double. */
function wordsOf(code: string, venueName: string): string {
  const name = venueName.replace(/[^\x20-\x7e]/g, '').trim()
  return `${code} is your code for ${name || 'the Wi-Fi'}. It works for 10 minutes. Give it to nobody.`
}

function wait(why: string, waitMs: number): Refusal {
  const retryAfterSeconds = Math.max(1, Math.ceil(waitMs / SECOND))
  return new Refusal('too-many-tries', `${why} Wait ${inWords(retryAfterSeconds)} and ask again.`, { retryAfterSeconds })
}
