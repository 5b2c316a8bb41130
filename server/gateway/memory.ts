import { withoutDoubles, type Gateway, type GatewayNeeds, type Grant, type LanDevice, type Reading } from './grant.ts'
import { createTurns } from './lock.ts'

type Meter = { usedBytes: number; uploadedBytes: number; tunnelledBytes: number }

/** Where a packet comes from or goes to: a phone on the Wi-Fi, or an address inside the tunnel. */
export type Way = LanDevice | { peer: string }

export type MemoryGateway = Gateway & {
  /**
   * Lets a device or peer send or receive packets of `packetBytes` until `bytes` are through or the gateway drops one.
   * @returns the bytes that passed
   */
  pass: (way: Way, direction: 'down' | 'up', bytes: number, packetBytes?: number) => Promise<number>
  /** Forgets everything, as a power cut does. */
  forget: () => void
  /** What is granted now. */
  grants: () => Grant[]
}

/** The same face as the kernel's, for work on the UI without root and for tests of what stands above. */
export function createMemoryGateway({ wanted, settle, now }: GatewayNeeds): MemoryGateway {
  let granted = new Map<number, Grant>()
  const meters = new Map<number, Meter>()

  const take = createTurns(async (sessions, thorough) => {
    const among = sessions ?? [...new Set([...granted.keys(), ...meters.keys()])]
    if (thorough) await settle(among.flatMap(reading))
    const grants = withoutDoubles(await wanted(sessions))
    const wantedNow = new Set(grants.map((grant) => grant.session))
    const ending = among.filter((session) => !wantedNow.has(session))
    for (const session of ending) granted.delete(session)
    for (const grant of grants) {
      const meter = meters.get(grant.session)
      meters.set(grant.session, {
        usedBytes: Math.max(meter?.usedBytes ?? 0, grant.usedBytes),
        uploadedBytes: Math.max(meter?.uploadedBytes ?? 0, grant.uploadedBytes),
        tunnelledBytes: Math.max(meter?.tunnelledBytes ?? 0, grant.tunnelledBytes),
      })
      granted.set(grant.session, grant)
    }
    const last = ending.flatMap(reading)
    if (last.length > 0) await settle(last)
    for (const session of ending) meters.delete(session)
  })

  function reading(session: number): Reading[] {
    const meter = meters.get(session)
    if (!meter) return []
    const limit = granted.get(session)?.limitBytes ?? null
    return [{ session, ...meter, depleted: limit !== null && meter.usedBytes >= limit }]
  }

  return {
    enforce: (sessions) => take(sessions, false),
    poll: (sessions) => take(sessions, true),
    close: async () => {},

    async pass(way, direction, bytes, packetBytes = 1000) {
      const grant = [...granted.values()].find((one) =>
        'peer' in way ? one.peers.includes(way.peer) : one.devices.some(({ mac, ip }) => mac === way.mac && ip === way.ip),
      )
      if (!grant || grant.until <= now()) return 0
      const meter = meters.get(grant.session)!
      const limit = grant.limitBytes ?? Infinity
      let passed = 0
      while (passed < bytes) {
        const packet = Math.min(packetBytes, bytes - passed)
        if (meter.usedBytes + packet > limit) {
          // The kernel's count also runs over with the packet it drops, and is listed as the limit.
          meter.usedBytes = limit
          await take([grant.session], true)
          break
        }
        meter.usedBytes += packet
        if (direction === 'up') meter.uploadedBytes += packet
        if ('peer' in way) meter.tunnelledBytes += packet
        passed += packet
      }
      return passed
    },
    forget() {
      granted = new Map()
      meters.clear()
    },
    grants: () => [...granted.values()],
  }
}

/** Lets every granted device use about a third of its speed, so that meters move while one works on the UI. */
export function simulateTraffic(gateway: MemoryGateway, everyMs = 1000): () => void {
  const timer = setInterval(() => {
    for (const grant of gateway.grants()) {
      for (const way of [...grant.devices, ...grant.peers.map((peer) => ({ peer }))]) {
        const bytes = Math.round((((grant.downBps ?? 20_000_000) / 8) * everyMs * Math.random()) / 1500)
        void gateway.pass(way, 'down', bytes).then(() => gateway.pass(way, 'up', Math.round(bytes / 8)))
      }
    }
  }, everyMs)
  return () => clearInterval(timer)
}
