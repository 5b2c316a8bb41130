import test from 'ava'
import { assert, integer, property } from 'fast-check'
import { accentColours, contrast } from '../../web/shared/accent.ts'
import {
  bytes,
  countdown,
  countdownWords,
  counted,
  duration,
  groupedCode,
  money,
  percentUsed,
  plainCode,
  price,
  speed,
  speedLimit,
  usedOf,
} from '../../web/shared/format.ts'

const KB = 1024
const MB = 1024 * KB
const GB = 1024 * MB

test('sizes count in 1,024s and carry one decimal only where it tells something', (t) => {
  const cases: [number, string][] = [
    [0, '0 bytes'],
    [1, '1 byte'],
    [1023, '1,023 bytes'],
    [KB, '1 KB'],
    [MB - 1, '1 MB'],
    [MB, '1 MB'],
    [52_428_800, '50 MB'],
    [1.5 * MB, '1.5 MB'],
    [412.4 * MB, '412 MB'],
    [1023.4 * MB, '1,023 MB'],
    [1023.6 * MB, '1 GB'],
    [1_073_741_824, '1 GB'],
    [Math.floor(2.1 * GB), '2.1 GB'],
    [5 * GB, '5 GB'],
    [20 * GB, '20 GB'],
    [1024 * GB, '1 TB'],
    [-5, '0 bytes'],
  ]
  for (const [size, text] of cases) t.is(bytes(size), text)
})

test('the meter reads "2.1 GB of 5 GB"', (t) => {
  t.deepEqual(usedOf(Math.round(2.1 * GB), 5 * GB), { used: '2.1 GB', limit: '5 GB' })
  t.deepEqual(usedOf(0, 5 * GB), { used: '0 bytes', limit: '5 GB' })
})

test('the meter never reads as used up while a byte is left', (t) => {
  t.deepEqual(usedOf(5 * GB - 1, 5 * GB), { used: '4.99 GB', limit: '5 GB' })
  t.deepEqual(usedOf(GB - 1, GB), { used: '0.99 GB', limit: '1 GB' })
  t.deepEqual(usedOf(5 * GB, 5 * GB), { used: '5 GB', limit: '5 GB' })
  assert(
    property(integer({ min: MB, max: 100 * GB }), integer({ min: 1, max: 100 * GB }), (limit, left) => {
      const text = usedOf(Math.max(0, limit - left), limit)
      t.not(text.used, text.limit)
    }),
  )
})

test('a hundred percent means that nothing is left', (t) => {
  t.is(percentUsed(0, 5 * GB), 0)
  t.is(percentUsed(5 * GB - 1, 5 * GB), 99)
  t.is(percentUsed(5 * GB, 5 * GB), 100)
  t.is(percentUsed(6 * GB, 5 * GB), 100)
})

test('money is shown from minor units, by the digits of its currency', (t) => {
  t.is(money(80_000, 'NGN'), '₦800')
  t.is(money(12_550, 'NGN'), '₦125.50')
  t.is(money(120_000_00, 'NGN'), '₦120,000')
  t.is(money(5000, 'UGX'), 'UGX 5,000')
  t.is(money(199, 'USD'), '$1.99')
  t.is(price(0, 'NGN'), 'Free')
  t.is(price(80_000, 'NGN'), '₦800')
})

test('durations read as they are sold', (t) => {
  const cases: [number, string][] = [
    [45, '45 seconds'],
    [60, '1 minute'],
    [5400, '90 minutes'],
    [3600, '1 hour'],
    [9000, '2.5 hours'],
    [86_400, '24 hours'],
    [129_600, '36 hours'],
    [7 * 86_400, '7 days'],
    [30 * 86_400, '30 days'],
  ]
  for (const [seconds, text] of cases) t.is(duration(seconds), text)
})

test('what is left of the time shows two units at most', (t) => {
  const cases: [number, string, string][] = [
    [0, '0 s', '0 seconds'],
    [-3, '0 s', '0 seconds'],
    [44.2, '45 s', '45 seconds'],
    [754, '12 min 34 s', '12 minutes 34 seconds'],
    [725, '12 min 05 s', '12 minutes 5 seconds'],
    [3600, '1 h 00 min', '1 hour'],
    [11_520, '3 h 12 min', '3 hours 12 minutes'],
    [86_400, '1 d', '1 day'],
    [6 * 86_400 + 4 * 3600 + 59, '6 d 4 h', '6 days 4 hours'],
  ]
  for (const [seconds, short, words] of cases) {
    t.is(countdown(seconds), short)
    t.is(countdownWords(seconds), words)
  }
})

test('speeds count in thousands', (t) => {
  t.is(speed(0), '0 Mbps')
  t.is(speed(400), '1 kbps')
  t.is(speed(512_000), '512 kbps')
  t.is(speed(999_600), '1 Mbps')
  t.is(speed(1_240_000), '1.2 Mbps')
  t.is(speed(10_000_000), '10 Mbps')
  t.is(speed(943_000_000), '943 Mbps')
  t.is(speed(1_000_000_000), '1 Gbps')
  t.is(speedLimit(null), 'Full speed')
})

test('codes are grouped however they were typed', (t) => {
  t.is(groupedCode('abcd efgh'), 'ABCD-EFGH')
  t.is(groupedCode(' 9r-k6–6e 2a\u00a0h6'), '9RK66-E2AH6')
  t.is(groupedCode('123456789012'), '1234-5678-9012')
  t.is(groupedCode(''), '')
  t.is(plainCode('k7qm-4xtr\n'), 'K7QM4XTR')
})

test('counts have their plural', (t) => {
  t.is(counted(1, 'device'), '1 device')
  t.is(counted(0, 'device'), '0 devices')
  t.is(counted(1200, 'voucher'), '1,200 vouchers')
})

test('whatever accent the owner picks, text on it and in it stays readable', (t) => {
  const channel = integer({ min: 0, max: 255 })
  assert(
    property(channel, channel, channel, (red, green, blue) => {
      const accent = `#${[red, green, blue].map((value) => value.toString(16).padStart(2, '0')).join('')}`
      const colours = accentColours(accent)
      return (
        contrast(colours.onAccent, accent) >= 4.5 &&
        contrast(colours.inkLight, '#f6f1e7') >= 4.5 &&
        contrast(colours.inkLight, '#fffdf8') >= 4.5 &&
        contrast(colours.inkDark, '#15120d') >= 4.5 &&
        contrast(colours.inkDark, '#1f1b15') >= 4.5
      )
    }),
    { numRuns: 2000 },
  )
  t.deepEqual(accentColours('#0b7a4b').onAccent, '#ffffff')
  t.not(accentColours('#ffd400').onAccent, '#ffffff')
})
