import { lookup } from 'node:dns/promises'
import { iso, type Now } from '../clock.ts'
import { DAY, MINUTE } from '../units.ts'
import { isPublic, overlap } from './range.ts'
import type { Reach } from './schema.ts'

/** A handshake from outside this young says that the way in is open. */
const PROOF_MS = 7 * DAY

/** Names of dynamic DNS change; asking more often tells nothing new. */
const KEEP_MS = MINUTE
const LOOKUP_MS = 3000

/** RFC 6598: one address of the provider for many customers. */
const SHARED = '100.64.0.0/10'

/** Facts from which reachability is judged. `resolved` is what the host's name leads to; undefined: it leads nowhere. */
export type ReachFacts = {
  host: string | null
  resolved: string | undefined
  lineAddress: string | null
  ports: number[]
  product: string
  lastFromOutside: number | null
  now: number
}

/** Says what is known of the way in from outside, and what to do where it is closed. */
export function judgeReach(facts: ReachFacts): Reach {
  const { host, resolved, lineAddress, lastFromOutside, now, product } = facts
  const ports = `UDP ${facts.ports.join(' and ')}`
  const say = (state: Reach['state'], words: string, todo: string[] = []): Reach => ({
    state,
    words,
    todo,
    lineAddress,
    lastFromOutside: iso(lastFromOutside),
  })
  if (!lineAddress)
    return say('no-address', 'The box has no address on the internet line.', ['Plug in the line, or look at its cable and router.'])
  if (lastFromOutside !== null && now - lastFromOutside < PROOF_MS) return say('proven', 'Customers reach this box from outside.')
  const behind = !isPublic(lineAddress)
  const forward = `In that router, forward ${ports} to ${lineAddress}.`
  if (overlap(SHARED, `${lineAddress}/32`))
    return say('shared-address', 'The provider shares one public address among many customers, so nobody reaches this box from outside.', [
      'Ask the provider for a public address of your own.',
      `Or add an endpoint below: a rented server that hands ${ports} on to this box.`,
    ])
  if (!host)
    return behind
      ? say('behind-router', `A router stands between this box and the internet; ${product} works inside it only.`, [
          forward,
          'Then write the public address of that router, or a name that leads to it, as the host of "This box".',
        ])
      : say('likely', `The line has the public address ${lineAddress}, and profiles name it.`, [
          'If the provider changes it now and then, take a dynamic DNS name and write it as the host of "This box": profiles outlive an address only by a name.',
        ])
  if (!resolved)
    return say('name-unknown', `The name ${host} leads nowhere.`, [
      `Look at its spelling and at its DNS record: it must lead to this venue's public address.`,
    ])
  if (behind)
    return say('behind-router', `${host} leads to ${resolved}; whether its router hands ${ports} on to this box is not known yet.`, [
      forward,
      'Then switch a profile on over mobile data: the first handshake from outside proves it here.',
    ])
  if (resolved !== lineAddress)
    return say('name-elsewhere', `${host} leads to ${resolved}, but the line of this box has ${lineAddress}.`, [
      `Let the name lead to ${lineAddress}, unless ${resolved} hands ${ports} on to this box.`,
    ])
  return say('likely', `${host} leads to this box; nobody has come from outside yet.`)
}

/**
 * Looks names up. A lookup may hang, and a name server be away for a while: what is known is told at once and renewed
 * behind it, and a failure takes nothing back.
 */
export function createLookup(now: Now) {
  const known = new Map<string, { at: number; address: Promise<string | undefined>; last: string | undefined }>()

  function renew(host: string): { address: Promise<string | undefined>; last: string | undefined } {
    const before = known.get(host)
    if (before && now() - before.at < KEEP_MS) return before
    const limit = new Promise<undefined>((resolve) => setTimeout(resolve, LOOKUP_MS, undefined).unref())
    const entry = { at: now(), last: before?.last, address: Promise.resolve<string | undefined>(undefined) }
    entry.address = Promise.race([lookup(host, { family: 4 }).then((found) => found.address), limit]).catch(() => undefined)
    void entry.address.then((address) => (entry.last = address ?? entry.last))
    known.set(host, entry)
    return entry
  }

  return {
    /** What a name leads to, after asking; undefined when it leads nowhere, or too slowly. */
    ask: async (host: string | null): Promise<string | undefined> => (host ? renew(host).address : undefined),
    /** What it led to when last known, at once. */
    known: (host: string | null): string | undefined => (host ? renew(host).last : undefined),
  }
}
