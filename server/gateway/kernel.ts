import { readFile, writeFile } from 'node:fs/promises'
import type { Log } from '../log.ts'
import {
  capChanges,
  changeToCut,
  changeToGrant,
  changeToNothing,
  heldAfter,
  isShared,
  leftBy,
  noChanges,
  phoneKey,
  script,
  firstPeers,
  splitOff,
  type Left,
} from './changes.ts'
import { withoutDoubles, type Gateway, type GatewayNeeds, type Grant, type Reading } from './grant.ts'
import { askCounts, depletedSession, parseCounts, parseListing, readingOf, type Counts, type Held, type Listing } from './listing.ts'
import { createTurns } from './lock.ts'
import { createMinors } from './minors.ts'
import { createPins } from './pins.ts'
import { TABLE, countRules, ruleset, type RulesetFacts } from './ruleset.ts'
import { ProgramFailed, follow, run } from './run.ts'
import { createShaper, type Classes } from './shaper.ts'

/** Flows are tidied away one session at a time; beyond this many in one run they are left to the kernel's own timeouts (nothing passes either way). */
const TIDY_AT_MOST = 20

/** All that the kernel holds; no listing: the table is not there. */
type Look = {
  listing: Listing | undefined
  classes: Classes
  /** Sessions of which we know better, because we changed them since. */
  changed: Set<number>
}

/** Counts of more sessions than this are read by listing everything once. */
const ASK_AT_MOST = 200

type KernelNeeds = GatewayNeeds & {
  lan: string
  wan: string
  tunnel: string
  /** Asked before everything is looked at: when an answer differs, the ruleset is put in anew. */
  facts: () => Promise<RulesetFacts>
  /** Addresses of the line as the world sees them, where a router stands before the box; what is known at once. */
  publicAddresses: () => Promise<string[]>
  log: Log
}

/**
 * The data plane on the real kernel: nftables holds caps and deadlines, HTB the speeds.
 * Takes over what the kernel already holds; keeps it when closed.
 * Needs CAP_NET_ADMIN.
 */
export async function createKernelGateway(needs: KernelNeeds): Promise<Gateway> {
  const { settle, now, log } = needs
  const wanted = async (sessions?: number[]) => withoutDoubles(await needs.wanted(sessions))
  const shaper = createShaper(needs)
  const pins = createPins(needs.lan)

  /** What the kernel holds, as far as we know; listed anew in every thorough run. */
  let held = new Map<number, Held>()
  /** Speeds as last given to tc, by session. */
  const shaped = new Map<number, { minor: number; downBps: number | null; upBps: number | null; shared: boolean }>()
  const minors = createMinors()

  /** Chains and rules as the kernel listed them right after they were put in. */
  let fixed: { version: string; text: string } | undefined

  /** What a poll saw before its turn came. */
  let lookedAhead: Look | undefined
  /** One for each look that is under way or waits for its turn: the sessions that we changed since it began. */
  const sinceLooks = new Set<Set<number>>()

  /** What the last turn left to be done after its callers were answered; the next turn waits for it. */
  let rest: Promise<unknown> = Promise.resolve()

  const take = createTurns(async (sessions, thorough) => {
    try {
      await rest
      if (sessions) await enforceSome(sessions, thorough)
      else await enforceAll()
    } catch (error) {
      if (!(error instanceof ProgramFailed)) throw error
      // A deadline passed between looking and acting, or somebody else changed the table: look again, once.
      log.warn({ err: error }, 'the kernel is not as remembered: looking at all of it')
      await enforceAll()
    }
  })

  const unfollow = follow(
    'nft',
    ['-j', 'monitor'],
    (line) => {
      const session = depletedSession(line)
      if (session) take([session], true).catch((error) => log.error({ err: error, session }, 'a used-up session could not be settled'))
    },
    (reason) => log.warn({ reason }, 'the watch for used-up quotas ended and starts anew'),
  )

  /** Reads everything and settles it, before anybody has to wait for it; then enforces everything. */
  async function pollAll(): Promise<void> {
    const changed = new Set<number>()
    sinceLooks.add(changed)
    try {
      const look = { ...(await lookAtKernel()), changed }
      await settle(readingsOf(look))
      lookedAhead = look
      await take(undefined, false)
    } finally {
      sinceLooks.delete(changed)
    }
  }

  async function enforceAll(): Promise<void> {
    const { text, version } = ruleset(await needs.facts())
    let look = lookedAhead
    lookedAhead = undefined
    // An old look is good enough to see that all is well; what it saw amiss is looked at once more.
    if (!look || !isIntact(look.listing, text, version)) look = await lookAtKernel()
    const { listing, classes } = look
    held = heldNow(look)
    const isAnew = !isIntact(listing, text, version)
    if (isAnew) {
      log.warn(
        { found: listing?.rules ?? 0, wanted: countRules(text) },
        listing ? 'the ruleset differs: putting it in anew' : 'no ruleset in the kernel: putting it in',
      )
      if (listing) await settleAndHold()
      // One transaction with nobody in it is at most some ms; the grants follow at once.
      await run('nft', ['-f', '-'], `add table ${TABLE}\ndelete table ${TABLE}\n${text}`)
      held = new Map()
      fixed = { version, text: (await list())?.fixed ?? '' }
    }
    await enterPublicAddresses(isAnew ? [] : (listing?.publicAddresses ?? []))
    await pins.look()
    await allowForwarding()
    for (const one of held.values()) minors.adopt(one.session, one.down?.minor || one.up?.minor || 0)
    forgetLost(look)
    await bringAbout(await wanted(), [...held.keys()])
    const live = new Set([...shaped.values()].map(({ minor }) => minor))
    const strays = [...classes.down.union(classes.up).union(classes.shared)].filter((minor) => !live.has(minor))
    if (strays.length > 0) await shaper.apply([], strays)
  }

  /** The last readings of a ruleset that goes, with nothing passing any more: what flows after them would be nobody's. */
  async function settleAndHold(): Promise<void> {
    await run('nft', ['insert', 'rule', ...TABLE.split(' '), 'forward', 'drop']).catch(() => {})
    await settle(readingsOf({ listing: await list() }))
  }

  async function enterPublicAddresses(entered: string[]): Promise<void> {
    const addresses = await needs.publicAddresses()
    const change = (verb: string, list: string[]) =>
      list.length === 0 ? [] : [`${verb} element ${TABLE} public_addresses { ${list.join(', ')} }`]
    const lines = [
      ...change(
        'delete',
        entered.filter((one) => !addresses.includes(one)),
      ),
      ...change(
        'add',
        addresses.filter((one) => !entered.includes(one)),
      ),
    ]
    if (lines.length > 0) await run('nft', ['-f', '-'], `${lines.join('\n')}\n`)
  }

  /** What the kernel listed, but for the sessions that we changed since: those are as we left them. */
  function heldNow({ listing, changed }: Look): Map<number, Held> {
    const sessions = new Map(listing?.sessions)
    for (const session of changed) {
      const one = held.get(session)
      if (one) sessions.set(session, one)
      else sessions.delete(session)
    }
    return sessions
  }

  function isIntact(listing: Listing | undefined, text: string, version: string): boolean {
    if (listing?.version !== version || listing.rules !== countRules(text)) return false
    // After a restart of ours the first look has to be believed.
    if (fixed?.version !== version) fixed = { version, text: listing.fixed }
    return listing.fixed === fixed.text
  }

  /** Forgets the speeds of those whose class is gone, so that they are given anew. */
  function forgetLost({ classes, changed }: Look): void {
    for (const [session, { minor, downBps, upBps, shared }] of shaped) {
      if (changed.has(session)) continue
      const down = shared ? classes.shared : classes.down
      const lost = (downBps !== null && !down.has(minor)) || (upBps !== null && !classes.up.has(minor))
      if (lost || (shared && downBps !== null && !classes.intact)) shaped.delete(session)
    }
  }

  async function lookAtKernel(): Promise<Look> {
    const [listing, classes] = await Promise.all([list(), shaper.list()])
    return { listing, classes, changed: new Set() }
  }

  async function enforceSome(sessions: number[], settleFirst: boolean): Promise<void> {
    if (settleFirst) await settleFrom(sessions)
    const grants = await wanted(sessions)
    const changing = grants.filter((grant) => capChanges(held.get(grant.session), grant)).map((grant) => grant.session)
    if (changing.length > 0) await refresh(changing)
    await bringAbout(grants, sessions)
  }

  /** @param among the sessions that this run is about: those of them without a grant are removed */
  async function bringAbout(grants: Grant[], among: number[]): Promise<void> {
    const granted = new Set(grants.map((grant) => grant.session))
    const ending = among.filter((session) => !granted.has(session) && held.has(session)).map((session) => held.get(session)!)
    const markChanged = () => {
      for (const changed of sinceLooks) for (const { session } of [...grants, ...ending]) changed.add(session)
    }
    markChanged()
    const at = now()
    const changes = noChanges()
    for (const one of ending) changeToCut(changes, one, at)
    const left = [...ending.flatMap((one) => leftBy(one)), ...grants.flatMap((grant) => leftBy(held.get(grant.session), grant))]
    for (const grant of grants) changeToGrant(changes, held.get(grant.session), grant, minorOf(grant), at)

    const moving = firstPeers(grants, held)
    const move = splitOff(changes, moving)
    const { here = [], there = [] } = Object.groupBy(grants.filter(isUnshaped), ({ session }) => (moving.has(session) ? 'there' : 'here'))
    const text = script(changes)
    await Promise.all([text && run('nft', ['-f', '-'], text), shape(here), pins.pin(grants.flatMap((grant) => grant.devices))])
    for (const grant of grants) {
      const minor = minorOf(grant)
      held.set(grant.session, heldAfter(held.get(grant.session), grant, minor))
      shaped.set(grant.session, { ...speedsOf(grant), minor })
    }
    markChanged()
    if (move) {
      rest = shape(there)
        .then(() => run('nft', ['-f', '-'], move))
        .catch((error: unknown) => {
          log.warn({ err: error }, 'a session could not move to its shared class: looking at all of it')
          void take(undefined, false).catch(() => {})
        })
        .finally(markChanged)
    }
    if (ending.length > 0) await remove(ending)
    await tidyFlows(ending, left)
  }

  async function shape(grants: Grant[]): Promise<void> {
    const classes = grants.map((grant) => ({ ...speedsOf(grant), minor: minorOf(grant) }))
    if (classes.length > 0) await shaper.apply(classes, [])
  }

  /** Sessions that were cut off: their last reading, then nothing of them is left. */
  async function remove(ending: Held[]): Promise<void> {
    await settleFrom(ending.map((one) => one.session))
    const changes = noChanges()
    for (const one of ending) changeToNothing(changes, one)
    const text = script(changes)
    if (text) await run('nft', ['-f', '-'], text)
    const free = ending.flatMap((one) => shaped.get(one.session)?.minor ?? [])
    for (const one of ending) {
      held.delete(one.session)
      shaped.delete(one.session)
      minors.release(one.session)
    }
    if (free.length > 0) await shaper.apply([], free)
  }

  async function settleFrom(sessions: number[]): Promise<void> {
    await refresh(sessions)
    const readings = sessions.flatMap((session) => (held.get(session)?.parts.has('quota') ? readingOf(held.get(session)!) : []))
    if (readings.length > 0) await settle(readings)
  }

  /** Reads the counts of some sessions anew. */
  async function refresh(sessions: number[]): Promise<void> {
    const known = sessions.filter((session) => held.get(session)?.parts.size === 2 && held.get(session)?.up)
    if (known.length === 0) return
    for (const counts of await readCounts(known)) Object.assign(held.get(counts.session) ?? {}, counts)
  }

  async function readCounts(sessions: number[]): Promise<Counts[]> {
    if (sessions.length > ASK_AT_MOST) return [...((await list())?.sessions.values() ?? [])].filter((one) => sessions.includes(one.session))
    // As arguments: with -j, nft opens its standard input by name, which a socket does not allow.
    const tunnelled = sessions.filter((session) => held.get(session)?.tunnelledBytes !== undefined)
    return parseCounts(await run('nft', ['-j', askCounts(sessions, tunnelled)]))
  }

  async function list() {
    try {
      const text = await run('nft', ['-j', 'list', 'table', ...TABLE.split(' ')])
      return parseListing(text, now())
    } catch (error) {
      if (error instanceof ProgramFailed && error.stderr.includes('No such file')) return undefined
      throw error
    }
  }

  function minorOf(grant: Grant): number {
    return minors.of(grant.session)
  }

  function isUnshaped(grant: Grant): boolean {
    const has = shaped.get(grant.session)
    if (grant.downBps === null && grant.upBps === null) return false
    const { downBps, upBps, shared } = speedsOf(grant)
    return !has || has.downBps !== downBps || has.upBps !== upBps || has.shared !== shared
  }

  async function tidyFlows(ending: Held[], left: Left[]): Promise<void> {
    const claimed = new Set([...held.values()].flatMap((one) => [...one.phones.keys()]))
    await pins.unpin(left.flatMap(({ phone }) => (phone && !claimed.has(phoneKey(phone)) ? [phone] : [])))
    const over = new Set(ending.map((one) => one.session))
    const deletions = [
      ...ending.map((one) => ['-D', '-m', String(one.session)]),
      ...left.filter(({ session }) => !over.has(session)).map(({ ip, session }) => ['-D', '-s', ip, '-m', String(session)]),
    ]
    // conntrack exits with 1 when it found nothing to delete.
    for (const args of deletions.slice(0, TIDY_AT_MOST)) await run('conntrack', args).catch(() => {})
  }

  return {
    enforce: (sessions) => take(sessions, false),
    poll: (sessions) => (sessions ? take(sessions, true) : pollAll()),
    async close() {
      unfollow()
      await rest
    },
  }
}

function readingsOf({ listing }: Pick<Look, 'listing'>): Reading[] {
  return [...(listing?.sessions.values() ?? [])].filter((one) => one.parts.has('quota')).map(readingOf)
}

function speedsOf(grant: Grant): { downBps: number | null; upBps: number | null; shared: boolean } {
  return { downBps: grant.downBps, upBps: grant.upBps, shared: isShared(grant) }
}

/** Off at boot, so that nothing is forwarded before the rules are in; CAP_NET_ADMIN may write it. */
async function allowForwarding(): Promise<void> {
  const file = '/proc/sys/net/ipv4/ip_forward'
  if ((await readFile(file, 'utf8')).trim() !== '1') await writeFile(file, '1')
}
