import test, { type ExecutionContext } from 'ava'
import fc from 'fast-check'
import type { Refusal } from '#server/errors.ts'
import { createLoyalty } from '#server/loyalty/loyalty.ts'
import { insertPurchases } from './purchases.ts'
import { openTestStore } from './store.ts'

const phone = '256771234567'
const at = 1_789_000_000_000

async function setUp(t: ExecutionContext, purchases = 4) {
  const store = await openTestStore(t)
  const clock = { at }
  const loyalty = createLoyalty({ store, now: () => clock.at })
  const ids = await insertPurchases(store, at, purchases)
  const earn = (purchaseId: number, amountMinor: number, whose = phone) =>
    store.transaction((tx) => loyalty.earn(tx, { phone: whose, purchaseId, amountMinor, pointsPerMinor: 100 }))
  const spend = (purchaseId: number, points: number, key = `key ${purchaseId}`, whose = phone) =>
    store.transaction((tx) => loyalty.spend(tx, { phone: whose, points, purchaseId, key }))
  const takeBack = (purchaseId: number) => store.transaction((tx) => loyalty.takeBack(tx, purchaseId, 'refunded'))
  const balance = (whose = phone) => loyalty.balance(store.db, whose)
  return { store, clock, loyalty, ids, earn, spend, takeBack, balance }
}

test('a purchase earns whole points, and a second time none', async (t) => {
  const { ids, earn, balance, store } = await setUp(t)
  t.is(await earn(ids[0]!, 1099), 10)
  t.is(await earn(ids[0]!, 1099), 10)
  t.is(await balance(), 10)
  t.is(await earn(ids[1]!, 99), 0)
  t.is((await store.db('points')).length, 1, 'nothing earned, nothing written down')
})

test('points are redeemed once for a key', async (t) => {
  const { ids, earn, spend, balance } = await setUp(t)
  await earn(ids[0]!, 2000)
  await spend(ids[1]!, 8, 'one')
  await spend(ids[1]!, 8, 'one')
  t.is(await balance(), 12)
  await t.throwsAsync(spend(ids[2]!, 8, 'one'), { code: 'conflict' })
  t.is(await balance(), 12)
})

test('who has too few points is told how many, and how many it needs', async (t) => {
  const { ids, earn, spend, balance } = await setUp(t)
  await earn(ids[0]!, 700)
  const refusal = await t.throwsAsync<Refusal>(spend(ids[1]!, 8))
  t.like(refusal, { code: 'points-short', status: 409, facts: { balance: 7, price: 8 } })
  t.is(await balance(), 7)
})

test('many redemptions at once never spend more than there is', async (t) => {
  const { ids, earn, spend, balance } = await setUp(t, 30)
  await earn(ids[0]!, 2500)
  const results = await Promise.allSettled(ids.slice(1).map((id) => spend(id, 10)))
  t.is(results.filter(({ status }) => status === 'fulfilled').length, 2)
  t.is(await balance(), 5)
})

test('a refunded purchase takes back what it earned, even from a customer who has spent it, once', async (t) => {
  const { ids, earn, spend, takeBack, balance } = await setUp(t)
  await earn(ids[0]!, 1000)
  await spend(ids[1]!, 9)
  await takeBack(ids[0]!)
  await takeBack(ids[0]!)
  t.is(await balance(), -9)
})

test('a refunded redemption gives its points back, once', async (t) => {
  const { ids, earn, spend, takeBack, balance } = await setUp(t)
  await earn(ids[0]!, 1000)
  await spend(ids[1]!, 9)
  await takeBack(ids[1]!)
  await takeBack(ids[1]!)
  t.is(await balance(), 10)
  await t.notThrowsAsync(takeBack(ids[2]!), 'a purchase without points')
})

test('a page has the balance of everything and the last fifty entries, newest first', async (t) => {
  const { loyalty, clock } = await setUp(t)
  for (let index = 1; index <= 60; index++) {
    clock.at = at + index
    await loyalty.correct(phone, { delta: 1, reason: `reason ${index}` }, 'ada')
  }
  const { balance, entries } = await loyalty.page(phone)
  t.is(balance, 60)
  t.is(entries.length, 50)
  t.like(entries[0], { delta: 1, kind: 'corrected', reason: 'reason 60', by: 'ada', at: new Date(at + 60).toISOString() })
})

test('points outstanding are those of customers who have some; who is forgotten has none', async (t) => {
  const { loyalty, store, ids, earn, takeBack, spend } = await setUp(t)
  await earn(ids[0]!, 1000)
  await earn(ids[1]!, 500, '256700000001')
  await spend(ids[2]!, 5, 'k', '256700000001')
  await takeBack(ids[1]!)
  await loyalty.correct('256700000002', { delta: 3, reason: 'sorry' }, 'ada')
  t.is(await loyalty.balance(store.db, '256700000001'), -5)
  t.is(await loyalty.outstanding(store.db), 13)
  await store.transaction((tx) => loyalty.forget(tx, phone))
  t.is(await loyalty.outstanding(), 3)
  t.deepEqual(await loyalty.page(phone), { balance: 0, entries: [] })
})

test('whatever happens, a balance is the sum of what happened, and spending never takes it below nothing', async (t) => {
  const { store, ids, loyalty, earn, spend, takeBack, balance } = await setUp(t, 6)
  const purchase = fc.nat({ max: 5 })
  const step = fc.oneof(
    fc.record({ what: fc.constant('earn' as const), purchase, amount: fc.nat({ max: 5000 }) }),
    fc.record({ what: fc.constant('spend' as const), purchase, amount: fc.integer({ min: 1, max: 40 }) }),
    fc.record({ what: fc.constant('take back' as const), purchase }),
    fc.record({ what: fc.constant('correct' as const), amount: fc.integer({ min: -30, max: 30 }) }),
  )
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 25 }), async (steps) => {
      await store.db('points').delete()
      const earned = new Map<number, number>()
      const spent = new Map<number, number>()
      const undone = new Map<number, number>()
      let corrected = 0
      const sum = (of: Map<number, number>) => [...of.values()].reduce((total, points) => total + points, 0)
      const expected = () => sum(earned) - sum(spent) + sum(undone) + corrected
      for (const one of steps) {
        const id = 'purchase' in one ? ids[one.purchase]! : 0
        if (one.what === 'earn') {
          // As in the shop: a purchase that was refunded or paid with points earns nothing any more.
          if (undone.has(id) || spent.has(id)) continue
          const points = earned.get(id) ?? Math.floor(one.amount / 100)
          if (points > 0) earned.set(id, points)
          t.is(await earn(id, one.amount), earned.has(id) ? points : 0)
        } else if (one.what === 'spend') {
          if (undone.has(id) || earned.has(id)) continue
          const isEnough = spent.has(id) || expected() >= one.amount
          const isDone = await spend(id, one.amount).then(
            () => true,
            () => false,
          )
          t.is(isDone, isEnough)
          if (isDone && !spent.has(id)) spent.set(id, one.amount)
        } else if (one.what === 'take back') {
          const delta = (spent.get(id) ?? 0) - (earned.get(id) ?? 0)
          if (delta !== 0) undone.set(id, delta)
          await takeBack(id)
        } else {
          corrected += one.amount
          await loyalty.correct(phone, { delta: one.amount, reason: 'test' }, 'ada')
        }
        t.is(await balance(), expected())
      }
    }),
    { numRuns: 40 },
  )
})
