/** The first UUID in a text that somebody sent, in small letters; null for anything else. */
export function uuidIn(text: unknown): string | null {
  if (typeof text !== 'string') return null
  return /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/i.exec(text.slice(0, 200))?.[0].toLowerCase() ?? null
}
