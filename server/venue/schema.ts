import { z } from 'zod'
import { endpointShape } from '../connect/schema.ts'
import { customerShape, signInWay } from '../customers/schema.ts'
import { hotspotShape } from '../hotspots/schema.ts'
import { packageShape } from '../packages/schema.ts'
import { paymentShape, payWay } from '../payments/schema.ts'
import { sessionShape } from '../sessions/schema.ts'
import { connectWords, settingsShape } from '../settings/schema.ts'

/** Everything that the portal's first screen needs, in one answer. */
export const portalAnswer = z.object({
  venue: settingsShape.pick({ venueName: true, venueMessage: true, supportPhone: true, logo: true, accent: true, currency: true }),
  device: z.object({ mac: z.string(), ip: z.string() }).nullable().meta({ description: "null when the asker is not on the venue's Wi-Fi" }),
  profileId: z.number().int().nullable().meta({ description: 'the Connect profile through which the asker came' }),
  packages: z.array(packageShape),
  session: sessionShape.nullable().meta({ description: "this device's session, live or just ended" }),
  returning: sessionShape
    .nullable()
    .meta({ description: 'a live session of this browser whose device looks new: offer to continue with its resume code' }),
  customer: customerShape.extend({ points: z.number().int() }).nullable().meta({ description: 'who is signed in' }),
  payment: paymentShape.nullable().meta({ description: "the asker's payment that is open, or was just made" }),
  hotspot: hotspotShape.meta({ description: 'this venue' }),
  map: z.object({ tileUrl: z.string(), tileCredit: z.string() }),
  connect: z.object({
    available: z.boolean().meta({ description: 'false: the owner has not set it up, or turned it off' }),
    words: connectWords,
    endpoints: z.array(endpointShape),
  }),
  services: z.object({
    vouchers: z.literal(true),
    ways: z.array(payWay).meta({ description: 'how packages can be paid for here; empty: by voucher only' }),
    signIn: signInWay,
    points: z.boolean(),
    internet: z.boolean().meta({ description: 'false when the line of the venue seems down' }),
  }),
})
export type Portal = z.output<typeof portalAnswer>

const part = z.object({ ok: z.boolean(), reason: z.string().meta({ description: 'empty when it is well' }) })

/** Health of each part of the box, with reasons. */
export const healthShape = z
  .object({
    ok: z.boolean(),
    parts: z.object({ database: part, redis: part, worker: part, gateway: part, connect: part, disk: part, internet: part }),
  })
  .meta({ id: 'Health' })
export type Health = z.output<typeof healthShape>

/** The owner's first screen. */
export const overviewShape = z
  .object({
    online: z.object({ sessions: z.number().int(), devices: z.number().int() }).meta({ description: 'seen in the last minutes' }),
    liveSessions: z.number().int(),
    alarms: z
      .array(
        z.object({
          kind: z.enum(['not-online', 'provider', 'wrong-amount', 'refund-failed', 'sms']),
          words: z.string(),
          paymentId: z.number().int().nullable(),
        }),
      )
      .meta({ description: 'what needs somebody: paid but not online for over a minute, a provider that refuses our account' }),
    throughput: z.object({ downBps: z.number(), upBps: z.number() }),
    today: z.object({
      vouchersRedeemed: z.number().int(),
      sessionsOpened: z.number().int(),
      bytes: z.number(),
      salesMinor: z.number().int().meta({ description: "prices of what was opened today, in the venue's currency" }),
    }),
    traffic: z
      .array(
        z.object({ at: z.string().meta({ format: 'date-time' }), downBytes: z.number(), upBytes: z.number(), online: z.number().int() }),
      )
      .meta({ description: 'the last 24 hours, a point every 5 minutes, oldest first' }),
    box: z.object({
      version: z.string(),
      uptimeSeconds: z.number(),
      cpuPercent: z.number(),
      memoryUsed: z.number(),
      memoryTotal: z.number(),
      diskUsed: z.number(),
      diskTotal: z.number(),
      temperatureC: z.number().nullable(),
    }),
    health: healthShape,
  })
  .meta({ id: 'Overview' })
export type Overview = z.output<typeof overviewShape>
