/** A small supervisor: runs the box's systemd units inside the box's namespace, as systemd would on the box. */
import { closeSync, openSync } from 'node:fs'
import { join } from 'node:path'
import type { ChildProcess } from 'node:child_process'
import { start, until } from './run.ts'
import type { UnitSpec } from './unit-file.ts'

export type UnitStatus = { name: string; pid: number | null; starts: number; lastExit: string | null }

export type Units = ReturnType<typeof createUnits>

export type UnitsOptions = {
  specs: UnitSpec[]
  /** Turns a unit into the argument array that runs it in the box. It must become the unit's process, not fork it. */
  enter: (spec: UnitSpec) => string[]
  /** One file per unit, `<name>.log`. */
  logDir: string
  /** Wins over what the unit files set. */
  env?: Record<string, string>
  /** Called when a unit ends that nobody asked to end; once for a unit that ends again as soon as it starts. */
  onCrash?: (name: string, how: string) => void
}

type Unit = {
  spec: UnitSpec
  /** It did not live long the last time either. */
  failing: boolean
  child: ChildProcess | null
  wanted: boolean
  timer: NodeJS.Timeout | null
  starts: number
  lastExit: string | null
}

/** Makes the supervisor; nothing runs until `start`. Unit names are short: `server`, `worker`, `redis`, `dnsmasq`, `wireguard`. */
export function createUnits(options: UnitsOptions) {
  const units = new Map<string, Unit>(
    options.specs.map((spec) => [spec.name, { spec, failing: false, child: null, wanted: false, timer: null, starts: 0, lastExit: null }]),
  )

  const find = (name: string): Unit => {
    const unit = units.get(name)
    if (!unit) throw new Error(`The box has no unit called ${name}; it has ${[...units.keys()].join(', ')}`)
    return unit
  }
  const some = (names: string[]) => (names.length === 0 ? [...units.values()] : names.map(find))

  /** Starts the named units, or all, in their order. Those that run already are left alone. */
  const startUnits = (...names: string[]) => some(names).forEach((unit) => launch(unit, options))

  /** Ends the named units, or all, and resolves when their processes are gone; they stay down until `start`. */
  const stop = async (...names: string[]) => {
    // As systemd does: a unit ends once those that started after it are gone, so nobody loses what it leans on.
    const gone = new Map<Unit, Promise<void>>()
    for (const unit of some(names).toReversed()) {
      const leaners = [...gone].filter(([other]) => other.spec.after.includes(unit.spec.name)).map(([, ended]) => ended)
      gone.set(
        unit,
        Promise.all(leaners).then(() => halt(unit, 'SIGTERM')),
      )
    }
    await Promise.all(gone.values())
  }

  /** As `stop`, without asking: what a power cut does to them. */
  const crash = async (...names: string[]) => {
    await Promise.all(some(names).map((unit) => halt(unit, 'SIGKILL')))
  }

  const restart = async (...names: string[]) => {
    await stop(...names)
    startUnits(...names)
  }

  /** Signals a unit's main process, and returns its pid. A unit that this ends is started again, as its file says. */
  const kill = (name: string, signal: NodeJS.Signals): number => {
    const unit = find(name)
    if (!unit.child?.pid) throw new Error(`${name} is not running (${unit.lastExit ?? 'it was never started'})`)
    process.kill(unit.child.pid, signal)
    return unit.child.pid
  }

  /** The pid of a unit's main process, or null while it is down. */
  const pid = (name: string): number | null => find(name).child?.pid ?? null

  /** Resolves with the new pid once a unit runs again as another process than `oldPid`. */
  const untilRestarted = (name: string, oldPid: number, timeoutMs = 10_000): Promise<number> =>
    until(`${name} runs again`, () => (pid(name) === oldPid ? null : pid(name)), timeoutMs)

  const status = (): UnitStatus[] =>
    [...units].map(([name, unit]) => ({ name, pid: pid(name), starts: unit.starts, lastExit: unit.lastExit }))

  return { names: [...units.keys()], start: startUnits, stop, crash, restart, kill, pid, untilRestarted, status }
}

function launch(unit: Unit, options: UnitsOptions): void {
  unit.wanted = true
  if (unit.child) return
  if (unit.timer) clearTimeout(unit.timer)
  unit.timer = null

  // A file, not a pipe: a unit must never wait for the lab to read what it says.
  const log = openSync(join(options.logDir, `${unit.spec.name}.log`), 'a', 0o600)
  const child = start(options.enter(unit.spec), { stdio: ['ignore', log, log], env: environment(unit.spec, options.env) })
  closeSync(log)
  unit.child = child
  unit.starts += 1
  const startedMs = performance.now()

  const onEnd = (how: string) => {
    if (unit.child !== child) return
    killGroup(child)
    unit.child = null
    const livedMs = performance.now() - startedMs
    unit.lastExit = `${how} after ${Math.round(livedMs)} ms`
    if (!unit.wanted) return
    if (!unit.failing) options.onCrash?.(unit.spec.name, unit.lastExit)
    unit.failing = livedMs < 2000
    if (unit.spec.restart === 'always') unit.timer = setTimeout(() => launch(unit, options), unit.spec.restartMs)
  }
  child.once('error', (error) => onEnd(`could not be started (${error.message})`))
  child.once('exit', (code, signal) => onEnd(signal ? `was ended by ${signal}` : `ended with ${code}`))
}

async function halt(unit: Unit, signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
  unit.wanted = false
  if (unit.timer) clearTimeout(unit.timer)
  unit.timer = null
  const child = unit.child
  if (!child) return

  const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  child.kill(signal)
  // A process that was stopped for a test would not hear the signal.
  child.kill('SIGCONT')
  const timer = setTimeout(() => child.kill('SIGKILL'), unit.spec.stopMs)
  await gone
  clearTimeout(timer)
}

/** What the unit started itself goes with it, as systemd's KillMode=control-group has it. */
function killGroup(child: ChildProcess): void {
  try {
    if (child.pid) process.kill(-child.pid, 'SIGKILL')
  } catch {
    // Nobody is left in the group.
  }
}

/** As systemd makes it: nothing is inherited. */
function environment(spec: UnitSpec, overrides: Record<string, string> = {}): Record<string, string> {
  return {
    PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
    LANG: 'C.UTF-8',
    HOME: '/var/lib/kswifi',
    USER: spec.user ?? 'root',
    LOGNAME: spec.user ?? 'root',
    STATE_DIRECTORY: spec.stateDirectories.map((name) => `/var/lib/${name}`).join(':'),
    RUNTIME_DIRECTORY: spec.runtimeDirectories.map((name) => `/run/${name}`).join(':'),
    ...spec.env,
    ...overrides,
  }
}
