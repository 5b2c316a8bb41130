import { z } from 'zod'

/**
 * Facts of this box, set by whoever installs it (Ansible, or the lab). The owner's choices are not here:
 * they live in settings/ and have a screen.
 */
const schema = z.object({
  /** Where everything lives that must survive a power cut: database, backups, secret, leases, Redis. */
  KSWIFI_DATA: z.string().default('/var/lib/kswifi'),
  /** Sockets and other things that may vanish at a reboot. */
  KSWIFI_RUN: z.string().default('/run/kswifi'),
  /** TCP port of portal and admin; the gateway redirects port 80 of customers to it. */
  KSWIFI_PORT: z.coerce.number().int().min(1).max(65535).default(8080),
  /** TCP port on which payment companies may call back; open to the line only when the owner gave a public address. */
  KSWIFI_CALLBACK_PORT: z.coerce.number().int().min(1).max(65535).default(8081),
  /** The name under which customers reach the portal; dnsmasq answers it with the LAN address. */
  KSWIFI_PORTAL_HOST: z.string().default('kswifi.internal'),
  /** Address of the box on the customers' network, with its prefix. */
  KSWIFI_LAN: z
    .string()
    .regex(/^\d+\.\d+\.\d+\.\d+\/\d+$/, 'write it as 10.64.0.1/16')
    .regex(/^(10\.|192\.168\.|172\.(1[6-9]|2\d|3[01])\.)/, 'a private network: 10.x, 172.16.x to 172.31.x or 192.168.x')
    .default('10.64.0.1/16'),
  KSWIFI_LAN_DEVICE: z.string().max(15).default('lan0'),
  KSWIFI_WAN_DEVICE: z.string().max(15).default('wan0'),
  KSWIFI_TUNNEL_DEVICE: z.string().max(15).default('wg0'),
  /** UDP port on which WireGuard listens; the owner's endpoints may name others that lead to it. */
  KSWIFI_TUNNEL_PORT: z.coerce.number().int().min(1).max(65535).default(51820),
  /** `kernel` on the box and in the lab; `memory` for work on the UI without root. */
  KSWIFI_GATEWAY: z.enum(['kernel', 'memory']).default('kernel'),
  KSWIFI_LOG: z.enum(['debug', 'info', 'warn', 'error', 'silent']).default('info'),
  /** A way to pay without money, for the lab and `npm run dev`; never on a box that sells. */
  KSWIFI_SANDBOX: z.stringbool().default(false),
  /** One line about this build, shown in admin. */
  KSWIFI_VERSION: z.string().default('0.1.0'),
})

/** Configuration of one box; all paths absolute. */
export type Config = ReturnType<typeof readConfig>

/**
 * Reads the environment once.
 * @throws Error naming every variable that is wrong and what to write instead.
 */
export function readConfig(env: Record<string, string | undefined>) {
  const known = Object.fromEntries(Object.entries(env).filter(([key]) => key.startsWith('KSWIFI_')))
  const parsed = schema.safeParse(known)
  if (!parsed.success) {
    const faults = parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`)
    throw new Error(`The configuration of the box is not usable. Mend these in the environment file:\n${faults.join('\n')}`)
  }
  const value = parsed.data
  const [lanAddress = '', lanPrefix = ''] = value.KSWIFI_LAN.split('/')
  return {
    dataDir: value.KSWIFI_DATA,
    runDir: value.KSWIFI_RUN,
    port: value.KSWIFI_PORT,
    callbackPort: value.KSWIFI_CALLBACK_PORT,
    portalHost: value.KSWIFI_PORTAL_HOST,
    lan: { device: value.KSWIFI_LAN_DEVICE, address: lanAddress, prefix: Number(lanPrefix) },
    wan: { device: value.KSWIFI_WAN_DEVICE },
    tunnel: { device: value.KSWIFI_TUNNEL_DEVICE, port: value.KSWIFI_TUNNEL_PORT },
    gateway: value.KSWIFI_GATEWAY,
    logLevel: value.KSWIFI_LOG,
    sandbox: value.KSWIFI_SANDBOX,
    version: value.KSWIFI_VERSION,
    databaseFile: `${value.KSWIFI_DATA}/kswifi.db`,
    backupDir: `${value.KSWIFI_DATA}/backups`,
    secretFile: `${value.KSWIFI_DATA}/secret`,
    leaseFile: `${value.KSWIFI_DATA}/dnsmasq.leases`,
    redisSocket: `${value.KSWIFI_RUN}/redis.sock`,
    serverSocket: `${value.KSWIFI_RUN}/server.sock`,
  }
}
