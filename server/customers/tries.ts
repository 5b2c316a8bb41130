import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible'
import type { Now } from '../clock.ts'
import { Refusal } from '../errors.ts'
import type { Store } from '../store/store.ts'
import { DAY, MINUTE } from '../units.ts'
import * as table from './signin-table.ts'

/** Seconds over which wrong sign-ins from an address count. */
const duration = 10 * 60

/** Wrong PINs for one number: from one address in ten minutes, and from everywhere in a day. */
const PINS_FROM_ONE_PLACE = 5
const PINS_A_DAY = 10

export type Tries = ReturnType<typeof createTries>

/**
 * Limits wrong sign-ins. Per address in memory, for whoever tries one PIN or code on many numbers; overall for many
 * addresses at once, and that one only touches addresses that were wrong before, so that a customer who signs in for the
 * first time is heard however much others guess. Per number in the database, because ten thousand PINs are few: restarting
 * the box gives nobody new tries.
 */
export function createTries({ store, now }: { store: Store; now: Now }) {
  const perAddress = new RateLimiterMemory({ points: 30, duration })
  const overall = new RateLimiterMemory({ points: 200, duration })
  const chosen = new RateLimiterMemory({ points: 30, duration: 60 * 60 })

  return {
    /**
     * Counts a try before its PIN or code is looked at, so that many at once cannot slip through.
     * @returns to be called when it was right: takes the try back
     * @throws Refusal `too-many-tries` with `retryAfterSeconds`
     */
    async begin(address: string): Promise<() => Promise<void>> {
      const wrongBefore = ((await perAddress.get(address))?.consumedPoints ?? 0) > 1
      await consume(perAddress, address)
      if (wrongBefore) await consume(overall, 'all')
      return async () => {
        await perAddress.reward(address)
        if (wrongBefore) await overall.reward('all')
      }
    },

    /**
     * Counts a PIN tried on a number, known or not.
     * @returns to be called when it was right: what was mistyped at this address counts no more
     * @throws Refusal `too-many-tries` with `retryAfterSeconds`
     */
    async beginPin(phone: string, address: string): Promise<() => Promise<void>> {
      const at = now()
      await store.transaction(async (tx) => {
        await table.sweepPinTries(tx, at - DAY)
        const here = await table.countPinTries(tx, { phone, address }, at - 10 * MINUTE)
        if (here.count >= PINS_FROM_ONE_PLACE) throw tooMany(here.firstAt + 10 * MINUTE - at)
        const everywhere = await table.countPinTries(tx, { phone }, at - DAY)
        if (everywhere.count >= PINS_A_DAY) throw tooMany(everywhere.firstAt + DAY - at)
        await table.insertPinTry(tx, phone, address, at)
      })
      return () => table.deletePinTries(store.db, { phone, address })
    },

    /**
     * Counts a PIN that was chosen for a number: nobody tries out so which numbers are free, or takes many.
     * @throws Refusal `too-many-tries` with `retryAfterSeconds`
     */
    choose: (address: string): Promise<void> => consume(chosen, address),
  }
}

async function consume(limiter: RateLimiterMemory, key: string): Promise<void> {
  try {
    await limiter.consume(key)
  } catch (error) {
    if (!(error instanceof RateLimiterRes)) throw error
    throw tooMany(error.msBeforeNext)
  }
}

function tooMany(waitMs: number): Refusal {
  const retryAfterSeconds = Math.max(1, Math.ceil(waitMs / 1000))
  return new Refusal(
    'too-many-tries',
    `There were too many wrong tries to sign in. Wait ${inWords(retryAfterSeconds)}, or ask the staff for help.`,
    { retryAfterSeconds },
  )
}

/** A wait as people say it, rounded up. */
export function inWords(seconds: number): string {
  if (seconds < 100) return `${seconds} seconds`
  return seconds < 100 * 60 ? `${Math.ceil(seconds / 60)} minutes` : `${Math.ceil(seconds / 3600)} hours`
}
