import type { Now } from '../clock.ts'
import { Refusal } from '../errors.ts'
import { hashPassword, nobodysHash, verifyPassword } from '../password.ts'
import type { Store } from '../store/store.ts'
import { hashToken, makeToken, sameToken } from '../token.ts'
import { HOUR, MINUTE } from '../units.ts'
import { makeApiKey } from './credentials.ts'
import { readFirstOwner, removeFirstOwner } from './first-owner.ts'
import type { ApiKey, ApiKeyInput, AuditPage, Caller, LoginAnswer, Member, Role, Scope, StaffInput, StaffPatch } from './schema.ts'
import * as table from './table.ts'
import { createTries } from './tries.ts'

export type Staff = ReturnType<typeof createStaff>

/** What a request brought along to say who is asking. `safe`: it cannot change anything (GET, HEAD). */
export type Credentials = { token?: string | undefined; apiKey?: string | undefined; csrfToken?: string | undefined; safe: boolean }

/** A login ends when it was not used for so long. */
const loginLastsMs = 12 * HOUR
/** Its end is moved at most so often, so that reading a page does not write each time. */
const slideEveryMs = 10 * MINUTE

/** Keys of a request's body that never reach the audit log; a logo is no secret, only large. */
const leftOut = new Set([
  'paymentReference',
  'password',
  'pin',
  'code',
  'codes',
  'resumeCode',
  'apiKey',
  'token',
  'csrfToken',
  'logo',
  'values',
])

/** Who may run the venue, and what they did. */
export function createStaff({ store, now }: { store: Store; now: Now }) {
  const tries = createTries()

  return {
    /**
     * Takes the first owner and API key out of a file that the installer left, and deletes it. With staff in the database the
     * file is only deleted: it is what a power cut left over.
     * @throws Error in plain words when the file is damaged
     */
    async firstOwner(file: string): Promise<void> {
      const first = readFirstOwner(file)
      if (!first) return
      const passwordHash = await hashPassword(first.password)
      await store.transaction(async (tx) => {
        if ((await table.countStaff(tx)) > 0) return
        await table.insertStaff(tx, { username: first.username, passwordHash, role: 'owner' }, now())
        await table.insertKey(
          tx,
          { name: 'first key', role: 'owner', scopes: [], keyHash: hashToken(first.apiKey), last4: first.apiKey.slice(-4) },
          now(),
        )
        await table.insertAudit(tx, { actor: 'box', action: 'staff.first-owner', subject: first.username, details: 'null' }, now())
      })
      removeFirstOwner(file)
    },

    /**
     * @param from address of the asker, for the limit on wrong tries
     * @throws Refusal `not-signed-in` when name or password is wrong, `too-many-tries` with `retryAfterSeconds`
     */
    async login(username: string, password: string, from: string): Promise<LoginAnswer & { token: string }> {
      const name = username.trim().toLowerCase()
      const takeBack = await tries.begin(name, from)
      const member = await table.findMember(store.db, name)
      const right = await verifyPassword(password, member?.passwordHash ?? nobodysHash)
      if (!member || member.disabled || !right) throw new Refusal('not-signed-in', 'Name or password is not right.')
      await takeBack()

      const token = makeToken()
      const csrfToken = makeToken()
      await store.transaction(async (tx) => {
        await table.sweepLogins(tx, now())
        await table.insertLogin(tx, { tokenHash: hashToken(token), staffId: member.id, csrfToken, expiresAt: now() + loginLastsMs })
        await table.insertAudit(tx, { actor: name, action: 'staff.login', subject: from, details: 'null' }, now())
      })
      return { username: name, role: member.role, token, csrfToken }
    },

    /** Ends a login; may be called twice. */
    logout: (token: string): Promise<void> => table.deleteLogin(store.db, hashToken(token)),

    /**
     * Who is asking. A program is called `key:<its name>`.
     * @throws Refusal `not-signed-in`, or `csrf` for a change by cookie without the login's token
     */
    async authenticate({ token, apiKey, csrfToken, safe }: Credentials): Promise<Caller> {
      if (apiKey !== undefined) {
        const key = await table.findKey(store.db, hashToken(apiKey))
        if (!key) throw new Refusal('not-signed-in', 'This API key is not valid.')
        return { name: `key:${key.name}`, role: key.role, scopes: scopesOf(key) }
      }
      const login = await liveLogin(token)
      if (!safe && !sameToken(csrfToken ?? '', login.csrfToken)) {
        throw new Refusal('csrf', 'This page does not belong to your sign-in any more. Reload the page and sign in again.')
      }
      if (login.expiresAt - now() < loginLastsMs - slideEveryMs) await table.moveLogin(store.db, login.tokenHash, now() + loginLastsMs)
      return { name: login.username, role: login.role, scopes: staffScopes }
    },

    /** What a page that was reloaded needs to go on. @throws Refusal `not-signed-in` */
    async resumeLogin(token: string | undefined): Promise<LoginAnswer> {
      const { username, role, csrfToken } = await liveLogin(token)
      return { username, role, csrfToken }
    },

    list: (): Promise<Member[]> => table.listStaff(store.db),

    /** @throws Refusal `conflict` when the name is taken */
    async create({ username, password, role }: StaffInput): Promise<Member> {
      const passwordHash = await hashPassword(password)
      return store.transaction(async (tx) => {
        if (await table.findMember(tx, username)) throw new Refusal('conflict', `There is a "${username}" already. Choose another name.`)
        return table.insertStaff(tx, { username, passwordHash, role }, now())
      })
    },

    /**
     * A member who is disabled or gets a new password is signed out everywhere at once.
     * @throws Refusal `not-found`, or `conflict` when no owner would be left
     */
    async update(id: number, { password, role, disabled }: StaffPatch): Promise<Member> {
      const passwordHash = password === undefined ? undefined : await hashPassword(password)
      return store.transaction(async (tx) => {
        const updated = await table.updateStaff(tx, id, { passwordHash, role, disabled }, now())
        if (!updated) throw new Refusal('not-found', `There is no member of staff ${id}.`)
        if ((await table.countOwners(tx)) === 0) throw new Refusal('conflict', 'This is the last owner. Make somebody else an owner first.')
        if (updated.disabled || passwordHash) await table.deleteLoginsOf(tx, id)
        return updated
      })
    },

    listKeys: (): Promise<ApiKey[]> => table.listKeys(store.db),

    /** The key itself is only ever in this answer. */
    async createKey({ name, role, scopes }: ApiKeyInput): Promise<{ id: number; apiKey: string }> {
      const apiKey = makeApiKey()
      const id = await table.insertKey(store.db, { name, role, scopes, keyHash: hashToken(apiKey), last4: apiKey.slice(-4) }, now())
      return { id, apiKey }
    },

    /** It is refused from now on. @throws Refusal `not-found` */
    async revokeKey(id: number): Promise<void> {
      if (!(await table.revokeKey(store.db, id, now()))) throw new Refusal('not-found', `There is no API key ${id} in use.`)
    },

    /** Writes down a change; passwords and codes within `details` are left out. */
    audit: ({ actor, action, subject, details }: { actor: string; action: string; subject: string; details: unknown }): Promise<void> =>
      table.insertAudit(store.db, { actor, action, subject, details: withoutSecrets(details) }, now()),

    /** Takes a customer's number out of the audit log. */
    forgetSubject: table.forgetSubject,

    /** Newest first; pages count from 1. */
    async auditPage(page: number, pageSize: number): Promise<AuditPage> {
      return { ...(await table.pageAudit(store.db, (page - 1) * pageSize, pageSize)), page, pageSize }
    },
  }

  async function liveLogin(token: string | undefined): Promise<table.Login> {
    const login = token ? await table.findLogin(store.db, hashToken(token), now()) : undefined
    if (!login) throw new Refusal('not-signed-in', 'Please sign in.')
    return login
  }
}

/** Staff may look at sessions and change them; to report usage is for the key of a router alone. */
const staffScopes: Scope[] = ['sessions:read', 'sessions:write']

function scopesOf({ role, scopes }: { role: Role | null; scopes: Scope[] }): Scope[] {
  return role === null ? scopes : [...staffScopes, ...scopes]
}

function withoutSecrets(details: unknown): string {
  return JSON.stringify(details ?? null, (key, value: unknown) => (leftOut.has(key) ? undefined : value))
}
