import { useCallback, useEffect, useRef, useState } from 'preact/hooks'
import type { Errand } from './connect.tsx'
import { Ended } from './ended.tsx'
import { EnterResume, EnterVoucher } from './enter.tsx'
import { Granted, type Grant } from './granted.tsx'
import { Late, Loading } from './late.tsx'
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
  const [errand, setErrand] = useState<Errand | null>(null)
  const { session } = followed
  const alive = isLive(session)
  const wasAlive = useRef(false)

  // A paid session that waited may have begun in the same moment: the box knows.
  useEffect(() => {
    if (wasAlive.current && !alive) void refresh()
    wasAlive.current = alive
  }, [alive, refresh])

  // A profile holds a key: it is forgotten when the reader leaves its page, be it by the browser's own way back.
  useEffect(() => {
    if (place.at !== 'setup') setErrand(null)
  }, [place.at])

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
    if (place.at === 'claim')
      return <Late load={setupPages} show={({ Claim }) => <Claim key={place.code} portal={portal} token={place.code} onClose={close} />} />
    if (place.at === 'setup' && errand)
      return <Late load={setupPages} show={({ Setup }) => <Setup portal={portal} errand={errand} onClose={close} />} />
    if (isLive(session))
      return (
        <Session
          portal={portal}
          session={session}
          followed={followed}
          doors={doors}
          onErrand={(made) => {
            setErrand(made)
            go('setup')
          }}
        />
      )
    if (session) return <Ended portal={portal} session={session} doors={doors} />
    return <Welcome portal={portal} doors={doors} sought={place.afterGrant} />
  }
}

/** Their own file: most readers never need them. */
const setupPages = () => import('./setup.tsx')
