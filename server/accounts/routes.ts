import { z } from 'zod'
import { type Route, route } from '../http/api.ts'
import type { Accounts } from './accounts.ts'
import { accountName, accountPatch, accountShape, accountTried, type AccountName, type AccountTried } from './schema.ts'

const tag = 'accounts'
const path = '/api/admin/accounts'
const params = z.object({ name: accountName })

type Needs = {
  accounts: Accounts
  /** Asks the company whether the account works; that it does not is an answer too. */
  test: (name: AccountName) => Promise<AccountTried>
}

export function accountRoutes({ accounts, test }: Needs): Route[] {
  return [
    route({
      method: 'get',
      path,
      tag,
      summary: 'Accounts with companies for payments and SMS',
      guard: 'owner',
      response: z.object({ accounts: z.array(accountShape) }),
      handle: async () => ({ accounts: await accounts.list() }),
    }),
    route({
      method: 'patch',
      path: `${path}/:name`,
      tag,
      summary: 'Turn an account on or off, or enter what it needs; secrets are kept sealed and never shown again',
      guard: 'owner',
      params,
      body: accountPatch,
      response: z.object({ account: accountShape }),
      audit: 'account.update',
      handle: async ({ params: { name }, body }) => ({ account: await accounts.update(name, body) }),
    }),
    route({
      method: 'post',
      path: `${path}/:name/test`,
      tag,
      summary: 'Ask the company whether the account works, without money',
      guard: 'owner',
      params,
      response: accountTried,
      handle: async ({ params: { name } }) => {
        await accounts.read(name)
        return test(name)
      },
    }),
  ]
}
