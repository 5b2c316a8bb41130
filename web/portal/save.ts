/** Offers a text as a download. Captive mini-browsers may do nothing, and say nothing. */
export function saveText(text: string, file: string): void {
  // Not text/plain: Android would add .txt to the name, and WireGuard would not take the file.
  const url = URL.createObjectURL(new Blob([text], { type: 'application/octet-stream' }))
  const link = document.createElement('a')
  link.href = url
  link.download = file
  document.body.append(link)
  link.click()
  link.remove()
  // Some browsers read it only after the reader said yes.
  setTimeout(() => URL.revokeObjectURL(url), 60_000)
}

/**
 * Puts a text on the clipboard, the old way: browsers give `navigator.clipboard` to HTTPS pages only, and the portal is none.
 * @returns false when the browser does not let it
 */
export function copyText(text: string): boolean {
  const field = document.createElement('textarea')
  const had = document.activeElement
  field.value = text
  field.readOnly = true
  field.style.cssText = 'position:fixed;top:0;opacity:0'
  document.body.append(field)
  field.focus({ preventScroll: true })
  field.setSelectionRange(0, text.length)
  let copied = false
  try {
    copied = document.execCommand('copy')
  } catch {
    // Says the same as false.
  }
  field.remove()
  if (had instanceof HTMLElement) had.focus({ preventScroll: true })
  return copied
}
