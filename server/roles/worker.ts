import type { Config } from '../config.ts'
import type { Gateway, GatewayNeeds } from '../gateway/grant.ts'
import { createKernelGateway } from '../gateway/kernel.ts'
import { createMemoryGateway, simulateTraffic } from '../gateway/memory.ts'
import { checkLine } from '../hotspots/line.ts'
import { tellPulse } from '../hotspots/health.ts'
import { connectRedis, createRedisBus } from '../jobs/redis.ts'
import { createWorkers } from '../jobs/workers.ts'
import type { Log } from '../log.ts'
import { createMeter } from '../sessions/meter.ts'
import { backup } from '../store/backup.ts'
import { SECOND } from '../units.ts'
import { openGround, openRooms } from './rooms.ts'

/** Runs the jobs and the gateway. Has CAP_NET_ADMIN and nothing else. */
export async function startWorker({ config, log }: { config: Config; log: Log }): Promise<() => Promise<void>> {
  const ground = await openGround(config)
  const { store, now, leases } = ground
  const redis = connectRedis(config.redisSocket, log, false)
  const subscriber = connectRedis(config.redisSocket, log, true)
  const bus = createRedisBus(redis, subscriber, log)
  const { settings } = openRooms(ground, bus)
  const meter = createMeter({ store, now, bus, leases })

  let trouble = ''
  let line = ''
  const pulse = async () => {
    if (redis.status === 'ready') await tellPulse(redis, { at: now(), gateway: trouble, line }, 3 * (await settings.get()).pollSeconds + 10)
  }
  const gateway = await openGateway(config, log, {
    now,
    wanted: meter.grants,
    async settle(readings) {
      const began = await meter.settle(readings)
      if (began.length > 0) enforceSoon(began)
    },
  })
  function enforceSoon(sessions: number[]): void {
    gateway.enforce(sessions).catch((error) => log.error({ err: error, sessions }, 'could not be enforced; the next poll tries again'))
  }
  /** Runs a thing of the gateway and remembers for the health page whether it worked. */
  async function watched(work: Promise<void>): Promise<void> {
    try {
      await work
      trouble = ''
    } catch (error) {
      trouble = `The gateway failed: ${(error as Error).message}`
      throw error
    }
  }

  // Before any job: whoever paid is back online at once after a power cut, even should Redis be missing.
  await watched(meter.tick().then(() => gateway.enforce())).catch((error) =>
    log.error({ err: error }, 'the gateway could not be brought up; the next poll tries again'),
  )

  async function poll(): Promise<void> {
    await meter.tick()
    await watched(gateway.poll())
    await settings.note('alive', now())
    await pulse()
  }
  /** Without Redis no job comes: the ledger and new customers go on all the same. */
  const withoutRedis = setInterval(() => {
    if (redis.status !== 'ready') poll().catch((error) => log.error({ err: error }, 'a poll failed; the next one tries again'))
  }, 5 * SECOND)

  const workers = createWorkers(
    { path: config.redisSocket, maxRetriesPerRequest: null },
    {
      enforce: ({ sessions }) => gateway.enforce(sessions),
      poll,
      async tick() {
        const moved = await meter.tick()
        if (moved.length > 0) await gateway.enforce(moved)
      },
      async line() {
        line = await checkLine()
        await pulse()
      },
      async backup() {
        await backup(store, config.backupDir, 'daily')
      },
      tidy: meter.tidy,
    },
    log,
  )

  const schedule = async () => {
    try {
      await workers.schedule((await settings.get()).pollSeconds)
      await pulse()
    } catch (error) {
      log.warn({ err: error }, 'the schedule could not be written')
    }
  }
  redis.on('ready', schedule)
  if (redis.status === 'ready') void schedule()
  bus.subscribe('catalogue.changed', ({ what }) => void (what === 'settings' && schedule()))
  const unwatch = leases.watch(() => gateway.enforce().catch((error) => log.error({ err: error }, 'a changed lease could not be enforced')))
  workers.start()

  return async () => {
    clearInterval(withoutRedis)
    unwatch()
    await workers.close()
    await gateway.close()
    redis.disconnect()
    subscriber.disconnect()
    await store.close()
  }
}

async function openGateway(config: Config, log: Log, needs: GatewayNeeds): Promise<Gateway> {
  if (config.gateway === 'kernel') return createKernelGateway({ ...needs, lan: config.lan, wan: config.wan, portalPort: config.port, log })
  const memory = createMemoryGateway(needs)
  const stop = simulateTraffic(memory)
  return { ...memory, close: async () => stop() }
}
