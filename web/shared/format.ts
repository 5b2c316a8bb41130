const units = ['bytes', 'KB', 'MB', 'GB', 'TB']

/** A size as people say it: 1 GB is 1,073,741,824 bytes. One decimal where it tells something: "2.1 GB", "5 GB", "412 MB". */
export function bytes(size: number): string {
  let value = Math.max(0, size)
  let unit = 0
  while (unit < units.length - 1 && rounded(value, unit) >= 1024) {
    value /= 1024
    unit++
  }
  if (unit === 0 && value === 1) return '1 byte'
  return `${grouped(rounded(value, unit))} ${units[unit]}`
}

/** The parts of "2.1 GB of 5 GB used". What is not all used never reads as if it were: 4.99 GB of 5 GB is not "5 GB of 5 GB". */
export function usedOf(used: number, limit: number): { used: string; limit: string } {
  const limitText = bytes(limit)
  if (used >= limit || bytes(used) !== limitText) return { used: bytes(used), limit: limitText }
  let unit = 0
  let size = limit
  while (unit < units.length - 1 && rounded(size, unit) >= 1024) {
    size /= 1024
    unit++
  }
  const value = used / 1024 ** unit
  return { used: `${grouped(Math.min(Math.floor(value * 100) / 100, rounded(size, unit) - 0.01))} ${units[unit]}`, limit: limitText }
}

/** Whole percent of a limit, 0 to 100; 100 only when nothing is left. */
export function percentUsed(used: number, limit: number): number {
  if (limit <= 0 || used >= limit) return 100
  return Math.min(99, Math.max(0, Math.round((used / limit) * 100)))
}

/** Money from minor units: 80000 NGN → "₦800", 12550 NGN → "₦125.50", 5000 UGX → "UGX 5,000". */
export function money(minor: number, currency: string): string {
  const format = currencyFormat(currency)
  const digits = format.resolvedOptions().maximumFractionDigits ?? 2
  const amount = minor / 10 ** digits
  const text = Number.isInteger(amount) ? currencyFormat(currency, 0).format(amount) : format.format(amount)
  return text.replace(/\u00a0/g, ' ')
}

/** As money(), but nothing to pay reads "Free". */
export function price(minor: number, currency: string): string {
  return minor === 0 ? 'Free' : money(minor, currency)
}

/** How long something lasts: "30 days", "24 hours", "90 minutes". */
export function duration(seconds: number): string {
  if (seconds > 86_400 && seconds % 86_400 === 0) return counted(seconds / 86_400, 'day')
  if (seconds > 5 * 86_400) return counted(Math.round(seconds / 86_400), 'day')
  if (seconds >= 7200 || seconds === 3600) return counted(Math.round((seconds / 3600) * 10) / 10, 'hour')
  if (seconds >= 60) return counted(Math.round(seconds / 60), 'minute')
  return counted(Math.round(seconds), 'second')
}

/** What is left of it, two units at most: "6 d 4 h", "3 h 12 min", "12 min 05 s", "45 s". */
export function countdown(seconds: number): string {
  const left = Math.max(0, Math.ceil(seconds))
  const [days, hours, minutes, rest] = [Math.floor(left / 86_400), Math.floor(left / 3600) % 24, Math.floor(left / 60) % 60, left % 60]
  if (days > 0) return hours > 0 ? `${days} d ${hours} h` : `${days} d`
  if (hours > 0) return `${hours} h ${two(minutes)} min`
  if (minutes > 0) return `${minutes} min ${two(rest)} s`
  return `${rest} s`
}

/** As countdown(), in full words for a screen reader: "6 days 4 hours". */
export function countdownWords(seconds: number): string {
  const left = Math.max(0, Math.ceil(seconds))
  const parts: [number, string][] = [
    [Math.floor(left / 86_400), 'day'],
    [Math.floor(left / 3600) % 24, 'hour'],
    [Math.floor(left / 60) % 60, 'minute'],
    [left % 60, 'second'],
  ]
  const first = parts.findIndex(([count]) => count > 0)
  if (first < 0) return '0 seconds'
  return parts
    .slice(first, first + 2)
    .filter(([count]) => count > 0)
    .map(([count, word]) => counted(count, word))
    .join(' ')
}

/** A speed in bit/s: "10 Mbps", "1.2 Mbps", "512 kbps". Speeds count in thousands, as everywhere. */
export function speed(bps: number): string {
  if (bps >= 999_500_000) return `${grouped(shortened(bps / 1_000_000_000))} Gbps`
  if (bps >= 999_500) return `${grouped(shortened(bps / 1_000_000))} Mbps`
  if (bps > 0) return `${Math.max(1, Math.round(bps / 1000))} kbps`
  return '0 Mbps'
}

/** The speed of a package, where null means that nothing holds it back. */
export function speedLimit(bps: number | null): string {
  return bps === null ? 'Full speed' : speed(bps)
}

/** A moment in the reader's own time: "21 Nov, 14:05". */
export function moment(iso: string): string {
  return new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short', hour: '2-digit', minute: '2-digit' }).format(new Date(iso))
}

/** "1 device", "3 devices", "1,200 vouchers". */
export function counted(count: number, word: string): string {
  return `${grouped(count)} ${word}${count === 1 ? '' : 's'}`
}

/** A code grouped as the server makes it: vouchers "9RK66-E2AH6" or "1234-5678-9012", resume codes "K7QM-4XTR". Whatever is typed between is left out. */
export function groupedCode(code: string): string {
  const plain = plainCode(code)
  return (plain.match(plain.length === 10 ? /.{5}/g : /.{1,4}/g) ?? []).join('-')
}

/** A typed code as the server compares it: capitals and digits only. */
export function plainCode(code: string): string {
  return code.toUpperCase().replace(/[^A-Z0-9]/g, '')
}

function rounded(value: number, unit: number): number {
  return unit < 2 || value >= 100 ? Math.round(value) : Math.round(value * 10) / 10
}

function shortened(value: number): number {
  return value >= 20 ? Math.round(value) : Math.round(value * 10) / 10
}

function grouped(value: number): string {
  return value.toLocaleString('en-US', { maximumFractionDigits: 2 })
}

function currencyFormat(currency: string, digits?: number): Intl.NumberFormat {
  const options = {
    style: 'currency',
    currency,
    ...(digits === undefined ? {} : { minimumFractionDigits: digits, maximumFractionDigits: digits }),
  } as const
  try {
    return new Intl.NumberFormat('en-US', { ...options, currencyDisplay: 'narrowSymbol' })
  } catch {
    // Old phones do not know narrowSymbol.
    return new Intl.NumberFormat('en-US', options)
  }
}

function two(value: number): string {
  return String(value).padStart(2, '0')
}
