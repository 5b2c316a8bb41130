/** The box as the lab has it: its file system, its user, its kernel settings; the units themselves are the box's own. */
import { existsSync, lchownSync, lstatSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { join } from 'node:path'
import type { Credentials } from './credentials.ts'
import { internetAddress, namesOf } from './namespaces.ts'
import { inside, run } from './run.ts'
import { readUnits } from './unit-file.ts'
import type { UnitSpec } from './unit-file.ts'

const checkout = join(import.meta.dirname, '../..')
const overlay = join(checkout, 'appliance/overlay')

/** The host gets no user for the lab: in the box, this number is called kswifi. */
export const boxUid = 7514

/** Where things lie on the host. */
export type Places = { dataDir: string; runDir: string; wireguardDir: string; etcDir: string; logDir: string }

/** The units of the box, in their starting order. */
export function boxUnits(): UnitSpec[] {
  return readUnits(overlay)
}

/** Makes the directories of the box, and hands it its first owner unless it has a database already. */
export function furnishBox({ dataDir, runDir, wireguardDir, etcDir }: Places, admin: Credentials): void {
  checkReadable()
  for (const dir of [dataDir, runDir, wireguardDir, etcDir]) mkdirSync(dir, { recursive: true, mode: dir === etcDir ? 0o755 : 0o750 })
  for (const spec of boxUnits()) {
    for (const name of spec.stateDirectories) mkdirSync(join(dataDir, inBox(name)), { recursive: true, mode: 0o750 })
    for (const name of spec.runtimeDirectories.filter((other) => other !== 'wireguard')) {
      mkdirSync(join(runDir, inBox(name)), { recursive: true, mode: 0o750 })
    }
  }
  if (!existsSync(join(dataDir, 'kswifi.db'))) {
    writeFileSync(join(dataDir, 'first-owner.json'), JSON.stringify(admin), { mode: 0o600 })
  }
  giveToBox(dataDir)
  giveToBox(runDir)
  giveToBox(wireguardDir)

  const withUser = (file: string, line: string) => writeFileSync(join(etcDir, file), `${readFileSync(`/etc/${file}`, 'utf8')}${line}\n`)
  withUser('passwd', `kswifi:x:${boxUid}:${boxUid}:KSWiFi Box:/var/lib/kswifi:/usr/sbin/nologin`)
  withUser('group', `kswifi:x:${boxUid}:`)
  writeFileSync(join(etcDir, 'resolv.conf'), `nameserver ${internetAddress}\n`)
}

/** Applies the box's network settings inside its namespace. What a namespace does not have, or may not change, is skipped. */
export async function tuneBox(prefix: string): Promise<void> {
  const lines = readFileSync(join(overlay, 'etc/sysctl.d/60-kswifi.conf'), 'utf8').split('\n')
  // Only net.* belongs to a namespace; the rest would change the host.
  const input = lines.filter((line) => line.startsWith('net.')).join('\n')
  await run(inside(namesOf(prefix).box, ['sysctl', '--quiet', '--ignore', '--load=-']), { input, allowFailure: true })
}

/** Takes away what a power cut takes from the box's kernel: rules, connections, speeds and the tunnel. The wires stay. */
export async function forgetKernel(box: string): Promise<void> {
  const devices = ['lan0', 'wan0'].flatMap((device) => ['root', 'ingress', 'clsact'].map((where) => `qdisc del dev ${device} ${where}`))
  await Promise.all([
    run(inside(box, ['/usr/sbin/nft', 'flush', 'ruleset'])),
    // Most of it is not there at any one time: -force goes on.
    run(inside(box, ['tc', '-force', '-batch', '-']), { input: devices.join('\n'), allowFailure: true }),
    run(inside(box, ['ip', '-force', '-batch', '-']), { input: 'link del wg0\nlink del kswifi-share\n', allowFailure: true }),
    run(inside(box, ['conntrack', '-F']), { allowFailure: true }),
  ])
}

/** The argument array that becomes a unit's process, with the user, capabilities and files that its unit file gives it. */
export function enterBox(prefix: string, { dataDir, runDir, wireguardDir, etcDir }: Places, spec: UnitSpec): string[] {
  const script = join(import.meta.dirname, 'enter-box.sh')
  const files = [script, checkout, etcDir, dataDir, runDir, wireguardDir, spec.umask, String(spec.openFiles), spec.workingDirectory]
  return inside(namesOf(prefix).box, ['bash', ...files, ...asUser(spec), ...spec.argv])
}

/** True once something listens on a UDP port in the network of process `pid`. */
export function listens(pid: number | null, port: number): boolean {
  if (pid === null) return false
  try {
    const hex = port.toString(16).toUpperCase().padStart(4, '0')
    return readFileSync(`/proc/${pid}/net/udp`, 'utf8').includes(`:${hex} `)
  } catch {
    return false
  }
}

/** True when the server says that all is well; false also when nobody answers. */
export function answersHealthy(socketPath: string): Promise<boolean> {
  return new Promise((resolve) => {
    const asked = request({ socketPath, path: '/healthz', timeout: 2000 }, (response) => {
      response.resume()
      resolve(response.statusCode === 200)
    })
    asked.on('timeout', () => asked.destroy())
    asked.on('error', () => resolve(false))
    asked.end()
  })
}

function asUser(spec: UnitSpec): string[] {
  return [
    'setpriv',
    // Once more, because the kernel forgets it when a process changes its user.
    '--pdeathsig=KILL',
    ...(spec.user ? [`--reuid=${boxUid}`, `--regid=${boxUid}`, '--clear-groups'] : []),
    `--inh-caps=${only(spec.ambientCapabilities)}`,
    `--ambient-caps=${only(spec.ambientCapabilities)}`,
    ...(spec.boundingCapabilities ? [`--bounding-set=${only(spec.boundingCapabilities)}`] : []),
    ...(spec.noNewPrivileges ? ['--no-new-privs'] : []),
    '--',
  ]
}

function only(capabilities: string[]): string {
  return ['-all', ...capabilities.map((name) => `+${name}`)].join(',')
}

/** `kswifi/redis` is `redis` below the data directory. */
function inBox(name: string): string {
  return name.replace(/^kswifi\/?/, '')
}

function giveToBox(path: string): void {
  const stat = lstatSync(path)
  lchownSync(path, boxUid, boxUid)
  if (!stat.isDirectory()) return
  for (const name of readdirSync(path)) giveToBox(join(path, name))
}

function checkReadable(): void {
  for (const path of [checkout, join(checkout, 'server'), join(checkout, 'node_modules')]) {
    if (!existsSync(path) || (lstatSync(path).mode & 0o005) === 0o005) continue
    throw new Error(`The box runs as an unprivileged user, who may not read ${path}. Allow it: chmod -R go+rX ${checkout}`)
  }
}
