import test from 'ava'
import type { Refusal } from '#server/errors.ts'
import { DAY, MINUTE, SECOND } from '#server/units.ts'
import { ada, ben, openBed, phone1, phone2, type Bed } from './till-bed.ts'

const mac = (n: number) => `02:00:00:00:01:${n.toString(16).padStart(2, '0')}`
const number = (n: number) => `2567700000${String(n).padStart(2, '0')}`

/** Asks for money and gives up at once. */
async function askInVain(bed: Bed, phone: string, device: string, packageId: number): Promise<void> {
  const payment = await bed.order(bed.asker(phone, device), packageId)
  await bed.step(payment)
  await bed.giveUp(payment)
}

const seconds = (refusal: Refusal | undefined) => Number(refusal?.facts?.['retryAfterSeconds'])

for (const [what, asker] of [
  ['one number', (n: number) => [ada, mac(n)]],
  ['one device', (n: number) => [number(n), phone1]],
] as const)
  test(`no phone is rung without end: ${what} puts four unpaid questions in a quarter of an hour`, async (t) => {
    const bed = await openBed(t)
    const sold = await bed.sell()
    for (let n = 0; n < 4; n++) await askInVain(bed, ...(asker(n) as [string, string]), sold.id)
    const fifth = () => askInVain(bed, ...(asker(5) as [string, string]), sold.id)
    const refusal = await t.throwsAsync<Refusal>(fifth, { code: 'too-many-tries' })
    t.is(bed.momo.asked.length, 4, 'nobody was asked a fifth time')
    const wait = seconds(refusal)
    t.true(wait > 0 && wait <= 15 * 60, `${wait} s`)
    bed.forward(wait * SECOND)
    await t.notThrowsAsync(fifth, 'it says truly how long to wait')
  })

test('a number puts twelve unpaid questions in a day', async (t) => {
  const bed = await openBed(t)
  const sold = await bed.sell()
  for (let n = 0; n < 12; n++) {
    await askInVain(bed, ada, phone1, sold.id)
    bed.forward(16 * MINUTE)
  }
  const refusal = await t.throwsAsync<Refusal>(askInVain(bed, ada, phone1, sold.id), { code: 'too-many-tries' })
  t.true(seconds(refusal) > 3600 && seconds(refusal) <= 86_400)
  bed.forward(seconds(refusal) * SECOND)
  await t.notThrowsAsync(askInVain(bed, ada, phone1, sold.id))
})

test('whoever pays may buy again as often as they like; at the counter everybody may', async (t) => {
  const bed = await openBed(t)
  const sold = await bed.sell()
  for (let n = 0; n < 6; n++) await bed.buy(bed.asker(ada, phone1), sold.id, { topUp: true })
  for (let n = 0; n < 4; n++) await askInVain(bed, ben, phone2, sold.id)
  await t.throwsAsync(askInVain(bed, ben, phone2, sold.id), { code: 'too-many-tries' })
  t.is((await bed.ask(bed.asker(ben, phone2), sold.id, { provider: 'cash' })).outcome, 'asked')
})

test('the same wish sent again is no further question', async (t) => {
  const bed = await openBed(t)
  const sold = await bed.sell()
  for (let n = 0; n < 4; n++) await askInVain(bed, ada, phone1, sold.id)
  const last = (await bed.payments.latestOf([ada]))!
  for (let n = 0; n < 5; n++) {
    const again = await bed.ask(bed.asker(ada, phone1), sold.id, { key: last.key })
    t.is(again.payment!.id, last.id)
  }
  t.is(bed.momo.asked.length, 4)
})

test('callbacks of one payment fill no disk: twenty are kept, short, and the others counted', async (t) => {
  const bed = await openBed(t)
  const sold = await bed.sell()
  const [mine, other] = [await bed.order(bed.asker(ada, phone1), sold.id), await bed.order(bed.asker(ben, phone2), sold.id)]
  const hear = (reference: string, body: string) => bed.payments.hear('mtn-momo', { headers: {}, body, pathReference: reference }, () => {})
  for (let n = 0; n < 150; n++) await hear(mine.reference, `${n} ${'x'.repeat(40_000)}`)
  await Promise.all(Array.from({ length: 150 }, (_, n) => hear(mine.reference, `at once ${n} ${'x'.repeat(40_000)}`)))
  const kept = await bed.payments.inboxOf(mine)
  t.is(kept.length, 20)
  t.true(kept.every(({ body }) => body.length <= 8192))
  t.is(
    kept.reduce((sum, { times }) => sum + times, 0),
    300,
  )
  await hear(other.reference, 'of another payment')
  t.is((await bed.payments.inboxOf(other)).length, 1)
})

test('callbacks have a payment looked at once a second at most, and never when it is paid', async (t) => {
  const bed = await openBed(t)
  const sold = await bed.sell()
  const payment = await bed.order(bed.asker(ada, phone1), sold.id)
  const hurried: number[] = []
  let n = 0
  const hear = () => {
    const body = `call ${++n}`
    return bed.payments.hear('mtn-momo', { headers: {}, body, pathReference: payment.reference }, (id) => hurried.push(id))
  }
  for (let call = 0; call < 5; call++) await hear()
  t.deepEqual(hurried, [payment.id])
  for (let call = 0; call < 10; call++) {
    bed.forward(600)
    await hear()
  }
  t.true(hurried.length >= 4 && hurried.length <= 7, `${hurried.length} times in six seconds: those that come too soon put off no others`)
  await bed.step(payment)
  bed.confirm(payment)
  await bed.step(payment)
  hurried.length = 0
  bed.forward(MINUTE)
  await hear()
  t.deepEqual(hurried, [])
})

const pages = (bed: Bed, phone: string, device: string, packageId: number) =>
  bed.order(bed.asker(phone, device), packageId, { provider: 'paystack' })

for (const [what, asker] of [
  ['one device', (n: number) => [number(n), phone1]],
  ['one number', (n: number) => [ada, mac(n)]],
] as const)
  test(`${what} has a way to pages for paying three times a day, and no more internet by it`, async (t) => {
    const bed = await openBed(t)
    const sold = await bed.sell()
    const windowOf = async (n: number) => {
      const payment = await pages(bed, ...(asker(n) as [string, string]), sold.id)
      await bed.step(payment)
      const { windowUntil, status, checkoutUrl } = await bed.find(payment)
      t.is(status, 'pending')
      t.not(checkoutUrl, null, 'it can be paid in any case, if not by this Wi-Fi')
      await bed.giveUp(payment)
      bed.forward(16 * MINUTE)
      return windowUntil
    }
    for (let n = 0; n < 3; n++) t.not(await windowOf(n), null)
    t.is(await windowOf(3), null)
    bed.forward(DAY)
    t.not(await windowOf(4), null, 'the next day it may again')
  })

test('at most twenty devices have a way to pages at once', async (t) => {
  const bed = await openBed(t)
  const sold = await bed.sell()
  const payments = []
  for (let n = 0; n < 22; n++) {
    const payment = await pages(bed, number(n), mac(n), sold.id)
    await bed.step(payment)
    payments.push(payment)
  }
  t.is((await bed.windows.grants()).length, 20)
  t.is((await bed.find(payments[21]!)).windowUntil, null)
  bed.confirm(payments[0]!)
  await bed.step(payments[0]!)
  const next = await pages(bed, ada, phone1, sold.id)
  await bed.step(next)
  t.true(
    (await bed.windows.grants()).some(({ devices }) => devices[0]!.mac === phone1),
    'who paid makes room',
  )
})

test('a device has one way to a page, that of its newest payment, whoever asks on it', async (t) => {
  const bed = await openBed(t)
  const sold = await bed.sell()
  const first = await pages(bed, ada, phone1, sold.id)
  await bed.step(first)
  const second = await pages(bed, ben, phone1, sold.id)
  await bed.step(second)
  const wanted = await bed.windows.grants()
  t.is(wanted.length, 1)
  t.deepEqual(
    bed.gateway.grants().map(({ session }) => session),
    [wanted[0]!.session],
    'the gateway has that one and no other',
  )
  await bed.giveUp(second)
  await bed.poll()
  t.true(bed.gateway.grants().length <= 1)
})

test('a way to a page ends with its payment, given up or made', async (t) => {
  const bed = await openBed(t)
  const sold = await bed.sell()
  const given = await pages(bed, ada, phone1, sold.id)
  await bed.step(given)
  await bed.giveUp(given)
  t.deepEqual(await bed.windows.grants(), [])
  const paid = await pages(bed, ben, phone2, sold.id)
  await bed.step(paid)
  bed.confirm(paid)
  await bed.step(paid)
  t.deepEqual(await bed.windows.grants(), [])
  t.deepEqual(await bed.online(), [phone2])
})
