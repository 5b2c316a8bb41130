import { run } from '#lab/run.ts'
import type { ConnectAnswer } from '#server/connect/schema.ts'
import { openBed, peersOf, populate } from './bed.ts'
import { ask } from './connect-ask.ts'
import { atMost, quantile, type Figure } from './figure.ts'

const ROUNDS = 240
const WARM_UP = 20
const LOOK_EVERY = 10

const SPEEDS = { downBps: 10_000_000, upBps: 5_000_000 }

/** A profile made over HTTP (keys, address, QR codes, peer live) for sessions that have none yet, and taken away again. */
export async function profiles(): Promise<Figure[]> {
  return [...(await makeAndRevoke('few', 10, { p50: 30, p99: 100 })), ...(await makeAndRevoke('many', 2000, { p50: 60, p99: 200 }))]
}

async function makeAndRevoke(name: string, peers: number, must: { p50: number; p99: number }): Promise<Figure[]> {
  const lab = await openBed(`wg${name}`, 0)
  try {
    const sessions = await populate(lab, peers + ROUNDS + WARM_UP, SPEEDS, peers)
    const made: number[] = []
    const revoked: number[] = []
    for (const [round, { session }] of sessions.slice(peers).entries()) {
      const begun = performance.now()
      const answer = await ask<ConnectAnswer>(lab, 'POST', '/api/connect/generate-profile', { session_id: session })
      if (round >= WARM_UP) made.push(performance.now() - begun)
      const looks = round % LOOK_EVERY === 0
      const key = looks ? await publicKeyOf(answer) : ''
      if (looks && !(await peersOf(lab)).includes(key)) throw new Error('A profile was handed out before its peer was in the tunnel')
      const asked = performance.now()
      await ask(lab, 'DELETE', `/api/connect/profiles/${answer.connect_id}`)
      if (round >= WARM_UP) revoked.push(performance.now() - asked)
      if (looks && (await peersOf(lab)).includes(key)) throw new Error('A profile was said to be gone while its peer was in the tunnel')
    }
    const words = `${peers.toLocaleString('en')} peers`
    return [
      {
        what: `profile made over HTTP, ${words}, p50`,
        measured: quantile(made, 0.5),
        unit: 'ms',
        must: atMost(must.p50),
        mustWords: `≤ ${must.p50}`,
        note: `${made.length} profiles of sessions with a speed; every tenth peer was looked for in the tunnel when the answer came`,
      },
      { what: 'the same, p99', measured: quantile(made, 0.99), unit: 'ms', must: atMost(must.p99), mustWords: `≤ ${must.p99}` },
      { what: `profile revoked, ${words}, p99`, measured: quantile(revoked, 0.99), unit: 'ms', must: atMost(1000), mustWords: '≤ 1000' },
    ]
  } finally {
    await lab.stop()
  }
}

async function publicKeyOf({ profile_text: text }: ConnectAnswer): Promise<string> {
  const { stdout } = await run(['wg', 'pubkey'], { input: /^PrivateKey = (.+)$/m.exec(text)![1]! })
  return stdout.trim()
}
