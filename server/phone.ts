import { parsePhoneNumberFromString, type CountryCode } from 'libphonenumber-js/min'

/**
 * A phone number as this box writes it: E.164 without the plus, `256771234567`.
 * @param text as somebody typed it: national, international, with or without `+` or `00`
 * @param country ISO 3166 code of the venue, for national numbers
 * @returns null for what cannot be a number
 */
export function parsePhone(text: string, country: string): string | null {
  const typed = text.trim().replace(/^00/, '+')
  const region = country as CountryCode
  // A number without a plus is national first: 0771234567 here is nobody's number abroad.
  const found = [typed, typed.startsWith('+') ? '' : `+${typed.replace(/\D/g, '')}`]
    .map((one) => (one ? parsePhoneNumberFromString(one, region) : undefined))
    .find((one) => one?.isPossible())
  return found ? found.number.slice(1) : null
}
