import { DAY, HOUR } from '../units.ts'

/** A day of the venue, from midnight to midnight of the box's own time zone: `2026-11-21`. */
export type Day = string

/** The venue's day in which a moment (UTC ms) lies. */
export function dayOf(ms: number): Day {
  const at = new Date(ms)
  return `${String(at.getFullYear()).padStart(4, '0')}-${two(at.getMonth() + 1)}-${two(at.getDate())}`
}

/** When a day begins, UTC ms. Where clocks jump over midnight, the first moment after the jump. */
export function startOf(day: Day): number {
  return new Date(`${day}T00:00:00`).getTime()
}

/** The day so many days later; earlier for a number below zero. */
export function daysAfter(day: Day, days: number): Day {
  return new Date(Date.parse(day) + days * DAY).toISOString().slice(0, 10)
}

/** Every day from one to another, both included; none when they are the wrong way round. */
export function daysBetween(from: Day, to: Day): Day[] {
  const count = (Date.parse(to) - Date.parse(from)) / DAY + 1
  return Array.from({ length: Math.max(0, count) }, (_, index) => daysAfter(from, index))
}

/** The days that an hour (its start, UTC ms) touches: two where the zone is half an hour off. */
export function daysOfHour(hour: number): Day[] {
  return [...new Set([dayOf(hour), dayOf(hour + HOUR - 1)])]
}

/** The box's own time zone, such as `Africa/Lagos`. */
export function timeZone(): string {
  return new Intl.DateTimeFormat().resolvedOptions().timeZone
}

function two(value: number): string {
  return String(value).padStart(2, '0')
}
