/** The wires of the venue: network namespaces, and the cables between them. Names inside are a contract that tests rely on. */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, rmSync, rmdirSync, writeFileSync } from 'node:fs'
import { inside, run } from './run.ts'

export const internetAddress = '203.0.113.10'
export const boxWanAddress = '203.0.113.2'
export const boxLanAddress = '10.64.0.1'

/** Full names of the two fixed namespaces of a lab. */
export function namesOf(prefix: string) {
  return { internet: `${prefix}-internet`, box: `${prefix}-box` }
}

export function phoneNamespace(prefix: string, number: number): string {
  return `${prefix}-phone${number}`
}

/** Every phone keeps its address from run to run; locally administered, as phones' own random addresses are. */
export function phoneMac(number: number): string {
  const [high, low] = [number >> 8, number & 0xff].map((byte) => byte.toString(16).padStart(2, '0'))
  return `02:4b:53:00:${high}:${low}`
}

/** Makes internet, box and the wire between them. IPv6 is there on purpose, so that a test can prove that the box drops it. */
export async function makeBackbone(prefix: string): Promise<void> {
  const { internet, box } = namesOf(prefix)
  await addNamespace(internet, internetAddress)
  await addNamespace(box, internetAddress)
  await run(['ip', 'link', 'add', 'eth0', 'netns', internet, 'type', 'veth', 'peer', 'name', 'wan0', 'netns', box])
  await Promise.all([
    configure(internet, [`addr add ${internetAddress}/24 dev eth0`, 'link set eth0 up']),
    configure(box, [
      `addr add ${boxWanAddress}/24 dev wan0`,
      'link set wan0 up',
      `route add default via ${internetAddress}`,
      'link add lan0 address 02:4b:53:ff:00:01 type bridge stp_state 0 forward_delay 0',
      // A bridge has no queue of its own; the shaper takes its default depth from this.
      'link set lan0 txqueuelen 128',
      `addr add ${boxLanAddress}/16 dev lan0`,
      'link set lan0 up',
    ]),
  ])
  await Promise.all([
    realWire(internet, 'eth0'),
    realWire(box, 'wan0'),
    addIpv6(internet, 'eth0', '2001:db8:113::10/64'),
    addIpv6(box, 'wan0', '2001:db8:113::2/64'),
  ])
}

/** Makes a phone's namespace and plugs it into a port of the box that cannot reach the other ports. It has no address yet. */
export async function plugPhone(prefix: string, number: number): Promise<{ namespace: string; mac: string }> {
  const { box } = namesOf(prefix)
  const namespace = phoneNamespace(prefix, number)
  const mac = phoneMac(number)
  const port = `p${number}`
  await addNamespace(namespace, null)
  await run(['ip', 'link', 'add', 'eth0', 'address', mac, 'netns', namespace, 'type', 'veth', 'peer', 'name', port, 'netns', box])
  await Promise.all([
    configure(namespace, ['link set eth0 up']),
    configure(box, [`link set ${port} master lan0`, `link set ${port} type bridge_slave isolated on`, `link set ${port} up`]),
  ])
  await Promise.all([realWire(namespace, 'eth0'), realWire(box, port)])
  return { namespace, mac }
}

/** Ends what runs on a phone, and takes it away with its cable. */
export async function unplugPhone(namespace: string): Promise<void> {
  await endProcesses(namespace)
  await removeNamespace(namespace)
}

/** Where `ip netns exec` takes a namespace's resolv.conf from. */
export function resolvFile(namespace: string): string {
  return `/etc/netns/${namespace}/resolv.conf`
}

/** Ends everything that runs in a lab's namespaces and removes them, whoever made them. Harmless when there is nothing. */
export async function removeVenue(prefix: string): Promise<void> {
  const namespaces = namespacesOf(prefix, '/run/netns')
  await Promise.all(namespaces.map(endProcesses))
  await Promise.all(namespaces.map(removeNamespace))
  removeFiles(prefix)
}

/** The same for a process that is ending this moment: its children die with it, so only the namespaces are left to remove. */
export function abandonVenue(prefix: string): void {
  for (const namespace of namespacesOf(prefix, '/run/netns')) spawnSync('ip', ['netns', 'del', namespace])
  removeFiles(prefix)
}

function namespacesOf(prefix: string, dir: string): string[] {
  const mine = /^(.*)-(internet|box|phone\d+)$/
  return entries(dir).filter((name) => mine.exec(name)?.[1] === prefix)
}

function removeFiles(prefix: string): void {
  for (const name of namespacesOf(prefix, '/etc/netns')) rmSync(`/etc/netns/${name}`, { recursive: true, force: true })
  removeIfEmpty('/etc/netns')
}

async function addNamespace(namespace: string, nameServer: string | null): Promise<void> {
  mkdirSync(`/etc/netns/${namespace}`, { recursive: true })
  writeFileSync(resolvFile(namespace), nameServer ? `nameserver ${nameServer}\n` : '# no lease yet\n')
  await run(['ip', 'netns', 'add', namespace])
  await configure(namespace, ['link set lo up'])
}

async function removeNamespace(namespace: string): Promise<void> {
  await run(['ip', 'netns', 'del', namespace], { allowFailure: true })
  rmSync(`/etc/netns/${namespace}`, { recursive: true, force: true })
}

async function configure(namespace: string, lines: string[]): Promise<void> {
  await run(['ip', '-n', namespace, '-batch', '-'], { input: lines.join('\n') })
}

/** Real wires carry packets of 1500 bytes; a veth pair would hand over 64 KiB at once and flatter every figure. */
async function realWire(namespace: string, device: string): Promise<void> {
  await run(inside(namespace, ['ethtool', '-K', device, 'tso', 'off', 'gso', 'off', 'gro', 'off']))
}

/** Not every kernel has IPv6; the lab runs without. */
async function addIpv6(namespace: string, device: string, address: string): Promise<void> {
  await run(['ip', '-n', namespace, '-6', 'addr', 'add', address, 'dev', device, 'nodad'], { allowFailure: true })
}

async function endProcesses(namespace: string): Promise<void> {
  const { stdout } = await run(['ip', 'netns', 'pids', namespace], { allowFailure: true })
  for (const pid of stdout.split(/\s+/).filter(Boolean).map(Number)) {
    try {
      process.kill(pid, 'SIGKILL')
    } catch {
      // It ended by itself meanwhile.
    }
  }
}

/** Never with what another lab has put there meanwhile. */
export function removeIfEmpty(dir: string): void {
  try {
    rmdirSync(dir)
  } catch {
    // It holds something, or is not there.
  }
}

function entries(dir: string): string[] {
  return existsSync(dir) ? readdirSync(dir) : []
}
