/**
 * Runs where the crowd's devices are: customers who sign in, order and try whether a packet passes, each from an address
 * of their own.
 */
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { request, type IncomingMessage } from 'node:http'
import { text } from 'node:stream/consumers'
import { createInterface } from 'node:readline'

/** `phone`: the number, digits alone. */
export type Member = { ip: string; phone: string }

export type Ask =
  | { signIn: Member[]; portal: string }
  /** Everybody orders this package at the same moment. */
  | { order: Member[]; packageId: number; round: string }
  /** A payment that came to nothing is given up, so that its buyer can order again. */
  | { giveUp: Member; reference: string }
  /** Everybody sends a datagram that says `round phone` every `everyMs` until one comes back, or `rest`. */
  | { probe: Member[]; round: string; to: { address: string; port: number }; everyMs: number }
  | { rest: true }

/** References of the payments, in the order of the members. */
export type Ordered = string[]

const SIGN_IN_AT_ONCE = 8

if (import.meta.main) {
  const cookies = new Map<string, string>()
  let portal = ''
  let stopProbes = () => {}

  const signIn = async (members: Member[]) => {
    const waiting = [...members]
    const one = async () => {
      for (let member = waiting.pop(); member; member = waiting.pop()) {
        const { cookie } = await post(member, '/api/customers/sign-in', { phone: `+${member.phone}`, pin: '4711', isNew: true })
        cookies.set(member.ip, cookie)
      }
    }
    await Promise.all(Array.from({ length: SIGN_IN_AT_ONCE }, one))
  }

  const order = async (member: Member, packageId: number, round: string): Promise<string> => {
    const wish = { packageId, provider: 'mtn-momo', key: `${round}-${member.phone}`, topUp: false }
    const { body } = await post(member, '/api/payments', wish)
    const { outcome, payment } = body as { outcome: string; payment: { reference: string } | null }
    if (outcome !== 'asked' || !payment) throw new Error(`${member.phone} got ${outcome} for an order`)
    return payment.reference
  }

  async function post(member: Member, path: string, body: object): Promise<{ body: unknown; cookie: string }> {
    const cookie = cookies.get(member.ip)
    const headers = { 'content-type': 'application/json', ...(cookie ? { cookie } : {}) }
    const asked = request({ host: portal, path, method: 'POST', headers, agent: false, localAddress: member.ip })
    asked.end(JSON.stringify(body))
    const [answer] = (await once(asked, 'response')) as [IncomingMessage]
    const said = await text(answer)
    if (answer.statusCode! >= 300) throw new Error(`${member.phone}, ${path}: ${answer.statusCode} ${said}`)
    const set = (answer.headers['set-cookie'] ?? []).map((one) => one.slice(0, one.indexOf(';')))
    return { body: JSON.parse(said), cookie: set.join('; ') }
  }

  const answer = async (ask: Ask): Promise<unknown> => {
    if ('signIn' in ask) {
      portal = ask.portal
      return signIn(ask.signIn)
    }
    if ('order' in ask) return Promise.all(ask.order.map((member) => order(member, ask.packageId, ask.round)))
    if ('giveUp' in ask) return post(ask.giveUp, `/api/payments/${ask.reference}/give-up`, {})
    stopProbes()
    stopProbes = 'probe' in ask ? await probe(ask) : () => {}
    return undefined
  }
  createInterface({ input: process.stdin }).on('line', (line) => {
    const { id, ask } = JSON.parse(line) as { id: number; ask: Ask }
    answer(ask).then(
      (value = null) => console.log(JSON.stringify({ id, value })),
      (error: Error) => console.log(JSON.stringify({ id, error: error.message })),
    )
  })
  process.stdin.on('end', () => process.exit(0))
}

/** @returns once every socket is open: a function that ends it */
async function probe({ probe: members, round, to, everyMs }: Extract<Ask, { probe: Member[] }>): Promise<() => void> {
  const through = new Set<number>()
  const sockets = await Promise.all(
    members.map(async ({ ip }, index) => {
      const socket = createSocket('udp4')
      await new Promise<void>((resolve) => socket.bind(0, ip, resolve))
      socket.on('message', () => through.add(index))
      socket.on('error', () => {})
      return socket
    }),
  )
  const words = members.map(({ phone }) => Buffer.from(`${round} ${phone}`))
  // A share of them every millisecond, so that they do not come in bursts.
  let turn = 0
  const timer = setInterval(() => {
    turn = (turn + 1) % everyMs
    for (let index = turn; index < sockets.length; index += everyMs)
      if (!through.has(index)) sockets[index]!.send(words[index]!, to.port, to.address)
  }, 1)
  return () => {
    clearInterval(timer)
    for (const socket of sockets) socket.close()
  }
}
