/** The one place of the lab that starts programs: always an argument array, never a shell string. */
import { spawn } from 'node:child_process'
import type { ChildProcess, SpawnOptions } from 'node:child_process'

/** What a program left behind. `code` is null when a signal ended it. */
export type Ran = { code: number | null; signal: NodeJS.Signals | null; stdout: string; stderr: string; tookMs: number }

export type RunOptions = {
  input?: string | Uint8Array
  /** The program is killed after this time, and the promise rejects. Default: a minute. */
  timeoutMs?: number
  /** Resolve instead of rejecting when the program ends with anything but 0. */
  allowFailure?: boolean
  env?: Record<string, string>
  signal?: AbortSignal
}

/**
 * Runs a program to its end.
 * @throws Error with the command, how it ended and the last of what it said.
 */
export async function run(argv: readonly string[], options: RunOptions = {}): Promise<Ran> {
  const startedMs = performance.now()
  const child = start(argv, { stdio: ['pipe', 'pipe', 'pipe'], env: { ...process.env, LC_ALL: 'C', ...options.env } })
  const ended = end(child, argv)
  const [stdout, stderr] = [collect(child.stdout), collect(child.stderr)]
  // A program may end without reading its input; its exit code tells more than our EPIPE would.
  child.stdin?.on('error', () => {})
  child.stdin?.end(options.input)

  const timeoutMs = options.timeoutMs ?? 60_000
  let stopped: string | undefined
  const stop = (why: string) => {
    stopped = why
    child.kill('SIGKILL')
  }
  const timer = setTimeout(() => stop(`took longer than ${timeoutMs} ms and was killed`), timeoutMs)
  const onAbort = () => stop('was called off')
  options.signal?.addEventListener('abort', onAbort, { once: true })
  try {
    const how = await ended
    const ran = { ...how, stdout: stdout(), stderr: stderr(), tookMs: performance.now() - startedMs }
    if (stopped) throw failure(argv, stopped, ran)
    if (ran.code !== 0 && !options.allowFailure) throw failure(argv, `ended with ${ran.code ?? ran.signal}`, ran)
    return ran
  } finally {
    clearTimeout(timer)
    options.signal?.removeEventListener('abort', onAbort)
  }
}

/**
 * Starts a program that goes on by itself, in its own process group, so that Ctrl-C in the terminal reaches the lab alone
 * and the lab ends things in order. The program dies with the process that started it, however that one dies.
 */
export function start(argv: readonly string[], options: SpawnOptions = {}): ChildProcess {
  return spawn('setpriv', ['--pdeathsig', 'KILL', '--', ...argv], { detached: true, ...options })
}

/** The argument array that runs a program inside a network namespace. */
export function inside(namespace: string, argv: readonly string[]): string[] {
  return ['ip', 'netns', 'exec', namespace, ...argv]
}

/** Asks again every few milliseconds until the answer is neither null, undefined nor false. @throws Error saying what never came true. */
export async function until<T>(what: string, ask: () => T | Promise<T>, timeoutMs: number, everyMs = 20): Promise<NonNullable<T>> {
  const deadlineMs = performance.now() + timeoutMs
  for (;;) {
    const answer = await ask()
    if (answer) return answer as NonNullable<T>
    if (performance.now() > deadlineMs) throw new Error(`${what}: not so after ${timeoutMs} ms`)
    await new Promise((resolve) => setTimeout(resolve, everyMs))
  }
}

function end(child: ChildProcess, argv: readonly string[]): Promise<{ code: number | null; signal: NodeJS.Signals | null }> {
  return new Promise((resolve, reject) => {
    child.once('error', (error) => reject(new Error(`Could not start ${argv.join(' ')}: ${error.message}`)))
    child.once('close', (code, signal) => resolve({ code, signal }))
  })
}

function collect(stream: NodeJS.ReadableStream | null): () => string {
  const chunks: Buffer[] = []
  stream?.on('data', (chunk: Buffer) => chunks.push(chunk))
  return () => Buffer.concat(chunks).toString()
}

function failure(argv: readonly string[], how: string, ran: Ran): Error {
  const said = (ran.stderr.trim() || ran.stdout.trim()).slice(-2000)
  return new Error(`${argv.join(' ')}\n${how}${said && `\n${said}`}`)
}
