import { Refusal } from '../errors.ts'
import type { Field, FieldShape } from './kinds.ts'

/**
 * Says no to a value that cannot be right; an empty one is always fine.
 * @param plainHttp whether keys may travel without TLS: in the lab, where the companies are emulators
 * @throws Refusal `bad-input`, which never repeats the value
 */
export function checkValue(field: Field, value: string, plainHttp: boolean): void {
  if (value === '') return
  const no = (message: string) =>
    new Refusal('bad-input', `${field.label}: ${message}`, { where: 'body', faults: [{ path: `values.${field.key}`, message }] })
  if (field.choices && !field.choices.includes(value)) throw no(`choose one of ${field.choices.join(', ')}.`)
  // Whatever else goes into a header would make every request fail in a way that nobody understands.
  if (!/^[\x21-\x7e]+$/.test(value)) throw no('there is a space or a sign in it that no key or name has. Copy it again.')
  const fault = faults[field.shape ?? 'text'](value, plainHttp)
  if (fault) throw no(fault)
}

const faults: Record<FieldShape, (value: string, plainHttp: boolean) => string | undefined> = {
  text: () => undefined,
  url: (value, plainHttp) => {
    const url = URL.canParse(value) ? new URL(value) : undefined
    if (!url || !/^https?:$/.test(url.protocol) || url.search || url.hash || url.username || url.password)
      return 'write an address such as https://api.example.com.'
    const isSafe = url.protocol === 'https:' || plainHttp || /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(url.hostname)
    return isSafe ? undefined : 'it must begin with https://, or everybody on the way could read the keys.'
  },
  uuid: (value) =>
    /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(value) ? undefined : 'a UUID looks like 123e4567-e89b-42d3-a456-426614174000.',
  domain: (value) => (/^([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)+[a-z]{2,}$/i.test(value) ? undefined : 'write a domain such as example.com.'),
}
