const SHELF = 'kswifi.attempt'

/** One try to buy: `of` says what, `key` is what the box knows it by. */
type Attempt = { of: string; key: string; asked: boolean }

let held: Attempt | null = null

/**
 * The key of a try to buy, the same until the try is over: pressing twice, or loading the page anew, never buys twice.
 * `again`: it was sent before, and the answer may have been lost.
 */
export function attemptAt(of: string): { key: string; again: boolean } {
  const before = held ?? onShelf()
  const attempt = before?.of === of ? before : { of, key: randomKey(), asked: false }
  keep({ ...attempt, asked: true })
  return { key: attempt.key, again: attempt.asked }
}

/** The try is over, whatever came of it: the next one has a key of its own. */
export function endAttempt(): void {
  keep(null)
}

function keep(attempt: Attempt | null): void {
  held = attempt
  try {
    if (attempt) sessionStorage.setItem(SHELF, JSON.stringify(attempt))
    else sessionStorage.removeItem(SHELF)
  } catch {
    // Some mini-browsers keep nothing.
  }
}

function onShelf(): Attempt | null {
  try {
    return JSON.parse(sessionStorage.getItem(SHELF) ?? 'null') as Attempt | null
  } catch {
    return null
  }
}

/** 128 random bits. Not randomUUID(): browsers give that to HTTPS pages only, and the portal is none. */
function randomKey(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('')
}
