import type { Now } from '../clock.ts'
import { Refusal } from '../errors.ts'
import type { Log } from '../log.ts'
import { parsePhone } from '../phone.ts'
import type { Settings } from '../settings/settings.ts'
import type { Db, Store, Tx } from '../store/store.ts'
import { HOUR } from '../units.ts'
import { createCodeSignIn, type Messages } from './code-sign-in.ts'
import { createLogins } from './logins.ts'
import { createPinSignIn } from './pin-sign-in.ts'
import type { Customer, CustomerFilter, CustomerPage, CustomerRow, SignInInput, SignInWay } from './schema.ts'
import * as signInTable from './signin-table.ts'
import * as table from './table.ts'
import { createTries } from './tries.ts'

export type Customers = ReturnType<typeof createCustomers>

/** Staff stand beside the customer who chooses a new PIN. */
const PIN_OPEN_MS = HOUR

type Needs = {
  store: Store
  now: Now
  /** The box's own, for hashes of codes and PINs; when it is lost, staff reset every PIN. */
  secret: string
  sms: Messages
  log: Pick<Log, 'warn'>
  settings: Pick<Settings, 'get'>
}

/** Whoever has a phone number: digits of E.164 without the plus, everywhere in this room. */
export function createCustomers({ store, now, secret, sms, log, settings }: Needs) {
  const logins = createLogins({ store, now })
  const tries = createTries({ store, now })
  const byPin = createPinSignIn({ store, now, secret, logins, tries })
  const venueName = async () => (await settings.get()).venueName
  const byCode = createCodeSignIn({ store, now, secret, sms, log, venueName, logins, tries })

  /** How customers sign in here now. */
  const way = async (): Promise<SignInWay> => ((await sms.isOn()) ? 'sms' : 'pin')

  /** The number meant by what somebody typed, with the venue's country. @throws Refusal `bad-input` */
  async function phoneOf(typed: string): Promise<string> {
    const phone = parsePhone(typed, (await settings.get()).country)
    if (!phone)
      throw new Refusal('bad-input', 'This cannot be a phone number. Type it as you dial it, or with + and the country first.', {
        where: 'body',
        faults: [{ path: 'phone', message: 'not a phone number' }],
      })
    return phone
  }

  return {
    way,
    phoneOf,

    /**
     * Sends a code to a number. The answer is the same for every number, known or not.
     * @param address of the asker, for the limits
     * @throws Refusal `conflict` where codes are not sent, `bad-input`, `too-many-tries`, `unavailable`
     */
    async sendCode(typed: string, address: string): Promise<{ expiresInSeconds: number; resendInSeconds: number }> {
      if ((await way()) !== 'sms') throw new Refusal('conflict', 'This venue sends no codes. Sign in with your PIN.')
      return byCode.send(await phoneOf(typed), address)
    },

    /**
     * @param address of the asker, for the limits
     * @returns the token for the cookie, which is only ever here
     * @throws Refusal `not-signed-in`, `too-many-tries`, `bad-input`; `conflict` for a PIN where codes are sent
     */
    async signIn({ phone: typed, code, pin, isNew }: SignInInput, address: string): Promise<{ token: string; customer: Customer }> {
      const phone = await phoneOf(typed)
      if (code === undefined && (await way()) === 'sms')
        throw new Refusal('conflict', 'This venue sends a code to your phone instead of asking for a PIN. Ask for one.')
      const token =
        code === undefined ? await byPin.signIn({ phone, pin: pin ?? '', isNew }, address) : await byCode.signIn(phone, code, address)
      const customer = await table.find(store.db, phone)
      if (!customer) throw new Refusal('not-signed-in', 'This number was deleted just now. Sign in anew.')
      return { token, customer }
    },

    /** Ends this login alone. May be called twice. */
    signOut: (token: string): Promise<void> => logins.close(token),

    /** Whose login it is; every use keeps it for another 60 days. One look-up: for every request with the cookie. */
    ofToken: (token: string): Promise<{ phone: string; confirmed: boolean } | null> => logins.of(token),

    /**
     * A payment from this number came in that was asked for by somebody who is signed in with it: it is theirs, and their
     * PIN stands. Whoever pays without having signed in here proves nothing about the PIN: that is `ensure`.
     */
    confirm: (tx: Tx, phone: string): Promise<void> => table.confirm(tx, phone, now()),

    /** Makes a customer of a number for which a program bought something. May be called twice. */
    ensure: (tx: Tx, phone: string): Promise<void> => table.insertMissing(tx, phone, now()),

    /**
     * Staff have seen whose number it is: it counts as confirmed, every login ends, and for an hour a new PIN can be chosen, once.
     * @throws Refusal `not-found`
     */
    resetPin: (phone: string): Promise<void> =>
      store.transaction(async (tx) => {
        const isKnown = await table.dropPin(tx, phone, now() + PIN_OPEN_MS)
        if (!isKnown) throw new Refusal('not-found', `There is no customer with the number +${phone}.`)
        await table.confirm(tx, phone, now())
        await table.deleteLoginsOf(tx, phone)
        await signInTable.deletePinTries(tx, { phone })
      }),

    /** As staff see a customer. Inside a transaction give it as `db`. */
    find: (phone: string, db: Db = store.db): Promise<CustomerRow | undefined> => table.findForStaff(db, phone, now()),

    /** Who was seen last comes first; pages count from 1. */
    async page(filter: CustomerFilter): Promise<CustomerPage> {
      const { page, pageSize } = filter
      return { ...(await table.pageForStaff(store.db, filter, now())), page, pageSize }
    },

    /** Deletes what this room has of a number. May be called twice. */
    async forget(tx: Tx, phone: string): Promise<void> {
      await table.deleteLoginsOf(tx, phone)
      await signInTable.deleteCodesOf(tx, phone)
      await signInTable.deletePinTries(tx, { phone })
      await table.deleteCustomer(tx, phone)
    },
  }
}
