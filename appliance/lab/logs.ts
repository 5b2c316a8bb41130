/** What the parts of the box say: each unit writes its own file, and the lab reads along. */
import { closeSync, existsSync, fstatSync, openSync, readFileSync, readSync } from 'node:fs'
import { basename, join } from 'node:path'

/** The last lines of a unit's log, headed by its name; for an error message. */
export function tail(dir: string, unit: string, lines = 15): string {
  const file = join(dir, `${unit}.log`)
  if (!existsSync(file)) return `--- ${unit}.log: nothing`
  return [`--- ${unit}.log`, ...readFileSync(file, 'utf8').trimEnd().split('\n').slice(-lines)].join('\n')
}

/** Hands over warnings and errors of the units as they come. Returns the function that ends it. */
export function followWarnings(dir: string, units: string[], onWarning: (unit: string, line: string) => void): () => void {
  const readBytes = new Map<string, number>()
  const timer = setInterval(() => {
    for (const file of units.map((unit) => join(dir, `${unit}.log`)).filter((path) => existsSync(path))) {
      const text = readFrom(file, readBytes.get(file) ?? 0)
      const whole = text.slice(0, text.lastIndexOf('\n') + 1)
      readBytes.set(file, (readBytes.get(file) ?? 0) + Buffer.byteLength(whole))
      for (const line of whole.split('\n')) {
        const worth = worthShowing(line)
        if (worth) onWarning(basename(file, '.log'), worth)
      }
    }
  }, 300)
  return () => clearInterval(timer)
}

function readFrom(file: string, offset: number): string {
  const fd = openSync(file, 'r')
  const buffer = Buffer.alloc(Math.min(fstatSync(fd).size - offset, 1_000_000))
  readSync(fd, buffer, 0, buffer.length, offset)
  closeSync(fd)
  return buffer.toString()
}

/** pino's lines carry a level; 40 is a warning. Other programs' lines show what went wrong only after an exit, which the lab reports. */
function worthShowing(line: string): string | null {
  if (!line.startsWith('{')) return null
  try {
    const { level, msg, err } = JSON.parse(line) as { level: number; msg?: string; err?: { message?: string } }
    return level >= 40 ? [msg, err?.message].filter(Boolean).join(': ') : null
  } catch {
    return null
  }
}
