import { startAfricasTalking } from './africas-talking.ts'
import { startMomo } from './momo.ts'
import { startPaystack } from './paystack.ts'

// node test/emulators/main.ts HOST ['{"momo": {"mode": "production"}, "paystack": {}, "africasTalking": {}}']
const [host = '127.0.0.1', options = '{}'] = process.argv.slice(2)
const { momo, paystack, africasTalking } = JSON.parse(options) as Record<string, object | undefined>

const emulators = await Promise.all([
  startMomo({ ...momo, host, port: 9101 }),
  startPaystack({ ...paystack, host, port: 9102 }),
  startAfricasTalking({ ...africasTalking, host, port: 9103 }),
])
const urls = emulators.map(({ url }) => url)
console.log(JSON.stringify({ momo: urls[0], paystack: urls[1], africasTalking: urls[2] }))

process.once('SIGTERM', () => void Promise.all(emulators.map(({ stop }) => stop())))
