import { z } from 'zod'

const isoTime = z.string().meta({ format: 'date-time' })
const name = z.string().trim().min(1).max(40)
/** As a number, or written in digits. */
const id = z
  .union(
    [
      z.number(),
      z
        .string()
        .regex(/^\d{1,16}$/)
        .transform(Number),
    ],
    { error: 'a number such as 17' },
  )
  .pipe(
    z
      .number()
      .int()
      .positive()
      .max(2 ** 53),
  )

/** One way into the tunnel from outside. This box is the one with `self`; others are further addresses that lead to it. */
export const endpointShape = z
  .object({
    id: z.number().int(),
    name: z.string(),
    region: z.string(),
    host: z.string().nullable().meta({ description: 'name or address; null on this box: not known yet' }),
    ports: z.array(z.number().int()).meta({ description: 'UDP; the first is taken unless another is asked for' }),
    self: z.boolean(),
  })
  .meta({ id: 'ConnectEndpoint' })
export type EndpointView = z.output<typeof endpointShape>

const aHost = 'a name such as cafe.example.com, or an IPv4 address'
const host = z
  .string()
  .trim()
  .toLowerCase()
  .max(253)
  .regex(/^(?!-)[a-z0-9-]{1,63}(\.[a-z0-9-]{1,63})*$/, aHost)
  // What looks like an address must be one.
  .refine((text) => !/^[\d.]+$/.test(text) || (z.ipv4().safeParse(text).success && !/^(0|127|22[4-9]|2[3-5]\d)\./.test(text)), aHost)
  .refine((text) => text !== 'localhost', 'a name that leads here from outside')
const aPort = 'a port from 1 to 65535'
const port = z.number({ error: aPort }).int(aPort).min(1, aPort).max(65535, aPort)
const ports = z
  .array(port)
  .min(1)
  .max(4)
  .refine((list) => new Set(list).size === list.length, 'each port once')

export const endpointInput = z.strictObject({ name, region: z.string().trim().max(40).default(''), host, ports: ports.default([51820]) })
export const endpointPatch = z
  .strictObject({ name, region: z.string().trim().max(40), host: host.nullable(), ports })
  .partial()
  .refine((value) => Object.keys(value).length > 0, 'name at least one thing to change')

/** A profile as customers and staff see it; never with a key. */
export const profileShape = z
  .object({
    id: z.number().int(),
    sessionId: z.number().int(),
    name: z.string(),
    endpoint: z.string().meta({ description: 'name of the endpoint it was made for' }),
    address: z.string().meta({ description: 'inside the tunnel' }),
    createdAt: isoTime,
    lastHandshake: isoTime.nullable().meta({ description: 'null: never used yet' }),
    active: z.boolean().meta({ description: 'the last handshake is younger than three minutes' }),
    current: z.boolean().meta({ description: 'the profile through which the asker came' }),
  })
  .meta({ id: 'ConnectProfile' })
export type ProfileView = z.output<typeof profileShape>

export const generateInput = z.strictObject({
  session_id: id,
  name: name.optional().meta({ description: 'for telling profiles apart; a free one is chosen otherwise' }),
  endpoint_id: id.optional().meta({ description: 'the first endpoint otherwise' }),
  port: port.optional().meta({ description: 'one of the ports of the endpoint' }),
  data_limit_mb: z
    .number()
    .nonnegative()
    .nullable()
    .optional()
    .meta({ description: 'allowed and not used: the limit is that of the session' }),
})

export const renewInput = generateInput.pick({ endpoint_id: true, port: true })
export const renameInput = z.strictObject({ name })
export const claimInput = z.strictObject({ token: z.string().regex(/^[A-Za-z0-9_-]{20,60}$/, 'the part after #connect= of the link') })
export const profilesQuery = z.strictObject({ session_id: id })
export const profileParams = z.object({ id })

export const generateAnswer = z
  .object({
    success: z.literal(true),
    connect_id: z.number().int(),
    profile_qr: z.string().meta({ description: 'the Connect QR code: a PNG as data URL' }),
    session_id: z.number().int(),
    data_limit_mb: z.number().nullable().meta({ description: 'null: unlimited' }),
    profile_type: z.literal('kswifi_connect'),
    setup_instructions: z.array(z.string()).length(4),
    access_method: z.literal('secure_profile'),
    name: z.string(),
    profile_svg: z.string().meta({ description: 'the same QR code as SVG' }),
    profile_text: z.string().meta({ description: 'the profile as a file; holds the private key, which is shown this once and not kept' }),
    profile_file: z.string().meta({ description: 'a name for that file' }),
    venue_only: z
      .boolean()
      .meta({ description: 'the box is not known to be reached from outside: the profile works on the Wi-Fi of the venue' }),
    link_url: z.string().meta({ description: 'opens once, on another device; the profile then works there instead' }),
    link_expires_at: isoTime,
    expires_at: isoTime.nullable().meta({ description: 'end of the session' }),
  })
  .meta({ id: 'ConnectAnswer' })
export type ConnectAnswer = z.output<typeof generateAnswer>

/** What is known of being reached from outside, in words that say what to do. */
export const reachShape = z.object({
  state: z.enum(['proven', 'likely', 'behind-router', 'shared-address', 'no-address', 'name-unknown', 'name-elsewhere']),
  words: z.string(),
  todo: z.array(z.string()).meta({ description: 'steps, in order; empty when there is nothing to do' }),
  lineAddress: z.string().nullable().meta({ description: 'address of this box on the internet line' }),
  lastFromOutside: isoTime.nullable().meta({ description: 'the last handshake that came from outside' }),
})
export type Reach = z.output<typeof reachShape>

/** The owner's page about Connect. */
export const connectOverview = z
  .object({
    on: z.boolean(),
    tunnel: z.object({
      ok: z.boolean(),
      reason: z.string(),
      kind: z.enum(['kernel', 'userspace']).nullable(),
      publicKey: z.string(),
      port: z.number().int(),
      address: z.string().meta({ description: 'of the box inside the tunnel' }),
      range: z.string(),
    }),
    reach: reachShape,
    profiles: z.object({ living: z.number().int(), active: z.number().int(), places: z.number().int() }),
    endpoints: z.array(endpointShape),
  })
  .meta({ id: 'ConnectOverview' })
export type ConnectOverview = z.output<typeof connectOverview>
