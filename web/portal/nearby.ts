import type { Coordinates, HotspotSeen } from '../../server/hotspots/schema.ts'
import { ApiError, createApi } from '../shared/api.ts'

/** `accuracyM`: the phone is somewhere within so many metres. */
export type Located = Coordinates & { accuracyM: number }

const api = createApi()
const LONGEST_WAIT_MS = 20_000
const FRESH_MS = 60_000

/** The hotspots as the box sees them from there, the nearest first. */
export function askHotspots(from: Coordinates | null): Promise<HotspotSeen[]> {
  const query = from ? `?latitude=${from.latitude}&longitude=${from.longitude}` : ''
  return api.get<{ hotspots: HotspotSeen[] }>(`/api/hotspots${query}`).then(({ hotspots }) => hotspots)
}

/** Whether this page may ask the phone where it is: browsers let only pages that came over https. */
export function mayLocate(): boolean {
  return window.isSecureContext && 'geolocation' in navigator
}

/**
 * Asks the phone where it is, to about a metre; the reader is asked for leave. Only when they pressed for it.
 * @throws ApiError `no-location`, in words that say what to do
 */
export function locate(): Promise<Located> {
  return new Promise((resolve, reject) => {
    if (!mayLocate()) return reject(noLocation('This page came without https, so the browser does not tell it where you are.'))
    navigator.geolocation.getCurrentPosition(
      ({ coords }) =>
        resolve({ latitude: degrees(coords.latitude), longitude: degrees(coords.longitude), accuracyM: Math.ceil(coords.accuracy) }),
      ({ code }) => reject(noLocation(wordsOf[code as 1 | 2 | 3])),
      { enableHighAccuracy: true, timeout: LONGEST_WAIT_MS, maximumAge: FRESH_MS },
    )
  })
}

/** By the number of the W3C's GeolocationPositionError. */
const wordsOf = {
  1: 'You did not allow this page to see where you are. Allow it in the settings of your browser, then try again.',
  2: 'Your phone could not tell where it is. Switch location on in its settings, and try again near a window.',
  3: 'Your phone did not find out where it is in time. Try again near a window, or outside.',
}

function noLocation(words: string): ApiError {
  return new ApiError('no-location', words)
}

function degrees(value: number): number {
  return Math.round(value * 1e5) / 1e5
}
