/** Remotes: customers' devices somewhere else, each behind a router of its own that hides it, as at home or in another café. */
import { internetAddress, plugRemote } from './namespaces.ts'
import { connectProfile, disconnectProfile } from './tunnels.ts'

/** `ip` is its address behind its router; everybody else sees it as `publicAddress`. */
export type Remote = {
  namespace: string
  ip: string
  publicAddress: string
  /** Imports the text of a profile and turns it on; throws what wg-quick said when that fails. */
  connect: (profileText: string) => Promise<void>
  /** Turns the profile off and forgets it. */
  disconnect: () => Promise<void>
}

/** Puts remote `number` behind the lab's internet; it needs the box for nothing. */
export async function addRemote(lab: { dir: string; prefix: string }, number: number): Promise<Remote> {
  const { namespace, ip, publicAddress } = await plugRemote(lab.prefix, number, internetAddress)
  return {
    namespace,
    ip,
    publicAddress,
    connect: (profileText) => connectProfile(lab, namespace, profileText),
    disconnect: () => disconnectProfile(lab, namespace),
  }
}
