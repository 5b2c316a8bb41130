import { readdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Log } from '../log.ts'
import { createTurns } from './lock.ts'
import { ProgramFailed, run } from './run.ts'

/** Peers that one command names at most: arguments have a limit of their own. */
const AT_ONCE = 500

/** What files are called in which a key lies for a moment. */
const KEYS = 'wg-'

/** Fits through a line of 1492 bytes (PPPoE) with everything that WireGuard puts around a packet. */
const MTU = 1420

/** Somebody who may open the tunnel. Keys as WireGuard writes them: 32 bytes in base64. */
export type Peer = { id: number; publicKey: string; presharedKey: string; address: string }

/** When a peer last proved that it is there (UTC ms by the kernel's clock), and from which address. */
export type Handshake = { id: number; at: number; from: string }

/** What the box itself is in the tunnel. */
export type TunnelIdentity = {
  privateKey: string
  /** null while it may have none, for the reason in `trouble`. */
  address: string | null
  prefix: number
  port: number
  trouble: string
}

/**
 * The WireGuard endpoint: it lets peers in and knows nothing of what they may do, which is the gateway's affair.
 * Both verbs are safe at any time, twice, or after a crash, and change only what differs: handshakes go on.
 */
export type Tunnel = {
  /** Lets these peers in or out, as they are wanted now. */
  enforce: (ids: number[]) => Promise<void>
  /** Looks at everything: device, key, address and peers; mends what differs, and tells of new handshakes. */
  poll: () => Promise<void>
  /** `userspace`: this kernel has no WireGuard, and wireguard-go takes its place; null: not known yet. */
  kind: () => 'kernel' | 'userspace' | null
}

type Needs = {
  device: string
  /** A directory in memory for files that hold keys while a program reads them. */
  runDir: string
  identity: () => Promise<TunnelIdentity>
  wanted: (ids?: number[]) => Promise<Peer[]>
  seen: (handshakes: Handshake[]) => Promise<void>
  log: Log
}

/** As `wg show DEVICE dump` says it. */
export type Dump = {
  privateKey: string
  port: number
  peers: Map<string, { presharedKey: string; endpoint: string; allowed: string; handshake: number }>
}

/** What the device has, and who is wanted. */
type Look = { dump: Dump; peers: Peer[] }

/** The tunnel on a real WireGuard device, which somebody else made (a unit of its own, so that it outlives this process). Needs CAP_NET_ADMIN. */
export function createTunnel({ device, runDir, identity, wanted, seen, log }: Needs): Tunnel {
  let kind: 'kernel' | 'userspace' | null = null
  /** What the device has, as far as we know; read anew by every poll. */
  let known = new Map<number, Peer>()
  const told = new Map<number, number>()
  /** Where those who shook hands lately were last, by key; in memory only, for it says where people are. */
  const whereabouts = new Map<string, string>()
  /** Counts our changes: a look from before one of them says nothing any more. */
  let changesMade = 0
  let files = 0

  const swept = sweep(runDir)
  const take = createTurns((ids) => (ids ? enforceSome(ids) : enforceAll()))

  async function enforceSome(ids: number[]): Promise<void> {
    const peers = new Map((await wanted(ids)).map((peer) => [peer.id, peer]))
    const leaving = ids
      .filter((id) => known.get(id) && known.get(id)!.publicKey !== peers.get(id)?.publicKey)
      .map((id) => known.get(id)!.publicKey)
    const entering = [...peers.values()].filter((peer) => known.get(peer.id)?.publicKey !== peer.publicKey)
    await change(leaving, entering)
    for (const id of ids) known.delete(id)
    for (const peer of peers.values()) known.set(peer.id, peer)
  }

  /** Looks before anybody has to wait for it; takes a turn only where something is to be mended. */
  async function pollAll(): Promise<void> {
    const before = changesMade
    const look = await lookAtAll()
    const { leaving, entering } = differences(look)
    if (leaving.length + entering.length > 0 || changesMade !== before) await take(undefined, false)
    else known = new Map(look.peers.map((peer) => [peer.id, peer]))
    await tellHandshakes(look)
  }

  async function enforceAll(): Promise<void> {
    const look = await lookAtAll()
    const { leaving, entering } = differences(look)
    if (leaving.length + entering.length > 0 && known.size > 0)
      log.warn({ leaving: leaving.length, entering: entering.length }, 'the tunnel is not as remembered: mending it')
    await change(leaving, entering)
    known = new Map(look.peers.map((peer) => [peer.id, peer]))
  }

  async function lookAtAll(): Promise<Look> {
    const dump = await prepare(await identity())
    const peers = await wanted()
    for (const [key, { endpoint, handshake }] of dump.peers) if (handshake > 0) whereabouts.set(key, endpoint)
    const keys = new Set(peers.map((peer) => peer.publicKey))
    for (const key of whereabouts.keys()) if (!keys.has(key)) whereabouts.delete(key)
    return { dump, peers }
  }

  /** Gives the device its key, port and address, if it has not got them. */
  async function prepare(own: TunnelIdentity): Promise<Dump> {
    const dump = await show()
    await adoptKind()
    if (dump.privateKey !== own.privateKey || dump.port !== own.port) {
      await withFile(own.privateKey, (file) => run('wg', ['set', device, 'private-key', file, 'listen-port', String(own.port)]))
      log.info({ device, port: own.port }, 'the tunnel has a new key or port')
    }
    const has = [...(await run('ip', ['-4', '-o', 'addr', 'show', 'dev', device])).matchAll(/ inet (\S+)/g)].map(([, address]) => address!)
    const address = own.address === null ? '' : `${own.address}/${own.prefix}`
    if (address && !has.includes(address)) await run('ip', ['addr', 'add', address, 'dev', device])
    for (const other of has.filter((one) => one !== address)) await run('ip', ['addr', 'del', other, 'dev', device])
    if (own.trouble) throw new Error(own.trouble)
    await run('ip', ['link', 'set', device, 'mtu', String(MTU), 'up'])
    return dump
  }

  async function show(): Promise<Dump> {
    try {
      return parseDump(await run('wg', ['show', device, 'dump']))
    } catch (error) {
      if (!(error instanceof ProgramFailed && error.stderr.includes('No such device'))) throw error
      // A kernel that knows WireGuard makes the device by a word; where it does not, the unit of wireguard-go makes it.
      const made = await run('ip', ['link', 'add', device, 'type', 'wireguard']).then(
        () => true,
        () => false,
      )
      if (!made)
        throw new Error(`${device} is missing, and this kernel has no WireGuard: is kswifi-wireguard.service running?`, { cause: error })
      return parseDump(await run('wg', ['show', device, 'dump']))
    }
  }

  async function adoptKind(): Promise<void> {
    if (kind) return
    kind = (await run('ip', ['-d', 'link', 'show', device])).includes('tun ') ? 'userspace' : 'kernel'
    log.info(
      { device, kind },
      kind === 'kernel' ? "the tunnel runs in the kernel's WireGuard" : 'this kernel has no WireGuard: wireguard-go runs the tunnel',
    )
  }

  async function change(leaving: string[], entering: Peer[]): Promise<void> {
    if (leaving.length + entering.length > 0) changesMade++
    for (let at = 0; at < leaving.length; at += AT_ONCE)
      await run('wg', ['set', device, ...leaving.slice(at, at + AT_ONCE).flatMap((key) => ['peer', key, 'remove'])])
    if (entering.length === 0) return
    await withFile(peerText(entering, whereabouts), (file) => run('wg', ['addconf', device, file]))
    // A keepalive has gone out, and with it a handshake: whoever was online before the device was made anew goes on at once.
    const woken = entering.map((peer) => peer.publicKey).filter((key) => whereabouts.has(key))
    for (let at = 0; at < woken.length; at += AT_ONCE)
      await run('wg', ['set', device, ...woken.slice(at, at + AT_ONCE).flatMap((key) => ['peer', key, 'persistent-keepalive', 'off'])])
  }

  async function tellHandshakes({ dump, peers }: Look): Promise<void> {
    const fresh = peers.flatMap(({ id, publicKey }): Handshake[] => {
      const { handshake, endpoint } = dump.peers.get(publicKey) ?? { handshake: 0, endpoint: '' }
      if (handshake === 0 || told.get(id) === handshake) return []
      told.set(id, handshake)
      return [{ id, at: handshake * 1000, from: endpoint.replace(/:\d+$/, '') }]
    })
    if (fresh.length > 0) await seen(fresh)
  }

  /** wg takes keys from files only, so that they appear in no list of processes. */
  async function withFile(text: string, use: (file: string) => Promise<unknown>): Promise<void> {
    await swept
    const file = join(runDir, `${KEYS}${process.pid}-${++files}`)
    await writeFile(file, text, { mode: 0o600, flag: 'wx' })
    try {
      await use(file)
    } finally {
      void rm(file, { force: true })
    }
  }

  return {
    enforce: (ids) => take(ids, false),
    poll: pollAll,
    kind: () => kind,
  }
}

/** Takes away files with keys that an earlier process left when it was killed. */
async function sweep(runDir: string): Promise<void> {
  const left = (await readdir(runDir).catch(() => [])).filter((name) => name.startsWith(KEYS))
  for (const name of left) await rm(join(runDir, name), { force: true })
}

/** Keys that must go, because nobody wants them or they are not as wanted, and peers that must be put in. */
function differences({ dump, peers }: Look): { leaving: string[]; entering: Peer[] } {
  const differs = (peer: Peer) => {
    const has = dump.peers.get(peer.publicKey)
    return has?.presharedKey !== peer.presharedKey || has.allowed !== `${peer.address}/32`
  }
  const entering = peers.filter(differs)
  const staying = new Set(peers.map((peer) => peer.publicKey)).difference(new Set(entering.map((peer) => peer.publicKey)))
  return { entering, leaving: [...dump.peers.keys()].filter((key) => !staying.has(key)) }
}

/** Peers as `wg addconf` reads them. @param whereabouts endpoints of those who are to be called, by key */
export function peerText(peers: Peer[], whereabouts: Map<string, string> = new Map()): string {
  return peers
    .map(({ publicKey, presharedKey, address }) => {
      const endpoint = whereabouts.get(publicKey)
      const call = endpoint ? `Endpoint = ${endpoint}\nPersistentKeepalive = 1\n` : ''
      return `[Peer]\nPublicKey = ${publicKey}\nPresharedKey = ${presharedKey}\nAllowedIPs = ${address}/32\n${call}`
    })
    .join('')
}

/**
 * Reads `wg show DEVICE dump` (or `wg show all dump`, which names the device first): a line of 4 columns for the device,
 * and one of 8 for each peer, separated by tabs; `(none)` and `off` for what is not there; handshake 0 is never.
 * The text holds keys: it must not reach a log.
 */
export function parseDump(text: string): Dump {
  const dump: Dump = { privateKey: '', port: 0, peers: new Map() }
  for (const line of text.split('\n')) {
    const columns = line.split('\t')
    if (columns.length === 5 || columns.length === 9) columns.shift()
    const [first = '', second = '', third = '', fourth = '', fifth = ''] = columns
    if (columns.length === 4) Object.assign(dump, { privateKey: unlessNone(first), port: Number(third) })
    if (columns.length === 8)
      dump.peers.set(first, {
        presharedKey: unlessNone(second),
        endpoint: unlessNone(third),
        allowed: unlessNone(fourth),
        handshake: Number(fifth),
      })
  }
  return dump
}

function unlessNone(text: string): string {
  return text === '(none)' ? '' : text
}
