import { chmodSync, rmSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { fileURLToPath } from 'node:url'

import { createApp } from '../app.ts'
import type { Config } from '../config.ts'
import { accountRoutes } from '../accounts/routes.ts'
import { connectRoutes, staffConnectRoutes } from '../connect/routes.ts'
import { customerAccountRoutes, staffCustomerRoutes } from '../customers/routes.ts'
import { createNeighbours } from '../gateway/neighbours.ts'
import { isLocal, createWhoAsks } from '../http/asker.ts'
import { createGuards } from '../http/guard.ts'
import { tunnelState } from '../venue/health.ts'
import { venueRoutes } from '../venue/routes.ts'
import { hotspotRoutes } from '../hotspots/routes.ts'
import { tileHosts } from '../hotspots/tiles.ts'
import { createQueueClient } from '../jobs/queues.ts'
import { connectRedis, createRedisBus } from '../jobs/redis.ts'
import type { Log } from '../log.ts'
import { packageRoutes } from '../packages/routes.ts'
import { createCallbackApp } from '../payments/callbacks.ts'
import { paymentRoutes, staffPaymentRoutes } from '../payments/routes.ts'
import { reportRoutes } from '../reports/routes.ts'
import { createCredit } from '../sessions/credit.ts'
import { createCustomerData } from '../sessions/customer-data.ts'
import { createLiveUsage } from '../sessions/live.ts'
import { meRoutes, staffCustomerDataRoutes } from '../sessions/me-routes.ts'
import { customerRoutes, staffSessionRoutes } from '../sessions/routes.ts'
import { createProfiles } from '../sessions/profiles.ts'
import { createSessions } from '../sessions/sessions.ts'
import { createTill } from '../sessions/till.ts'
import { createTries } from '../sessions/tries.ts'
import { userRoutes } from '../sessions/users-routes.ts'
import { createUsers } from '../sessions/users.ts'
import { settingsRoutes } from '../settings/routes.ts'
import { staffRoutes } from '../staff/routes.ts'
import { createStaff } from '../staff/staff.ts'
import { voucherRoutes } from '../vouchers/routes.ts'
import { openGround, openRooms, pretended } from './rooms.ts'

/** Answers HTTP. Has no privilege: whatever it wants of the kernel goes through the queue to the worker. */
export async function startServer({ config, log }: { config: Config; log: Log }): Promise<() => Promise<void>> {
  const ground = await openGround(config)
  const { store, now, secret, leases } = ground
  const redis = connectRedis(config.redisSocket, log, false)
  const subscriber = connectRedis(config.redisSocket, log, true)
  const bus = createRedisBus(redis, subscriber, log)
  const queue = createQueueClient({ path: config.redisSocket, maxRetriesPerRequest: null, enableOfflineQueue: false }, log)

  const rooms = openRooms(ground, bus, log)
  const { settings, packages, vouchers, connect, hotspots, loyalty, accounts, sms, customers, providers, payments, buying, reports } = rooms
  await packages.seed((await settings.get()).currency)
  const staff = createStaff({ store, now })
  await hotspots.seed()
  await staff.firstOwner(`${config.dataDir}/first-owner.json`)
  const sessions = createSessions({
    store,
    now,
    bus,
    packages,
    vouchers,
    hotspots,
    connect,
    buying,
    settings,
    enforce: queue.enforce,
    look: queue.look,
  })
  const credit = createCredit({ ...rooms, store, now, bus, log, enforce: queue.enforce })
  const till = createTill({ ...rooms, store, now, bus, credit, enforce: queue.enforce })
  const profiles = createProfiles({ store, now, bus, connect, enforce: queue.enforce })
  const live = createLiveUsage({ sessions, connect, bus, now })
  const whoAsks = createWhoAsks({
    leases,
    neighbours: createNeighbours(config.lan.device),
    profileAt: connect.ofAddress,
    customerOf: customers.ofToken,
    pretended: config.gateway === 'memory' ? pretended : null,
  })

  const tries = createTries()
  const data = createCustomerData({ store, now, customers, loyalty, payments, forgetSubject: staff.forgetSubject })
  const users = createUsers({ now, sessions, till, payments, hurry: queue.pay })
  const { phoneOf } = customers

  await connect.endpoints.list()
  const app = createApp({
    log,
    secret,
    guards: createGuards({ staff, isLocal }),
    endpointHosts: connect.endpoints.otherHosts,
    tileHosts: () => tileHosts(settings.latest().tileUrl),
    routes: [
      ...customerRoutes({ sessions, live, tries, whoAsks }),
      ...venueRoutes({ ...rooms, store, redis, bus, now, sessions, live, whoAsks, config }),
      ...customerAccountRoutes({ customers }),
      ...meRoutes({ data, customers, loyalty, live, whoAsks }),
      ...paymentRoutes({ payments, till, live, whoAsks, bus, phoneOf, hurry: queue.pay }),
      ...hotspotRoutes({ hotspots, whoAsks, sessionsAt: async (asker) => sessions.livingBy(asker.phone, await live.sessionIdOf(asker)) }),
      ...userRoutes({ users, tries, whoAsks }),
      ...staffPaymentRoutes({ payments, credit, hurry: queue.pay }),
      ...staffCustomerRoutes({ customers, loyalty }),
      ...staffCustomerDataRoutes({ data, customers, loyalty, live }),
      ...accountRoutes({ accounts, test: (name) => (name === 'africas-talking' ? sms.test() : providers.test(name)) }),
      ...reportRoutes({ reports }),
      ...staffRoutes({ staff }),
      ...packageRoutes({ packages, currency: async () => (await settings.get()).currency }),
      ...voucherRoutes({ vouchers }),
      ...staffSessionRoutes({ sessions, live }),
      ...connectRoutes({ connect, profiles, live, whoAsks }),
      ...staffConnectRoutes({ connect, profiles, tunnel: () => tunnelState(redis), mend: queue.poll }),
      ...settingsRoutes({
        settings,
        check: connect.checkChoices,
        apply: async ({ connectRange, publicUrl }) => (connectRange === undefined && publicUrl === undefined ? undefined : queue.poll()),
      }),
    ],
    config: {
      portalHost: config.portalHost,
      lanAddress: config.lan.address,
      version: config.version,
      webRoot: fileURLToPath(new URL('../../web/dist', import.meta.url)),
      swaggerRoot: fileURLToPath(new URL('.', import.meta.resolve('swagger-ui-dist/package.json'))),
    },
  })
  const answer = app.callback()
  const servers = [
    await listen(createServer(answer), { port: config.port, host: '0.0.0.0' }),
    await listenOnSocket(createServer(answer), config.serverSocket),
    await listen(createServer(createCallbackApp({ payments, hurry: (id) => queue.pay([id]), log }).callback()), {
      port: config.callbackPort,
      host: '0.0.0.0',
    }),
  ]

  return async () => {
    for (const server of servers) {
      server.close()
      server.closeAllConnections()
    }
    live.close()
    await queue.close()
    redis.disconnect()
    subscriber.disconnect()
    await store.close()
  }
}

/** The box's own way in: for the owner's machine in the lab, health checks and metrics. */
async function listenOnSocket(server: Server, path: string): Promise<Server> {
  rmSync(path, { force: true })
  await listen(server, { path })
  chmodSync(path, 0o660)
  return server
}

function listen(server: Server, where: { port?: number; host?: string; path?: string }): Promise<Server> {
  server.requestTimeout = 30_000
  server.headersTimeout = 10_000
  server.keepAliveTimeout = 5_000
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(where, () => resolve(server))
  })
}
