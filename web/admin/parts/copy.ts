/** Puts a text on the clipboard. That needs https or localhost; a box on plain http goes the old way. */
export async function copyText(text: string): Promise<void> {
  if (navigator.clipboard) return navigator.clipboard.writeText(text)
  const place = document.createElement('textarea')
  place.value = text
  // Inside the topmost open dialog, because nothing outside of it can be selected.
  const around = [...document.querySelectorAll('dialog[open]')].at(-1) ?? document.body
  around.append(place)
  place.select()
  document.execCommand('copy')
  place.remove()
}
