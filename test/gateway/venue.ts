import { join } from 'node:path'
import { startLab } from '#lab/lab.ts'
import type { LabOptions, Phone } from '#lab/lab.ts'
import { until } from '#lab/run.ts'
import type { SessionView } from '#server/sessions/schema.ts'
import { MB } from '#server/units.ts'
import { talkTo, type Talk } from './talk.ts'
import type { Ask } from './peer.ts'

export type Venue = Awaited<ReturnType<typeof openVenue>>

/**
 * What was carried between the phones (those somewhere else last) and the internet, in bytes of IP packets: as both ends
 * saw it, and as the box sent it out. A machine that is busy loses some of that on the way to the ends.
 */
export type Carried = { down: number[]; up: number; sent: number }

/** A phone at the venue, or one somewhere else. */
export type Customer = { namespace: string }

/** A whole venue with what these tests do to it. `stop` ends it. */
export async function openVenue(name: string, options: LabOptions = {}) {
  const lab = await startLab({ prefix: `kgw-${name}`, phones: 2, ...options })
  const [phone1, phone2] = lab.phones as [Phone, Phone]
  const talks = new Map<string, Talk<Ask>>()
  let packages = 0

  /** A request of the owner. @throws Error with the answer when it is no success */
  async function api<T>(path: string, body?: object, method = body ? 'POST' : 'GET'): Promise<T> {
    const response = await fetch(lab.url + path, {
      method,
      headers: { authorization: `Bearer ${lab.admin.apiKey}`, 'content-type': 'application/json' },
      ...(body ? { body: JSON.stringify(body) } : {}),
    })
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`)
    return (await response.json()) as T
  }

  /** A request of a phone to the portal. */
  async function ask<T>(
    phone: Customer,
    path: string,
    body?: object,
    method = body ? 'POST' : 'GET',
  ): Promise<{ status: number; body: T }> {
    const json = body ? ['-H', 'content-type: application/json', '-d', JSON.stringify(body)] : []
    const { stdout } = await lab.exec(phone.namespace, [
      'curl',
      '-s',
      '-m',
      '10',
      '-w',
      '\n%{http_code}',
      '-X',
      method,
      ...json,
      `http://${lab.box.lan}${path}`,
    ])
    const at = stdout.lastIndexOf('\n')
    return { status: Number(stdout.slice(at + 1)), body: JSON.parse(stdout.slice(0, at) || 'null') as T }
  }

  /** A voucher of a new package: one hour, 5 MB, at the speed of the line; `terms` say what is different. */
  async function sell(terms: object = {}): Promise<string> {
    const made = await api<{ package: { id: number } }>('/api/admin/packages', {
      name: `Package ${++packages}`,
      dataLimit: 5 * MB,
      durationSeconds: 3600,
      priceMinor: 100,
      ...terms,
    })
    const { codes } = await api<{ codes: string[] }>('/api/admin/vouchers', { packageId: made.package.id, count: 1 })
    return codes[0]!
  }

  /** Redeems a voucher, or resumes by a code, on a phone. @throws Error when the portal refuses */
  async function use(phone: Customer, what: { voucher: string } | { resume: string }): Promise<SessionView> {
    const path = 'voucher' in what ? '/api/vouchers/redeem' : '/api/sessions/resume'
    const answer = await ask<{ session: SessionView }>(phone, path, { code: 'voucher' in what ? what.voucher : what.resume })
    if (answer.status >= 300) throw new Error(`${path}: ${answer.status} ${JSON.stringify(answer.body)}`)
    return answer.body.session
  }

  /**
   * Counts what is carried from now on. Only what the box forwarded has a TTL of 63; its own answers have 64.
   * To be begun before the session: an upload that an ended session left waiting on a phone goes on with the next one.
   */
  async function count(): Promise<() => Promise<Carried>> {
    const meter = (hook: string, match: string) =>
      `add table inet watch\ndelete table inet watch\ntable inet watch { counter carried {}\n` +
      `chain seen { type filter hook ${hook}; ip ttl 63 ${match} counter name carried; }; }\n`
    const arrived = (from: string) => meter('prerouting priority raw', `ip saddr ${from}`)
    const customers = [...lab.phones, ...lab.remotes].map((phone) => phone.namespace)
    const places: [namespace: string, input: string][] = [
      ...customers.map((namespace): [string, string] => [namespace, arrived(lab.internet.address)]),
      [lab.internet.namespace, arrived('203.0.113.2')],
      [lab.box.namespace, meter('postrouting priority 300', '')],
    ]
    // The box first: what passes meanwhile must not arrive without having been sent.
    for (const [namespace, input] of places.toReversed()) await lab.exec(namespace, ['/usr/sbin/nft', '-f', '-'], { input })
    const read = async (namespace: string) => {
      // Nothing where a test flushed the ruleset meanwhile.
      const list = ['/usr/sbin/nft', '-j', 'list', 'counters', 'table', 'inet', 'watch']
      const { code, stdout } = await lab.exec(namespace, list, { allowFailure: true })
      if (code !== 0) return 0
      const found = (JSON.parse(stdout) as { nftables: { counter?: { bytes: number } }[] }).nftables
      return found.find((one) => one.counter)!.counter!.bytes
    }
    return async () => ({
      down: await Promise.all(customers.map(read)),
      up: await read(lab.internet.namespace),
      sent: await read(lab.box.namespace),
    })
  }

  return {
    lab,
    phone1,
    phone2,
    api,
    ask,
    sell,
    use,
    count,

    session: async (id: number): Promise<SessionView> => (await api<{ session: SessionView }>(`/api/admin/sessions/${id}`)).session,

    /** Resolves when the server says that a session is over. */
    untilEnded: (id: number): Promise<SessionView> =>
      until(
        `session ${id} ends`,
        async () => {
          const { session } = await api<{ session: SessionView }>(`/api/admin/sessions/${id}`)
          return session.status === 'expired' ? session : null
        },
        20_000,
      ),

    /** Ends whatever lives, so that the next test begins with nobody online. */
    async clear(): Promise<void> {
      const { sessions } = await api<{ sessions: SessionView[] }>('/api/admin/sessions?pageSize=200')
      for (const { id } of sessions) await api(`/api/admin/sessions/${id}/end`, {}).catch(() => {})
    },

    /** The program on a phone or in the internet that sends and hears datagrams; there is one in each. */
    peer(namespace: string): Talk<Ask> {
      const talk = talks.get(namespace) ?? talkTo<Ask>(namespace, join(import.meta.dirname, 'peer.ts'))
      talks.set(namespace, talk)
      return talk
    },

    /** Runs curl on a phone to its end, however that is. @returns what it got, in bytes of content, and its exit code */
    async curl(
      phone: Customer,
      ...args: string[]
    ): Promise<{ code: number | null; status: number; bytes: number; location: string; tookMs: number }> {
      const format = '%{http_code} %{size_download} %{redirect_url}'
      const { code, stdout, tookMs } = await lab.exec(phone.namespace, ['curl', '-s', '-o', '/dev/null', '-w', format, ...args], {
        allowFailure: true,
      })
      const [status, bytes, location = ''] = stdout.split(' ')
      return { code, status: Number(status), bytes: Number(bytes), location, tookMs }
    },

    /** Runs a program in the box. */
    inBox: async (...argv: string[]): Promise<string> => (await lab.exec('box', argv, { allowFailure: true })).stdout,

    async stop(): Promise<void> {
      await Promise.all([...talks.values()].map((talk) => talk.end()))
      await lab.stop()
    },
  }
}

/** What arrived at both ends together. */
export function sum(carried: Pick<Carried, 'down' | 'up'>): number {
  return carried.up + carried.down.reduce((total, bytes) => total + bytes, 0)
}
