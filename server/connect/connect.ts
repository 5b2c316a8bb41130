import { iso, type Now } from '../clock.ts'
import { Refusal } from '../errors.ts'
import type { ConnectWords } from '../settings/schema.ts'
import type { Peer, TunnelIdentity } from '../gateway/wireguard.ts'
import type { Settings } from '../settings/settings.ts'
import type { Db, Store, Tx } from '../store/store.ts'
import { MINUTE } from '../units.ts'
import { answerOf, type ForSession, type Made } from './answer.ts'
import { FROM_OUTSIDE, addressOf, createEndpoints, networkMet, planFor, usableEndpoints, type Plan } from './endpoints.ts'
import { boxKeyPair, hashToken, makeKeyPair, makeToken, presharedKey } from './keys.ts'
import { addressAt, boxAddressOf, isPublic, overlap, PLACES, prefixOf } from './range.ts'
import { createLookup, judgeReach } from './reach.ts'
import type { ConnectAnswer, ConnectOverview, EndpointView, ProfileView } from './schema.ts'
import * as table from './table.ts'
import type { Profile } from './table.ts'

export type { Made } from './answer.ts'
export type { Profile } from './table.ts'

/** A peer shakes hands anew at the latest after two minutes of traffic; its keepalives are traffic. */
const ACTIVE_MS = 3 * MINUTE

/** Long enough to walk to the other device. */
const LINK_MS = 15 * MINUTE

export type Connect = ReturnType<typeof createConnect>

type Needs = {
  store: Store
  now: Now
  secret: string
  settings: Settings
  config: {
    lan: { device: string; address: string; prefix: number }
    wan: { device: string }
    tunnel: { port: number }
    portalHost: string
  }
}

/**
 * KSWiFi Connect: profiles, their addresses and keys, and where they lead. It knows nothing of limits: a profile belongs
 * to a session, and what that may do is the session's affair.
 */
export function createConnect({ store, now, secret, settings, config }: Needs) {
  const lineAddress = () => addressOf(config.wan.device)
  const lanNetwork = `${config.lan.address}/${config.lan.prefix}`
  const endpoints = createEndpoints({ store, now, settings })
  const names = createLookup(now)

  /** Of everybody as asked for last: every poll asks for all, and they do not change. */
  let presharedKeys = new Map<string, string>()

  async function keyGeneration(db: Db = store.db): Promise<number> {
    const noted = await settings.noted('connect.key', db)
    return typeof noted === 'number' ? noted : 1
  }

  async function freeAddress(tx: Tx, prefix: string): Promise<{ place: number; address: string }> {
    const after = (await table.lastPlace(tx)) % PLACES
    const found = await table.freePlace(tx, after + 1)
    const place = found <= PLACES ? found : await table.freePlace(tx, 1)
    if (place > PLACES)
      throw new Refusal(
        'connect-full',
        'All addresses for profiles are taken. Please tell the staff: profiles that nobody uses must go first.',
      )
    return { place, address: addressAt(prefix, place) }
  }

  function makeLink(): { token: string; link: table.Link } {
    const token = makeToken()
    return { token, link: { hash: hashToken(secret, token), expiresAt: now() + LINK_MS } }
  }

  return {
    /** Chooses where a profile leads, before anything is made. @throws Refusal as planFor does */
    async plan(wish: { endpointId: number | undefined; port: number | undefined }, before?: Profile): Promise<Plan> {
      const [choices, all] = await Promise.all([settings.get(), endpoints.list()])
      return planFor(wish, { choices, endpoints: all, lineAddress: lineAddress() }, before)
    },

    /**
     * Makes a profile for a session.
     * @throws Refusal `profiles-full` when the session has as many as `places`, `connect-full` without a free address
     */
    async make(
      tx: Tx,
      plan: Plan,
      { sessionId, places, name }: { sessionId: number; places: number; name: string | undefined },
    ): Promise<Made> {
      const others = await table.livingOf(tx, [sessionId])
      if (others.length >= places) throw profilesFull(places)
      const { privateKey, publicKey } = makeKeyPair()
      const { token, link } = makeLink()
      const values = {
        sessionId,
        name: name ?? freeName(others.map((one) => one.name)),
        publicKey,
        ...(await freeAddress(tx, plan.prefix)),
        endpointId: plan.endpoint.id,
        port: plan.port,
        createdAt: now(),
        handshakeAt: null,
        revokedAt: null,
      }
      return { profile: await table.insertProfile(tx, values, link), privateKey, token, plan }
    },

    /** Gives a profile new keys: its old copy is of no use any more. */
    async renew(tx: Tx, plan: Plan, profile: Profile): Promise<Made> {
      const { privateKey, publicKey } = makeKeyPair()
      const change = { publicKey, endpointId: plan.endpoint.id, port: plan.port, handshakeAt: null }
      const { token, link } = makeLink()
      await table.updateProfile(tx, profile.id, change)
      await table.setLink(tx, profile.id, link)
      return { profile: { ...profile, ...change }, privateKey, token, plan }
    },

    /** What the customer gets, this once. */
    async answer(made: Made, session: ForSession): Promise<ConnectAnswer> {
      return answerOf({
        ...made,
        session,
        presharedKey: presharedKey(secret, made.profile.publicKey),
        boxPublicKey: boxKeyPair(secret, await keyGeneration()).publicKey,
        portalHost: config.portalHost,
        linkExpiresAt: now() + LINK_MS,
      })
    },

    /** The profile that a one-time link opens. @throws Refusal `link-unknown` when it was used, is too old, or never was */
    async byLink(token: string, db: Db = store.db): Promise<Profile> {
      const profile = await table.findByLink(db, hashToken(secret, token), now())
      if (!profile) throw new Refusal('link-unknown', 'This link was used already, or is too old. Make a new one on the session page.')
      return profile
    },

    find: (id: number, db: Db = store.db) => table.findLiving(db, id),
    /** The profile whose address this is; the tunnel itself sees to it that nobody uses another's. */
    async ofAddress(ip: string): Promise<Profile | undefined> {
      return ip.startsWith(prefixOf((await settings.get()).connectRange)) ? table.findByAddress(store.db, ip) : undefined
    },
    ofSessions: (sessionIds: number[], db: Db = store.db) => table.livingOf(db, sessionIds),
    addressesOf: (sessionIds: number[]) => table.findAddresses(store.db, sessionIds),
    rename: (tx: Tx, id: number, name: string) => table.updateProfile(tx, id, { name }),
    revoke: (tx: Tx, ids: number[]) => table.revoke(tx, ids, now()),

    /** Lets the profiles of a session go on with another one, as many as that has places for. */
    async follow(tx: Tx, from: number, to: { id: number; maxDevices: number }): Promise<void> {
      const free = to.maxDevices - (await table.livingOf(tx, [to.id])).length
      const moving = await table.livingOf(tx, [from])
      for (const { id } of moving.slice(0, Math.max(0, free))) await table.updateProfile(tx, id, { sessionId: to.id })
    },

    /** Moves one profile to a session. @throws Refusal `profiles-full` */
    async bring(tx: Tx, id: number, to: { id: number; maxDevices: number }): Promise<void> {
      const there = await table.livingOf(tx, [to.id])
      if (there.some((one) => one.id === id)) return
      if (there.length >= to.maxDevices) throw profilesFull(to.maxDevices)
      await table.updateProfile(tx, id, { sessionId: to.id })
    },

    /** Profiles as people see them. @param current the one through which the asker comes */
    async views(profiles: Profile[], current: number | null = null): Promise<ProfileView[]> {
      if (profiles.length === 0) return []
      const names = new Map((await endpoints.list()).map((one) => [one.id, one.name]))
      return profiles.map((one) => ({
        id: one.id,
        sessionId: one.sessionId,
        name: one.name,
        endpoint: names.get(one.endpointId) ?? '',
        address: one.address,
        createdAt: iso(one.createdAt),
        lastHandshake: iso(one.handshakeAt),
        active: isActive(one, now()),
        current: one.id === current,
      }))
    },

    endpoints,

    /** What the portal's first screen needs to know. */
    async offer(): Promise<{ available: boolean; words: ConnectWords; endpoints: EndpointView[] }> {
      const [choices, all] = await Promise.all([settings.get(), endpoints.list()])
      const usable = usableEndpoints(all, lineAddress())
      return { available: choices.connectOn && usable.length > 0, words: choices.connectWords, endpoints: usable }
    },

    sessionsWithProfiles: (db: Db = store.db) => table.sessionsWithProfiles(db),

    /** Everybody who may open the tunnel now, or of these numbers: for the gateway. */
    async peers(ids?: number[]): Promise<Peer[]> {
      const peers = await table.findPeers(store.db, ids)
      const keyed = peers.map((peer) => ({
        ...peer,
        presharedKey: presharedKeys.get(peer.publicKey) ?? presharedKey(secret, peer.publicKey),
      }))
      if (!ids) presharedKeys = new Map(keyed.map((peer) => [peer.publicKey, peer.presharedKey]))
      return keyed
    },

    /** What the box itself is inside the tunnel: for the gateway. */
    async identity(): Promise<TunnelIdentity> {
      const [{ connectRange }, generation] = await Promise.all([settings.get(), keyGeneration()])
      const met = networkMet(connectRange, [config.lan.device, config.wan.device])
      const keys = { ...boxKeyPair(secret, generation), prefix: 16, port: config.tunnel.port }
      if (!met) return { ...keys, address: boxAddressOf(connectRange), trouble: '' }
      const trouble = `The range of the profiles, ${connectRange}, meets the network ${met} of this box. Choose another in the settings.`
      return { ...keys, address: null, trouble }
    },

    /** The box's address in the tunnel, and the further ports and addresses under which profiles name it: who stands in the venue must not go out and in again. */
    async publicly(): Promise<{ address: string; otherPorts: number[]; publicAddresses: string[] }> {
      const own = await endpoints.own()
      const address = names.known(own.host)
      return {
        address: boxAddressOf((await settings.get()).connectRange),
        otherPorts: own.ports.filter((port) => port !== config.tunnel.port),
        publicAddresses: address && address !== lineAddress() ? [address] : [],
      }
    },

    /** Writes down when profiles were last there, and whether one came from outside. @returns those that were away before */
    async seen(handshakes: { id: number; at: number; from: string }[]): Promise<Profile[]> {
      const before = await table.allLiving(
        store.db,
        handshakes.map((one) => one.id),
      )
      // A router's own Wi-Fi is not outside.
      const outside = handshakes.filter((one) => isPublic(one.from) && !overlap(lanNetwork, `${one.from}/32`)).map((one) => one.at)
      await store.transaction(async (tx) => {
        await table.setHandshakes(tx, handshakes)
        if (outside.length === 0) return
        const noted = await settings.noted(FROM_OUTSIDE, tx)
        await settings.note(FROM_OUTSIDE, Math.max(...outside, typeof noted === 'number' ? noted : 0), tx)
      })
      return before.filter((one) => !isActive(one, now()))
    },

    /** Gives the box a new key pair: every profile is of no use until it is made anew. */
    rotateKeys: (): Promise<void> => store.transaction(async (tx) => settings.note('connect.key', (await keyGeneration(tx)) + 1, tx)),

    /** The owner's page. */
    async overview(tunnel: { ok: boolean; reason: string; kind: 'kernel' | 'userspace' | null }): Promise<ConnectOverview> {
      const [choices, all, own, counts, generation, outside] = await Promise.all([
        settings.get(),
        endpoints.list(),
        endpoints.own(),
        table.countLiving(store.db, now() - ACTIVE_MS),
        keyGeneration(),
        settings.noted(FROM_OUTSIDE),
      ])
      return {
        on: choices.connectOn,
        tunnel: {
          ...tunnel,
          publicKey: boxKeyPair(secret, generation).publicKey,
          port: config.tunnel.port,
          address: boxAddressOf(choices.connectRange),
          range: choices.connectRange,
        },
        reach: judgeReach({
          host: own.host,
          resolved: await names.ask(own.host),
          lineAddress: lineAddress(),
          ports: own.ports,
          product: choices.connectWords.product,
          lastFromOutside: typeof outside === 'number' ? outside : null,
          now: now(),
        }),
        profiles: { ...counts, places: PLACES },
        endpoints: all,
      }
    },

    /**
     * Says no to choices that cannot be.
     * @throws Refusal `bad-input` for a range that meets a network of the box, `conflict` while profiles use another one
     */
    async checkChoices({ connectRange: range }: { connectRange?: string | undefined }): Promise<void> {
      if (range === undefined) return
      const met = networkMet(range, [config.lan.device, config.wan.device]) ?? (overlap(range, lanNetwork) ? lanNetwork : undefined)
      if (met) throw new Refusal('bad-input', `${range} meets the network ${met} of this box. Choose another, such as 10.8.0.0/16.`)
      const others = await table.countOutside(store.db, prefixOf(range))
      if (others > 0)
        throw new Refusal(
          'conflict',
          `${others} profiles use addresses of the range there is now, and would stop working. Remove them first; each stays until 30 days after its session.`,
        )
    },
  }
}

function isActive(profile: Profile, now: number): boolean {
  return profile.handshakeAt !== null && now - profile.handshakeAt < ACTIVE_MS
}

function freeName(taken: string[]): string {
  for (let number = 1; ; number++) if (!taken.includes(`Device ${number}`)) return `Device ${number}`
}

function profilesFull(places: number): Refusal {
  const words =
    places === 1 ? 'This session is for one device and has its one profile already.' : `All ${places} profiles of this session are taken.`
  return new Refusal('profiles-full', `${words} Remove one first, or make a new one in its place.`, { places })
}
