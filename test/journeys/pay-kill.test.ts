import { randomInt, randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import test from 'ava'
import type { Phone } from '#lab/lab.ts'
import { until } from '#lab/run.ts'
import type { PaymentView } from '#server/payments/schema.ts'
import type { Buyer as Behaviour } from '#test/emulators/control.ts'
import type { Failing } from '#test/emulators/http.ts'
import { openShop, type Shop } from './buyers.ts'

const kills = 200
/** After so many kills the box is left alone for a moment. */
const calmEvery = 8
const calmMs = 800
const grownMs = 1500
const victims = ['server', 'worker', 'redis'] as const
/** While things are killed under it, anything may take several tries. */
const patienceMs = 120_000

const seed = Number(process.env['KSWIFI_TEST_SEED'] ?? randomInt(2 ** 31))

let shop: Shop
test.before(async () => {
  shop = await openShop('kill', { phones: 8 })
})
test.after.always(() => shop?.stop())

type Chance = ReturnType<typeof createChance>
/** A purchase that came to its end as its buyer sees it. */
type Sale = { number: string; reference: string; passed: boolean }

test.serial(`${kills} times a process is killed while customers pay: nobody pays twice, all who paid are online`, async (t) => {
  t.timeout(8 * 60_000)
  t.log(`again with the same chances: KSWIFI_TEST_SEED=${seed} npx ava test/journeys/pay-kill.test.ts`)
  const pack = await shop.offer()
  // Answers that take their time are answers in whose midst something can be killed.
  await shop.momo.set({ delayMs: 40 })

  const over = new AbortController()
  const sales: Sale[] = []
  const trade = async (phone: Phone, index: number) => {
    const chance = createChance(seed + index + 1)
    for (let round = 1; !over.signal.aborted; round++)
      sales.push(await sell(phone, pack, `2567${String(index).padStart(2, '0')}${String(round).padStart(6, '0')}`, chance))
  }
  const trading = Promise.all(shop.lab.phones.map(trade))
  // A buyer who fails ends the test at once, not only when all is killed.
  const landed = await Promise.race([killAtRandom(createChance(seed)), trading.then(() => [])])
  over.abort()
  await trading
  await shop.lab.untilHealthy()
  t.log(`${landed.length} kills (${tally(landed.map(({ victim }) => victim))}), ${sales.length} purchases`)
  t.log(`payments under way at that moment: ${tally(landed.flatMap(({ steps }) => steps))}`)

  t.is(landed.length, kills)
  t.true(sales.every(({ passed }) => passed))
  const charges = await shop.momo.charges()
  t.deepEqual(
    charges.filter((charge) => charge.charged !== 1),
    [],
    'each was charged, and once',
  )
  t.is(new Set(charges.map((charge) => charge.phone)).size, charges.length, 'nobody was asked under two references')
  t.deepEqual(charges.map(({ reference }) => reference).toSorted(), sales.map(({ reference }) => reference).toSorted())

  const books = shop.rows<{
    reference: string
    status: string
    granted: number
    provider_reference: string
    purchases: number
    earned: number
  }>(
    `SELECT reference, status, granted_at IS NOT NULL AS granted, provider_reference,
       (SELECT count(*) FROM purchases WHERE payment_id = payments.id AND purchases.session_id = payments.session_id) AS purchases,
       (SELECT count(*) FROM points JOIN purchases ON purchases.id = purchase_id WHERE payment_id = payments.id) AS earned
     FROM payments ORDER BY reference`,
  )
  const wanted = charges
    .map(({ reference, financialTransactionId: provider_reference }) => ({
      reference,
      status: 'paid',
      granted: 1,
      provider_reference,
      purchases: 1,
      earned: 1,
    }))
    .toSorted((one, other) => (one.reference < other.reference ? -1 : 1))
  t.deepEqual(books, wanted as typeof books, 'what was charged is paid, has one purchase, and its buyer was let in')
  const count = (sql: string) => shop.rows<{ n: number }>(`SELECT count(*) AS n FROM ${sql}`)[0]!.n
  t.is(count('sessions'), charges.length)
  t.is(count('purchases'), charges.length)
  t.is(count('(SELECT DISTINCT session_id FROM purchases)'), charges.length, 'one session each')
  t.is(count('prevented'), 0, 'the same wish again is no second one')
  t.is(count("sessions WHERE status <> 'expired'"), 0)
})

/** A new customer signs in on a phone, buys, and is online; then the owner ends the session for the next one. */
async function sell(phone: Phone, packageId: number, number: string, chance: Chance): Promise<Sale> {
  const buyer = shop.buyer(phone)
  await insist(`${number} signs in`, async () => isDone(await buyer.signIn(number)))
  await shop.momo.behave(number, behaviourBy(chance))
  if (chance.is(0.3)) await shop.momo.failNext(failingBy(chance))
  const key = randomUUID()
  const payment = await insist(`${number} orders`, async () => {
    const said = await buyer.order({ packageId, key })
    if (isDone(said) && said.body.outcome === 'resumed') throw new Error(`${number} is in a session that nobody paid for`)
    return isDone(said) ? said.body.payment : null
  })
  const { reference, sessionId } = await followThrough(buyer, payment)
  const passed = await insist(`packets of ${number} pass`, () => buyer.passes())
  await insist(`the session of ${number} ends`, () => end(sessionId!))
  return { number, reference, passed }
}

/** @throws Error with what the books say, for whoever looks for the cause */
async function followThrough(buyer: ReturnType<Shop['buyer']>, { reference }: PaymentView): Promise<PaymentView> {
  return buyer.follow(reference, 'granted', patienceMs).catch((error: Error) => {
    const [row] = shop.rows('SELECT * FROM payments WHERE reference = ?', reference)
    throw new Error(`${error.message}\n${JSON.stringify(row)}`, { cause: error })
  })
}

async function end(id: number): Promise<boolean> {
  // An end whose answer was lost is no end that can be repeated.
  await shop.api(`/api/admin/sessions/${id}/end`, {}).catch(() => {})
  return shop.session(id).then(
    ({ status }) => status === 'expired',
    () => false,
  )
}

/** Asks until it is answered, as an app would. */
function insist<T>(what: string, ask: () => Promise<T>): Promise<NonNullable<T>> {
  return until(what, ask, patienceMs, 150)
}

/** @returns false when there was no answer, or none of the box's own @throws Error for a refusal: none is expected here */
function isDone({ status, body }: { status: number; body: unknown }): boolean {
  if (status >= 400 && status < 500) throw new Error(`refused: ${status} ${JSON.stringify(body)}`)
  return status === 200 || status === 201
}

/** Ends processes without warning until it was often enough; the lab starts them again, as systemd does on the box. */
async function killAtRandom(chance: Chance) {
  const landed: { victim: string; steps: string[] }[] = []
  const since = new Map<number, number>()
  while (landed.length < kills) {
    await sleep(chance.between(100, 900))
    const alive = victims.map((name) => ({ name, pid: shop.lab.box.units.pid(name) })).filter(({ pid }) => pid !== null)
    for (const { pid } of alive) if (!since.has(pid!)) since.set(pid!, performance.now())
    // Who is killed again and again while it starts never comes to where money moves.
    const grown = alive.filter(({ pid }) => performance.now() - since.get(pid!)! >= chance.between(0, grownMs))
    if (grown.length === 0) continue
    const { name } = chance.one(grown)
    const steps = stepsUnderWay()
    shop.lab.kill(name, 'SIGKILL')
    landed.push({ victim: name, steps })
    // Nor does anything come to its end in a box that never has a moment to itself.
    if (landed.length % calmEvery === 0) await sleep(calmMs)
  }
  return landed
}

function stepsUnderWay(): string[] {
  const found = shop.rows<{ step: string }>(
    "SELECT iif(status = 'paid', 'open', status) AS step FROM payments WHERE status IN ('asked', 'pending') OR (status = 'paid' AND granted_at IS NULL)",
  )
  return found.map(({ step }) => step)
}

function behaviourBy(chance: Chance): Behaviour {
  const callbacks = chance.one([
    { way: 'send', lateMs: 0, times: 1 },
    { way: 'send', lateMs: chance.between(200, 2000), times: 1 },
    { way: 'send', lateMs: 0, times: 2 },
    { way: 'drop', lateMs: 0, times: 1 },
  ] as const)
  return { does: 'approve', afterMs: chance.between(0, 600), callbacks }
}

function failingBy(chance: Chance): Failing {
  const how = chance.one(['503', '503-after', '429', 'hang-up', 'hang-up-after'] as const)
  return { how, call: chance.one(['token', 'requesttopay', 'status']) }
}

/** Chances that come out the same for the same seed (mulberry32). */
function createChance(from: number) {
  let state = from >>> 0
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
  const between = (least: number, most: number) => least + Math.floor(next() * (most - least + 1))
  return {
    is: (probability: number) => next() < probability,
    between,
    one: <T>(choices: readonly T[]): T => choices[between(0, choices.length - 1)]!,
  }
}

function tally(names: string[]): string {
  const counts = Map.groupBy(names, (name) => name)
  return [...counts].map(([name, all]) => `${all.length} ${name}`).join(', ')
}
