/**
 * A venue made of network namespaces: internet, box and phones, with the box's own processes and configuration.
 * `npm start` runs one; tests start as many as they like, side by side, each under its own prefix.
 */
import { closeSync, mkdirSync, openSync, rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { ChildProcess, SpawnOptions } from 'node:child_process'
import { answersHealthy, boxUnits, enterBox, forgetKernel, furnishBox, listens, tuneBox } from './box.ts'
import { openControl } from './control.ts'
import { ownerCredentials } from './credentials.ts'
import { hold } from './hold.ts'
import { followWarnings, tail } from './logs.ts'
import {
  abandonVenue,
  boxLanAddress,
  internetAddress,
  makeBackbone,
  namesOf,
  removeIfEmpty,
  removeVenue,
  unplugPhone,
} from './namespaces.ts'
import { addPhone } from './phones.ts'
import type { Phone } from './phones.ts'
import { openProxy } from './proxy.ts'
import { addRemote } from './remotes.ts'
import { inside, run, start, until } from './run.ts'
import type { Ran, RunOptions } from './run.ts'
import { connectProfile, disconnectProfile, insideLab, tunnelDir } from './tunnels.ts'
import { createUnits } from './units.ts'

export type { Phone } from './phones.ts'
export type { Remote } from './remotes.ts'
export type { Ran } from './run.ts'

export type LabOptions = {
  /** First part of the namespaces' names. Default: `kswifi`. */
  prefix?: string
  /** Where data, logs and lab.json lie. Default: a new directory below .lab, that goes with the lab. */
  dir?: string
  /** Port of this machine that leads to the server; 0 (the default) takes a free one. */
  port?: number
  /** How many phones to plug in. Default: 3. */
  phones?: number
  /** How many devices to put somewhere else, behind the internet. Default: none. */
  remotes?: number
  /** Throw away the data of an earlier run in `dir`. */
  fresh?: boolean
  /** Environment of server and worker, over what their unit files set. */
  env?: Record<string, string>
  /** Units not to start, for tests that bring their own. */
  without?: string[]
  /** How long server and worker may take to become healthy. Default: 20 s. Nobody waits for a server that is not to be started. */
  healthyWithinMs?: number
  /** Go on with a box that is not healthy, for work on what ails it. Default: false. */
  evenIfUnhealthy?: boolean
  /** Calls the start off; what was built by then is removed. */
  signal?: AbortSignal
  /** Hears what is being done, one line each. Default: nobody. */
  log?: (line: string) => void
  /** Hears the warnings and errors in the logs of server and worker. Default: nobody. */
  onWarning?: (unit: string, line: string) => void
}

export type Lab = Awaited<ReturnType<typeof startLab>>

/** Of labs that are given no directory. Not in /tmp, which is memory on some machines: the box should write to a disk, as it does in life. */
const passingLabs = join(import.meta.dirname, '../../.lab/passing')

/**
 * Builds the venue, starts the box, and gives every phone its address.
 * @throws Error when the prefix or directory is in use, something is missing, or the box does not become healthy; nothing is left behind then.
 */
export async function startLab(options: LabOptions = {}) {
  const { prefix = 'kswifi', log = () => {}, env = {}, without = [] } = options
  if (process.getuid?.() !== 0) throw new Error('The lab makes network namespaces: run it as root')
  if (!/^[a-z][a-z0-9-]{0,40}$/.test(prefix)) throw new Error(`"${prefix}" is no prefix: use small letters, digits and -`)
  const undo: (() => unknown)[] = []
  const stop = once(async () => {
    // Each step on its own: what one leaves behind must not keep the next from being done.
    for (const step of undo.toReversed()) await Promise.try(step).catch((error: Error) => log(error.message))
  })
  try {
    return await build()
  } catch (error) {
    await stop()
    throw error
  }

  async function build() {
    undo.push(await hold(`lab ${prefix}`, `A lab called ${prefix} is running already: end it with Ctrl-C or \`npm run lab -- down\``))
    const dir = options.dir ? resolve(options.dir) : join(passingLabs, prefix)
    undo.push(await hold(`dir ${dir}`, `Another lab is running in ${dir}`))
    const removeDir = () => {
      rmSync(dir, { recursive: true, force: true })
      removeIfEmpty(passingLabs)
    }
    if (!options.dir) removeDir()
    if (!options.dir) undo.push(removeDir)
    const places = {
      dataDir: join(dir, 'data'),
      runDir: join(dir, 'run'),
      wireguardDir: tunnelDir(dir, 'box'),
      etcDir: join(dir, 'etc'),
      logDir: join(dir, 'log'),
    }
    const passing = [places.runDir, places.etcDir, ...['tunnels', 'phones', 'lab.json', 'control.sock'].map((name) => join(dir, name))]
    const sweep = async () => {
      await removeVenue(prefix)
      for (const path of passing) rmSync(path, { recursive: true, force: true })
    }
    await sweep()
    undo.push(sweep)
    const onExit = () => {
      abandonVenue(prefix)
      for (const path of passing) rmSync(path, { recursive: true, force: true })
      if (!options.dir) removeDir()
    }
    process.once('exit', onExit)
    undo.push(() => process.off('exit', onExit))

    if (options.fresh) rmSync(places.dataDir, { recursive: true, force: true })
    rmSync(places.logDir, { recursive: true, force: true })
    for (const path of [dir, places.logDir, join(dir, 'phones')]) mkdirSync(path, { recursive: true, mode: 0o700 })
    const serverSocket = join(places.runDir, 'server.sock')
    if (serverSocket.length > 107) throw new Error(`${dir} is too long a path for Unix sockets (${serverSocket.length} of 107 characters)`)
    const admin = ownerCredentials(join(dir, 'credentials.json'))
    furnishBox(places, admin)

    log(`namespaces ${prefix}-internet, ${prefix}-box`)
    const names = namesOf(prefix)
    await makeBackbone(prefix)
    await tuneBox(prefix)
    undo.push(runInternet(names.internet, places.logDir))

    const remotes = await Promise.all(Array.from({ length: options.remotes ?? 0 }, (_, index) => addRemote({ dir, prefix }, index + 1)))
    for (const { namespace, ip, publicAddress } of remotes) log(`${namespace} has ${ip}, and is seen as ${publicAddress}`)

    const units = createUnits({
      specs: boxUnits().filter((spec) => !without.includes(spec.name)),
      enter: (spec) => enterBox(prefix, places, spec),
      logDir: places.logDir,
      env: { KSWIFI_SANDBOX: 'true', ...env },
      onCrash: (name, how) => log(`${name} ${how}; it is started again`),
    })
    undo.push(() => units.stop())
    if (options.onWarning) undo.push(followWarnings(places.logDir, ['server', 'worker'], options.onWarning))
    log(`units ${units.names.join(', ')}`)
    units.start()
    const { port, close } = await openProxy(options.port ?? 0, serverSocket)
    undo.push(close)

    const phones: Phone[] = []
    let lastNumber = 0
    const plugIn = async () => {
      const number = ++lastNumber
      const phone = await addPhone(prefix, number, { runDir: join(dir, 'phones'), logDir: places.logDir })
      phones.push(phone)
      log(`${phone.namespace} has ${phone.ip}`)
      return phone
    }
    if (units.names.includes('dnsmasq')) {
      await until('dnsmasq hands out addresses', () => listens(units.pid('dnsmasq'), 67), 10_000, 5).catch((error: Error) => {
        throw new Error(`${error.message}\n${tail(places.logDir, 'dnsmasq')}`)
      })
      await Promise.all(Array.from({ length: options.phones ?? 3 }, plugIn))
      phones.sort((one, other) => one.namespace.localeCompare(other.namespace, 'en', { numeric: true }))
    }

    const isHealthy = () => {
      options.signal?.throwIfAborted()
      return answersHealthy(serverSocket)
    }
    const untilHealthy = async (timeoutMs = 20_000) => {
      await until('server and worker are healthy', isHealthy, timeoutMs, 50).catch((error: Error) => {
        if (options.signal?.aborted) throw error
        const logs = ['server', 'worker'].map((name) => tail(places.logDir, name))
        throw new Error([error.message, ...logs].join('\n'))
      })
    }
    if (units.names.includes('server')) {
      await untilHealthy(options.healthyWithinMs).catch((error: Error) => {
        if (!options.evenIfUnhealthy || options.signal?.aborted) throw error
        log(error.message)
      })
    }

    const url = `http://localhost:${port}`
    const portalHost = boxUnits().find((spec) => spec.name === 'server')?.env['KSWIFI_PORTAL_HOST'] ?? 'kswifi.internal'
    const describe = () => ({
      url,
      portalHost,
      box: { lan: boxLanAddress },
      internet: { address: internetAddress },
      phones: phones.map(({ namespace, mac, ip }) => ({ namespace, mac, ip })),
      remotes: remotes.map(({ namespace, ip, publicAddress }) => ({ namespace, ip, publicAddress })),
      admin,
    })
    const writeDescription = () => writeFileSync(join(dir, 'lab.json'), `${JSON.stringify(describe(), null, 2)}\n`, { mode: 0o600 })
    writeDescription()

    /** Ends every process of the box without warning and takes away what its kernel held; the phones stay plugged in. */
    const powerCut = async () => {
      await units.crash()
      await forgetKernel(names.box)
      const sockets = [serverSocket, join(places.runDir, 'redis.sock'), join(places.wireguardDir, 'wg0.sock')]
      for (const socket of sockets) rmSync(socket, { force: true })
    }

    const lab = {
      prefix,
      dir,
      dataDir: places.dataDir,
      runDir: places.runDir,
      logDir: places.logDir,
      url,
      portalHost,
      box: { namespace: names.box, lan: boxLanAddress, units },
      internet: { namespace: names.internet, address: internetAddress },
      phones,
      remotes,
      admin,
      /** Runs a program in a namespace (`phone1` or its full name) to its end. */
      exec: (namespace: string, argv: readonly string[], how: RunOptions = {}): Promise<Ran> =>
        run(insideLab({ dir, prefix }, full(namespace), argv), how),
      /** Starts a program in a namespace that goes on by itself; it ends with the lab at the latest. */
      spawn: (namespace: string, argv: readonly string[], how: SpawnOptions = {}): ChildProcess =>
        start(insideLab({ dir, prefix }, full(namespace), argv), how),
      /** Plugs in the next phone. lab.json is written anew. */
      addPhone: async (): Promise<Phone> => {
        const phone = await plugIn()
        writeDescription()
        return phone
      },
      /** Takes a phone away, as when its owner leaves the venue. */
      removePhone: async (namespace: string): Promise<void> => {
        const at = phones.findIndex((phone) => phone.namespace === full(namespace))
        if (at === -1) throw new Error(`There is no ${full(namespace)}; there are ${phones.map((phone) => phone.namespace).join(', ')}`)
        const [phone] = phones.splice(at, 1)
        if (phone) await unplugPhone(phone.namespace)
        writeDescription()
      },
      /** Imports the text of a Connect profile on a remote or a phone, as wg-quick does, and turns it on; see tunnels.ts. */
      connectProfile: (namespace: string, text: string) => connectProfile({ dir, prefix }, full(namespace), text),
      /** Turns that profile off and forgets it. */
      disconnectProfile: (namespace: string) => disconnectProfile({ dir, prefix }, full(namespace)),
      /** Signals the main process of a unit, such as `server`; see units.ts for more. */
      kill: units.kill,
      /** True when /healthz says that all is well. */
      isHealthy,
      untilHealthy,
      powerCut,
      /** Starts the units again after a power cut. */
      powerOn: () => units.start(),
      /** The last lines of a unit's log, for an error message. */
      tail: (unit: string) => tail(places.logDir, unit),
      /** Removes every namespace, process and file of the lab, but not its data and logs. May be called twice. */
      stop,
    }
    const full = (namespace: string) => (namespace.startsWith(`${prefix}-`) ? namespace : `${prefix}-${namespace}`)
    const closeControl = await openControl(join(dir, 'control.sock'), {
      status: () => ({ prefix, ...describe(), units: units.status() }),
      'phone add': lab.addPhone,
      'phone remove': lab.removePhone,
      'remote connect': (argument) => {
        const { where, text } = JSON.parse(argument) as { where: string; text: string }
        return lab.connectProfile(where, text)
      },
      'remote disconnect': lab.disconnectProfile,
      'power cut': powerCut,
      'power on': lab.powerOn,
      // Answers first: the one who asks should hear that it was heard.
      stop: () => {
        setTimeout(() => process.kill(process.pid, 'SIGTERM'), 10)
        return 'ending'
      },
    })
    undo.push(closeControl)
    return lab
  }
}

/** Returns the function that ends it. */
function runInternet(namespace: string, logDir: string): () => Promise<void> {
  const log = openSync(join(logDir, 'internet.log'), 'a', 0o600)
  const program = [process.execPath, join(import.meta.dirname, 'internet.ts'), internetAddress]
  const child = start(inside(namespace, program), { stdio: ['ignore', log, log] })
  closeSync(log)
  const gone = new Promise<void>((resolvePromise) => {
    child.once('exit', () => resolvePromise())
    child.once('error', () => resolvePromise())
  })
  return async () => {
    child.kill('SIGTERM')
    await Promise.race([gone, sleep(1000, undefined, { ref: false })])
  }
}

function once<T>(action: () => Promise<T>): () => Promise<T> {
  let result: Promise<T> | undefined
  return () => (result ??= action())
}
