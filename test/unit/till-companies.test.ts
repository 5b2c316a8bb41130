import test from 'ava'
import { ProviderTrouble } from '#server/payments/provider.ts'
import { DAY, HOUR, MINUTE, SECOND } from '#server/units.ts'
import { ada, ben, openBed, phone1, phone2, until, type Bed } from './till-bed.ts'

const mac = (n: number) => `02:00:00:00:01:${n.toString(16).padStart(2, '0')}`
const number = (n: number) => `2567700000${String(n).padStart(2, '0')}`
const declined = { state: 'failed', reason: 'declined', detail: 'card declined' } as const

/** The worker's seconds go by, five at a time, until something is so. @returns how long it took, ms; undefined: longer than allowed */
async function watch(bed: Bed, isSo: () => Promise<boolean>, atMostMs: number): Promise<number | undefined> {
  for (let waited = 0; waited <= atMostMs; waited += 5 * SECOND) {
    await bed.step()
    if (await isSo()) return waited
    bed.forward(5 * SECOND)
  }
  return undefined
}

test('a company that answers nobody holds up nobody who pays by another', async (t) => {
  const bed = await openBed(t)
  const sold = await bed.sell()
  const { promise, resolve: letGo } = Promise.withResolvers<void>()
  bed.momo.hangs = promise
  for (let n = 0; n < 12; n++) await bed.order(bed.asker(number(n), mac(n)), sold.id)
  bed.forward(SECOND)
  const other = await bed.order(bed.asker(ada, phone1), sold.id, { provider: 'paystack' })
  const first = bed.step()
  await until(() => bed.paystack.asked.includes(other.reference), 'Paystack was asked')
  t.true(bed.momo.asked.length <= 10, 'MTN allows ten questions a second')
  bed.forward(SECOND)
  const second = bed.step()
  await until(() => bed.momo.asked.length === 12, 'those who came later were asked too')
  letGo()
  await Promise.all([first, second])
  t.is(new Set(bed.momo.asked).size, 12)
  t.is(bed.momo.asked.length, 12, 'nobody was asked twice meanwhile')
})

test('many who must be looked at with one company take no turn of those of another', async (t) => {
  const bed = await openBed(t)
  const sold = await bed.sell()
  for (let n = 0; n < 20; n++) await bed.order(bed.asker(number(n), mac(n)), sold.id)
  bed.forward(MINUTE)
  const other = await bed.order(bed.asker(ada, phone1), sold.id, { provider: 'paystack' })
  await bed.step()
  t.is(bed.momo.asked.length, 8)
  t.deepEqual(bed.paystack.asked, [other.reference])
})

test('a declined card is not the end: another card on the same page is credited within seconds', async (t) => {
  const bed = await openBed(t)
  const sold = await bed.sell()
  const payment = await bed.order(bed.asker(ada, phone1), sold.id, { provider: 'paystack' })
  await bed.step(payment)
  bed.forward(MINUTE)
  bed.paystack.says.set(payment.reference, declined)
  await bed.step()
  t.like(await bed.find(payment), { status: 'pending', detail: 'card declined' })
  await watch(bed, async () => false, 2 * MINUTE)
  bed.confirm(payment)
  const took = await watch(bed, async () => (await bed.find(payment)).status === 'paid', MINUTE)
  t.true(took !== undefined && took <= 10 * SECOND, `it took ${took} ms`)
})

test('another card after the time of the page is found too, without any callback', async (t) => {
  const bed = await openBed(t)
  const sold = await bed.sell()
  const payment = await bed.order(bed.asker(ada, phone1), sold.id, { provider: 'paystack' })
  await bed.step(payment)
  bed.paystack.says.set(payment.reference, declined)
  await watch(bed, async () => false, 31 * MINUTE)
  t.like(await bed.find(payment), { status: 'failed', reason: 'declined' })
  t.not((await bed.find(payment)).nextAt, null)
  bed.confirm(payment)
  const took = await watch(bed, async () => (await bed.find(payment)).status === 'paid', 2 * HOUR)
  t.true(took !== undefined && took <= HOUR, `it took ${took} ms`)
  t.true(await bed.isAlive(ada))
})

test('a page that nobody paid on for a day is looked at no more', async (t) => {
  const bed = await openBed(t)
  const sold = await bed.sell()
  const payment = await bed.order(bed.asker(ada, phone1), sold.id, { provider: 'paystack' })
  await bed.step(payment)
  bed.paystack.says.set(payment.reference, declined)
  for (let hours = 0; hours < 26; hours++) {
    bed.forward(HOUR)
    await bed.step()
  }
  t.like(await bed.find(payment), { status: 'failed', nextAt: null })
})

test('after a declined card the device can still reach the page', async (t) => {
  const bed = await openBed(t)
  const sold = await bed.sell()
  const payment = await bed.order(bed.asker(ada, phone1), sold.id, { provider: 'paystack' })
  await bed.step(payment)
  t.is((await bed.windows.grants()).length, 1)
  bed.forward(MINUTE)
  bed.paystack.says.set(payment.reference, declined)
  await bed.step()
  t.deepEqual(
    (await bed.windows.grants()).map(({ devices }) => devices[0]!.mac),
    [phone1],
  )
})

test('while a page on which a card was declined can be paid, no second payment is begun', async (t) => {
  const bed = await openBed(t)
  const sold = await bed.sell()
  const payment = await bed.order(bed.asker(ada, phone1), sold.id, { provider: 'paystack' })
  await bed.step(payment)
  bed.paystack.says.set(payment.reference, declined)
  bed.forward(MINUTE)
  await bed.step()
  const again = await bed.ask(bed.asker(ada, phone1), sold.id)
  t.is(again.outcome, 'pending')
  t.is(again.payment!.id, payment.id)
})

for (const [when, ms] of [
  ['while the page is open', 0],
  ['when its time is over and it is still looked at', 31 * MINUTE],
] as const)
  test(`nobody chooses a PIN for a number whose card was declined, ${when}`, async (t) => {
    const bed = await openBed(t)
    const sold = await bed.sell()
    await bed.customers.signIn({ phone: `+${ada}`, pin: '4711', isNew: true }, 'home')
    const payment = await bed.order(bed.asker(ada, phone1), sold.id, { provider: 'paystack' })
    await bed.step(payment)
    bed.paystack.says.set(payment.reference, declined)
    await watch(bed, async () => false, MINUTE + ms)
    await t.throwsAsync(bed.customers.signIn({ phone: `+${ada}`, pin: '9305', isNew: true }, 'elsewhere'), { code: 'not-signed-in' })
    await t.notThrowsAsync(bed.customers.signIn({ phone: `+${ada}`, pin: '4711', isNew: false }, 'home'))
  })

test('given up before its company has listed it: the money is found all the same, and nobody is asked again', async (t) => {
  const bed = await openBed(t)
  const sold = await bed.sell()
  const payment = await bed.order(bed.asker(ada, phone1), sold.id)
  await bed.step(payment)
  await bed.giveUp(payment)
  bed.momo.says.set(payment.reference, { state: 'unknown' })
  await bed.step(payment)
  t.not((await bed.find(payment)).nextAt, null)
  bed.forward(6 * MINUTE)
  await bed.step()
  t.not((await bed.find(payment)).nextAt, null, 'within two minutes of its time it may still come')
  bed.confirm(payment)
  t.not(await watch(bed, async () => (await bed.find(payment)).status === 'paid', 5 * MINUTE), undefined)
  t.deepEqual(bed.momo.asked, [payment.reference])
})

test('what a company never heard of is given up two minutes after its time', async (t) => {
  const bed = await openBed(t)
  const sold = await bed.sell()
  const payment = await bed.order(bed.asker(ada, phone1), sold.id)
  await bed.step(payment)
  await bed.giveUp(payment)
  bed.momo.says.set(payment.reference, { state: 'unknown' })
  await watch(bed, async () => (await bed.find(payment)).status === 'failed', HOUR)
  t.like(await bed.find(payment), { status: 'failed', reason: 'given-up', nextAt: null })
  t.true(bed.clock.at - payment.createdAt >= 7 * MINUTE)
})

test('a payment that the box cannot credit is tried again less and less often, and staff are told', async (t) => {
  const bed = await openBed(t)
  const sold = await bed.sell()
  const first = await bed.buy(bed.asker(ada, phone1), sold.id)
  const twin = await bed.order(bed.asker(ben, phone2), sold.id)
  await bed.step(twin)
  bed.confirm(twin, { providerReference: first.providerReference! })
  const before = bed.momo.looked.length
  await watch(bed, async () => false, 2 * MINUTE)
  const looks = bed.momo.looked.length - before
  t.true(looks > 1 && looks <= 10, `${looks} looks in two minutes`)
  const now = await bed.find(twin)
  t.true(now.nextAt! > bed.clock.at - 5 * SECOND && now.attempts > 1)
  t.deepEqual(
    (await bed.payments.needingSomebody()).map(({ id }) => id),
    [twin.id],
  )
  bed.confirm(twin, { providerReference: 'its own' })
  t.not(await watch(bed, async () => (await bed.find(twin)).status === 'paid', 5 * MINUTE), undefined)
  t.deepEqual(await bed.payments.needingSomebody(), [])
})

test('eight payments that the box cannot credit keep nobody else waiting', async (t) => {
  const bed = await openBed(t)
  const sold = await bed.sell()
  const first = await bed.buy(bed.asker(ada, phone1), sold.id)
  for (let n = 0; n < 8; n++) {
    const twin = await bed.order(bed.asker(number(n), mac(n)), sold.id)
    await bed.step(twin)
    bed.confirm(twin, { providerReference: first.providerReference! })
  }
  bed.forward(5 * SECOND)
  await bed.step()
  bed.forward(SECOND)
  const other = await bed.order(bed.asker(ben, phone2), sold.id)
  await bed.step()
  t.true(bed.momo.asked.includes(other.reference))
})

test('cash that is taken in the moment in which its number runs out stays taken', async (t) => {
  const bed = await openBed(t)
  const sold = await bed.sell()
  const counter = await bed.order(bed.asker(null, phone1), sold.id, { provider: 'cash' })
  bed.forward(HOUR + SECOND)
  bed.desk.meanwhile = async () => void (await bed.credit.credit(await bed.find(counter), { cashier: 'Cleo' }))
  await bed.step()
  t.like(await bed.find(counter), { status: 'paid', reason: null, failedAt: null, outcome: 'opened' })
  t.deepEqual(await bed.online(), [phone1])
})

test('an answer from before changes nothing of a payment that was credited meanwhile', async (t) => {
  const bed = await openBed(t)
  const sold = await bed.sell()
  for (const answer of [declined, { state: 'pending' }, { state: 'unknown' }] as const) {
    const payment = await bed.order(bed.asker(ada, phone1), sold.id, { topUp: true })
    await bed.step(payment)
    bed.momo.says.set(payment.reference, answer)
    bed.momo.meanwhile = async () => {
      const truth = { state: 'paid', amountMinor: payment.amountMinor, currency: 'UGX', providerReference: payment.reference } as const
      await bed.credit.credit(await bed.find(payment), truth)
    }
    await bed.step(payment)
    t.like(await bed.find(payment), { status: 'paid', reason: null, nextAt: null, detail: '' }, answer.state)
  }
})

test('a refund that is asked for while an answer from before is on its way is done', async (t) => {
  for (const answer of [declined, { state: 'pending' }] as const) {
    const bed = await openBed(t)
    const sold = await bed.sell()
    const payment = await bed.order(bed.asker(ada, phone1), sold.id)
    await bed.step(payment)
    bed.momo.says.set(payment.reference, declined)
    await bed.step(payment)
    t.is((await bed.find(payment)).status, 'failed')
    // A late callback has it looked at; while the company answers, somebody else credits it and gives it back.
    bed.momo.says.set(payment.reference, answer)
    bed.momo.meanwhile = async () => {
      const truth = { state: 'paid', amountMinor: payment.amountMinor, currency: 'UGX', providerReference: payment.reference } as const
      await bed.credit.credit(await bed.find(payment), truth)
      await bed.refund(payment)
    }
    await bed.step(payment)
    t.not(await watch(bed, async () => (await bed.find(payment)).refund === 'done', 2 * MINUTE), undefined)
    t.is(bed.momo.refunds.length, 1)
  }
})

test('money that came in another amount is given back as it came', async (t) => {
  const bed = await openBed(t)
  const sold = await bed.sell()
  const payment = await bed.order(bed.asker(ada, phone1), sold.id)
  await bed.step(payment)
  bed.confirm(payment, { amountMinor: 600, providerReference: 'tx-short' })
  await bed.step(payment)
  const failed = await bed.find(payment)
  t.like(failed, { status: 'failed', reason: 'wrong-amount', providerReference: 'tx-short', sessionId: null })
  t.true(bed.payments.staffView(failed).canRefund)
  t.deepEqual(
    (await bed.payments.needingSomebody()).map(({ id }) => id),
    [payment.id],
  )
  await bed.refund(payment)
  await bed.step(payment)
  t.deepEqual(bed.momo.refunds, [{ reference: payment.reference, providerReference: 'tx-short', amountMinor: 600, currency: 'UGX' }])
  t.like(await bed.find(payment), { refund: 'done', status: 'failed', sessionId: null })
  t.deepEqual(await bed.payments.needingSomebody(), [])
  bed.forward(DAY)
  await bed.step(payment)
  t.is((await bed.find(payment)).sessionId, null, 'what went back opens nothing')
  await t.throwsAsync(bed.refund(payment), { code: 'conflict' })
})

test('a company that gives no answer to a refund is asked again, and what was bought stays until it is done', async (t) => {
  const bed = await openBed(t)
  const sold = await bed.sell()
  const payment = await bed.buy(bed.asker(ada, phone1), sold.id)
  await bed.refund(payment)
  bed.momo.meanwhile = () => Promise.reject(new ProviderTrouble('no answer'))
  await bed.step(payment)
  t.like(await bed.find(payment), { refund: 'asked', refundDetail: 'no answer' })
  t.true(await bed.isAlive(ada))
  t.not(await watch(bed, async () => (await bed.find(payment)).refund === 'done', MINUTE), undefined)
  t.false(await bed.isAlive(ada))
})
