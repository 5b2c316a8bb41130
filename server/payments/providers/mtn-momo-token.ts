import type { Now } from '../../clock.ts'
import { fieldsOf, isAskersFault, type Answer } from '../../outside.ts'
import { HOUR, MINUTE, SECOND } from '../../units.ts'
import { ProviderTrouble } from '../provider.ts'

/** What the owner entered, by key. */
export type Values = Record<string, string>

/** MTN advises to renew about ten minutes before the end. */
const RENEW_BEFORE_MS = 10 * MINUTE

type Needs = {
  now: Now
  ask: (values: Values, path: string, question: { method: 'POST'; headers: Record<string, string>; body: string }) => Promise<Answer>
}

/**
 * The access token of MTN's collections: one a process, kept for most of its hour, and asked for once however many wait.
 * Other keys in the account make another token.
 */
export function createToken({ now, ask }: Needs) {
  let kept: { keys: string; asked: Promise<string>; bearer?: string; until: number } | undefined

  async function fetchToken(values: Values): Promise<{ bearer: string; lastsMs: number }> {
    const basic = Buffer.from(`${values['apiUser']}:${values['apiKey']}`).toString('base64')
    const answer = await ask(values, '/collection/token/', { method: 'POST', headers: { Authorization: `Basic ${basic}` }, body: '' })
    const { access_token: bearer, expires_in: seconds } = fieldsOf(answer.json)
    if (answer.status === 200 && typeof bearer === 'string' && bearer) return { bearer, lastsMs: Number(seconds) * SECOND || HOUR }
    const isOurs = isAskersFault(answer.status)
    const words = isOurs
      ? `MTN Mobile Money gave no access token for these keys (${answer.status}). Check address, subscription key, API user and API key.`
      : `MTN Mobile Money gave no access token (${answer.status}).`
    throw new ProviderTrouble(words, { isOurs, waitMs: answer.waitMs })
  }

  return {
    /** @throws ProviderTrouble */
    async get(values: Values): Promise<string> {
      const keys = JSON.stringify([values['baseUrl'], values['subscriptionKey'], values['apiUser'], values['apiKey']])
      if (kept?.keys === keys && now() < kept.until) return kept.asked
      const fetched = fetchToken(values)
      const mine: NonNullable<typeof kept> = { keys, asked: fetched.then(({ bearer }) => bearer), until: Infinity }
      kept = mine
      try {
        const { bearer, lastsMs } = await fetched
        mine.bearer = bearer
        // A token that lives for less than twenty minutes is used for half its life.
        mine.until = now() + lastsMs - Math.min(RENEW_BEFORE_MS, lastsMs / 2)
      } catch {
        if (kept === mine) kept = undefined
      }
      return mine.asked
    },

    /** This token is not taken any more; of many who say so, only the first has a new one asked for. */
    forget(bearer: string): void {
      if (kept?.bearer === bearer) kept = undefined
    },
  }
}
