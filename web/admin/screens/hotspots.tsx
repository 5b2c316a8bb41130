import { useState } from 'preact/hooks'
import { radius } from '../../shared/distance.ts'
import { useAccount } from '../account.ts'
import { useChange, useLoaded } from '../asking.ts'
import type { Hotspot } from '../contract.ts'
import { Confirm } from '../parts/dialog.tsx'
import { Arrived, Button, ErrorNote, useSay } from '../parts/feedback.tsx'
import { Badge, Card, Page } from '../parts/page.tsx'
import { go } from '../router.ts'
import '../styles/hotspots.css'
import { HotspotForm } from './hotspot-form.tsx'
import { HotspotMap, placesOf } from './hotspot-map.tsx'

/** Where customers get online. A cashier looks, the owner changes. */
export function HotspotsScreen({ rest }: { rest: string[] }) {
  const { api, me } = useAccount()
  const mayChange = me.role === 'owner'
  const hotspots = useLoaded(() => api.get<{ hotspots: Hotspot[] }>('/api/admin/hotspots'))
  const all = hotspots.data?.hotspots ?? []
  const opened = rest[0] === 'new' ? 'new' : all.find(({ id }) => id === Number(rest[0]))
  return (
    <Page
      title="Hotspots"
      note="Where customers get online: the list and the map that they see."
      actions={
        mayChange && (
          <Button kind="primary" icon="plus" onClick={() => go('hotspots/new')}>
            New hotspot
          </Button>
        )
      }
    >
      <Arrived loaded={hotspots}>
        {() => (
          <div class="hotspots">
            <Card flush>
              <ul class="rows">
                {all.map((hotspot, at) => (
                  <Row key={hotspot.id} hotspot={hotspot} number={at + 1} mayChange={mayChange} onChanged={hotspots.reload} />
                ))}
              </ul>
            </Card>
            {placesOf(all, 'in').length > 0 ? (
              <HotspotMap
                view="all"
                label="Map of the hotspots"
                places={placesOf(all, 'in')}
                {...(mayChange ? { onPlace: (id) => go(`hotspots/${id}`) } : {})}
              />
            ) : (
              <p class="soft">No hotspot has a position yet, so customers see no map and no distances.</p>
            )}
          </div>
        )}
      </Arrived>
      {opened && mayChange && (
        <HotspotForm known={opened === 'new' ? null : opened} others={all} onSaved={hotspots.reload} onClose={() => go('hotspots')} />
      )}
    </Page>
  )
}

type RowProps = { hotspot: Hotspot; number: number; mayChange: boolean; onChanged: () => void }

function Row({ hotspot, number, mayChange, onChanged }: RowProps) {
  const { name, place, ssid, hotspotId, radiusM, latitude, status, here } = hotspot
  const details = [ssid && `Wi-Fi ${ssid}`, `reaches ${radius(radiusM)}`, latitude === null && 'not on the map'].filter(Boolean).join(' · ')
  return (
    <li>
      <span class="hotspot-number" aria-hidden="true">
        {number}
      </span>
      <span class="row-main">
        <strong>{name}</strong>
        {place && <small>{place}</small>}
        <small class="soft">
          {details} · <span class="code">{hotspotId}</span>
        </small>
      </span>
      <span class="row-badges">
        {here && <Badge kind="accent">This box</Badge>}
        <Badge kind={status === 'open' ? 'good' : 'warn'}>{status === 'open' ? 'Open' : 'Closed'}</Badge>
      </span>
      {mayChange && <Actions hotspot={hotspot} onChanged={onChanged} />}
    </li>
  )
}

function Actions({ hotspot, onChanged }: Omit<RowProps, 'number' | 'mayChange'>) {
  const { api } = useAccount()
  const say = useSay()
  const [asking, setAsking] = useState<'close' | 'remove' | null>(null)
  const { id, name, status } = hotspot
  const turn = (to: Hotspot['status']) => api.patch(`/api/admin/hotspots/${id}`, { status: to })
  const done = (words: string) => {
    say(words)
    onChanged()
  }
  const opening = useChange(() => turn('open'))
  const open = async () => {
    if (await opening.run()) done(`${name} is open again.`)
  }
  return (
    <span class="row-actions">
      <button type="button" class="button small" aria-label={`Edit ${name}`} onClick={() => go(`hotspots/${id}`)}>
        Edit
      </button>
      <button
        type="button"
        class="button small"
        aria-label={`${status === 'open' ? 'Close' : 'Open'} ${name}`}
        disabled={opening.busy}
        onClick={() => (status === 'open' ? setAsking('close') : void open())}
      >
        {status === 'open' ? 'Close' : 'Open'}
      </button>
      <button type="button" class="button small" aria-label={`Remove ${name}`} onClick={() => setAsking('remove')}>
        Remove
      </button>
      <ErrorNote error={opening.error} />
      {asking === 'close' && (
        <Confirm
          title={`Close ${name}?`}
          verb="Close it"
          act={() => turn('closed')}
          onDone={() => done(`${name} is closed.`)}
          onClose={() => setAsking(null)}
        >
          <p>Nobody can buy for it until you open it again. Sessions that run there go on.</p>
        </Confirm>
      )}
      {asking === 'remove' && (
        <Confirm
          title={`Remove ${name}?`}
          verb="Remove it"
          act={() => api.remove(`/api/admin/hotspots/${id}`)}
          onDone={() => done(`${name} is removed.`)}
          onClose={() => setAsking(null)}
        >
          <p>It leaves the list and the map. Sessions and receipts keep its name.</p>
        </Confirm>
      )}
    </span>
  )
}
