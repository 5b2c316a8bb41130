import type { ComponentChildren } from 'preact'
import { useState } from 'preact/hooks'
import { countdown, counted, moment, speed } from '../../shared/format.ts'
import { useAccount } from '../account.ts'
import { useLoaded, useNow } from '../asking.ts'
import type { SessionView } from '../contract.ts'
import { useReading, useRefreshOn } from '../live.ts'
import { Dialog } from '../parts/dialog.tsx'
import { Button, ErrorNote, Waiting } from '../parts/feedback.tsx'
import { Icon } from '../parts/icons.tsx'
import { Badge, Facts } from '../parts/page.tsx'
import { ago, customerWords, speedPair, statusWords } from '../words.ts'
import { EndSession, ExtendSession } from './session-changes.tsx'
import { SessionProfiles } from './session-profiles.tsx'
import { ShareBar } from './share-bar.tsx'
import { UseMeter } from './use-meter.tsx'

type PanelProps = { id: number; known: SessionView | null; onChanged: () => void; onClose: () => void }

/** One session in full, beside the list. */
export function SessionPanel({ id, known, onChanged, onClose }: PanelProps) {
  const { api } = useAccount()
  const loaded = useLoaded(async () => (await api.get<{ session: SessionView }>(`/api/admin/sessions/${id}`)).session, [id])
  useRefreshOn('session', loaded.reload)
  const [asking, setAsking] = useState<'end' | 'extend' | null>(null)
  const session = loaded.data ?? known
  const changed = () => {
    loaded.reload()
    onChanged()
  }

  return (
    <Dialog title={session ? customerWords(session) : `Session ${id}`} shape="panel" onClose={onClose}>
      <div class="dialog-body stack" tabIndex={0}>
        {!session && !loaded.error && <Waiting />}
        <ErrorNote error={loaded.error} retry={loaded.reload} />
        {session && <SessionDetail session={session} onChanged={changed} />}
      </div>
      {session && session.status !== 'expired' && (
        <footer class="dialog-foot">
          <Button kind="danger" icon="stop" onClick={() => setAsking('end')}>
            End
          </Button>
          <Button kind="primary" icon="plus" onClick={() => setAsking('extend')}>
            Add time or data
          </Button>
        </footer>
      )}
      {asking === 'end' && session && <EndSession session={session} onDone={changed} onClose={() => setAsking(null)} />}
      {asking === 'extend' && session && <ExtendSession session={session} onDone={changed} onClose={() => setAsking(null)} />}
    </Dialog>
  )
}

function SessionDetail({ session, onChanged }: { session: SessionView; onChanged: () => void }) {
  const now = useNow(1000)
  const reading = useReading(session.id)
  const { words, tone } = statusWords(session)
  const left = session.expiresAt === null ? null : (Date.parse(session.expiresAt) - now) / 1000
  return (
    <>
      <div class="split">
        <Badge kind={tone}>{words}</Badge>
        <span class="soft small figures">Session {session.id}</span>
      </div>
      <div class="panel-meter">
        <UseMeter session={session} />
      </div>
      {(session.viaConnect > 0 || session.profiles.length > 0) && <ShareBar session={session} />}
      {session.status === 'connected' && (
        <p class="panel-speed figures">
          <span>
            <Icon name="down" size={18} />
            {speed(reading?.downBps ?? session.currentDownBps)}
          </span>
          <span>
            <Icon name="up" size={18} />
            {speed(reading?.upBps ?? session.currentUpBps)}
          </span>
        </p>
      )}
      <Facts
        facts={[
          ['Package', session.packageName],
          ['Speed', speedPair(session.downBps, session.upBps)],
          ['Resume code', <span class="code">{session.resumeCode}</span>],
          ['Paid by', <PaidBy session={session} />],
          ...(session.userPhone
            ? [['Phone', <a href={`#/customers/${session.userPhone}`}>+{session.userPhone}</a>] as [string, ComponentChildren]]
            : []),
          ['Opened', moment(session.createdAt)],
          ['Begun', session.startTime ? moment(session.startTime) : `Not yet; must begin by ${moment(session.activateBy)}`],
          ...(left !== null && session.status !== 'expired'
            ? [['Ends', `${moment(session.expiresAt ?? '')} (${countdown(left)})`] as [string, string]]
            : []),
          ...(session.endedAt ? [['Ended', moment(session.endedAt)] as [string, string]] : []),
          ...(session.lastConnected && session.status !== 'connected'
            ? [['Last seen', ago(session.lastConnected, now)] as [string, string]]
            : []),
        ]}
      />
      <section>
        <h3>
          Devices{' '}
          <span class="soft figures">
            {session.devices.length} of {session.maxDevices}
          </span>
        </h3>
        {session.devices.length === 0 && <p class="soft">None yet. The customer's phone appears here once it joins.</p>}
        <ul class="devices">
          {session.devices.map((device) => (
            <li key={device.id}>
              <Icon name="phone" />
              <span>
                {device.name || 'Unnamed device'}
                <small class="code">{device.mac}</small>
              </span>
              <small class="soft">{device.paused ? 'Disconnected' : ago(device.lastSeen, now)}</small>
            </li>
          ))}
        </ul>
      </section>
      <SessionProfiles session={session} now={now} onChanged={onChanged} />
      {session.waiting.length > 0 && (
        <section>
          <h3>Waiting behind it</h3>
          <p class="soft small">{counted(session.waiting.length, 'paid session')}, begun when this one ends.</p>
          <ul class="devices">
            {session.waiting.map((one) => (
              <li key={one.id}>
                <Icon name="clock" />
                <span>
                  {one.packageName}
                  <small class="code">{one.resumeCode}</small>
                </span>
              </li>
            ))}
          </ul>
        </section>
      )}
    </>
  )
}

const methods: Record<SessionView['paymentMethod'], string> = {
  'Mobile Money': 'Mobile money',
  voucher: 'Voucher',
  loyalty_points: 'Points',
  cash: 'Cash',
  free: 'Nothing: it is free',
}

/** How it was paid, with the way to the payment where there is one. */
function PaidBy({ session: { paymentMethod, paymentReference } }: { session: SessionView }) {
  if (paymentMethod === 'voucher') return <>Voucher {paymentReference}</>
  if (paymentMethod === 'free' || paymentMethod === 'loyalty_points') return <>{methods[paymentMethod]}</>
  return <a href={`#/payments/find/${encodeURIComponent(paymentReference)}`}>{methods[paymentMethod]}</a>
}
