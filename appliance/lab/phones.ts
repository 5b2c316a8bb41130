/** Phones: customers' devices, each a namespace with its own MAC that asks the box for its address. */
import { closeSync, existsSync, openSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { plugPhone, resolvFile } from './namespaces.ts'
import { inside, start, until } from './run.ts'

/** What the box's DHCP told a phone. `captivePortalApi` is option 114 (RFC 8910), as sent. */
export type Lease = {
  ip: string
  prefix: number
  router: string
  dns: string[]
  server: string
  seconds: number
  captivePortalApi: string | null
}

export type Phone = { namespace: string; mac: string; ip: string; lease: Lease }

/**
 * Plugs in phone `number` and waits for its lease. Its DHCP client goes on running and renews, as a phone's does.
 * @throws Error when no lease came within ten seconds, with what the client said.
 */
export async function addPhone(prefix: string, number: number, { runDir, logDir }: { runDir: string; logDir: string }): Promise<Phone> {
  const { namespace, mac } = await plugPhone(prefix, number)
  const leaseFile = join(runDir, `phone${number}.lease`)
  const logFile = join(logDir, `phone${number}.log`)
  const log = openSync(logFile, 'a', 0o600)
  const script = join(import.meta.dirname, 'dhcp.sh')
  const client = ['udhcpc', '-f', '-i', 'eth0', '-s', script, '-O', '114', '-t', '5', '-T', '1', '-A', '1']
  start(inside(namespace, client), {
    stdio: ['ignore', log, log],
    env: { ...process.env, LEASE_FILE: leaseFile, RESOLV_FILE: resolvFile(namespace) },
  }).on('error', () => {})
  closeSync(log)
  try {
    await until(`${namespace} has an address from the box`, () => existsSync(leaseFile), 10_000, 10)
  } catch (error) {
    throw new Error(`${(error as Error).message}. Its DHCP client said:\n${readFileSync(logFile, 'utf8').slice(-1000)}`, { cause: error })
  }
  const lease = readLease(leaseFile)
  return { namespace, mac, ip: lease.ip, lease }
}

function readLease(file: string): Lease {
  const facts = Object.fromEntries(
    readFileSync(file, 'utf8')
      .split('\n')
      .map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
  ) as Record<string, string>
  const { ip = '', prefix, router = '', dns = '', server = '', seconds, option114 } = facts
  return {
    ip,
    prefix: Number(prefix),
    router,
    dns: dns.split(' ').filter(Boolean),
    server,
    seconds: Number(seconds),
    // udhcpc hands over options that it does not know as hexadecimal digits.
    captivePortalApi: option114 ? Buffer.from(option114, 'hex').toString('latin1') : null,
  }
}
