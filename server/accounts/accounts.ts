import { iso, type Now } from '../clock.ts'
import { Refusal } from '../errors.ts'
import type { Bus } from '../events.ts'
import { createSeal } from '../seal.ts'
import type { Settings } from '../settings/settings.ts'
import type { Store } from '../store/store.ts'
import { SECOND } from '../units.ts'
import { checkValue } from './check.ts'
import { kinds, type Field } from './kinds.ts'
import { accountName, type AccountName, type AccountPatch, type AccountView } from './schema.ts'
import * as table from './table.ts'

export type Accounts = ReturnType<typeof createAccounts>

/** What a provider works with. `values` holds secrets: never to be logged, shown or queued. */
export type OpenAccount = { enabled: boolean; ready: boolean; missing: string[]; values: Record<string, string> }

/** The bus may lose a message: after this long another process sees the owner's change all the same. */
const KEEP_MS = 2 * SECOND

type Needs = {
  store: Store
  now: Now
  bus: Bus
  /** The box's own secret, from which the key of the seal follows. */
  secret: string
  settings: Pick<Settings, 'get'>
  /** Whether this is a lab: there is an account `sandbox`, and companies may be reached without TLS. */
  sandbox: boolean
}

/** Accounts with outside companies: what the owner entered, its secrets sealed, and whether it is enough. */
export function createAccounts({ store, now, bus, secret, settings, sandbox }: Needs) {
  const seal = createSeal(secret, 'accounts')
  const names = accountName.options.filter((name) => sandbox || name !== 'sandbox')
  const kept = new Map<AccountName, { account: Promise<OpenAccount>; readAt: number }>()

  bus.subscribe('catalogue.changed', ({ what }) => {
    if (what === 'accounts') kept.clear()
  })

  function mustHave(name: AccountName): void {
    if (!names.includes(name)) throw new Refusal('not-found', 'There is no such account on this box.')
  }

  /** Secrets that were sealed under another secret, on a restored box, count as not entered. */
  function stored(account: table.Account | undefined): { options: Record<string, string>; secrets: Record<string, string> } {
    return {
      options: parsed(() => account?.options),
      secrets: parsed(() => (account?.sealed ? seal.open(account.sealed) : undefined)),
    }
  }

  function opened(name: AccountName, account: table.Account | undefined): OpenAccount {
    const { options, secrets } = stored(account)
    const { fields, startsEnabled } = kinds[name]
    const values = Object.fromEntries(fields.map((field) => [field.key, valueOf(field, options, secrets)]))
    const missing = fields.filter((field) => !field.optional && !values[field.key]).map(({ label }) => label)
    const enabled = account?.enabled ?? startsEnabled
    return { enabled, ready: enabled && missing.length === 0, missing, values }
  }

  function viewOf(name: AccountName, account: table.Account | undefined, publicUrl: string): AccountView {
    const { title, use, callsBack, fields } = kinds[name]
    const { values, enabled, ready, missing } = opened(name, account)
    return {
      name,
      title,
      use,
      enabled,
      ready,
      missing,
      callbackUrl: callsBack && publicUrl ? `${publicUrl}/api/callbacks/${name}` : null,
      fields: fields.map(({ key, label, help, secret: isSecret = false, choices = null }) => ({
        key,
        label,
        help,
        secret: isSecret,
        value: isSecret ? '' : (values[key] ?? ''),
        isSet: Boolean(values[key]),
        choices,
      })),
      updatedAt: iso(account?.updatedAt ?? null),
    }
  }

  return {
    /** Every account that this box can have, with what is entered. Secrets are never in it. */
    async list(): Promise<AccountView[]> {
      const { publicUrl } = await settings.get()
      const found = new Map((await table.readAll(store.db)).map((account) => [account.name, account]))
      return names.map((name) => viewOf(name, found.get(name), publicUrl))
    },

    /**
     * Changes what is named, the rest stays; an empty text takes a value away, and the default comes back.
     * @throws Refusal `bad-input` for a value that cannot be right, `not-found` for an account that this box does not have
     */
    async update(name: AccountName, { enabled, values = {} }: AccountPatch): Promise<AccountView> {
      mustHave(name)
      const { publicUrl } = await settings.get()
      const { fields, startsEnabled } = kinds[name]
      for (const [key, value] of Object.entries(values)) {
        const field = fields.find((one) => one.key === key)
        if (!field) throw new Refusal('bad-input', `This account has no field called ${key}.`)
        checkValue(field, value, sandbox)
      }
      const view = await store.transaction(async (tx) => {
        const before = await table.read(tx, name)
        const { options, secrets } = stored(before)
        for (const field of fields) put(field.secret ? secrets : options, field, values[field.key])
        const account: table.Account = {
          name,
          enabled: enabled ?? before?.enabled ?? startsEnabled,
          options: JSON.stringify(options),
          sealed: Object.keys(secrets).length > 0 ? seal.close(JSON.stringify(secrets)) : null,
          updatedAt: now(),
        }
        await table.write(tx, account)
        return viewOf(name, account, publicUrl)
      })
      kept.clear()
      bus.publish('catalogue.changed', { what: 'accounts' })
      return view
    },

    /**
     * For whoever speaks with the company. At most two seconds old; not to be called inside a transaction.
     * @throws Refusal `not-found` for an account that this box does not have
     */
    async read(name: AccountName): Promise<OpenAccount> {
      mustHave(name)
      const found = kept.get(name)
      if (found && now() - found.readAt < KEEP_MS) return found.account
      const account = table.read(store.db, name).then((row) => opened(name, row))
      kept.set(name, { account, readAt: now() })
      account.catch(() => kept.delete(name))
      return account
    },
  }
}

function valueOf(field: Field, options: Record<string, string>, secrets: Record<string, string>): string {
  return (field.secret ? secrets : options)[field.key] ?? field.default ?? ''
}

function put(into: Record<string, string>, { key, shape }: Field, value: string | undefined): void {
  if (value === undefined) return
  if (value === '') delete into[key]
  else into[key] = shape === 'url' ? value.replace(/\/+$/, '') : value
}

function parsed(read: () => string | undefined): Record<string, string> {
  try {
    return JSON.parse(read() ?? '{}') as Record<string, string>
  } catch {
    return {}
  }
}
