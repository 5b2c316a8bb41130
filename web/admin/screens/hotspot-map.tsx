import { useEffect, useRef, useState } from 'preact/hooks'
import type { OutlineMap, Scene } from '../../shared/outline-map.ts'
import { useAccount } from '../account.ts'
import type { Hotspot } from '../contract.ts'

type HotspotMapProps = {
  places: Scene['places']
  view: Scene['view']
  label: string
  onPlace?: (id: number) => void
  /** The owner pressed on a point: degrees. */
  onPoint?: (point: { latitude: number; longitude: number }) => void
}

/** The map that customers see. Its code comes when it is first needed. */
export function HotspotMap({ places, view, label, onPlace, onPoint }: HotspotMapProps) {
  const { settings } = useAccount()
  const element = useRef<HTMLDivElement>(null)
  const [map, setMap] = useState<OutlineMap | null>(null)
  const [failed, setFailed] = useState(false)
  const latest = useRef({ onPlace, onPoint })
  latest.current = { onPlace, onPoint }
  useEffect(() => {
    let opened: OutlineMap | undefined
    let left = false
    const open = async () => {
      const { openOutlineMap } = await import('../../shared/outline-map.ts')
      if (left || !element.current) return
      opened = openOutlineMap(element.current, {
        label,
        tiles: settings,
        ...(onPlace ? { onPlace: (id) => latest.current.onPlace?.(id) } : {}),
        ...(onPoint ? { onPoint: (point) => latest.current.onPoint?.(point) } : {}),
      })
      setMap(opened)
    }
    open().catch(() => setFailed(true))
    return () => {
      left = true
      opened?.close()
    }
  }, [settings.tileUrl, settings.tileCredit])
  useEffect(() => map?.draw({ places, you: null, view }), [map, JSON.stringify(places)])
  return (
    <div class="hotspot-map">
      <div ref={element} class="outline-map" />
      {!map && <p class="soft small">{failed ? 'The map did not load. Reload the page to see it.' : 'The map is loading…'}</p>}
    </div>
  )
}

/** Those that have a position, numbered as in the list. @param look of the open ones */
export function placesOf(hotspots: Hotspot[], look: 'in' | 'unknown'): Scene['places'] {
  return hotspots.flatMap(({ id, name, latitude, longitude, radiusM, status }, at) => {
    if (latitude === null || longitude === null) return []
    return [{ key: id, label: String(at + 1), name, latitude, longitude, radiusM, look: status === 'open' ? look : 'closed' }]
  })
}
