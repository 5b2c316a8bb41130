import { z } from 'zod'

const latitude = z.number().min(-90).max(90)
const longitude = z.number().min(-180).max(180)

/** Where a customer says to be; degrees (WGS 84). */
export const coordinates = z.strictObject({ latitude, longitude })
export type Coordinates = z.output<typeof coordinates>

/** The number of a hotspot in the mission's documents. */
export const hotspotCode = z.string().regex(/^[A-Za-z0-9_-]{1,60}$/, 'letters, digits, - and _, such as hotspot_123')

const fields = {
  name: z.string().trim().min(1).max(60),
  place: z.string().trim().max(120).meta({ description: 'address, as people say it' }),
  ssid: z.string().trim().max(32),
  latitude: latitude.nullable(),
  longitude: longitude.nullable(),
  radiusM: z.number().int().min(10).max(50_000).meta({ description: 'who is farther away is out of range' }),
  status: z.enum(['open', 'closed']),
  here: z.boolean().meta({ description: 'served by this box: whoever is on its Wi-Fi is in range' }),
}

export const hotspotInput = z
  .strictObject({
    ...fields,
    hotspotId: hotspotCode.optional().meta({ description: 'given by the box when left out' }),
    place: fields.place.default(''),
    ssid: fields.ssid.default(''),
    latitude: fields.latitude.default(null),
    longitude: fields.longitude.default(null),
    radiusM: fields.radiusM.default(500),
    status: fields.status.default('open'),
    here: fields.here.default(false),
  })
  .refine((value) => (value.latitude === null) === (value.longitude === null), {
    path: ['longitude'],
    message: 'give both latitude and longitude, or neither',
  })
export const hotspotPatch = z
  .strictObject(fields)
  .partial()
  .refine((value) => Object.keys(value).length > 0, 'name at least one field to change')

export const hotspotShape = z.object({ id: z.number().int(), hotspotId: hotspotCode, ...fields }).meta({ id: 'Hotspot' })

/** A hotspot as one customer sees it. */
export const hotspotSeen = hotspotShape.extend({
  distanceM: z.number().nullable().meta({ description: 'metres from where the customer is; null when that is not known' }),
  inRange: z.boolean().nullable().meta({ description: 'null when that cannot be said without coordinates' }),
  sessionId: z.number().int().nullable().meta({ description: "the customer's living session there" }),
})
export const hotspotList = z.object({ hotspots: z.array(hotspotSeen) })
/** A number in an address; an empty word is none. */
const written = z.string().trim().min(1).transform(Number)

export const hotspotQuery = z
  .strictObject({ latitude: written.pipe(latitude).optional(), longitude: written.pipe(longitude).optional() })
  .refine((value) => (value.latitude === undefined) === (value.longitude === undefined), 'give both latitude and longitude, or neither')

export type Hotspot = z.output<typeof hotspotShape>
export type HotspotInput = z.output<typeof hotspotInput>
export type HotspotPatch = z.output<typeof hotspotPatch>
export type HotspotSeen = z.output<typeof hotspotSeen>
