import type { Redis } from 'ioredis'
import { Registry, collectDefaultMetrics, Gauge } from 'prom-client'
import { z } from 'zod'
import type { Now } from '../clock.ts'
import type { Connect } from '../connect/connect.ts'
import type { Customers } from '../customers/customers.ts'
import type { Bus } from '../events.ts'
import type { Hotspots } from '../hotspots/hotspots.ts'
import { route, type Route } from '../http/api.ts'
import { isLocal, type WhoAsks } from '../http/asker.ts'
import { openStream } from '../http/live.ts'
import type { Packages } from '../packages/packages.ts'
import type { Payments } from '../payments/payments.ts'
import type { Asker } from '../sessions/buying.ts'
import type { LiveUsage } from '../sessions/live.ts'
import { viewerOf } from '../sessions/view.ts'
import type { Sessions } from '../sessions/sessions.ts'
import type { Settings } from '../settings/settings.ts'
import type { Sms } from '../sms/sms.ts'
import type { Store } from '../store/store.ts'
import { HOUR } from '../units.ts'
import type { Vouchers } from '../vouchers/vouchers.ts'
import { checkHealth } from './health.ts'
import { overviewOf } from './overview.ts'
import { healthShape, overviewShape, portalAnswer } from './schema.ts'

type Needs = {
  store: Store
  redis: Redis
  bus: Bus
  now: Now
  packages: Packages
  vouchers: Vouchers
  connect: Connect
  settings: Settings
  sessions: Sessions
  live: LiveUsage
  hotspots: Hotspots
  customers: Customers
  payments: Payments
  sms: Sms
  whoAsks: WhoAsks
  config: { portalHost: string; dataDir: string; version: string }
}

const SHOW_PAYMENT_MS = HOUR

/** What the venue shows of itself: the portal's first screen, the captive API, health, metrics and the owner's overview. */
export function venueRoutes(needs: Needs): Route[] {
  const { live, whoAsks, config, settings, packages, connect, bus, hotspots, customers, payments, now } = needs
  const health = () => checkHealth({ store: needs.store, redis: needs.redis, dataDir: config.dataDir })
  const metrics = createMetrics(needs, health)

  async function customerOf({ phone }: Asker) {
    const found = phone === null ? undefined : await customers.find(phone)
    if (!found) return null
    const { confirmed, createdAt, seenAt, points } = found
    return { phone: found.phone, confirmed, createdAt, seenAt, points }
  }

  /** A purchase goes on where it was, after a reload or a closed window: the asker's last payment, while it says something. */
  async function recentPayment({ phone, device }: Asker) {
    const payers = [...(phone ? [phone] : []), ...(device ? [`device ${device.mac}`] : [])]
    const last = payers.length === 0 ? undefined : await payments.latestOf(payers)
    return last && now() - last.createdAt < SHOW_PAYMENT_MS ? payments.view(last) : null
  }

  async function tellPayment(stream: ReturnType<typeof openStream>, id: number): Promise<void> {
    const payment = await payments.find(id)
    if (payment) stream.send('payment', { id, step: payments.view(payment).step })
  }

  return [
    route({
      method: 'get',
      path: '/api/portal',
      tag: 'customer',
      summary: 'Everything that the first screen needs',
      guard: 'anyone',
      response: portalAnswer,
      handle: async ({ ctx }) => {
        const asker = await whoAsks.asker(ctx)
        const [choices, onSale, id, { parts }, offer, hotspot, signIn, customer, payment] = await Promise.all([
          settings.get(),
          packages.list(),
          live.sessionIdOf(asker),
          health(),
          connect.offer(),
          hotspots.own(),
          customers.way(),
          customerOf(asker),
          recentPayment(asker),
        ])
        const { venueName, venueMessage, supportPhone, logo, accent, currency, tileUrl, tileCredit } = choices
        const session = id === null ? undefined : await live.viewFor(id, viewerOf(asker))
        const isElsewhere =
          session !== undefined &&
          session.status !== 'expired' &&
          asker.device !== null &&
          !session.devices.some((device) => device.current)
        ctx.set('Cache-Control', 'no-store')
        return {
          venue: { venueName, venueMessage, supportPhone, logo, accent, currency },
          device: asker.device ? { mac: asker.device.mac, ip: asker.device.ip } : null,
          profileId: asker.profile?.id ?? null,
          packages: onSale,
          session: isElsewhere ? null : (session ?? null),
          returning: isElsewhere ? session : null,
          customer,
          payment,
          hotspot,
          map: { tileUrl, tileCredit },
          connect: offer,
          services: { vouchers: true, ways: await payments.ways(currency), signIn, points: choices.pointsOn, internet: parts.internet.ok },
        }
      },
    }),
    route({
      method: 'get',
      path: '/captive-portal/api',
      tag: 'captive portal',
      summary: 'RFC 8908; a browser that comes here is sent to the portal',
      guard: 'anyone',
      handle: async ({ ctx }) => {
        ctx.set({ 'Cache-Control': 'private, no-store', Vary: 'Accept' })
        const portal = `http://${config.portalHost}/`
        if (ctx.accepts('json', 'html', 'application/captive+json') === 'html') {
          ctx.redirect(portal)
          return undefined
        }
        const asker = await whoAsks.asker(ctx)
        const id = asker.device || asker.profile ? await live.sessionIdOf({ ...asker, sessionId: null }) : null
        const session = id === null ? undefined : await live.viewFor(id, viewerOf(asker))
        const free =
          session !== undefined &&
          session.status !== 'expired' &&
          (asker.profile !== null || session.devices.some((device) => device.current && !device.paused))
        ctx.status = 200
        ctx.type = 'application/captive+json'
        ctx.body = JSON.stringify({
          captive: !free,
          'user-portal-url': portal,
          'can-extend-session': true,
          ...(free ? { 'seconds-remaining': session.secondsRemaining } : {}),
          ...(free && session.dataRemaining !== null ? { 'bytes-remaining': session.dataRemaining } : {}),
        })
        return undefined
      },
    }),
    route({
      method: 'get',
      path: '/healthz',
      tag: 'box',
      summary: 'Each part of the box, with reasons; 503 when one is not well',
      guard: 'anyone',
      response: healthShape,
      handle: async ({ ctx }) => {
        const found = await health()
        ctx.set('Cache-Control', 'no-store')
        ctx.status = found.ok ? 200 : 503
        ctx.body = found
        return undefined
      },
    }),
    route({
      method: 'get',
      path: '/metrics',
      tag: 'box',
      summary: 'Prometheus metrics; for the box itself, or with an API key',
      guard: 'local',
      handle: async ({ ctx }) => {
        ctx.status = 200
        ctx.type = metrics.contentType
        ctx.body = await metrics.metrics()
        return undefined
      },
    }),
    route({
      method: 'get',
      path: '/api/admin/overview',
      tag: 'box',
      summary: "The owner's first screen",
      guard: 'cashier',
      response: overviewShape,
      handle: async () => overviewOf({ ...needs, version: config.version, dataDir: config.dataDir }, await health()),
    }),
    route({
      method: 'get',
      path: '/api/admin/box',
      tag: 'box',
      summary: 'Facts of this box that staff screens need',
      guard: 'cashier',
      response: z.object({ portalHost: z.string(), version: z.string(), local: z.boolean() }),
      handle: async ({ ctx }) => ({ portalHost: config.portalHost, version: config.version, local: isLocal(ctx) }),
    }),
    route({
      method: 'get',
      path: '/api/admin/events',
      tag: 'box',
      summary: 'Server-sent events for the staff screens: usage, session, payment, catalogue',
      guard: 'cashier',
      handle: async ({ ctx }) => {
        let stops: (() => void)[] = []
        const stream = openStream(ctx, () => stops.forEach((stop) => stop()))
        stops = [
          bus.subscribe('sessions.usage', (event) => stream.send('usage', event)),
          bus.subscribe('session.changed', (event) => stream.send('session', event)),
          bus.subscribe('payment.changed', ({ id }) => void tellPayment(stream, id)),
          bus.subscribe('catalogue.changed', (event) => stream.send('catalogue', event)),
        ]
        return undefined
      },
    }),
  ]
}

function createMetrics({ sessions, live }: Needs, health: () => ReturnType<typeof checkHealth>): Registry {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry, prefix: 'kswifi_server_' })
  const gauge = (name: string, help: string, labelNames: string[] = []) =>
    new Gauge({ name: `kswifi_${name}`, help, labelNames, registers: [registry] })
  const online = gauge('sessions_online', 'Sessions seen in the last minutes')
  const alive = gauge('sessions_live', 'Sessions that may use the network')
  const bps = gauge('throughput_bps', 'Bits per second of all customers in the last poll', ['direction'])
  const part = gauge('part_ok', '1 when this part of the box is well', ['part'])
  registry.setDefaultLabels({})
  const collect = registry.metrics.bind(registry)
  registry.metrics = async () => {
    const [counts, { parts }] = await Promise.all([sessions.online(), health()])
    online.set(counts.sessions)
    alive.set(counts.live)
    bps.set({ direction: 'down' }, live.throughput().downBps)
    bps.set({ direction: 'up' }, live.throughput().upBps)
    for (const [name, state] of Object.entries(parts)) part.set({ part: name }, state.ok ? 1 : 0)
    return collect()
  }
  return registry
}
