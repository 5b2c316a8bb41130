import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import test from 'ava'
import { controlOf } from '#test/emulators/control.ts'
import type { MomoControl } from '#test/emulators/momo.ts'

test('all three start as a program, and end when they are told to', async (t) => {
  // An address of its own: the ports are fixed, and others may run the same test.
  const host = `127.9.${process.pid % 251}.${1 + (process.pid % 241)}`
  const program = fileURLToPath(new URL('../emulators/main.ts', import.meta.url))
  const running = spawn(process.execPath, [program, host], { stdio: ['ignore', 'pipe', 'inherit'] })
  t.teardown(() => running.kill('SIGKILL'))
  const [line] = (await once(running.stdout.setEncoding('utf8'), 'data')) as [string]
  t.deepEqual(JSON.parse(line), {
    momo: `http://${host}:9101`,
    paystack: `http://${host}:9102`,
    africasTalking: `http://${host}:9103`,
  })
  t.deepEqual(await controlOf<MomoControl>(`http://${host}:9101`).charges(), [])
  running.kill('SIGTERM')
  t.deepEqual(await once(running, 'exit'), [0, null])
})
