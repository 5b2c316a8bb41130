import { parsePhoneNumberFromString, type CountryCode, type PhoneNumber } from 'libphonenumber-js/min'

/**
 * A phone number as this box writes it: E.164 without the plus, `256771234567`.
 * @param text as somebody typed it: national, international, with or without `+` or `00`
 * @param country ISO 3166 code of the venue, for national numbers
 * @returns null for what cannot be a number
 */
export function parsePhone(text: string, country: string): string | null {
  const typed = text.trim().replace(/^00/, '+')
  const national = parsePhoneNumberFromString(typed, country as CountryCode)
  if (typed.startsWith('+')) return e164(national?.isPossible() ? national : undefined)
  // Without a plus it is national, unless only the other reading is a number that exists.
  const international = parsePhoneNumberFromString(`+${typed.replace(/\D/g, '')}`)
  const readings = [national, international]
  return e164(readings.find((one) => one?.isValid()) ?? readings.find((one) => one?.isPossible()))
}

function e164(found: PhoneNumber | undefined): string | null {
  return found ? found.number.slice(1) : null
}
