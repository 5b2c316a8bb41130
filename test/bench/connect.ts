import type { Figure } from './figure.ts'
import { profiles } from './connect-profiles.ts'
import { restart } from './connect-restart.ts'
import { tunnel } from './connect-tunnel.ts'

/** KSWiFi Connect: what the tunnel carries, how fast a profile is made, and what a restart does to those who are in it. */
export async function connect(): Promise<Figure[]> {
  return [...(await tunnel()), ...(await profiles()), ...(await restart())]
}
