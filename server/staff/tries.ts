import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible'
import { Refusal } from '../errors.ts'

const minute = 60
const duration = 10 * minute

/**
 * Limits wrong sign-ins, per process and in memory.
 *
 * The tight limit is on one account from one address, so guessing shuts out only the guesser. The one on an address holds down
 * guessing over many accounts; the one on the whole box, guessing from many addresses at once. A pair of address and account
 * that signed in well within a day is not asked about the box as a whole: the owner at the usual place always gets in.
 */
export function createTries() {
  const perPair = new RateLimiterMemory({ points: 5, duration })
  const perAddress = new RateLimiterMemory({ points: 30, duration })
  const overall = new RateLimiterMemory({ points: 300, duration })
  const trusted = new RateLimiterMemory({ points: 1, duration: 24 * 60 * minute })

  return {
    /**
     * Counts a try before its password is looked at, so that many at once cannot slip through.
     * @returns to be called when the password was right: takes the try back
     * @throws Refusal `too-many-tries` with `retryAfterSeconds`
     */
    async begin(username: string, from: string): Promise<() => Promise<void>> {
      const pair = `${from} ${username}`
      await consume(perAddress, from)
      await consume(perPair, pair)
      const known = (await trusted.get(pair)) !== null
      if (!known) await consume(overall, 'all')
      return async () => {
        await perAddress.reward(from)
        await perPair.delete(pair)
        if (!known) await overall.reward('all')
        await trusted.set(pair, 1, 24 * 60 * minute)
      }
    },
  }
}

async function consume(limiter: RateLimiterMemory, key: string): Promise<void> {
  try {
    await limiter.consume(key)
  } catch (error) {
    if (!(error instanceof RateLimiterRes)) throw error
    const retryAfterSeconds = Math.max(1, Math.ceil(error.msBeforeNext / 1000))
    const wait = retryAfterSeconds > minute ? `${Math.ceil(retryAfterSeconds / minute)} minutes` : `${retryAfterSeconds} seconds`
    throw new Refusal('too-many-tries', `Too many wrong sign-ins. Please wait ${wait} and try again.`, { retryAfterSeconds })
  }
}
