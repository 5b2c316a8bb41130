import type { Accounts } from '../accounts/accounts.ts'
import type { AccountTried } from '../accounts/schema.ts'
import type { Fetch } from '../outside.ts'
import { createAfricasTalking } from './providers/africas-talking.ts'
import { SmsTrouble } from './trouble.ts'

export type Sms = ReturnType<typeof createSms>

/** Text messages, by the one company that the box has an account with. */
export function createSms({ accounts, fetch = globalThis.fetch }: { accounts: Pick<Accounts, 'read'>; fetch?: Fetch }) {
  async function valuesOf(): Promise<Record<string, string>> {
    const { missing, values } = await accounts.read('africas-talking')
    if (missing.length > 0) throw new SmsTrouble(`Africa's Talking: still missing is ${missing.join(', ')}.`, { isOurs: true })
    return values
  }
  const company = createAfricasTalking({ account: valuesOf, fetch })
  let trouble: string | null = null

  /** Remembers what the company holds against the account, until it takes a message again. */
  async function noted<T>(work: () => Promise<T>): Promise<T> {
    try {
      const result = await work()
      trouble = null
      return result
    } catch (error) {
      if (error instanceof SmsTrouble && error.isOurs) trouble = error.message
      throw error
    }
  }

  return {
    /** Whether messages can be sent at all: the account is turned on and lacks nothing. Not inside a transaction. */
    isOn: async (): Promise<boolean> => (await accounts.read('africas-talking')).ready,

    /**
     * Sends one message, once: after a time-out it may have gone all the same, so it is never sent again by itself.
     * @param phone digits of E.164 without the plus
     * @param text ASCII, at most 160 signs for one message
     * @throws SmsTrouble
     */
    send: (phone: string, text: string): Promise<{ messageId: string }> => noted(() => company.send(phone, text)),

    /** What is wrong with the account, for the owner, as this process saw it last; null when nothing is, or it is turned off. */
    trouble: async (): Promise<string | null> => ((await accounts.read('africas-talking')).enabled ? trouble : null),

    /** Whether the company takes this account, for the owner. Sends nothing. */
    async test(): Promise<AccountTried> {
      try {
        return { ok: true, words: await noted(() => company.test()) }
      } catch (error) {
        if (error instanceof SmsTrouble) return { ok: false, words: error.message }
        throw error
      }
    },
  }
}
