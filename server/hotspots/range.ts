import type { Coordinates, Hotspot } from './schema.ts'

/** Mean radius of the earth (IUGG, R₁), metres. The earth's flattening makes great-circle distances wrong by at most 0.56 %. */
const EARTH_RADIUS_M = 6_371_008.8

/** Where somebody is: on this box's own Wi-Fi or in its tunnel, and where their phone says to be. */
export type Whereabouts = { onLan: boolean; coordinates: Coordinates | null }

/** `inRange` null: it cannot be said without coordinates. `distanceM` whole metres, null when it is not known. */
export type Reach = { inRange: boolean | null; distanceM: number | null }

/**
 * Great-circle distance of two places in degrees (WGS 84), in metres, by the haversine formula
 * 2R·asin √(sin²(Δφ/2) + cos φ₁ · cos φ₂ · sin²(Δλ/2)), which stays exact for short ways. Same both ways; 0 to πR.
 */
export function haversineM(one: Coordinates, other: Coordinates): number {
  const latitudes = halfChord(other.latitude - one.latitude)
  const longitudes = halfChord(other.longitude - one.longitude)
  const share = latitudes + Math.cos(radians(one.latitude)) * Math.cos(radians(other.latitude)) * longitudes
  // Rounding may lift it a hair above 1 between opposite ends of the earth, where asin has no answer.
  return 2 * EARTH_RADIUS_M * Math.asin(Math.min(1, Math.sqrt(share)))
}

/**
 * Whether a hotspot reaches somebody. The network knows best: whoever is on this box's Wi-Fi, or in its tunnel, is in
 * range of the hotspots that are here. For all others the coordinates decide. Whether it is open does not matter here.
 */
export function reach(hotspot: Pick<Hotspot, 'here' | 'latitude' | 'longitude' | 'radiusM'>, { onLan, coordinates }: Whereabouts): Reach {
  const { latitude, longitude, radiusM } = hotspot
  // Rounded up: the radius is whole metres, so what is shown never contradicts what was decided.
  const distanceM =
    coordinates === null || latitude === null || longitude === null ? null : Math.ceil(haversineM(coordinates, { latitude, longitude }))
  if (onLan && hotspot.here) return { inRange: true, distanceM }
  return { inRange: distanceM === null ? null : distanceM <= radiusM, distanceM }
}

/** A distance as people say it, never less than it is: "320 m", "2.4 km", "38 km". */
export function distanceWords(metres: number): string {
  if (metres <= 999) return `${Math.ceil(metres)} m`
  return metres <= 9900 ? `${Math.ceil(metres / 100) / 10} km` : `${Math.ceil(metres / 1000).toLocaleString('en-US')} km`
}

/** sin² of half an angle in degrees. */
function halfChord(degrees: number): number {
  return Math.sin(radians(degrees) / 2) ** 2
}

function radians(degrees: number): number {
  return (degrees * Math.PI) / 180
}
