import type { Coordinates } from '../../server/hotspots/schema.ts'
import type { Portal } from '../../server/venue/schema.ts'
import type { ApiError } from '../shared/api.ts'
import { distance, radius } from '../shared/distance.ts'
import { Icon } from './icons.tsx'
import { locate, mayLocate } from './nearby.ts'
import { BackBar, Button, Failure, Title } from './parts.tsx'
import { useTask } from './state.ts'

type OutOfRangeProps = {
  portal: Portal
  failure: ApiError
  /** Hears where the reader is, when their phone was asked. */
  onRetry: (from: Coordinates | null) => Promise<void>
  onMap: () => void
  onBack: () => void
}

/** The hotspot does not reach the reader, or nobody knows whether it does: nothing was bought. */
export function OutOfRange({ portal, failure, onRetry, onMap, onBack }: OutOfRangeProps) {
  const task = useTask()
  const {
    distanceM,
    radiusM,
    hotspotName = portal.hotspot.name,
  } = failure.details as {
    distanceM?: number
    radiusM?: number
    hotspotName?: string
  }
  const away = failure.code === 'out-of-range' && distanceM !== undefined
  const again = async () => {
    if (!mayLocate()) return onRetry(null)
    const { latitude, longitude } = await locate()
    await onRetry({ latitude, longitude })
  }
  return (
    <main class="single">
      <BackBar venue={portal.venue} onBack={onBack} />
      <p class="far-ring" aria-hidden="true">
        <Icon name={away ? 'offline' : 'wifi'} size={40} />
      </p>
      <Title venue={portal.venue.venueName}>{away ? 'You are too far away' : 'Are you near enough?'}</Title>
      {away ? (
        <section class="far figures" role="alert">
          <p class="far-distance">{distance(distanceM)}</p>
          <p>from {hotspotName}</p>
          {radiusM !== undefined && <p class="soft">Its Wi-Fi is for {radius(radiusM)} around it. Come nearer, then try again.</p>}
        </section>
      ) : (
        <p class="lead" role="alert">
          {failure.message}
        </p>
      )}
      <p class="center soft">Nothing was charged.</p>
      {task.failure && <Failure failure={task.failure} />}
      <Button busy={task.busy} busyText="Looking…" onClick={() => void task.run(again)}>
        {away || !mayLocate() ? 'Try again' : 'Use my location'}
      </Button>
      <Button kind="second" onClick={onMap}>
        See all hotspots
      </Button>
    </main>
  )
}
