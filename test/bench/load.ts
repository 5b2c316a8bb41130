/** Asks for a URL as often as it can for two seconds over 16 connections, and prints requests per second. Usage: load.ts URL */
import { Agent, get } from 'node:http'

const url = process.argv[2]!
const agent = new Agent({ keepAlive: true, maxSockets: 16 })
const until = performance.now() + 2500
const from = performance.now() + 500
let answered = 0

await Promise.all(Array.from({ length: 16 }, ask))
console.log((answered / (until - from)) * 1000)
process.exit(0)

async function ask(): Promise<void> {
  while (performance.now() < until) {
    await new Promise<void>((resolve, reject) => {
      get(url, { agent }, (answer) => {
        if (answer.statusCode !== 200) reject(new Error(`${url}: ${answer.statusCode}`))
        answer.resume()
        answer.on('end', resolve)
      }).on('error', reject)
    })
    if (performance.now() > from) answered++
  }
}
