import { bytes } from '../../shared/format.ts'
import type { SessionView } from '../contract.ts'
import { useReading } from '../live.ts'

/** Which way the use of a session went: over the hotspot, and through Connect; moves with every reading. */
export function ShareBar({ session }: { session: Pick<SessionView, 'id' | 'dataUsed' | 'slowUsed' | 'viaConnect'> }) {
  const reading = useReading(session.id)
  const total = Math.max(session.dataUsed + session.slowUsed, reading ? reading.used + reading.slowUsed : 0)
  const tunnel = Math.min(Math.max(session.viaConnect, reading?.viaConnect ?? 0), total)
  const hotspot = total - tunnel
  return (
    <section class="shares figures" aria-label="Which way it was used">
      <span class="share-line" aria-hidden="true">
        {hotspot > 0 && <i class="hotspot" style={{ flexGrow: hotspot / total }} />}
        {tunnel > 0 && <i class="tunnel" style={{ flexGrow: tunnel / total }} />}
      </span>
      <p class="share-words small">
        <span class="share-key hotspot">Hotspot {bytes(hotspot)}</span>
        <span class="share-key tunnel">Connect {bytes(tunnel)}</span>
      </p>
    </section>
  )
}
