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

/**
 * Makes a device that is somewhere else: behind a router in the internet's namespace, which gives everything that comes from
 * it one public address. It has IPv6 too, so that a test can prove that a tunnel lets none of it past.
 */
export async function plugRemote(prefix: string, number: number, nameServer: string) {
  const { internet } = namesOf(prefix)
  const namespace = `${prefix}-remote${number}`
  const subnet = 76 + number
  const port = `r${number}`
  const [ip, router, publicAddress] = [`192.168.${subnet}.2`, `192.168.${subnet}.1`, `203.0.113.${100 + number}`]
  await addNamespace(namespace, nameServer)
  await run(['ip', 'link', 'add', 'eth0', 'netns', namespace, 'type', 'veth', 'peer', 'name', port, 'netns', internet])
  await Promise.all([
    configure(namespace, [`addr add ${ip}/24 dev eth0`, 'link set eth0 up', `route add default via ${router}`]),
    configure(internet, [
      `addr add ${router}/24 dev ${port}`,
      `link set ${port} up`,
      // What is answered from no address in particular comes from the internet's, not from the router's.
      `route replace 192.168.${subnet}.0/24 dev ${port} src ${internetAddress}`,
      `addr add ${publicAddress}/32 dev eth0`,
    ]),
  ])
  await Promise.all([
    realWire(namespace, 'eth0'),
    realWire(internet, port),
    addIpv6(namespace, 'eth0', `2001:db8:${subnet}::2/64`, `2001:db8:${subnet}::1`),
    addIpv6(internet, port, `2001:db8:${subnet}::1/64`),
    run(inside(internet, ['sysctl', '--quiet', '--ignore', '--load=-']), {
      input: 'net.ipv4.ip_forward = 1\nnet.ipv6.conf.all.forwarding = 1\n',
      allowFailure: true,
    }),
    run(inside(internet, ['/usr/sbin/nft', '-f', '-']), { input: routerRules(number, port, `192.168.${subnet}.0/24`, publicAddress) }),
  ])
  return { namespace, ip, publicAddress }
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

/** The same for a process that is ending this moment: its children die with it, so little more than the namespaces is left to remove. */
export function abandonVenue(prefix: string): void {
  for (const namespace of namespacesOf(prefix, '/run/netns')) {
    // Only what went on by itself is left: the wireguard-go that wg-quick started.
    killAll(spawnSync('ip', ['netns', 'pids', namespace], { encoding: 'utf8' }).stdout ?? '')
    spawnSync('ip', ['netns', 'del', namespace])
  }
  removeFiles(prefix)
}

function namespacesOf(prefix: string, dir: string): string[] {
  const mine = /^(.*)-(internet|box|phone\d+|remote\d+)$/
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
async function addIpv6(namespace: string, device: string, address: string, router?: string): Promise<void> {
  await run(['ip', '-n', namespace, '-6', 'addr', 'add', address, 'dev', device, 'nodad'], { allowFailure: true })
  if (router) await run(['ip', '-n', namespace, '-6', 'route', 'add', 'default', 'via', router], { allowFailure: true })
}

/**
 * In `input` too, so that the web sites in this very namespace see the public address as well; TCP only, because answers to a
 * UDP packet from an address of their own machine would leave from that address. Nobody outside reaches in unasked.
 */
function routerRules(number: number, port: string, subnet: string, publicAddress: string): string {
  return `table ip router${number} {
  chain leaving { type nat hook postrouting priority srcnat; oifname != "${port}" ip saddr ${subnet} snat to ${publicAddress}; }
  chain staying { type nat hook input priority 100; iifname "${port}" meta l4proto tcp ip saddr ${subnet} snat to ${publicAddress}; }
  chain passing { type filter hook forward priority filter; oifname "${port}" ct state new,invalid drop; }
}
`
}

async function endProcesses(namespace: string): Promise<void> {
  const { stdout } = await run(['ip', 'netns', 'pids', namespace], { allowFailure: true })
  killAll(stdout)
}

function killAll(pids: string): void {
  for (const pid of pids.split(/\s+/).filter(Boolean).map(Number)) {
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
