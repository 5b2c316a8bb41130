import type { ChildProcess } from 'node:child_process'
import { createInterface } from 'node:readline'
import { inside, start } from '#lab/run.ts'

export type Talk<Ask> = { ask: <Answer>(ask: Ask) => Promise<Answer>; end: () => Promise<void> }

/** Starts a program of these tests inside a namespace and speaks with it, one JSON line each way. Its standard error is the test's. */
export function talkTo<Ask>(namespace: string, file: string, ...args: string[]): Talk<Ask> {
  const child: ChildProcess = start(inside(namespace, [process.execPath, file, ...args]), { stdio: ['pipe', 'pipe', 'inherit'] })
  const waiting = new Map<number, { resolve: (value: never) => void; reject: (error: Error) => void }>()
  let lastId = 0
  const gone = new Promise<void>((resolve) => {
    child.once('exit', () => {
      for (const { reject } of waiting.values()) reject(new Error(`${file} ended in ${namespace}`))
      resolve()
    })
  })
  child.stdin!.on('error', () => {})
  createInterface({ input: child.stdout! }).on('line', (text) => {
    const { id, value, error } = JSON.parse(text) as { id: number; value?: never; error?: string }
    const asker = waiting.get(id)
    waiting.delete(id)
    if (error === undefined) asker?.resolve(value as never)
    else asker?.reject(new Error(error))
  })
  return {
    ask(ask) {
      const id = ++lastId
      child.stdin!.write(`${JSON.stringify({ id, ask })}\n`)
      return new Promise((resolve, reject) => waiting.set(id, { resolve, reject }))
    },
    async end() {
      child.stdin!.end()
      child.kill('SIGTERM')
      await gone
    },
  }
}
