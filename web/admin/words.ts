import { bytes, counted, duration, moment, price, speed } from '../shared/format.ts'
import type { Package, SessionView } from './contract.ts'

export const MB = 1_048_576
export const GB = 1024 * MB
export const sizeUnits = [
  { name: 'MB', size: MB },
  { name: 'GB', size: GB },
]
export const timeUnits = [
  { name: 'minutes', size: 60 },
  { name: 'hours', size: 3600 },
  { name: 'days', size: 86_400 },
]
export const speedUnits = [
  { name: 'kbps', size: 1000 },
  { name: 'Mbps', size: 1_000_000 },
]

type Tone = 'good' | 'warn' | 'bad' | 'quiet' | 'accent'

/** A session's state in the words of the counter, with the tone of its badge. */
export function statusWords(session: SessionView): { words: string; tone: Tone } {
  if (session.status === 'expired')
    return { words: session.endReason ? endWords[session.endReason] : 'Ended', tone: session.endReason === 'refunded' ? 'warn' : 'quiet' }
  if (session.status === 'connected') return session.slow ? { words: 'Online, slow', tone: 'warn' } : { words: 'Online', tone: 'good' }
  return { words: { ready: 'Not begun', active: 'Begun, not seen yet', disconnected: 'Away' }[session.status], tone: 'quiet' }
}

const endWords = { time: 'Time used up', data: 'Data used up', 'ended-by-staff': 'Ended by staff', refunded: 'Refunded' }

/** The name that staff would call out: a phone number, a device, or the code. */
export function customerWords(session: SessionView): string {
  if (session.userPhone) return `+${session.userPhone}`
  return session.devices.find(({ name }) => name)?.name ?? session.devices[0]?.mac ?? `Session ${session.id}`
}

/** What a package gives, in one line: "5 GB · 7 days · 25 Mbps · 2 devices". */
export function packageLine(offer: Pick<Package, 'dataLimit' | 'durationSeconds' | 'downBps' | 'maxDevices'>): string {
  return [
    offer.dataLimit === null ? 'Unlimited data' : bytes(offer.dataLimit),
    duration(offer.durationSeconds),
    offer.downBps === null ? 'full speed' : speed(offer.downBps),
    ...(offer.maxDevices > 1 ? [counted(offer.maxDevices, 'device')] : []),
  ].join(' · ')
}

/** As packageLine(), with name and price in front: for lists to choose from. */
export function packageChoice(offer: Package): string {
  return `${offer.name}, ${price(offer.priceMinor, offer.currency)} (${packageLine(offer)})`
}

/** Both speeds of a package: "10 / 5 Mbps", down first; "Full speed" when nothing holds them back. */
export function speedPair(downBps: number | null, upBps: number | null): string {
  if (downBps === null && upBps === null) return 'Full speed'
  const [down, up] = [downBps, upBps].map((bps) => (bps === null ? 'full' : speed(bps))) as [string, string]
  const unit = up.split(' ')[1]
  return unit && down.endsWith(` ${unit}`) ? `${down.split(' ')[0]} / ${up}` : `${down} / ${up}`
}

/** How long ago, roughly: "just now", "5 min ago", "3 h ago"; a date after two days. */
export function ago(iso: string, nowMs: number): string {
  const seconds = (nowMs - Date.parse(iso)) / 1000
  if (seconds < 45) return 'just now'
  if (seconds < 3600) return `${Math.max(1, Math.round(seconds / 60))} min ago`
  if (seconds < 2 * 86_400) return `${Math.round(seconds / 3600)} h ago`
  return moment(iso)
}

/** "21 Nov 2026" in the reader's own time. */
export function day(iso: string): string {
  return new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short', year: 'numeric' }).format(new Date(iso))
}

/** How many decimals the money of a currency has: 2 for NGN, 0 for UGX. */
export function moneyDigits(currency: string): number {
  try {
    return new Intl.NumberFormat('en-US', { style: 'currency', currency }).resolvedOptions().maximumFractionDigits ?? 2
  } catch {
    return 2
  }
}
