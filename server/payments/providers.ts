import type { Accounts } from '../accounts/accounts.ts'
import type { AccountTried } from '../accounts/schema.ts'
import type { Now } from '../clock.ts'
import type { Fetch } from '../outside.ts'
import { ProviderTrouble, type Provider } from './provider.ts'
import { createCash } from './providers/cash.ts'
import { createMomo } from './providers/mtn-momo.ts'
import { createPaystack } from './providers/paystack.ts'
import { createSandbox } from './providers/sandbox.ts'
import type { ProviderName } from './schema.ts'

export type Providers = ReturnType<typeof createProviders>

/** `sandbox`: whether this process may offer the way to pay without money. */
type Needs = { accounts: Pick<Accounts, 'read'>; now: Now; sandbox: boolean; fetch?: Fetch }

/** The ways to pay that this box can have, in the order in which buyers see them. */
export function createProviders({ accounts, now, sandbox, fetch = globalThis.fetch }: Needs) {
  /** Of an account that was turned off too: what was asked for before must be brought to its end. */
  const valuesOf = (name: Exclude<ProviderName, 'free'>, title: string) => async () => {
    const { missing, values } = await accounts.read(name)
    if (missing.length > 0) throw new ProviderTrouble(`${title}: still missing is ${missing.join(', ')}.`, { isOurs: true })
    return values
  }
  const all: Provider[] = [
    createMomo({ account: valuesOf('mtn-momo', 'MTN Mobile Money'), now, fetch }),
    createPaystack({ account: valuesOf('paystack', 'Paystack'), fetch }),
    ...(sandbox ? [createSandbox({ now })] : []),
    createCash(),
  ]

  return {
    /** Turned off or not. */
    find: (name: ProviderName): Provider | undefined => all.find((provider) => provider.name === name),

    /** Those that buyers are offered: turned on, with all that they need, and for this currency. Not inside a transaction. */
    async enabled(currency: string): Promise<Provider[]> {
      const taking = all.filter((provider) => provider.takes(currency))
      const accountsOf = await Promise.all(taking.map(({ name }) => accounts.read(name as Exclude<ProviderName, 'free'>)))
      return taking.filter((_provider, index) => accountsOf[index]?.ready)
    },

    /** Whether the provider takes this account, for the owner. Moves no money. */
    async test(name: ProviderName): Promise<AccountTried> {
      const provider = all.find((one) => one.name === name)
      if (!provider) return { ok: false, words: 'This box does not have this way to pay.' }
      try {
        return { ok: true, words: await provider.test() }
      } catch (error) {
        if (error instanceof ProviderTrouble) return { ok: false, words: error.message }
        throw error
      }
    },
  }
}
