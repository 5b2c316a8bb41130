import { useCallback, useEffect, useRef, useState } from 'preact/hooks'
import { Ended } from './ended.tsx'
import { EnterResume, EnterVoucher } from './enter.tsx'
import { Granted, type Grant } from './granted.tsx'
import { Warnings } from './parts.tsx'
import { Session } from './session.tsx'
import { isLive, usePlace, usePortal, useSession } from './state.ts'
import { Unreachable } from './unreachable.tsx'
import { Welcome, type Doors } from './welcome.tsx'

export function App() {
  const [place, go] = usePlace()
  const { portal, failure, refresh } = usePortal()
  const followed = useSession(portal)
  const [grant, setGrant] = useState<Grant | null>(null)
  const { session } = followed
  const alive = isLive(session)
  const wasAlive = useRef(false)

  // A paid session that waited may have begun in the same moment: the box knows.
  useEffect(() => {
    if (wasAlive.current && !alive) void refresh()
    wasAlive.current = alive
  }, [alive, refresh])

  const close = useCallback(() => {
    setGrant(null)
    go('home')
    void refresh()
  }, [go, refresh])

  if (!portal) return <div class="page">{failure ? <Unreachable failure={failure} retry={refresh} /> : <Loading />}</div>

  const doors: Doors = {
    go,
    onRedeemed: setGrant,
    onResumed: (resumed) => setGrant({ session: resumed, outcome: 'resumed' }),
    // The answer to a good redemption may have been lost on the way: then the box knows a session of this device.
    onRefused: (refused) => {
      if (refused.code === 'voucher-used') void refresh()
    },
  }
  const lost = failure?.code === 'unreachable' || (isLive(session) && followed.line === 'lost')

  return (
    <div class="page">
      {!grant && <Warnings portal={portal} lost={lost} />}
      {screen()}
    </div>
  )

  function screen() {
    if (!portal) return null
    if (grant) return <Granted portal={portal} grant={grant} onGranted={setGrant} onClose={close} />
    if (place.at === 'resume') return <EnterResume portal={portal} doors={doors} />
    if (place.at === 'voucher') return <EnterVoucher portal={portal} session={session} place={place} doors={doors} />
    if (isLive(session)) return <Session portal={portal} session={session} followed={followed} doors={doors} />
    if (session) return <Ended portal={portal} session={session} doors={doors} />
    return <Welcome portal={portal} doors={doors} sought={place.afterGrant} />
  }
}

function Loading() {
  return (
    <main class="single" aria-busy="true">
      <p class="spinner large" aria-hidden="true" />
      <h1 class="visually-hidden">Loading</h1>
    </main>
  )
}
