import { useCallback, useEffect, useRef, useState } from 'preact/hooks'
import { Buy } from './buy.tsx'
import type { Errand } from './connect.tsx'
import { Ended } from './ended.tsx'
import { EnterResume, EnterVoucher } from './enter.tsx'
import { Granted, type Grant } from './granted.tsx'
import { Late, Loading } from './late.tsx'
import { Warnings } from './parts.tsx'
import { Pay } from './pay.tsx'
import { usePayment } from './paying.ts'
import { Session } from './session.tsx'
import { isLive, usePlace, usePortal, useSession } from './state.ts'
import { isSettled } from './till.ts'
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
  const paying = usePayment(portal)
  const { payment } = paying
  /** The package whose button was pressed just now, and the one asked for while another payment was open. */
  const [pressed, setPressed] = useState(0)
  const [instead, setInstead] = useState('')

  // A paid session that waited may have begun in the same moment: the box knows.
  useEffect(() => {
    if (wasAlive.current && !alive) void refresh()
    wasAlive.current = alive
  }, [alive, refresh])

  // The captive window may have closed while somebody paid: whoever opens it again wants to know about that first.
  const met = useRef(false)
  useEffect(() => {
    if (!portal || met.current) return
    met.current = true
    const waits = payment && !isSettled(payment) && (payment.secondsLeft > 0 || payment.status === 'paid')
    if (waits && !alive && place.at === 'home') go('pay', payment.reference, true)
  }, [portal])
  const open = payment !== null && !isSettled(payment)
  const wasOpen = useRef(false)
  useEffect(() => {
    if (wasOpen.current && !open) void refresh()
    wasOpen.current = open
  }, [open, refresh])

  // A profile holds a key: it is forgotten when the reader leaves its page, be it by the browser's own way back.
  useEffect(() => {
    if (place.at !== 'setup') setErrand(null)
    if (place.at !== 'buy') setPressed(0)
    if (place.at !== 'buy' && place.at !== 'pay') setInstead('')
  }, [place.at])

  const close = useCallback(() => {
    setGrant(null)
    go('home')
    void refresh()
  }, [go, refresh])

  if (!portal) return <div class="page">{failure ? <Unreachable failure={failure} retry={refresh} /> : <Loading />}</div>

  const buy = (id: number, leave = false) => {
    setPressed(id)
    go('buy', String(id), leave)
  }
  const finish = (bought: Grant) => {
    setGrant(bought)
    go('home', '', true)
  }
  const doors: Doors = {
    go,
    onBuy: (item) => buy(item.id),
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
    const home = () => go('home')
    if (place.at === 'claim')
      return (
        <Late
          key="claim"
          load={setupPages}
          show={({ Claim }) => <Claim key={place.code} portal={portal} token={place.code} onClose={close} />}
        />
      )
    if (place.at === 'setup' && errand)
      return <Late key="setup" load={setupPages} show={({ Setup }) => <Setup portal={portal} errand={errand} onClose={close} />} />
    if (place.at === 'pay')
      return (
        <Pay
          key={place.code}
          portal={portal}
          reference={place.code}
          paying={paying}
          instead={instead}
          go={go}
          onGrant={finish}
          onAgain={(id) => buy(id, true)}
        />
      )
    const item = place.at === 'buy' && portal.packages.find((one) => !one.archived && one.id === Number(place.code))
    if (item)
      return (
        <Buy
          key={item.id}
          portal={portal}
          session={isLive(session) ? session : null}
          purchase={{ item, eager: pressed === item.id }}
          paying={paying}
          go={go}
          refresh={refresh}
          onGrant={finish}
          onOpen={({ name }) => setInstead(name)}
        />
      )
    if (place.at === 'map') return <Late key="map" load={mapPage} show={({ MapScreen }) => <MapScreen portal={portal} onBack={home} />} />
    if (place.at === 'receipt')
      return (
        <Late
          key="receipt"
          load={ownPages}
          show={({ Receipt }) => <Receipt key={place.code} portal={portal} reference={place.code} go={go} />}
        />
      )
    if (place.at === 'account' || place.at === 'history' || place.at === 'points') {
      const { at } = place
      return <Late key="own" load={ownPages} show={({ Own }) => <Own at={at} portal={portal} go={go} refresh={refresh} />} />
    }
    if (isLive(session))
      return (
        <Session
          portal={portal}
          session={session}
          payment={payment}
          followed={followed}
          doors={doors}
          onErrand={(made) => {
            setErrand(made)
            go('setup')
          }}
        />
      )
    if (session) return <Ended portal={portal} session={session} payment={payment} doors={doors} />
    return <Welcome portal={portal} payment={payment} doors={doors} sought={place.afterGrant} />
  }
}

/** Their own file: most readers never need them. */
const setupPages = () => import('./setup.tsx')
const ownPages = () => import('./account.tsx')
const mapPage = () => import('./map.tsx')
