import { bytes, duration, money, speed } from '../../shared/format.ts'

const actions: Record<string, string> = {
  'package.create': 'put on sale package',
  'package.update': 'changed package',
  'package.archive': 'took off sale package',
  'vouchers.create': 'made voucher batch',
  'vouchers.void': 'voided voucher batch',
  'settings.update': 'changed the settings',
  'staff.create': 'added member of staff',
  'staff.update': 'changed member of staff',
  'key.create': 'made API key',
  'key.revoke': 'revoked API key',
  'session.end': 'ended session',
  'session.extend': 'added to session',
  'account.update': 'changed provider',
  'account.test': 'tested provider',
  'payment.confirm': 'took cash for payment',
  'payment.check': 'asked the provider about payment',
  'payment.refund': 'refunded payment',
  sell: 'sold a voucher for cash',
  'customer.reset-pin': 'reset the PIN of customer',
  'customer.delete': 'deleted customer',
  'points.correct': 'corrected the points of customer',
  'hotspot.create': 'added hotspot',
  'hotspot.update': 'changed hotspot',
  'hotspot.remove': 'removed hotspot',
  'connect.generate': 'made Connect profile',
  'connect.renew': 'made anew Connect profile',
  'connect.rename': 'renamed Connect profile',
  'connect.revoke': 'revoked Connect profile',
  'connect.endpoint-create': 'added endpoint',
  'connect.endpoint-update': 'changed endpoint',
  'connect.endpoint-remove': 'removed endpoint',
  'connect.rotate-keys': 'rotated the keys of Connect',
}

/** What somebody did: "ended session". */
export function actionWords(action: string): string {
  return actions[action] ?? action.replace(/[._]/g, ' ')
}

/** The fields of a change, as names and values for people: "data limit" "5 GB". */
export function detailWords(details: unknown, venueCurrency: string): [string, string][] {
  if (typeof details !== 'object' || details === null) return []
  const { currency } = details as { currency?: unknown }
  const paidIn = typeof currency === 'string' ? currency : venueCurrency
  return Object.entries(details).map(([name, value]) => [nameWords(name), valueWords(name, value, paidIn)])
}

const LONGEST = 60

function valueWords(name: string, value: unknown, currency: string): string {
  if (value === null || value === '') return 'none'
  if (typeof value === 'number') return numberWords(name, value, currency)
  const text = typeof value === 'string' ? value : listWords(value)
  return text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text
}

/** Lists and small groups by what is in them; deeper ones as they were sent. */
function listWords(value: unknown): string {
  const parts = typeof value === 'object' && value !== null ? Object.values(value) : []
  if (parts.length === 0 || parts.some((part) => typeof part === 'object')) return JSON.stringify(value)
  return parts.join(', ')
}

/** The unit is the end of the name: durationSeconds, downBps, priceMinor. */
function numberWords(name: string, value: number, currency: string): string {
  if (name === 'bytes' || name === 'dataLimit') return bytes(value)
  if (name === 'seconds' || name.endsWith('Seconds')) return duration(value)
  if (name.endsWith('Bps')) return speed(value)
  if (name === 'priceMinor' || name === 'amountMinor') return money(value, currency)
  return value.toLocaleString('en-US')
}

function nameWords(name: string): string {
  return name.replace(/(Seconds|Bps|Minor)$/, '').replace(/([A-Z])/g, (sign) => ` ${sign.toLowerCase()}`)
}
