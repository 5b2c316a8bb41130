import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'

/** Full paths: `npm run` puts node_modules/.bin first on PATH, and there lies another program called nft. */
const programs = {
  nft: '/usr/sbin/nft',
  tc: '/usr/sbin/tc',
  ip: '/usr/sbin/ip',
  conntrack: '/usr/sbin/conntrack',
  wg: '/usr/bin/wg',
} as const

export type Program = keyof typeof programs

/** A program of the data plane said no. `stderr` is its own explanation, at most 2,000 characters. */
export class ProgramFailed extends Error {
  readonly program: Program
  readonly stderr: string
  constructor(program: Program, args: string[], outcome: string, stderr: string) {
    super(`${program} ${args.join(' ')} ${outcome}${stderr ? `: ${stderr.trim().split('\n')[0]}` : ''}`)
    this.program = program
    this.stderr = stderr.slice(0, 2000)
  }
}

const TIME_LIMIT_MS = 30_000

/**
 * Runs a program with an argument list (never a shell string) and gives back its standard output.
 * @param input goes to standard input
 * @throws ProgramFailed when it exits with anything but 0, or takes longer than 30 s
 */
export function run(program: Program, args: string[], input = ''): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(programs[program], args, { env: { LC_ALL: 'C', PATH: '/usr/sbin:/usr/bin:/sbin:/bin' }, timeout: TIME_LIMIT_MS })
    const out: Buffer[] = []
    const err: Buffer[] = []
    child.stdout.on('data', (chunk: Buffer) => out.push(chunk))
    child.stderr.on('data', (chunk: Buffer) => err.push(chunk))
    child.on('error', (error) => reject(new ProgramFailed(program, args, 'could not be started', error.message)))
    child.on('close', (status, signal) => {
      if (status === 0) return resolve(Buffer.concat(out).toString())
      reject(new ProgramFailed(program, args, signal ? `was ended by ${signal}` : `exited with ${status}`, Buffer.concat(err).toString()))
    })
    // A program that fails before reading its input closes the pipe; its exit status tells the story.
    child.stdin.on('error', () => {})
    child.stdin.end(input)
  })
}

/**
 * Keeps a program running and hears its standard output line by line; starts it anew when it ends.
 * @returns a function that stops it for good
 */
export function follow(program: Program, args: string[], hear: (line: string) => void, ended: (reason: string) => void): () => void {
  let stopped = false
  let stop = () => {}
  const start = () => {
    const child = spawn(programs[program], args, { env: { LC_ALL: 'C' }, stdio: ['ignore', 'pipe', 'ignore'] })
    stop = () => child.kill('SIGTERM')
    createInterface({ input: child.stdout }).on('line', hear)
    let over = false
    const again = (reason: string) => {
      if (over || stopped) return
      over = true
      ended(reason)
      setTimeout(() => stopped || start(), 500).unref()
    }
    child.on('error', (error) => again(error.message))
    child.on('close', (status) => again(`exited with ${status}`))
  }
  start()
  return () => {
    stopped = true
    stop()
  }
}
