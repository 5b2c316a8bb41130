import type { Config } from '../config.ts'
import type { Gateway, GatewayNeeds } from '../gateway/grant.ts'
import type { RulesetFacts } from '../gateway/ruleset.ts'
import { createKernelGateway } from '../gateway/kernel.ts'
import { createTunnel, type Tunnel } from '../gateway/wireguard.ts'
import { createMemoryGateway, simulateTraffic } from '../gateway/memory.ts'
import { checkLine } from '../venue/line.ts'
import { tellPulse } from '../venue/health.ts'
import { connectRedis, createRedisBus } from '../jobs/redis.ts'
import { createWorkers } from '../jobs/workers.ts'
import type { Log } from '../log.ts'
import { createAdvance } from '../payments/advance.ts'
import { createWindows } from '../payments/windows.ts'
import { createCredit } from '../sessions/credit.ts'
import { createCollect } from '../sessions/collect.ts'
import { createMeter } from '../sessions/meter.ts'
import { tidyProfiles } from '../sessions/profiles.ts'
import { backup } from '../store/backup.ts'
import { SECOND } from '../units.ts'
import { openGround, openRooms } from './rooms.ts'

/** The promise is 30 s: this leaves a poll that stumbles the time for another. */
const LOOK_AT_LEAST_MS = 15 * SECOND
/** Payments are due by the second. */
const TICK_AT_LEAST_MS = 5 * SECOND

/** Runs the jobs and the gateway. Has CAP_NET_ADMIN and nothing else. */
export async function startWorker({ config, log }: { config: Config; log: Log }): Promise<() => Promise<void>> {
  const ground = await openGround(config)
  const { store, now, leases } = ground
  const redis = connectRedis(config.redisSocket, log, false)
  const subscriber = connectRedis(config.redisSocket, log, true)
  const bus = createRedisBus(redis, subscriber, log)
  const rooms = openRooms(ground, bus, log)
  const { settings, connect, payments, providers, reports } = rooms
  const meter = createMeter({ store, now, bus, leases, connect, payments })
  const windows = createWindows({ store, now, leases, inSession: meter.inSession })
  const advance = createAdvance({
    store,
    now,
    bus,
    log,
    providers,
    windows,
    openWindows: (marks) => gateway.enforce(marks),
    settings,
    portalHost: config.portalHost,
  })

  let trouble = ''
  let line = ''
  let tunnelTrouble = ''
  const pulse = async () => {
    if (redis.status !== 'ready') return
    const { pollSeconds, connectOn } = await settings.get()
    const told = { at: now(), gateway: trouble, line, tunnel: connectOn ? tunnelTrouble : '', tunnelKind: tunnel.kind() }
    await tellPulse(redis, told, 3 * pollSeconds + 10)
  }
  const tunnel = openTunnel(config, log, {
    identity: connect.identity,
    wanted: connect.peers,
    async seen(handshakes) {
      // The kernel stamps them by its own clock, which may be wrong: their age is right all the same.
      const ahead = now() - Date.now()
      const came = await connect.seen(handshakes.map((one) => ({ ...one, at: one.at + ahead })))
      for (const { sessionId } of came) bus.publish('session.changed', { id: sessionId, what: 'devices' })
    },
  })
  const gateway = await openGateway(config, log, {
    async facts() {
      const [{ address, otherPorts }, { publicUrl }] = await Promise.all([connect.publicly(), settings.get()])
      return {
        portalPort: config.port,
        callbackPort: publicUrl ? config.callbackPort : null,
        tunnel: { device: config.tunnel.device, port: config.tunnel.port, address, otherPorts },
      }
    },
    publicAddresses: async () => (await connect.publicly()).publicAddresses,

    now,
    async wanted(marks) {
      return [...(await meter.grants(marks)), ...(await windows.grants(marks))]
    },
    async settle(readings) {
      const began = await meter.settle(await windows.settle(readings))
      if (began.length > 0) enforceSoon(began)
    },
  })
  const collect = createCollect({ advance, payments, meter, windows, log, enforce: gateway.enforce })
  const credit = createCredit({ ...rooms, store, now, bus, log, enforce: collect.enforce })
  function bringOn(ids?: number[]): void {
    collect.step(credit, ids).catch((error) => log.error({ err: error }, 'payments could not be looked at; the next tick tries again'))
  }
  function enforceSoon(sessions: number[]): void {
    collect.enforce(sessions).catch((error) => log.error({ err: error, sessions }, 'could not be enforced; the next poll tries again'))
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

  /** The hotspot does not wait for the tunnel, nor fall with it. */
  async function pollTunnel(): Promise<void> {
    try {
      await tunnel.poll()
      tunnelTrouble = ''
    } catch (error) {
      const trouble = (error as Error).message
      if (trouble !== tunnelTrouble) log.error({ err: error }, 'the tunnel could not be looked at; every poll tries again')
      tunnelTrouble = trouble
    }
  }

  // Before any job: whoever paid is back online at once after a power cut, even should Redis be missing.
  await watched(meter.tick().then(() => collect.enforce())).catch((error) =>
    log.error({ err: error }, 'the gateway could not be brought up; the next poll tries again'),
  )

  void pollTunnel()

  let polledAt = performance.now()
  async function poll(): Promise<void> {
    polledAt = performance.now()
    await meter.tick()
    const tunnelPolled = pollTunnel()
    await watched(gateway.poll())
    // Whoever paid and was not let in for some reason is let in by a poll; the buyer's page is told.
    await watched(collect.noteGranted())
    await settings.note('alive', now())
    await pulse()
    await tunnelPolled
  }
  /**
   * Every session is looked at and every payment brought on, whatever else happens: without Redis no job comes, and a
   * schedule may be lost or stuck.
   */
  let polling = false
  let tickedAt = performance.now()
  const watch = setInterval(() => {
    const isSilent = (since: number, ms: number) => redis.status !== 'ready' || performance.now() - since > ms
    if (isSilent(tickedAt, TICK_AT_LEAST_MS)) bringOn()
    if (polling || !isSilent(polledAt, LOOK_AT_LEAST_MS)) return
    polling = true
    poll()
      .catch((error) => log.error({ err: error }, 'a poll failed; the next one tries again'))
      .finally(() => (polling = false))
  }, SECOND)

  const workers = createWorkers(
    { path: config.redisSocket, maxRetriesPerRequest: null },
    {
      async enforce({ sessions = [], profiles = [] }) {
        await Promise.all([sessions.length > 0 && collect.enforce(sessions), profiles.length > 0 && tunnel.enforce(profiles)])
      },
      async look({ sessions = [] }) {
        await gateway.poll(sessions)
      },
      poll,
      async tick() {
        tickedAt = performance.now()
        // A payment company that is slow holds up nobody.
        bringOn()
        const moved = await meter.tick()
        if (moved.length > 0) await collect.enforce(moved)
      },
      async pay({ payments: ids = [] }) {
        // Nor does it keep a place of the queue that somebody with a voucher needs.
        bringOn(ids)
      },
      async rollup() {
        await reports.roll()
      },
      async line() {
        line = await checkLine()
        await pulse()
      },
      async backup() {
        await backup(store, config.backupDir, 'daily')
      },
      async tidy() {
        await meter.tidy()
        await payments.sweep()
        const gone = await tidyProfiles({ store, now, connect })
        if (gone.length > 0) await tunnel.enforce(gone)
      },
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
  const unwatch = leases.watch(() => collect.enforce().catch((error) => log.error({ err: error }, 'a changed lease could not be enforced')))
  workers.start()

  return async () => {
    clearInterval(watch)
    unwatch()
    await workers.close()
    await gateway.close()
    redis.disconnect()
    subscriber.disconnect()
    await store.close()
  }
}

type Facts = () => Promise<Omit<RulesetFacts, 'lan' | 'wan' | 'lanAddress'>>

async function openGateway(
  config: Config,
  log: Log,
  needs: GatewayNeeds & { facts: Facts; publicAddresses: () => Promise<string[]> },
): Promise<Gateway> {
  const devices = { lan: config.lan.device, wan: config.wan.device }
  if (config.gateway === 'kernel') {
    const facts = async () => ({ ...devices, lanAddress: config.lan.address, ...(await needs.facts()) })
    return createKernelGateway({ ...needs, ...devices, tunnel: config.tunnel.device, facts, log })
  }
  const memory = createMemoryGateway(needs)
  const stop = simulateTraffic(memory)
  return { ...memory, close: async () => stop() }
}

function openTunnel(config: Config, log: Log, needs: Pick<Parameters<typeof createTunnel>[0], 'identity' | 'wanted' | 'seen'>): Tunnel {
  if (config.gateway === 'kernel') return createTunnel({ ...needs, device: config.tunnel.device, runDir: config.runDir, log })
  // Where there is no network, for work on the UI: every profile seems to be in use.
  const shake = async () => {
    const from = '203.0.113.101'
    await needs.seen((await needs.wanted()).map(({ id }) => ({ id, at: Date.now(), from })))
  }
  return { enforce: shake, poll: shake, kind: () => 'kernel' }
}
