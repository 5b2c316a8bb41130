import test from 'ava'
import fc from 'fast-check'
import { decimalsOf, formatMoney, fromDecimal, toDecimal } from '#server/money.ts'
import { parsePhone } from '#server/phone.ts'
import { createSeal } from '#server/seal.ts'

test('currencies have the decimals of ISO 4217', (t) => {
  t.deepEqual(
    ['UGX', 'NGN', 'KES', 'RWF', 'XOF', 'GHS', 'EUR'].map((currency) => decimalsOf(currency)),
    [0, 2, 2, 0, 0, 2, 2],
  )
})

test('minor units become the decimals that providers take, and come back', (t) => {
  t.is(toDecimal(500, 'UGX'), '500')
  t.is(toDecimal(50_005, 'NGN'), '500.05')
  t.is(toDecimal(5, 'NGN'), '0.05')
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 1e12 }),
      fc.constantFrom('UGX', 'NGN', 'KES'),
      (minor, currency) => fromDecimal(toDecimal(minor, currency), currency) === minor,
    ),
  )
})

test('an amount is read however a provider writes it', (t) => {
  for (const amount of ['500', '500.00', '500.0', 500, ' 500 ']) t.is(fromDecimal(amount, 'UGX'), 500, String(amount))
  t.is(fromDecimal('500.5', 'NGN'), 50_050)
})

test('what is no amount of the currency is none', (t) => {
  for (const amount of ['', 'abc', '-5', '1e3', null, undefined, {}, '500.5', '12345678901234'])
    t.is(fromDecimal(amount, 'UGX'), null, String(amount))
})

test('money is written as people know it', (t) => {
  t.is(formatMoney(50_000, 'NGN'), '₦500')
  t.is(formatMoney(50_050, 'NGN'), '₦500.50')
  t.regex(formatMoney(1500, 'UGX'), /1,500/)
})

const numbers: [typed: string, country: string, phone: string | null][] = [
  ['0771 234567', 'UG', '256771234567'],
  ['+256 771 234567', 'NG', '256771234567'],
  ['256771234567', 'UG', '256771234567'],
  ['256771234567', 'NG', '256771234567'],
  ['00256771234567', 'KE', '256771234567'],
  ['08031234567', 'NG', '2348031234567'],
  ['(0803) 123-4567', 'NG', '2348031234567'],
  ['12', 'UG', null],
  ['hello', 'UG', null],
  ['', 'UG', null],
]
for (const [typed, country, phone] of numbers)
  test(`"${typed}" in ${country} is ${phone ?? 'no number'}`, (t) => t.is(parsePhone(typed, country), phone))

test('a secret that is sealed opens with the same box and use only, and never twice looks the same', (t) => {
  const seal = createSeal('box', 'accounts')
  const sealed = seal.close('sk_live_1')
  t.false(sealed.includes('sk_live_1'))
  t.not(seal.close('sk_live_1'), sealed)
  t.is(createSeal('box', 'accounts').open(sealed), 'sk_live_1')
  t.throws(() => createSeal('another box', 'accounts').open(sealed))
  t.throws(() => createSeal('box', 'messages').open(sealed))
  t.throws(() => seal.open(`${sealed.slice(0, -2)}AA`))
  t.throws(() => seal.open('nonsense'))
})
