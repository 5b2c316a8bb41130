/** Runs the lab in the foreground, until Ctrl-C. */
import { join } from 'node:path'
import { startLab } from './lab.ts'
import type { Lab } from './lab.ts'

/** Returns the exit code once the lab is gone. */
export async function up({ prefix, dir, port, fresh }: { prefix: string; dir: string; port: number; fresh: boolean }): Promise<number> {
  const startedMs = performance.now()
  const calledOff = new AbortController()
  const ended = endOfWish()
  void ended.then(() => calledOff.abort())
  try {
    console.log('KSWiFi Box: the lab venue is going up')
    const lab = await startLab({
      prefix,
      dir,
      port,
      fresh,
      remotes: 1,
      evenIfUnhealthy: true,
      signal: calledOff.signal,
      log: say,
      onWarning,
    })
    console.log(summary(lab, await lab.isHealthy(), performance.now() - startedMs))
    console.log(`\n${await ended}: the lab is going down`)
    await lab.stop()
  } catch (error) {
    if (!calledOff.signal.aborted) throw error
  }
  return 0
}

function say(line: string): void {
  console.log(`  ${line}`)
}

function onWarning(unit: string, line: string): void {
  say(`${unit}: ${line}`)
}

function summary(lab: Lab, healthy: boolean, tookMs: number): string {
  const opening = healthy ? 'The venue is open' : 'The venue stands, but its box is not healthy'
  return `
${opening} (${(tookMs / 1000).toFixed(1)} s).

  Portal     ${lab.url}/
  Admin      ${lab.url}/admin/     ${lab.admin.username} / ${lab.admin.password}
  Phones     ${lab.phones.map((phone) => `${phone.namespace} ${phone.ip}`).join(', ')}
  Elsewhere  ${lab.remotes.map((remote) => `${remote.namespace} ${remote.ip}, seen as ${remote.publicAddress}`).join('; ')}
  Try        npm run lab -- exec phone1 curl -i http://captive.apple.com/hotspot-detect.html
             npm run demo
  Described  ${join(lab.dir, 'lab.json')}, logs in ${lab.logDir}

Ctrl-C ends it.
`
}

/** Resolves with the reason when somebody wants the lab to end. */
function endOfWish(): Promise<string> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => resolve(signal))
    // npm may be killed without a word to us: nobody would be left to end the lab.
    const parent = process.ppid
    if (process.env['npm_lifecycle_event']) setInterval(() => process.ppid !== parent && resolve('npm is gone'), 500).unref()
  })
}
