/** How many decimals a currency has (ISO 4217, as Intl knows it): 0 for UGX, 2 for NGN. */
export function decimalsOf(currency: string): number {
  return new Intl.NumberFormat('en', { style: 'currency', currency }).resolvedOptions().maximumFractionDigits ?? 2
}

/** Minor units as the decimal text that providers take: 50000 NGN is `500.00`, 500 UGX is `500`. */
export function toDecimal(minor: number, currency: string): string {
  const decimals = decimalsOf(currency)
  if (decimals === 0) return String(minor)
  const digits = String(minor).padStart(decimals + 1, '0')
  return `${digits.slice(0, -decimals)}.${digits.slice(-decimals)}`
}

/**
 * Minor units of a provider's amount, text or number: `500`, `500.00` and 500 are the same.
 * @returns null for what is no amount of this currency
 */
export function fromDecimal(amount: unknown, currency: string): number | null {
  const decimals = decimalsOf(currency)
  const found = /^(\d{1,12})(?:\.(\d+))?$/.exec(typeof amount === 'number' || typeof amount === 'string' ? String(amount).trim() : '')
  if (!found) return null
  const [, whole = '', fraction = ''] = found
  if (/[1-9]/.test(fraction.slice(decimals))) return null
  return Number(whole + fraction.slice(0, decimals).padEnd(decimals, '0'))
}

/** For people: `₦500`, `USh 500`. */
export function formatMoney(minor: number, currency: string): string {
  const decimals = decimalsOf(currency)
  const value = minor / 10 ** decimals
  return new Intl.NumberFormat('en', {
    style: 'currency',
    currency,
    currencyDisplay: 'narrowSymbol',
    minimumFractionDigits: Number.isInteger(value) ? 0 : decimals,
  }).format(value)
}
