/** UTC milliseconds. */
export type Now = () => number

/**
 * A clock that never goes back.
 *
 * A Raspberry Pi keeps no time without power: after a cut the date is old until NTP answers. The box writes
 * down the time at every poll; starting from that note, `now()` goes on by the monotonic timer until the real
 * clock has caught up. Nobody is ended or extended by a wrong date: the seconds left at the last note stay.
 *
 * @param noted the last time written down (UTC ms), or 0 on a new box
 */
export function createClock(noted: number, wall: Now = Date.now, monotonic: Now = () => performance.now()): Now {
  const startedAt = monotonic()
  let floor = noted
  return () => {
    const carried = noted + Math.floor(monotonic() - startedAt)
    floor = Math.max(floor, carried, wall())
    return floor
  }
}

/** ISO 8601 of UTC milliseconds, or null. */
export function iso(ms: number): string
export function iso(ms: number | null): string | null
export function iso(ms: number | null): string | null {
  return ms === null ? null : new Date(ms).toISOString()
}
