import type { Now } from '../clock.ts'
import { Refusal } from '../errors.ts'
import type { Settings } from '../settings/settings.ts'
import type { Store, Tx } from '../store/store.ts'
import { SECOND } from '../units.ts'
import { distanceWords, reach, type Whereabouts } from './range.ts'
import { hotspotCode, hotspotInput, type Hotspot, type HotspotInput, type HotspotPatch } from './schema.ts'
import * as table from './table.ts'

export type Hotspots = ReturnType<typeof createHotspots>

/** After this long another process sees the owner's change. */
const keepForMs = 10 * SECOND

/**
 * The places where customers get online: those that this box serves (`here`), and others of the same owner that
 * customers see on the map. At least one is always here.
 */
export function createHotspots({ store, now, settings }: { store: Store; now: Now; settings: Settings }) {
  let cached: { own: Promise<Hotspot>; readAt: number } | undefined
  const forget = () => (cached = undefined)

  async function change<T>(work: (tx: Tx) => Promise<T>): Promise<T> {
    try {
      return await store.transaction(work)
    } finally {
      forget()
    }
  }

  /** This venue: the first hotspot that is here, an open one before a closed one. Not to be called inside a transaction. */
  async function own(): Promise<Hotspot> {
    if (!cached || now() - cached.readAt >= keepForMs) {
      const read = table.list(store.db).then(ownOf)
      read.catch(forget)
      cached = { own: read, readAt: now() }
    }
    return cached.own
  }

  /** By its code, which is `hotspotId` outside. Not to be called inside a transaction. */
  const find = (code: string): Promise<Hotspot | undefined> => table.find(store.db, code)

  return {
    own,
    find,

    /** All of them, the oldest first. Not to be called inside a transaction. */
    list: (): Promise<Hotspot[]> => table.list(store.db),

    /**
     * The hotspot where somebody wants to use or buy something; without a code it is this venue. Not to be called
     * inside a transaction.
     * @throws Refusal `not-found`; `hotspot-closed`; `out-of-range`, with the facts distanceM, radiusM and hotspotName;
     * `where-are-you` when neither the network nor coordinates tell
     */
    async mustReach(code: string | undefined, where: Whereabouts): Promise<Hotspot> {
      const hotspot = code === undefined ? await own() : await find(code)
      if (!hotspot) throw new Refusal('not-found', `There is no hotspot ${code}. Ask for the list anew and choose another.`)
      const { name, status, radiusM } = hotspot
      if (status === 'closed') throw new Refusal('hotspot-closed', `${name} is closed for now. Choose another hotspot, or ask the staff.`)
      const { inRange, distanceM } = reach(hotspot, where)
      if (inRange === null) throw whereAreYou(hotspot, where)
      if (!inRange)
        throw new Refusal(
          'out-of-range',
          `You are ${distanceWords(distanceM!)} away from ${name}: come within ${radiusM.toLocaleString('en-US')} m, then try again.`,
          { distanceM, radiusM, hotspotName: name },
        )
      return hotspot
    },

    /** @throws Refusal `conflict` for a code that another hotspot has */
    create: (input: HotspotInput): Promise<Hotspot> =>
      change(async (tx) => {
        const codes = (await table.list(tx)).map(({ hotspotId }) => hotspotId)
        if (input.hotspotId !== undefined && codes.includes(input.hotspotId))
          throw new Refusal('conflict', `Another hotspot is called ${input.hotspotId}. Choose another number.`)
        return table.insert(tx, { ...input, hotspotId: input.hotspotId ?? nextCode(codes) }, now())
      }),

    /**
     * Sessions that were opened there keep the name under which they were.
     * @throws Refusal `not-found`; `conflict` when none would be here any more; `bad-input` when the changed hotspot would
     * not make sense as a whole
     */
    update: (id: number, patch: HotspotPatch): Promise<Hotspot> =>
      change(async (tx) => {
        const all = await table.list(tx)
        const current = mustFind(all, id)
        if (current.here && patch.here === false) mustNotBeLast(all, current)
        const { id: _, ...fields } = current
        const merged = hotspotInput.safeParse({ ...fields, ...patch })
        if (!merged.success) throw badHotspot(merged.error.issues)
        return table.update(tx, id, { ...merged.data, hotspotId: current.hotspotId }, now())
      }),

    /**
     * Sessions that were opened there stay as they are.
     * @throws Refusal `not-found`; `conflict` for the last one that is here
     */
    remove: (id: number): Promise<void> =>
      change(async (tx) => {
        const all = await table.list(tx)
        const current = mustFind(all, id)
        if (current.here) mustNotBeLast(all, current)
        await table.remove(tx, id)
      }),

    /**
     * Gives a new box its own hotspot, named like the venue, and numbered as the venue was in the days when its number
     * was a setting. Does nothing when one is here already.
     */
    async seed(): Promise<void> {
      const { venueName } = await settings.get()
      const numbered = hotspotCode.safeParse(await settings.former('hotspotId'))
      await change(async (tx) => {
        if ((await table.list(tx)).some(({ here }) => here)) return
        const input = hotspotInput.parse({ name: venueName, here: true })
        await table.insert(tx, { ...input, hotspotId: numbered.success ? numbered.data : 'hotspot_1' }, now())
      })
    },
  }
}

function ownOf(all: Hotspot[]): Hotspot {
  const here = all.filter((one) => one.here)
  const own = here.find(({ status }) => status === 'open') ?? here[0]
  if (!own) throw new Error('no hotspot is here: seed() makes one when the box starts')
  return own
}

function whereAreYou({ name, here, latitude }: Hotspot, { coordinates }: Whereabouts): Refusal {
  const wifi = `Connect to the Wi-Fi of ${name}`
  if (coordinates === null)
    return new Refusal('where-are-you', `${wifi}, or allow your location: else nobody knows whether it reaches you.`)
  if (here && latitude === null) return new Refusal('where-are-you', `${wifi}: it is not on the map, so your location tells nothing.`)
  return new Refusal('where-are-you', `${name} is not on the map, so nobody knows whether it reaches you. Please ask the staff there.`)
}

function mustFind(all: Hotspot[], id: number): Hotspot {
  const found = all.find((one) => one.id === id)
  if (!found) throw new Refusal('not-found', `There is no hotspot ${id}.`)
  return found
}

function mustNotBeLast(all: Hotspot[], { id, name }: Hotspot): void {
  if (all.some((one) => one.here && one.id !== id)) return
  throw new Refusal('conflict', `${name} is the only hotspot that this box serves, and it must serve one. Close it instead.`)
}

/** `hotspot_4` after `hotspot_3`. */
function nextCode(codes: string[]): string {
  const numbers = codes.map((code) => Number(/^hotspot_(\d{1,9})$/.exec(code)?.[1] ?? 0))
  return `hotspot_${Math.max(0, ...numbers) + 1}`
}

function badHotspot(issues: { path: PropertyKey[]; message: string }[]): Refusal {
  const faults = issues.map((issue) => ({ path: issue.path.join('.'), message: issue.message }))
  return new Refusal('bad-input', `With this change the hotspot would not be right: ${faults[0]?.path}: ${faults[0]?.message}`, {
    where: 'body',
    faults,
  })
}
