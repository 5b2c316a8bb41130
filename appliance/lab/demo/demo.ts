/** `npm run demo`: plays one customer from DHCP to expiry, and measures what the box does. */
import { randomInt } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { startCounting } from './counters.ts'
import { createCustomer } from './customer.ts'
import type { Customer } from './customer.ts'
import { endSessionsOf, makeVouchers, openVenue } from './venue.ts'
import type { Venue } from './venue.ts'
import type { Phone } from '../lab.ts'
import { internetAddress } from '../namespaces.ts'
import { run, until } from '../run.ts'

const MB = 1_048_576
const voucherBytes = 8 * MB
const shortestSeconds = 60

type Figure = { what: string; wanted: string; measured: string | number; unit: string; held: boolean }

type Session = { status: string; endReason: string | null; dataLimit: number | null; expiresAt: string | null }

/** Plays on the lab running in `dir`, or on one of its own. Returns 0 when everything held, 1 when not. */
export async function demo({ dir }: { dir: string }): Promise<number> {
  const venue = await openVenue(dir)
  const figures: Figure[] = []
  const note = (figure: Figure) => {
    figures.push(figure)
    console.log(`  ${figure.held ? 'ok ' : 'NO '} ${figure.what}: ${figure.measured} ${figure.unit}`.trimEnd())
  }
  const phones: Phone[] = []
  try {
    const plugIn = async () => {
      const startedMs = performance.now()
      const phone = await venue.addPhone()
      phones.push(phone)
      return { phone, tookMs: performance.now() - startedMs }
    }
    const [one, other] = [await plugIn(), await plugIn()]
    noteLease(one.phone, one.tookMs, note)
    await endSessionsOf(venue, phones)
    // The clock of a session is at least a minute: it runs on a second phone, while the first one browses.
    const [data, time] = await Promise.allSettled([playData(venue, one.phone, note), playTime(venue, other.phone, note)])
    for (const result of [data, time]) {
      if (result.status === 'rejected')
        note({ what: 'played to the end', wanted: 'yes', measured: (result.reason as Error).message, unit: '', held: false })
    }
  } finally {
    await endSessionsOf(venue, phones).catch(() => {})
    for (const phone of phones) await venue.removePhone(phone.namespace)
    await venue.close()
  }
  return report(figures)
}

function noteLease({ ip, lease }: Phone, tookMs: number, note: (figure: Figure) => void): void {
  note({ what: 'DHCP: an address in 10.64.0.0/16', wanted: 'yes', measured: ip, unit: '', held: ip.startsWith('10.64.') })
  const api = lease.captivePortalApi ?? 'nothing'
  note({ what: 'DHCP: option 114', wanted: 'the API', measured: api, unit: '', held: api.endsWith('/captive-portal/api') })
  note({ what: 'DHCP: phone plugged in to address', wanted: '≤ 3000', measured: Math.round(tookMs), unit: 'ms', held: tookMs <= 3000 })
}

/** Probe, redirect, voucher, browsing, top-up while alive, depletion. */
async function playData(venue: Venue, phone: Phone, note: (figure: Figure) => void): Promise<void> {
  const customer = createCustomer({ namespace: phone.namespace, portalHost: venue.portalHost })
  // An address of its own, so that other phones' traffic is not counted in.
  const site = `203.0.113.${randomInt(100, 250)}`
  await run(['ip', '-n', venue.internetNamespace, 'addr', 'add', `${site}/24`, 'dev', 'eth0'])
  const atPhone = await startCounting(phone.namespace, site)
  const atSite = await startCounting(venue.internetNamespace, site)
  try {
    await noteCaptive(customer, venue.portalHost, note)
    const [first = '', second = ''] = await makeVouchers(venue, { dataLimit: voucherBytes, durationSeconds: 3600 }, 2)

    const startedMs = performance.now()
    await customer.ask('/api/vouchers/redeem', { code: first })
    const redeemedMs = performance.now() - startedMs
    const probe = await customer.browse('http://connectivitycheck.gstatic.com/generate_204', { address: site })
    note({
      what: 'voucher redeemed, gateway open',
      wanted: '≤ 1000',
      measured: Math.round(redeemedMs),
      unit: 'ms',
      held: redeemedMs <= 1000,
    })
    note({ what: 'probe after it', wanted: '204', measured: probe.status, unit: '', held: probe.status === 204 })
    const before = await allowance(customer)

    const browsed = await customer.download(`http://${site}/bytes/${2 * MB}`)
    note({ what: 'browsing', wanted: String(2 * MB), measured: browsed, unit: 'bytes', held: browsed === 2 * MB })

    // More than the first voucher has left, sent slowly enough for the second one to arrive before that.
    const long = customer.download(`http://${site}/bytes/${8 * MB}?rate=${4 * MB}`)
    await sleep(500)
    const topUp = await customer.ask<{ outcome: string }>('/api/vouchers/redeem', { code: second })
    note({
      what: 'second voucher while alive',
      wanted: 'topped-up',
      measured: topUp.outcome,
      unit: '',
      held: topUp.outcome === 'topped-up',
    })
    const whole = await long
    note({ what: 'a download across the top-up goes on', wanted: String(8 * MB), measured: whole, unit: 'bytes', held: whole === 8 * MB })
    const limitBytes = await allowance(customer)
    const sum = 2 * voucherBytes
    note({
      what: 'allowance of both vouchers',
      wanted: String(sum),
      measured: limitBytes,
      unit: 'bytes',
      held: before === voucherBytes && limitBytes === sum,
    })

    await noteDepletion(customer, { site, limitBytes, atPhone, atSite }, note)
    const after = await customer.browse('http://captive.apple.com/hotspot-detect.html')
    note({ what: 'probe when used up', wanted: '302', measured: after.status || after.failure, unit: '', held: after.status === 302 })
  } finally {
    await atSite.end()
    await run(['ip', '-n', venue.internetNamespace, 'addr', 'del', `${site}/24`, 'dev', 'eth0'])
  }
}

async function noteCaptive(customer: Customer, portalHost: string, note: (figure: Figure) => void): Promise<void> {
  const probe = await customer.browse('http://connectivitycheck.gstatic.com/generate_204')
  note({ what: 'probe of a new phone', wanted: '302', measured: probe.status || probe.failure, unit: '', held: probe.status === 302 })
  const leads = probe.location.startsWith(`http://${portalHost}`)
  note({ what: 'it leads to the portal', wanted: 'yes', measured: probe.location, unit: '', held: leads })
  const secure = await customer.browse('https://www.google.com/generate_204')
  const refused = secure.status === 0 && secure.tookMs < 1000
  note({ what: 'HTTPS before paying is refused at once', wanted: '≤ 1000', measured: Math.round(secure.tookMs), unit: 'ms', held: refused })
  const api = await customer.ask<{ captive: boolean }>('/captive-portal/api')
  note({ what: 'captive portal API', wanted: 'captive', measured: api.captive ? 'captive' : 'free', unit: '', held: api.captive })
}

type Counting = Awaited<ReturnType<typeof startCounting>>

async function noteDepletion(
  customer: Customer,
  { site, limitBytes, atPhone, atSite }: { site: string; limitBytes: number; atPhone: Counting; atSite: Counting },
  note: (figure: Figure) => void,
): Promise<void> {
  const deliveredBytes = async () => {
    const [phone, internet] = await Promise.all([atPhone.read(), atSite.read()])
    return phone.receivedBytes + internet.receivedBytes
  }
  const seen = { bytes: 0, atMs: 0, usedUp: false }
  const watch = async () => {
    while (!seen.usedUp) {
      const bytes = await deliveredBytes()
      if (bytes > seen.bytes) Object.assign(seen, { bytes, atMs: performance.now() })
    }
  }
  const watching = watch()
  const download = customer.download(`http://${site}/bytes/${2 * limitBytes}`)
  await until('the page says that the data is used up', () => isUsedUp(customer), 20_000, 10).finally(() => (seen.usedUp = true))
  const shownMs = performance.now()
  await Promise.all([watching, download])

  const delivered = await deliveredBytes()
  const over = Math.max(0, delivered - limitBytes)
  const short = Math.max(0, limitBytes - delivered)
  note({ what: 'delivered beyond the allowance', wanted: '0', measured: over, unit: 'bytes', held: over === 0 })
  note({ what: 'delivered short of it', wanted: '≤ 65536', measured: short, unit: 'bytes', held: short <= 65_536 })
  const lag = Math.max(0, Math.round(shownMs - seen.atMs))
  note({ what: 'last byte to "used up" on the page', wanted: '≤ 1000', measured: lag, unit: 'ms', held: lag <= 1000 })
}

/** A session that ends by its clock. */
async function playTime(venue: Venue, phone: Phone, note: (figure: Figure) => void): Promise<void> {
  const customer = createCustomer({ namespace: phone.namespace, portalHost: venue.portalHost })
  const [code = ''] = await makeVouchers(venue, { dataLimit: null, durationSeconds: shortestSeconds }, 1)
  await customer.ask('/api/vouchers/redeem', { code })
  const { session } = await customer.ask<{ session: Session }>('/api/me/session')
  const deadlineMs = Date.parse(session.expiresAt ?? '')

  let lastPassedMs = 0
  let missed = 0
  while (Date.now() < deadlineMs + 3000) {
    const near = Math.abs(Date.now() - deadlineMs) < 5000
    const askedMs = Date.now()
    // Without asking DNS each time: a phone that has not paid may ask only so often.
    const answer = await customer.browse('http://connectivitycheck.gstatic.com/generate_204', { timeoutMs: 2000, address: internetAddress })
    if (answer.status === 204) lastPassedMs = Date.now()
    else if (askedMs < deadlineMs - 1000) missed += 1
    await sleep(near ? 10 : 500)
  }
  const lateMs = lastPassedMs - deadlineMs
  note({ what: 'requests refused while the time ran', wanted: '0', measured: missed, unit: '', held: missed === 0 })
  note({
    what: 'last request that passed, after the deadline',
    wanted: '-1000 … 1000',
    measured: lateMs,
    unit: 'ms',
    held: Math.abs(lateMs) <= 1000,
  })
  const ended = await customer.ask<{ session: Session }>('/api/me/session')
  const reason = `${ended.session.status}, ${ended.session.endReason}`
  note({ what: 'the session when its time is over', wanted: 'expired, time', measured: reason, unit: '', held: reason === 'expired, time' })
  const probe = await customer.browse('http://captive.apple.com/hotspot-detect.html')
  note({
    what: 'probe when the time is over',
    wanted: '302',
    measured: probe.status || probe.failure,
    unit: '',
    held: probe.status === 302,
  })
}

async function isUsedUp(customer: Customer): Promise<boolean> {
  const { session } = await customer.ask<{ session: Session }>('/api/me/session')
  return session.endReason === 'data'
}

async function allowance(customer: Customer): Promise<number> {
  const { session } = await customer.ask<{ session: Session }>('/api/me/session')
  return session.dataLimit ?? 0
}

function report(figures: Figure[]): number {
  const held = figures.every((figure) => figure.held)
  const rows = [
    ['what', 'wanted', 'measured', ''],
    ...figures.map(({ what, wanted, measured, unit, held: ok }) => [what, wanted, `${measured} ${unit}`, ok ? 'ok' : 'NO']),
  ]
  const widths = [0, 1, 2, 3].map((column) => Math.max(...rows.map((row) => (row[column] ?? '').length)))
  console.log(
    `\n${rows
      .map((row) =>
        row
          .map((cell, column) => cell.padEnd(widths[column] ?? 0))
          .join('  ')
          .trimEnd(),
      )
      .join('\n')}\n`,
  )
  console.log(JSON.stringify({ held, figures }))
  return held ? 0 : 1
}
