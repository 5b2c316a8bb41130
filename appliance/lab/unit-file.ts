/** Reads the systemd units of the box, so that the lab runs what the box runs. */
import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'

/** One service of the box, as far as it matters to start it anywhere. */
export type UnitSpec = {
  /** `server` for kswifi-server.service. */
  name: string
  argv: string[]
  /** Of EnvironmentFile and Environment together; a name in both is taken from Environment. */
  env: Record<string, string>
  user: string | undefined
  workingDirectory: string
  ambientCapabilities: string[]
  /** null: not limited. */
  boundingCapabilities: string[] | null
  noNewPrivileges: boolean
  umask: string
  openFiles: number
  stateDirectories: string[]
  runtimeDirectories: string[]
  restart: 'always' | 'no'
  restartMs: number
  stopMs: number
  after: string[]
}

/**
 * All units below `overlay`/etc/systemd/system, those first that others start after.
 * @throws Error on a directive that the lab neither follows nor knowingly leaves to the real box.
 */
export function readUnits(overlay: string): UnitSpec[] {
  const dir = join(overlay, 'etc/systemd/system')
  const files = readdirSync(dir).filter((file) => /^kswifi-.*\.service$/.test(file))
  return inStartOrder(files.toSorted().map((file) => readUnit(overlay, join(dir, file))))
}

function readUnit(overlay: string, file: string): UnitSpec {
  const { get, list } = parse(file)
  const capabilities = (key: string) => list(key).map((name) => name.replace(/^CAP_/, '').toLowerCase())
  return {
    name: file.replace(/^.*\/kswifi-/, '').replace(/\.service$/, ''),
    argv: words(get('ExecStart') ?? fault(file, 'has no ExecStart')),
    env: { ...fromFiles(overlay, list('EnvironmentFile')), ...Object.fromEntries(list('Environment').map(assignment)) },
    user: get('User'),
    workingDirectory: get('WorkingDirectory') ?? '/',
    ambientCapabilities: capabilities('AmbientCapabilities'),
    boundingCapabilities: get('CapabilityBoundingSet') === undefined ? null : capabilities('CapabilityBoundingSet'),
    noNewPrivileges: get('NoNewPrivileges') === 'yes',
    umask: get('UMask') ?? '0022',
    openFiles: Number(get('LimitNOFILE') ?? 1024),
    stateDirectories: list('StateDirectory'),
    runtimeDirectories: list('RuntimeDirectory'),
    restart: get('Restart') === 'always' ? 'always' : 'no',
    restartMs: Number(get('RestartSec') ?? 0.1) * 1000,
    stopMs: Number(get('TimeoutStopSec') ?? 10) * 1000,
    after: list('After').map((unit) => unit.replace(/^kswifi-|\.service$/g, '')),
  }
}

const followed = new Set(
  `ExecStart EnvironmentFile Environment User WorkingDirectory AmbientCapabilities CapabilityBoundingSet NoNewPrivileges UMask
  LimitNOFILE StateDirectory StateDirectoryMode RuntimeDirectory RuntimeDirectoryMode RuntimeDirectoryPreserve Restart RestartSec
  TimeoutStopSec After PrivateTmp`.split(/\s+/),
)

/** What only a whole machine has, or what only takes away: the lab's units can do no less than the box's. */
const leftToTheBox = new Set(
  `Description Documentation Wants WantedBy StartLimitIntervalSec Type ProtectSystem ProtectHome PrivateDevices PrivateNetwork
  ProtectKernelTunables ProtectKernelModules ProtectKernelLogs ProtectControlGroups ProtectClock ProtectHostname ProtectProc
  RestrictAddressFamilies RestrictNamespaces RestrictRealtime RestrictSUIDSGID LockPersonality MemoryDenyWriteExecute
  SystemCallArchitectures SystemCallFilter DevicePolicy DeviceAllow ReadWritePaths OOMScoreAdjust MemoryMax MemoryHigh Nice WatchdogSec`.split(
    /\s+/,
  ),
)

function parse(file: string) {
  const values = new Map<string, string[]>()
  const lines = readFileSync(file, 'utf8').replaceAll('\\\n', ' ').split('\n')
  for (const line of lines.map((text) => text.trim())) {
    if (line === '' || /^[#;[]/.test(line)) continue
    const [key, value] = assignment(line)
    if (!followed.has(key) && !leftToTheBox.has(key)) fault(file, `uses ${key}, which the lab does not know: teach it in unit-file.ts`)
    values.set(key, [...(values.get(key) ?? []), value])
  }
  return {
    get: (key: string) => values.get(key)?.at(-1),
    list: (key: string) => (values.get(key) ?? []).flatMap(words),
  }
}

function fromFiles(overlay: string, files: string[]): Record<string, string> {
  const lines = files.flatMap((file) => readFileSync(join(overlay, file.replace(/^-/, '')), 'utf8').split('\n'))
  return Object.fromEntries(lines.filter((line) => /^\w+=/.test(line)).map(assignment))
}

function assignment(line: string): [string, string] {
  const at = line.indexOf('=')
  const value = line.slice(at + 1).trim()
  return [line.slice(0, at).trim(), /^".*"$/.test(value) ? value.slice(1, -1) : value]
}

function words(text: string): string[] {
  return [...text.matchAll(/"([^"]*)"|\S+/g)].map((match) => match[1] ?? match[0])
}

function inStartOrder(units: UnitSpec[]): UnitSpec[] {
  const ordered: UnitSpec[] = []
  let waiting = units
  while (waiting.length > 0) {
    const ready = waiting.filter((unit) => !waiting.some((other) => other !== unit && unit.after.includes(other.name)))
    if (ready.length === 0) throw new Error(`These units wait for each other: ${waiting.map((unit) => unit.name).join(', ')}`)
    ordered.push(...ready)
    waiting = waiting.filter((unit) => !ready.includes(unit))
  }
  return ordered
}

function fault(file: string, what: string): never {
  throw new Error(`${file} ${what}`)
}
