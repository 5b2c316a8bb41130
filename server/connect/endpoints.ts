import { isIPv4 } from 'node:net'
import { networkInterfaces } from 'node:os'
import type { z } from 'zod'
import type { Now } from '../clock.ts'
import { Refusal } from '../errors.ts'
import type { Settings as Choices } from '../settings/schema.ts'
import type { Settings } from '../settings/settings.ts'
import type { Store } from '../store/store.ts'
import { boxAddressOf, isPublic, overlap, prefixOf } from './range.ts'
import type { endpointInput, endpointPatch } from './schema.ts'
import * as table from './table.ts'
import type { Endpoint } from './table.ts'

/** UDP ports by which phones at the venue ask the box for other things. */
const TAKEN_PORTS = [53, 67, 68]

/** The box's note of when somebody last shook hands from outside, UTC ms. */
export const FROM_OUTSIDE = 'connect.outside'

/** Where a profile is to lead: the address and port that it names, and what it needs to know inside. */
export type Plan = {
  endpoint: Endpoint
  host: string
  venueOnly: boolean
  port: number
  choices: Choices
  boxAddress: string
  prefix: string
}

/** A network that one of these devices is in and that the range meets; undefined: none. */
export function networkMet(range: string, devices: string[]): string | undefined {
  const networks = devices.flatMap((device) => networkInterfaces()[device] ?? []).filter((one) => one.family === 'IPv4')
  return networks.map((one) => one.cidr!).find((network) => overlap(range, network))
}

/** IPv4 address of a device of this machine; null while it has none. */
export function addressOf(device: string): string | null {
  return networkInterfaces()[device]?.find((one) => one.family === 'IPv4')?.address ?? null
}

/**
 * Those that a profile can name. This box, where the owner wrote no host, goes by the address of its line; where that is
 * not a public one, only if there is nothing better: such a profile works at the venue alone.
 */
export function usableEndpoints(endpoints: Endpoint[], lineAddress: string | null): (Endpoint & { host: string; venueOnly: boolean })[] {
  const named = endpoints.flatMap((one) => {
    const host = one.host ?? (one.self ? lineAddress : null)
    return host ? [{ ...one, host, venueOnly: isIPv4(host) && !isPublic(host) }] : []
  })
  const anywhere = named.filter((one) => !one.venueOnly || endpoints.find(({ id }) => id === one.id)!.host)
  return anywhere.length > 0 ? anywhere : named
}

/**
 * Chooses where a profile leads: as wished, else where it led before, else by the first endpoint and its first port.
 * @throws Refusal `connect-unavailable` while the owner has turned Connect off, or no address of the box is known;
 * `not-found` for an endpoint that is none; `bad-input` for a port that it has not
 */
export function planFor(
  wish: { endpointId: number | undefined; port: number | undefined },
  { choices, endpoints, lineAddress }: { choices: Choices; endpoints: Endpoint[]; lineAddress: string | null },
  before?: { endpointId: number; port: number },
): Plan {
  const { product } = choices.connectWords
  if (!choices.connectOn) throw new Refusal('connect-unavailable', `${product} is turned off at this venue. Please ask the staff.`)
  const usable = usableEndpoints(endpoints, lineAddress)
  if (usable.length === 0)
    throw new Refusal(
      'connect-unavailable',
      `${product} is not set up yet: the box does not know its address on the internet. Please tell the staff.`,
    )
  const kept = before && usable.find((one) => one.id === before.endpointId)
  const endpoint = wish.endpointId === undefined ? (kept ?? usable[0]) : usable.find((one) => one.id === wish.endpointId)
  if (!endpoint) throw new Refusal('not-found', `There is no endpoint ${wish.endpointId}. Ask for the list anew and choose another.`)
  const port = wish.port ?? endpoint.ports.find((one) => endpoint === kept && one === before!.port) ?? endpoint.ports[0]!
  if (!endpoint.ports.includes(port))
    throw new Refusal('bad-input', `${endpoint.name} has no port ${port}; it has ${endpoint.ports.join(' and ')}.`)
  const { connectRange } = choices
  return {
    endpoint,
    host: endpoint.host,
    venueOnly: endpoint.venueOnly,
    port,
    choices,
    boxAddress: boxAddressOf(connectRange),
    prefix: prefixOf(connectRange),
  }
}

/** The ways to this box from outside. The box itself is always one of them. */
export function createEndpoints({ store, now, settings }: { store: Store; now: Now; settings: Settings }) {
  async function mustFind(id: number): Promise<Endpoint> {
    const found = (await table.endpoints(store.db)).find((one) => one.id === id)
    if (!found) throw new Refusal('not-found', `There is no endpoint ${id}.`)
    return found
  }

  let others: string[] = []

  return {
    async list(): Promise<Endpoint[]> {
      const all = await table.endpoints(store.db)
      others = all.flatMap((one) => (one.self || !one.host ? [] : [one.host]))
      return all
    },
    /** Hosts besides this box, as listed last: a customer's page measures how far they are. */
    otherHosts: () => others,
    /** The row of the box itself. */
    own: async () => (await table.endpoints(store.db)).find((one) => one.self)!,
    add: (input: z.output<typeof endpointInput>): Promise<Endpoint> =>
      store.transaction((tx) => table.insertEndpoint(tx, { ...input, self: false }, now())),

    /** @throws Refusal `not-found`; `bad-input` for a host taken from any but the box itself */
    async change(id: number, patch: z.output<typeof endpointPatch>): Promise<Endpoint> {
      const found = await mustFind(id)
      const changed = { ...found, ...Object.fromEntries(Object.entries(patch).filter(([, value]) => value !== undefined)) }
      if (changed.host === null && !changed.self)
        throw new Refusal('bad-input', 'Only this box may go without a host: it then goes by the address of its line.')
      const taken = changed.ports.filter((port) => changed.self && TAKEN_PORTS.includes(port))
      if (taken.length > 0)
        throw new Refusal(
          'bad-input',
          `On this box UDP ${taken.join(' and ')} is taken: names (53) and addresses (67, 68) of the Wi-Fi come by it.`,
        )
      await store.transaction(async (tx) => {
        await table.updateEndpoint(tx, changed)
        // Who came in by the old address proves nothing about the new one.
        if (changed.self) await settings.note(FROM_OUTSIDE, null, tx)
      })
      return changed
    },

    /** @throws Refusal `not-found`; `conflict` for the box itself */
    async remove(id: number): Promise<Endpoint> {
      const found = await mustFind(id)
      if (found.self) throw new Refusal('conflict', 'This box is always an endpoint of itself. Turn Connect off in the settings instead.')
      await store.transaction((tx) => table.deleteEndpoint(tx, id))
      return found
    },
  }
}
