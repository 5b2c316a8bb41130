import { iso } from '../clock.ts'
import type { Db } from '../store/store.ts'
import type { ApiKey, AuditPage, Member, Role, Scope } from './schema.ts'

/** What stands for the role of a key that has none. */
const PROGRAM = 'program'

type StaffRow = { id: number; username: string; password_hash: string; role: Role; created_at: number; disabled_at: number | null }

export type Login = { tokenHash: string; csrfToken: string; expiresAt: number; username: string; role: Role }

export async function countStaff(db: Db): Promise<number> {
  return countOf(await db('staff').count({ count: '*' }).first())
}

export async function countOwners(db: Db): Promise<number> {
  return countOf(await db('staff').where({ role: 'owner', disabled_at: null }).count({ count: '*' }).first())
}

export async function listStaff(db: Db): Promise<Member[]> {
  const rows: StaffRow[] = await db('staff').orderBy('username')
  return rows.map(memberOf)
}

/** With the hash of the password: only for signing in. */
export async function findMember(db: Db, username: string): Promise<(Member & { passwordHash: string }) | undefined> {
  const row: StaffRow | undefined = await db('staff').where({ username }).first()
  return row && { ...memberOf(row), passwordHash: row.password_hash }
}

export async function insertStaff(db: Db, member: { username: string; passwordHash: string; role: Role }, at: number): Promise<Member> {
  const [row] = await db('staff')
    .insert({ username: member.username, password_hash: member.passwordHash, role: member.role, created_at: at })
    .returning('*')
  return memberOf(row)
}

/** What is undefined stays as it is; one of them must not be. */
type StaffChange = { passwordHash: string | undefined; role: Role | undefined; disabled: boolean | undefined }

export async function updateStaff(db: Db, id: number, change: StaffChange, at: number): Promise<Member | undefined> {
  const [row] = await db('staff')
    .where({ id })
    .update({
      password_hash: change.passwordHash,
      role: change.role,
      disabled_at: change.disabled === undefined ? undefined : change.disabled ? at : null,
    })
    .returning('*')
  return row && memberOf(row)
}

export async function insertLogin(
  db: Db,
  login: { tokenHash: string; staffId: number; csrfToken: string; expiresAt: number },
): Promise<void> {
  await db('staff_logins').insert({
    token_hash: login.tokenHash,
    staff_id: login.staffId,
    csrf_token: login.csrfToken,
    expires_at: login.expiresAt,
  })
}

/** A login that still lasts, of a member who may still sign in. */
export async function findLogin(db: Db, tokenHash: string, at: number): Promise<Login | undefined> {
  return db('staff_logins')
    .join('staff', 'staff.id', 'staff_logins.staff_id')
    .where({ token_hash: tokenHash, disabled_at: null })
    .where('expires_at', '>', at)
    .first({ tokenHash: 'token_hash', csrfToken: 'csrf_token', expiresAt: 'expires_at', username: 'username', role: 'role' })
}

export async function moveLogin(db: Db, tokenHash: string, expiresAt: number): Promise<void> {
  await db('staff_logins').where({ token_hash: tokenHash }).update({ expires_at: expiresAt })
}

export async function deleteLogin(db: Db, tokenHash: string): Promise<void> {
  await db('staff_logins').where({ token_hash: tokenHash }).delete()
}

export async function deleteLoginsOf(db: Db, staffId: number): Promise<void> {
  await db('staff_logins').where({ staff_id: staffId }).delete()
}

export async function sweepLogins(db: Db, at: number): Promise<void> {
  await db('staff_logins').where('expires_at', '<=', at).delete()
}

export async function listKeys(db: Db): Promise<ApiKey[]> {
  const rows: { id: number; name: string; role: string; scopes: string; last4: string; created_at: number; revoked_at: number | null }[] =
    await db('api_keys').select('id', 'name', 'role', 'scopes', 'last4', 'created_at', 'revoked_at').orderBy('id')
  return rows.map(({ id, name, role, scopes, last4, created_at, revoked_at }) => ({
    id,
    name,
    role: roleFrom(role),
    scopes: JSON.parse(scopes) as Scope[],
    last4,
    createdAt: iso(created_at),
    revokedAt: iso(revoked_at),
  }))
}

/** A key that was not revoked. */
export async function findKey(db: Db, keyHash: string): Promise<{ name: string; role: Role | null; scopes: Scope[] } | undefined> {
  const row = await db('api_keys').where({ key_hash: keyHash, revoked_at: null }).first('name', 'role', 'scopes')
  return row && { name: row.name, role: roleFrom(row.role), scopes: JSON.parse(row.scopes) }
}

export async function insertKey(
  db: Db,
  key: { name: string; role: Role | null; scopes: Scope[]; keyHash: string; last4: string },
  at: number,
): Promise<number> {
  const [row] = await db('api_keys')
    .insert({
      name: key.name,
      role: key.role ?? PROGRAM,
      scopes: JSON.stringify(key.scopes),
      key_hash: key.keyHash,
      last4: key.last4,
      created_at: at,
    })
    .returning('id')
  return row.id
}

function roleFrom(stored: string): Role | null {
  return stored === PROGRAM ? null : (stored as Role)
}

export async function revokeKey(db: Db, id: number, at: number): Promise<boolean> {
  return (await db('api_keys').where({ id, revoked_at: null }).update({ revoked_at: at })) === 1
}

/** @param entry `details` is JSON text */
export async function insertAudit(
  db: Db,
  entry: { actor: string; action: string; subject: string; details: string },
  at: number,
): Promise<void> {
  await db('audit').insert({ at, ...entry })
}

/** What was done stays, to whom it was done does not. */
export async function forgetSubject(db: Db, subject: string): Promise<void> {
  await db('audit')
    .where({ subject })
    .update({ subject: `…${subject.slice(-3)}` })
}

export async function pageAudit(db: Db, offset: number, limit: number): Promise<Pick<AuditPage, 'entries' | 'total'>> {
  const rows: { id: number; at: number; actor: string; action: string; subject: string; details: string | null }[] = await db('audit')
    .orderBy('id', 'desc')
    .offset(offset)
    .limit(limit)
  const entries = rows.map((row) => ({ ...row, at: iso(row.at), details: JSON.parse(row.details ?? 'null') as unknown }))
  return { entries, total: countOf(await db('audit').count({ count: '*' }).first()) }
}

function memberOf(row: StaffRow): Member {
  return { id: row.id, username: row.username, role: row.role, disabled: row.disabled_at !== null, createdAt: iso(row.created_at) }
}

function countOf(row: Record<string, unknown> | undefined): number {
  return Number(row?.['count'])
}
