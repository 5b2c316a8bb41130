import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible'
import { Refusal } from '../errors.ts'
import type { AskingDevice } from './devices.ts'

/** Seconds over which wrong codes count. */
const duration = 10 * 60

export type Tries = ReturnType<typeof createTries>

/**
 * Limits guessing of voucher and resume codes; only wrong ones count. Per device and per address for the curious
 * phone; overall for many phones at once, and that one only touches devices that were wrong before: whoever types
 * a code for the first time is heard, however much others guess.
 */
export function createTries() {
  const perDevice = new RateLimiterMemory({ points: 8, duration })
  const perAddress = new RateLimiterMemory({ points: 12, duration })
  const overall = new RateLimiterMemory({ points: 200, duration })

  return {
    /**
     * Lets one try happen and counts it when it was wrong (a refusal of `voucher-unknown` or `no-session`).
     * @throws Refusal `too-many-tries` with `retryAfterSeconds`; whatever `attempt` throws
     */
    async guard<T>(device: AskingDevice | null, address: string, attempt: () => Promise<T>): Promise<T> {
      const who = device?.mac ?? `address ${address}`
      const wrongBefore = (await perDevice.get(who))?.consumedPoints ?? 0
      // Counted before the code is looked at, so that many at once cannot slip through; taken back unless it was wrong.
      await consume(perDevice, who)
      await consume(perAddress, address).catch(async (error: unknown) => {
        await perDevice.reward(who)
        throw error
      })
      if (wrongBefore > 1) await consume(overall, 'all')
      let wrong = false
      try {
        return await attempt()
      } catch (error) {
        wrong = error instanceof Refusal && (error.code === 'voucher-unknown' || error.code === 'no-session')
        throw error
      } finally {
        if (!wrong) {
          await perDevice.reward(who)
          await perAddress.reward(address)
          if (wrongBefore > 1) await overall.reward('all')
        }
      }
    },
  }
}

async function consume(limiter: RateLimiterMemory, key: string): Promise<void> {
  try {
    await limiter.consume(key)
  } catch (error) {
    if (!(error instanceof RateLimiterRes)) throw error
    // What was not tried was not wrong: many honest tries at once must not add up.
    await limiter.reward(key)
    const retryAfterSeconds = Math.max(1, Math.ceil(error.msBeforeNext / 1000))
    throw new Refusal(
      'too-many-tries',
      `Too many wrong codes from this device. Wait ${Math.ceil(retryAfterSeconds / 60)} min, or ask the staff to look at your voucher.`,
      {
        retryAfterSeconds,
      },
    )
  }
}
