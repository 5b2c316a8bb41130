import 'leaflet/dist/leaflet.css'
import './outline-map.css'
import L from 'leaflet'
import { feature, mesh } from 'topojson-client'
import type { GeometryCollection, Topology } from 'topojson-specification'
import { distance } from './distance.ts'

/** Longitude and latitude of each point, as GeoJSON has them. */
type Line = number[][]
type Point = { latitude: number; longitude: number }

/** A hotspot on the map. `label` is one or two signs on its pin, the same as in the list beside; `radiusM` metres. */
export type MapPlace = Point & {
  key: number
  label: string
  name: string
  radiusM: number
  look: 'in' | 'out' | 'closed' | 'unknown'
}

/** Where the reader is; null when that is not known. */
export type MapYou = (Point & { accuracyM: number }) | null

/** `view`: what the map moves to when there is something new: the nearest few of the reader, or of the first place; or all. */
export type Scene = { places: MapPlace[]; you: MapYou; view: 'near' | 'all' }

export type MapNeeds = {
  /** What the map shows, for somebody who hears the page. */
  label: string
  /** A tile server and whose tiles these are; an empty address: the outline alone. */
  tiles: { tileUrl: string; tileCredit: string }
  onPlace?: (key: number) => void
  /** The reader pressed on a point of the earth; degrees with five decimals, about a metre. */
  onPoint?: (point: Point) => void
}

export type OutlineMap = {
  /** Shows this and nothing else; moves the view only when there is something new to see. */
  draw: (scene: Scene) => void
  /** Moves to a place. */
  show: (key: number) => void
  close: () => void
}

/** The outline is drawn for the whole world on one sheet; closer than this it is wrong by more than it tells. */
const OUTLINE_UP_TO_ZOOM = 7
const NEAREST_SHOWN = 3
const RINGS = 4
const CLOSEST_ZOOM = 18
/** As outline-map.css has it, pixels. */
const NAME_WIDTH = 150

/**
 * A map that needs no outside host: an outline of the world from afar, distance rings, a scale and the reach of each
 * hotspot from near. Tiles lie over it where the owner set a server for them; whatever of them does not come leaves the
 * outline in view. The list beside the map is its form for a screen reader.
 */
export function openOutlineMap(element: HTMLElement, { label, tiles, onPlace, onPoint }: MapNeeds): OutlineMap {
  const calm = matchMedia('(prefers-reduced-motion: reduce)').matches
  const map = L.map(element, {
    attributionControl: false,
    zoomAnimation: !calm,
    fadeAnimation: !calm,
    markerZoomAnimation: !calm,
    minZoom: 1,
    maxZoom: CLOSEST_ZOOM,
    maxBounds: [
      [-85, -180],
      [85, 180],
    ],
  }).setView([8, 20], 2)
  element.setAttribute('role', 'region')
  element.setAttribute('aria-label', label)
  element.classList.toggle('picking', onPoint !== undefined)

  L.control.scale({ imperial: false, maxWidth: 120 }).addTo(map)
  const credits = L.control.attribution({ prefix: false }).addTo(map)
  if (tiles.tileUrl) L.tileLayer(tiles.tileUrl, { maxZoom: CLOSEST_ZOOM, referrerPolicy: 'origin' }).addTo(map)
  if (tiles.tileUrl && tiles.tileCredit) credits.addAttribution(asText(tiles.tileCredit))

  map.createPane('outline').style.zIndex = '150'
  let outline: L.Layer | undefined
  let closed = false
  const drawOutline = async () => {
    outline = await loadOutline()
    if (!closed) fitOutline()
  }
  // Without it the map still has rings and reaches.
  drawOutline().catch(() => undefined)
  /** From near there is nothing of it to see, and the ground is land. */
  function fitOutline(): void {
    const near = map.getZoom() > OUTLINE_UP_TO_ZOOM
    element.classList.toggle('near', near || !outline)
    if (!outline || near === !map.hasLayer(outline)) return
    if (near) {
      map.removeLayer(outline)
      credits.removeAttribution(OUTLINE_CREDIT)
    } else {
      map.addLayer(outline)
      credits.addAttribution(OUTLINE_CREDIT)
    }
  }

  const drawn = L.layerGroup().addTo(map)
  const rings = L.layerGroup().addTo(map)
  const pins = L.layerGroup().addTo(map)
  let scene: Scene = { places: [], you: null, view: 'all' }
  let seen = ''

  const fit = () => {
    const bounds = boundsOf(scene)
    if (bounds) map.fitBounds(bounds, { padding: [24, 24], maxZoom: 16, animate: !calm && seen !== '' })
  }
  /** Whoever looks for a point with the map keeps the view that they chose. */
  const isInView = () => {
    const bounds = boundsOf(scene)
    return onPoint !== undefined && seen !== '' && bounds !== undefined && map.getBounds().intersects(bounds)
  }
  /** What depends on how near the view is. */
  const fitZoom = () => {
    fitOutline()
    rings.clearLayers()
    const centre = scene.you ?? scene.places[0]
    if (centre && map.getZoom() > OUTLINE_UP_TO_ZOOM) for (const layer of ringsAround(map, centre)) rings.addLayer(layer)
    pins.clearLayers()
    for (const layer of pinLayers(map, scene.places, onPlace)) pins.addLayer(layer)
  }
  map.on('zoomend', fitZoom)
  map.on('click', ({ latlng }) => onPoint?.({ latitude: degrees(latlng.lat), longitude: degrees(latlng.wrap().lng) }))

  const watcher = new ResizeObserver(() => {
    const { x, y } = map.getSize()
    map.invalidateSize({ pan: false })
    // A map that is opened in a dialog has its size only now.
    if (x === 0 || y === 0) fit()
  })
  watcher.observe(element)

  return {
    draw(next) {
      scene = next
      drawn.clearLayers()
      for (const layer of [...next.places.map(reachLayer), ...youLayers(next.you)]) drawn.addLayer(layer)
      const now = JSON.stringify([
        next.you !== null,
        next.places.map(({ key, latitude, longitude }) => [key, latitude, longitude]).toSorted(),
      ])
      if (now !== seen && !isInView()) fit()
      if (boundsOf(next)) seen = now
      fitZoom()
    },
    show(key) {
      const place = scene.places.find((one) => one.key === key)
      if (place) map.fitBounds(reachOf(place), { padding: [24, 24], maxZoom: 16, animate: !calm })
    },
    close() {
      closed = true
      watcher.disconnect()
      map.remove()
    },
  }
}

const OUTLINE_CREDIT = 'Outline: Natural Earth'

/** Land and borders at 1:110 million, without names: a file of its own, 108 KB (40 KB on the way). */
async function loadOutline(): Promise<L.Layer> {
  const { default: atlas } = await import('world-atlas/countries-110m.json')
  const topology = atlas as unknown as Topology<{ land: GeometryCollection; countries: GeometryCollection }>
  const { land, countries } = topology.objects
  const rings = feature(topology, land).features.flatMap(({ geometry }) => (geometry as { coordinates: Line[][] }).coordinates.flat())
  const borders = mesh(topology, countries as never, (one, other) => one !== other).coordinates
  const drawn = { pane: 'outline', interactive: false, noClip: true }
  return L.layerGroup([
    // All rings of one shape: a lake within the land is a hole.
    L.polygon(rings.map(unwrapped).filter(isClosed).map(asLatLngs), { ...drawn, className: 'map-land', fillRule: 'evenodd' }),
    L.polyline(borders.map(unwrapped).map(asLatLngs), { ...drawn, className: 'map-border' }),
  ])
}

/** The atlas is made for a globe, where lines run on over the date line; on a flat map they must not run back across the world. */
function unwrapped(line: Line): Line {
  let shift = 0
  return line.map(([x = 0, y = 0], at) => {
    const step = x - (line[at - 1]?.[0] ?? x)
    if (Math.abs(step) > 180) shift -= 360 * Math.sign(step)
    return [x + shift, y]
  })
}

/** Not so the coast of Antarctica, which goes once around the earth. */
function isClosed(ring: Line): boolean {
  return ring[0]?.[0] === ring.at(-1)?.[0]
}

function asLatLngs(line: Line): L.LatLngTuple[] {
  return line.map(([x = 0, y = 0]) => [y, x])
}

function reachLayer({ latitude, longitude, radiusM, look }: MapPlace): L.Layer {
  return L.circle([latitude, longitude], { radius: radiusM, className: `map-reach ${look}`, interactive: false })
}

/** The pins, with their names where there is room for them; the others show theirs when pointed at. The first come first. */
function pinLayers(map: L.Map, places: MapPlace[], onPlace: MapNeeds['onPlace']): L.Layer[] {
  const points = places.map(({ latitude, longitude }) => map.latLngToLayerPoint([latitude, longitude]))
  const taken: L.Bounds[] = points.map((point) => L.bounds(point.subtract([15, 15]), point.add([15, 15])))
  return places.map((place, at) => {
    const point = points[at]!
    const halfWidth = Math.min(NAME_WIDTH, place.name.length * 8 + 14) / 2
    const box = L.bounds(point.add([-halfWidth, 17]), point.add([halfWidth, 41]))
    const hasRoom = !taken.some((other) => other.overlaps(box))
    if (hasRoom) taken.push(box)
    return L.marker([place.latitude, place.longitude], {
      icon: L.divIcon({ className: `map-pin ${place.look}`, html: asText(place.label), iconSize: [30, 30] }),
      // The list does the same for a keyboard.
      keyboard: false,
      interactive: onPlace !== undefined,
      zIndexOffset: -at * 10,
    })
      .bindTooltip(nameTag(place.name), { permanent: hasRoom, direction: 'bottom', offset: [0, 14], className: 'map-name' })
      .on('click', () => onPlace?.(place.key))
  })
}

function youLayers(you: MapYou): L.Layer[] {
  if (!you) return []
  const centre = L.latLng(you.latitude, you.longitude)
  const dot = L.divIcon({ className: 'map-you', iconSize: [20, 20] })
  return [
    L.circle(centre, { radius: you.accuracyM, className: 'map-accuracy', interactive: false }),
    L.marker(centre, { icon: dot, keyboard: false, interactive: false, zIndexOffset: 1000 }),
  ]
}

/** Circles in round metres, as far apart as fits the view, each with its distance on it. */
function ringsAround(map: L.Map, { latitude, longitude }: Point): L.Layer[] {
  const centre = L.latLng(latitude, longitude)
  const { x, y } = map.getSize()
  const metresPerPixel = map.distance(map.containerPointToLatLng([0, y / 2]), map.containerPointToLatLng([100, y / 2])) / 100
  const step = roundStep((metresPerPixel * Math.min(x, y)) / 2 / (RINGS - 1))
  return Array.from({ length: RINGS }, (_, at) => (at + 1) * step).flatMap((radius) => [
    L.circle(centre, { radius, className: 'map-ring', interactive: false }),
    L.marker(L.latLng(centre.toBounds(radius * 2).getNorth(), longitude), {
      icon: L.divIcon({ className: 'map-ring-name', html: distance(radius), iconSize: [64, 18] }),
      keyboard: false,
      interactive: false,
      zIndexOffset: -1000,
    }),
  ])
}

/** 1, 2 or 5 times a power of ten, at most `metres`. */
function roundStep(metres: number): number {
  const power = 10 ** Math.floor(Math.log10(metres))
  return (metres >= 5 * power ? 5 : metres >= 2 * power ? 2 : 1) * power
}

function boundsOf({ places, you, view }: Scene): L.LatLngBounds | undefined {
  const centre = you ?? places[0]
  if (!centre) return undefined
  const from = L.latLng(centre.latitude, centre.longitude)
  const awayM = (place: MapPlace) => from.distanceTo([place.latitude, place.longitude])
  const shown = view === 'all' ? places : places.toSorted((one, other) => awayM(one) - awayM(other)).slice(0, NEAREST_SHOWN)
  return shown.map(reachOf).reduce((whole, area) => whole.extend(area), from.toBounds(100))
}

function reachOf({ latitude, longitude, radiusM }: MapPlace): L.LatLngBounds {
  return L.latLng(latitude, longitude).toBounds(radiusM * 2)
}

function degrees(value: number): number {
  return Math.round(value * 1e5) / 1e5
}

function nameTag(name: string): HTMLElement {
  const tag = document.createElement('span')
  tag.textContent = name
  return tag
}

/** Leaflet takes words for HTML. */
function asText(words: string): string {
  return words.replace(/[&<>"]/g, (sign) => `&#${sign.charCodeAt(0)};`)
}
