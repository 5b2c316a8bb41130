import { readFile, writeFile } from 'node:fs/promises'
import type { Gateway, GatewayNeeds, Grant, LanDevice, Reading } from './grant.ts'
import { createTurns } from './lock.ts'
import {
  TABLE,
  capChanges,
  changeToCut,
  changeToGrant,
  changeToNothing,
  countRules,
  depletedSession,
  heldAfter,
  noChanges,
  parseListing,
  parseCounts,
  askCounts,
  phoneKey,
  readingOf,
  ruleset,
  script,
  type Counts,
  type Held,
  type Listing,
} from './nft.ts'
import { ProgramFailed, follow, run } from './run.ts'
import { MAX_MINOR, createShaper } from './shaper.ts'
import type { Log } from '../log.ts'

/** Flows are tidied away one session at a time; beyond this many in one run they are left to the kernel's own timeouts (nothing passes either way). */
const TIDY_AT_MOST = 20

/** All that the kernel holds; no listing: the table is not there. */
type Look = { listing: Listing | undefined; classes: { down: Set<number>; up: Set<number> } }

/** Counts of more sessions than this are read by listing everything once. */
const ASK_AT_MOST = 200

type KernelNeeds = GatewayNeeds & {
  lan: { device: string; address: string }
  wan: { device: string }
  portalPort: number
  log: Log
}

/**
 * The data plane on the real kernel: nftables holds caps and deadlines, HTB the speeds.
 * Takes over what the kernel already holds; keeps it when closed.
 * Needs CAP_NET_ADMIN.
 */
export async function createKernelGateway(needs: KernelNeeds): Promise<Gateway> {
  const { wanted, settle, now, log } = needs
  const { text: base, version } = ruleset({
    lan: needs.lan.device,
    wan: needs.wan.device,
    lanAddress: needs.lan.address,
    portalPort: needs.portalPort,
  })
  const rulesInBase = countRules(base)
  const shaper = createShaper(needs.lan.device, needs.wan.device, log)

  /** What the kernel holds, as far as we know; listed anew in every thorough run. */
  let held = new Map<number, Held>()
  /** Speeds as last given to tc, by session. */
  const shaped = new Map<number, { minor: number; downBps: number | null; upBps: number | null }>()
  const freeMinors = createMinors()

  /** Chains and rules as the kernel listed them right after they were put in. */
  let fixed: string | undefined
  /** Neighbours that cannot be talked over, as `mac . ip`. */
  let pinned = new Set<string>()

  /** Counts our changes: a look at the kernel from before one of them says nothing any more. */
  let changesMade = 0
  let lookedAhead: (Look & { changesMade: number }) | undefined

  const take = createTurns(async (sessions, thorough) => {
    try {
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
    const before = changesMade
    const look = await lookAtKernel()
    await settle(readingsOf(look))
    lookedAhead = { ...look, changesMade: before }
    await take(undefined, false)
  }

  async function enforceAll(): Promise<void> {
    const ahead = lookedAhead
    lookedAhead = undefined
    const look = ahead?.changesMade === changesMade ? ahead : await lookAtKernel()
    const { listing, classes } = look
    const intact = isIntact(listing)
    held = listing?.sessions ?? new Map()
    if (!intact) {
      log.warn(
        { found: listing?.rules ?? 0, wanted: rulesInBase },
        listing ? 'the ruleset differs: putting it in anew' : 'no ruleset in the kernel: putting it in',
      )
      await settle(readingsOf(look))
      // One transaction with nobody in it is at most some ms; the grants follow at once.
      await run('nft', ['-f', '-'], `add table ${TABLE}\ndelete table ${TABLE}\n${base}`)
      held = new Map()
      fixed = (await list())?.fixed
    }
    pinned = await pinnedNeighbours()
    await allowForwarding()
    adoptMinors()
    for (const [session, { minor, downBps, upBps }] of shaped) {
      const lost = (downBps !== null && !classes.down.has(minor)) || (upBps !== null && !classes.up.has(minor))
      if (lost) shaped.delete(session)
    }
    await bringAbout(await wanted(), [...held.keys()])
    const live = new Set([...shaped.values()].map(({ minor }) => minor))
    const strays = [...classes.down.union(classes.up)].filter((minor) => !live.has(minor))
    if (strays.length > 0) await shaper.apply([], strays)
  }

  function isIntact(listing: Listing | undefined): boolean {
    if (listing?.version !== version || listing.rules !== rulesInBase) return false
    // After a restart of ours the first look has to be believed.
    fixed ??= listing.fixed
    return listing.fixed === fixed
  }

  async function lookAtKernel(): Promise<Look> {
    const [listing, classes] = await Promise.all([list(), shaper.list()])
    return { listing, classes }
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
    changesMade++
    const at = now()
    const changes = noChanges()
    for (const one of ending) changeToCut(changes, one, at)
    const lost = grants.flatMap((grant) =>
      devicesLost(held.get(grant.session), grant).map((device) => ({ ...device, session: grant.session })),
    )
    for (const grant of grants) changeToGrant(changes, held.get(grant.session), grant, minorOf(grant), at)

    const unshaped = grants.filter(isUnshaped)
    const text = script(changes)
    await Promise.all([
      text && run('nft', ['-f', '-'], text),
      unshaped.length > 0 &&
        shaper.apply(
          unshaped.map((grant) => ({ minor: minorOf(grant), downBps: grant.downBps, upBps: grant.upBps })),
          [],
        ),
      pinNeighbours(grants),
    ])
    for (const grant of grants) {
      const minor = minorOf(grant)
      held.set(grant.session, heldAfter(held.get(grant.session), grant, minor))
      shaped.set(grant.session, { minor, downBps: grant.downBps, upBps: grant.upBps })
    }
    if (ending.length > 0) await remove(ending)
    await tidyFlows(ending, lost)
  }

  /** Sessions that were cut off: their last reading, then nothing of them is left. */
  async function remove(ending: Held[]): Promise<void> {
    await settleFrom(ending.map((one) => one.session))
    const changes = noChanges()
    for (const one of ending) changeToNothing(changes, one)
    const text = script(changes)
    if (text) await run('nft', ['-f', '-'], text)
    const minors = ending.flatMap((one) => shaped.get(one.session)?.minor ?? [])
    for (const one of ending) {
      held.delete(one.session)
      shaped.delete(one.session)
      freeMinors.release(one.session)
    }
    if (minors.length > 0) await shaper.apply([], minors)
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
    return parseCounts(await run('nft', ['-j', askCounts(sessions)]))
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

  function adoptMinors(): void {
    for (const one of held.values()) freeMinors.adopt(one.session, one.down?.minor || one.up?.minor || 0)
  }

  function minorOf(grant: Grant): number {
    return freeMinors.of(grant.session)
  }

  function isUnshaped(grant: Grant): boolean {
    const has = shaped.get(grant.session)
    if (grant.downBps === null && grant.upBps === null) return false
    return !has || has.downBps !== grant.downBps || has.upBps !== grant.upBps
  }

  /** A neighbour that cannot be talked over: nobody can claim a paying customer's address by ARP. */
  async function pinNeighbours(grants: Grant[]): Promise<void> {
    const fresh = grants.flatMap((grant) => grant.devices.filter((device) => !pinned.has(phoneKey(device))))
    if (fresh.length === 0) return
    for (const device of fresh) pinned.add(phoneKey(device))
    await run(
      'ip',
      ['-force', '-batch', '-'],
      fresh.map(({ mac, ip }) => `neigh replace ${ip} lladdr ${mac} dev ${needs.lan.device} nud permanent\n`).join(''),
    )
  }

  async function pinnedNeighbours(): Promise<Set<string>> {
    const text = await run('ip', ['neigh', 'show', 'dev', needs.lan.device, 'nud', 'permanent'])
    return new Set([...text.matchAll(/^(\S+) lladdr (\S+) /gm)].map(([, ip, mac]) => phoneKey({ mac: mac!, ip: ip! })))
  }

  async function tidyFlows(ending: Held[], lost: (LanDevice & { session: number })[]): Promise<void> {
    const gone = [...ending.flatMap((one) => [...one.phones.keys()]).map(deviceOf), ...lost]
    if (gone.length > 0) {
      const claimed = new Set([...held.values()].flatMap((one) => [...one.phones.keys()]))
      const free = gone.filter((device) => !claimed.has(phoneKey(device)))
      for (const device of free) pinned.delete(phoneKey(device))
      const batch = free.map(({ ip }) => `neigh del ${ip} dev ${needs.lan.device}\n`).join('')
      if (batch) await run('ip', ['-force', '-batch', '-'], batch).catch(() => {})
    }
    const deletions = [
      ...ending.map((one) => ['-D', '-m', String(one.session)]),
      ...lost.map(({ ip, session }) => ['-D', '-s', ip, '-m', String(session)]),
    ]
    // conntrack exits with 1 when it found nothing to delete.
    for (const args of deletions.slice(0, TIDY_AT_MOST)) await run('conntrack', args).catch(() => {})
  }

  return {
    enforce: (sessions) => take(sessions, false),
    poll: (sessions) => (sessions ? take(sessions, true) : pollAll()),
    close: async () => unfollow(),
  }
}

function readingsOf({ listing }: Look): Reading[] {
  return [...(listing?.sessions.values() ?? [])].filter((one) => one.parts.has('quota')).map(readingOf)
}

function devicesLost(held: Held | undefined, grant: Grant): LanDevice[] {
  const wanted = new Set(grant.devices.map(phoneKey))
  return [...(held?.phones.keys() ?? [])].filter((key) => !wanted.has(key)).map(deviceOf)
}

function deviceOf(key: string): LanDevice {
  const [mac = '', ip = ''] = key.split(' . ')
  return { mac, ip }
}

/** Off at boot, so that nothing is forwarded before the rules are in; CAP_NET_ADMIN may write it. */
async function allowForwarding(): Promise<void> {
  const file = '/proc/sys/net/ipv4/ip_forward'
  if ((await readFile(file, 'utf8')).trim() !== '1') await writeFile(file, '1')
}

/** Class numbers: a session keeps its own as long as it lives, also over a restart of this process. */
function createMinors() {
  const bySession = new Map<number, number>()
  const taken = new Set<number>()
  let next = 1
  const claim = (session: number, minor: number) => {
    bySession.set(session, minor)
    taken.add(minor)
    return minor
  }
  return {
    adopt(session: number, minor: number) {
      if (minor > 0 && !bySession.has(session) && !taken.has(minor)) claim(session, minor)
    },
    of(session: number): number {
      const has = bySession.get(session)
      if (has) return has
      for (let tries = 0; tries < MAX_MINOR; tries++) {
        const minor = next
        next = next >= MAX_MINOR ? 1 : next + 1
        if (!taken.has(minor)) return claim(session, minor)
      }
      throw new Error(`More than ${MAX_MINOR} sessions at once: HTB has no more class numbers`)
    },
    release(session: number) {
      const minor = bySession.get(session)
      bySession.delete(session)
      if (minor) taken.delete(minor)
    },
  }
}
