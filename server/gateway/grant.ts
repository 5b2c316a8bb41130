/** A phone on the Wi-Fi: both must match, so a borrowed address gets nothing. */
export type LanDevice = { mac: string; ip: string }

/**
 * What one session may do on the network, in absolute numbers: applying a grant twice, or after a crash,
 * gives the same as once.
 */
export type Grant = {
  /** Number of the session: the conntrack mark of its flows. 1 … 2^32-1. */
  session: number
  /** Bytes of both directions at which the kernel stops it; null is no cap. Counts from the session's beginning, like usedBytes. */
  limitBytes: number | null
  /** Bytes used so far, as the ledger has it; only where the kernel knows less does it count. */
  usedBytes: number
  /** Of these, bytes from the customer. */
  uploadedBytes: number
  /** Of these, bytes that went through the tunnel. */
  tunnelledBytes: number
  /** UTC ms at which the kernel stops it. */
  until: number
  /** bit/s towards the customer; null is the speed of the line. */
  downBps: number | null
  upBps: number | null
  devices: LanDevice[]
  /** Addresses inside the tunnel; WireGuard sees to it that nobody uses another's. */
  peers: string[]
}

/** Marks from here on are of devices that may reach a payment's page: port 80 stays with the portal for them. */
export const PAY_WINDOW_MARK = 0x4000_0000

/** What a session has used since its beginning, as the kernel counted it. */
export type Reading = {
  session: number
  usedBytes: number
  uploadedBytes: number
  tunnelledBytes: number
  /** The cap is used up: nothing passes any more. */
  depleted: boolean
}

/**
 * The data plane. One for the real kernel (kernel.ts), one without (memory.ts); the same suite of tests runs on both.
 * Both are made with `wanted` (read inside the lock, so that a run never uses an old list) and `settle` (takes
 * every reading, also the last one of a session about to be removed).
 */
export type Gateway = {
  /**
   * Makes the kernel agree with what is wanted now for these sessions, or for all (and then also repairs drift and
   * sweeps what nobody wants). Answers after a run that began after the call. Safe at any time, twice, or after a crash.
   */
  enforce: (sessions?: number[]) => Promise<void>
  /** Reads these sessions (or all), settles the readings, then enforces the same ones. */
  poll: (sessions?: number[]) => Promise<void>
  /** Lets go; the kernel keeps what it has. */
  close: () => Promise<void>
}

export type GatewayNeeds = {
  wanted: (sessions?: number[]) => Promise<Grant[]>
  settle: (readings: Reading[]) => Promise<void>
  now: () => number
}

/**
 * Grants in which each device and peer appears once, with the first that names it. The kernel takes no device twice, and
 * refuses the whole list with it: one wish that contradicts another must not keep everybody else offline.
 */
export function withoutDoubles(grants: Grant[]): Grant[] {
  const taken = new Set<string>()
  const isFirst = (key: string) => !taken.has(key) && taken.add(key) !== undefined
  return grants.map((grant) => ({
    ...grant,
    devices: grant.devices.filter(({ mac, ip }) => isFirst(`${mac} ${ip}`)),
    peers: grant.peers.filter(isFirst),
  }))
}
