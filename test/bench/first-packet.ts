/** Runs on a phone: redeems vouchers one after another and prints how long each took until a packet came back from the internet. */
import { createSocket } from 'node:dgram'
import { Agent, request } from 'node:http'
import { text } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'

const job = JSON.parse(await text(process.stdin)) as { codes: string[]; portal: string; internet: string; apiKey: string }
const agent = new Agent({ keepAlive: true })
const socket = createSocket('udp4')
let sentAfter = Infinity
let passed = () => {}
let lastEcho = 0
socket.on('message', (message) => {
  lastEcho = performance.now()
  if (Number(message) >= sentAfter) passed()
})
setInterval(() => socket.send(String(performance.now()), 7, job.internet), 1)

const times: number[] = []
for (const code of job.codes) {
  const begun = performance.now()
  const first = new Promise<number>((resolve) => {
    passed = () => resolve(performance.now() - begun)
  })
  sentAfter = begun
  const { session } = (await post('/api/vouchers/redeem', { code })) as { session: { id: number } }
  times.push(await first)
  sentAfter = Infinity
  await post(`/api/admin/sessions/${session.id}/end`, {}, { authorization: `Bearer ${job.apiKey}` })
  while (performance.now() - lastEcho < 25) await sleep(5)
}
console.log(JSON.stringify(times))
process.exit(0)

function post(path: string, body: unknown, headers: Record<string, string> = {}): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const asked = request(
      { host: job.portal, path, method: 'POST', agent, headers: { 'content-type': 'application/json', ...headers } },
      (answer) => {
        void text(answer).then((said) => (answer.statusCode! < 300 ? resolve(JSON.parse(said)) : reject(new Error(`${path}: ${said}`))))
      },
    )
    asked.on('error', reject)
    asked.end(JSON.stringify(body))
  })
}
