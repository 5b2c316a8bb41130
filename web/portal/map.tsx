import { useEffect, useRef, useState } from 'preact/hooks'
import type { HotspotSeen } from '../../server/hotspots/schema.ts'
import type { Portal } from '../../server/venue/schema.ts'
import type { ApiError } from '../shared/api.ts'
import { distance, radius } from '../shared/distance.ts'
import type { OutlineMap, Scene } from '../shared/outline-map.ts'
import './map.css'
import { Icon } from './icons.tsx'
import { askHotspots, locate, mayLocate, type Located } from './nearby.ts'
import { BackBar, Button, Failure, Title } from './parts.tsx'
import { useTask } from './state.ts'

type MapScreenProps = { portal: Portal; onBack: () => void }

/** The hotspots of the owner: a list by distance with the reader's session on each, and the same as a map. */
export function MapScreen({ portal, onBack }: MapScreenProps) {
  const [seen, setSeen] = useState<{ hotspots: HotspotSeen[]; you: Located | null } | null>(null)
  const [picked, pick] = useState<number | null>(null)
  const map = useRef<OutlineMap | null>(null)
  const place = useRef<HTMLDivElement>(null)
  const task = useTask()
  const locating = useTask()
  const you = seen?.you ?? null
  const look = (from: Located | null) => askHotspots(from).then((hotspots) => setSeen({ hotspots, you: from }))
  useEffect(() => void task.run(() => look(null)), [])
  useEffect(() => {
    const again = () => document.visibilityState === 'visible' && void task.run(() => look(you))
    document.addEventListener('visibilitychange', again)
    return () => document.removeEventListener('visibilitychange', again)
  }, [you])

  const placed = seen?.hotspots.some(({ latitude }) => latitude !== null) ?? false
  return (
    <main class={placed || (!seen && portal.hotspot.latitude !== null) ? 'near with-map' : 'near'}>
      <header class="near-head">
        <BackBar venue={portal.venue} onBack={onBack} />
        <Title venue={portal.venue.venueName}>Hotspots</Title>
        {placed && (
          <Whereabouts
            portal={portal}
            seen={seen!.hotspots}
            you={you}
            locating={locating}
            onLocate={() => void locating.run(async () => look(await locate()))}
          />
        )}
      </header>
      {placed && (
        <HotspotsMap
          scene={sceneOf(seen!.hotspots, you)}
          tiles={portal.map}
          place={place}
          onMap={(opened) => (map.current = opened)}
          onPlace={(id) => {
            pick(id)
            document.getElementById(`spot-${id}`)?.scrollIntoView({ block: 'nearest', behavior: 'smooth' })
          }}
        />
      )}
      {!seen &&
        (task.failure ? (
          <NotSeen failure={task.failure} retry={() => void task.run(() => look(null))} />
        ) : (
          <p class="spinner large" aria-hidden="true" />
        ))}
      {seen && (
        <section class="near-list" aria-labelledby="spots-title">
          <h2 id="spots-title" class="visually-hidden">
            {you ? 'Hotspots, the nearest first' : 'All hotspots'}
          </h2>
          {task.failure && <Failure failure={task.failure} />}
          <ol class="spots">
            {seen.hotspots.map((spot, at) => (
              <Spot
                key={spot.id}
                spot={spot}
                number={at + 1}
                portal={portal}
                picked={spot.id === picked}
                onShow={
                  spot.latitude === null
                    ? null
                    : () => {
                        pick(spot.id)
                        map.current?.show(spot.id)
                        place.current?.scrollIntoView({ block: 'nearest', behavior: 'smooth' })
                      }
                }
              />
            ))}
          </ol>
          {seen.hotspots.some(({ latitude }) => latitude === null) && (
            <p class="near-foot soft small">No distance? Not every hotspot is on the map yet.</p>
          )}
        </section>
      )}
    </main>
  )
}

export default MapScreen

function NotSeen({ failure, retry }: { failure: ApiError; retry: () => void }) {
  return (
    <div class="near-head">
      <Failure failure={failure} />
      <Button onClick={retry}>Try again</Button>
    </div>
  )
}

type WhereaboutsProps = {
  portal: Portal
  seen: HotspotSeen[]
  you: Located | null
  locating: ReturnType<typeof useTask>
  onLocate: () => void
}

/** Asks where the reader is, only when they press for it; says plainly where the browser does not let it ask. */
function Whereabouts({ portal, seen, you, locating, onLocate }: WhereaboutsProps) {
  if (!mayLocate())
    return (
      <p class="soft small">
        Distances are not shown: browsers tell only secure (https) pages where you are, and this is none.{' '}
        {portal.device ? 'You are on this Wi-Fi, so its hotspot is in range.' : 'Once you are on the Wi-Fi of a hotspot, it is in range.'}
      </p>
    )
  return (
    <>
      <Button kind={you ? 'second' : 'main'} icon="pin" busy={locating.busy} busyText="Finding out where you are…" onClick={onLocate}>
        {you ? 'Look again' : 'Show what is near me'}
      </Button>
      {locating.failure ? (
        <Failure failure={locating.failure} />
      ) : (
        <p class="soft small" role="status">
          {you ? nearWords(seen, you) : 'Your phone asks you first. The box uses the answer for the distances and keeps nothing of it.'}
        </p>
      )}
    </>
  )
}

function nearWords(seen: HotspotSeen[], { accuracyM }: Located): string {
  const open = seen.filter(({ status }) => status === 'open')
  const inRange = open.filter((spot) => spot.inRange).length
  const count = inRange === 0 ? 'None is in range' : `${inRange} of ${open.length} ${inRange === 1 ? 'is' : 'are'} in range`
  return `${count}. Your phone knows where you are to about ${distance(accuracyM)}.`
}

type SpotProps = { spot: HotspotSeen; number: number; portal: Portal; picked: boolean; onShow: (() => void) | null }

function Spot({ spot, number, portal, picked, onShow }: SpotProps) {
  const look = lookOf(spot)
  const words = reachWords(spot, portal)
  return (
    <li id={`spot-${spot.id}`} class={`spot ${look}${picked ? ' picked' : ''}`}>
      <span class="spot-number" aria-hidden="true">
        {number}
      </span>
      <div class="spot-main">
        <h3>{spot.name}</h3>
        {words && (
          <p class={`spot-reach figures ${look}`}>
            {look !== 'unknown' && <Icon name={look === 'in' ? 'check' : look === 'closed' ? 'offline' : 'warn'} size={18} />}
            <span>{words}</span>
          </p>
        )}
        {(spot.place || spot.ssid) && (
          <p class="small soft">{[spot.place, spot.ssid && `Wi-Fi: ${spot.ssid}`].filter(Boolean).join(' · ')}</p>
        )}
        {spot.sessionId !== null && <p class="spot-session">Your session runs here. There is nothing to pay again.</p>}
      </div>
      {onShow && (
        <button type="button" class="round" aria-label={`Show ${spot.name} on the map`} onClick={onShow}>
          <Icon name="pin" />
        </button>
      )}
    </li>
  )
}

type HotspotsMapProps = {
  scene: Scene
  tiles: Portal['map']
  place: { current: HTMLDivElement | null }
  onMap: (map: OutlineMap | null) => void
  onPlace: (id: number) => void
}

/** The picture; its code comes after the list, which says the same. */
function HotspotsMap({ scene, tiles, place, onMap, onPlace }: HotspotsMapProps) {
  const [map, setMap] = useState<OutlineMap | null>(null)
  const [failed, setFailed] = useState(false)
  const latest = useRef(onPlace)
  latest.current = onPlace
  useEffect(() => {
    let opened: OutlineMap | null = null
    let left = false
    const open = async () => {
      const { openOutlineMap } = await import('../shared/outline-map.ts')
      if (left || !place.current) return
      opened = openOutlineMap(place.current, { label: 'Map of the hotspots', tiles, onPlace: (id) => latest.current(id) })
      setMap(opened)
      onMap(opened)
    }
    open().catch(() => setFailed(true))
    return () => {
      left = true
      opened?.close()
      onMap(null)
    }
  }, [tiles.tileUrl])
  useEffect(() => map?.draw(scene), [map, JSON.stringify(scene)])
  return (
    <div class="near-map">
      <div ref={place} class="outline-map near-picture" />
      {!map && <p class="near-wait soft small">{failed ? 'The map did not load. The list has everything.' : 'The map is loading…'}</p>}
    </div>
  )
}

function sceneOf(hotspots: HotspotSeen[], you: Located | null): Scene {
  const places = hotspots.flatMap((spot, at) => {
    const { latitude, longitude } = spot
    if (latitude === null || longitude === null) return []
    return [{ key: spot.id, label: String(at + 1), name: spot.name, latitude, longitude, radiusM: spot.radiusM, look: lookOf(spot) }]
  })
  return { places, you, view: 'near' }
}

function lookOf({ status, inRange }: HotspotSeen): 'in' | 'out' | 'closed' | 'unknown' {
  if (status === 'closed') return 'closed'
  return inRange === null ? 'unknown' : inRange ? 'in' : 'out'
}

/** Such as "320 m away · in range". What belongs together stays on one line. */
function reachWords({ status, here, inRange, distanceM, radiusM, latitude }: HotspotSeen, portal: Portal): string {
  const away = distanceM === null ? '' : `${whole(distance(distanceM))} away · `
  if (status === 'closed') return away ? `${away}closed for now` : 'Closed for now'
  if (here && portal.device) return `You are on its Wi-Fi · ${whole('in range')}`
  if (here && portal.profileId !== null) return `You are connected by ${portal.connect.words.product} · ${whole('in range')}`
  if (inRange === null) return latitude === null ? '' : 'Distance not known'
  return inRange ? `${away}${whole('in range')}` : `${away}too far: come within ${whole(radius(radiusM))}`
}

function whole(words: string): string {
  return words.replace(/ /g, '\u00a0')
}
