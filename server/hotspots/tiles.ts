/**
 * Hosts from which a page may load the tiles of the owner's map, as sources of a content security policy.
 * @param tileUrl of the settings, such as https://{s}.tiles.example.com/{z}/{x}/{y}.png, where {s} is a, b or c; or empty
 * @returns nothing for an address whose host is none: such a word in the policy would break every page
 */
export function tileHosts(tileUrl: string): string[] {
  const origin = /^https?:\/\/[^/?#]+/i.exec(tileUrl)?.[0] ?? ''
  const origins = origin.includes('{s}') ? ['a', 'b', 'c'].map((letter) => origin.replaceAll('{s}', letter)) : [origin]
  return origins.filter((one) => /^https?:\/\/[a-z0-9.-]+(:\d{1,5})?$/i.test(one))
}
