import { useEffect, useState } from 'preact/hooks'
import { countdown, counted, speed } from '../../shared/format.ts'
import { useAccount } from '../account.ts'
import { useLoaded, useMedia, useNow, useSettled } from '../asking.ts'
import type { SessionFilter, SessionPage, SessionView } from '../contract.ts'
import { useReading, useRefreshOn } from '../live.ts'
import { Arrived, Empty } from '../parts/feedback.tsx'
import { Choice } from '../parts/form.tsx'
import { Icon } from '../parts/icons.tsx'
import { Badge, Page, Pager } from '../parts/page.tsx'
import { go } from '../router.ts'
import { customerWords, statusWords } from '../words.ts'
import { SessionPanel } from './session-panel.tsx'
import { UseMeter } from './use-meter.tsx'

type Status = SessionFilter['status']
const filters: { value: Status; label: string }[] = [
  { value: 'live', label: 'Live' },
  { value: 'connected', label: 'Online' },
  { value: 'disconnected', label: 'Away' },
  { value: 'ready', label: 'Not begun' },
  { value: 'expired', label: 'Ended' },
  { value: 'all', label: 'All' },
]

/** Who has a session, live. `#/sessions/412` opens one beside the list. */
export function Sessions({ rest }: { rest: string[] }) {
  const { api } = useAccount()
  const [status, setStatus] = useState<Status>('live')
  const [typed, setTyped] = useState('')
  const search = useSettled(typed.trim(), 250)
  const [page, setPage] = useState(1)
  useEffect(() => setPage(1), [status, search])

  const query = new URLSearchParams({ status, page: String(page), ...(search ? { search } : {}) })
  const sessions = useLoaded(() => api.get<SessionPage>(`/api/admin/sessions?${query}`), [status, search, page])
  useRefreshOn('session', sessions.reload)
  const opened = Number(rest[0])

  return (
    <Page title="Sessions">
      <div class="toolbar">
        <Choice label="Show" value={status} options={filters} onValue={setStatus} />
        <label class="search">
          <span class="visually-hidden">Search by phone, device, code or number</span>
          <Icon name="search" />
          <input
            class="input"
            type="search"
            placeholder="Phone, device, code or number"
            maxLength={60}
            value={typed}
            onInput={(event) => setTyped(event.currentTarget.value)}
          />
        </label>
      </div>
      <Arrived loaded={sessions}>
        {(data) => (
          <>
            {data.sessions.length === 0 ? <Nobody status={status} search={search} /> : <SessionList sessions={data.sessions} />}
            <div class="list-foot soft">
              <span>{data.total > 0 && counted(data.total, 'session')}</span>
              <Pager page={data.page} pageSize={data.pageSize} total={data.total} onPage={setPage} />
            </div>
          </>
        )}
      </Arrived>
      {opened > 0 && (
        <SessionPanel
          key={opened}
          id={opened}
          known={sessions.data?.sessions.find(({ id }) => id === opened) ?? null}
          onChanged={sessions.reload}
          onClose={() => go('sessions')}
        />
      )}
    </Page>
  )
}

function Nobody({ status, search }: { status: Status; search: string }) {
  if (search) {
    return (
      <Empty icon="search" title={`Nothing found for “${search}”`}>
        <p>Try the last digits of the phone number, the code on the customer's screen, or look under “All”.</p>
      </Empty>
    )
  }
  if (status === 'live' || status === 'all') {
    return (
      <Empty icon="sessions" title={status === 'live' ? 'No live sessions' : 'No sessions yet'}>
        <p>A session begins when somebody redeems a voucher on the Wi-Fi.</p>
        <a class="button primary" href="#/vouchers">
          Make vouchers
        </a>
      </Empty>
    )
  }
  return (
    <Empty icon="sessions" title={`No session is “${filters.find(({ value }) => value === status)?.label.toLowerCase()}”`}>
      <p>It appears here by itself as soon as there is one.</p>
    </Empty>
  )
}

function SessionList({ sessions }: { sessions: SessionView[] }) {
  const isWide = useMedia('(min-width: 760px)')
  const now = useNow(1000)
  if (!isWide) {
    return (
      <ul class="cards">
        {sessions.map((session) => (
          <li key={session.id}>
            <SessionCard session={session} now={now} />
          </li>
        ))}
      </ul>
    )
  }
  return (
    <div class="card flush">
      <table class="table sessions-table">
        <thead>
          <tr>
            <th>Customer</th>
            <th>Package</th>
            <th>Used</th>
            <th class="to-right">Time left</th>
            <th class="to-right">Speed now</th>
            <th>State</th>
          </tr>
        </thead>
        <tbody>
          {sessions.map((session) => (
            <SessionRow key={session.id} session={session} now={now} />
          ))}
        </tbody>
      </table>
    </div>
  )
}

type RowProps = { session: SessionView; now: number }

function SessionRow({ session, now }: RowProps) {
  const { words, tone } = statusWords(session)
  return (
    <tr>
      <td>
        <a class="row-link" href={`#/sessions/${session.id}`}>
          {customerWords(session)}
        </a>
        <small>
          <SecondLine session={session} />
        </small>
      </td>
      <td>{session.packageName}</td>
      <td class="use-cell">
        <UseMeter session={session} />
      </td>
      <td class="to-right figures">{timeLeft(session, now)}</td>
      <td class="to-right figures">
        <SpeedNow session={session} />
      </td>
      <td>
        <Badge kind={tone}>{words}</Badge>
      </td>
    </tr>
  )
}

function SessionCard({ session, now }: RowProps) {
  const { words, tone } = statusWords(session)
  return (
    <a class="card session-card" href={`#/sessions/${session.id}`}>
      <span class="split">
        <strong>{customerWords(session)}</strong>
        <Badge kind={tone}>{words}</Badge>
      </span>
      <span class="split soft small">
        <span>{session.packageName}</span>
        <span>
          <SecondLine session={session} />
        </span>
      </span>
      <UseMeter session={session} />
      <span class="split soft small figures">
        <span>
          {session.secondsRemaining === null ? 'Not begun' : session.status === 'expired' ? '' : `${timeLeft(session, now)} left`}
        </span>
        <SpeedNow session={session} />
      </span>
    </a>
  )
}

function SpeedNow({ session }: { session: SessionView }) {
  const reading = useReading(session.id)
  if (session.status !== 'connected') return <span class="soft">–</span>
  return <span>{speed((reading?.downBps ?? session.currentDownBps) + (reading?.upBps ?? session.currentUpBps))}</span>
}

function SecondLine({ session }: { session: SessionView }) {
  return (
    <>
      {session.resumeCode}
      {session.devices.length > 1 && ` · ${counted(session.devices.length, 'device')}`}
      {session.profiles.some(({ active }) => active) && (
        <span class="connect-mark" title="Connect Profile Active">
          <Icon name="connect" size={15} />
          <span>Connect</span>
        </span>
      )}
    </>
  )
}

function timeLeft(session: SessionView, now: number): string {
  if (session.status === 'expired') return '–'
  if (session.expiresAt === null) return 'Not begun'
  return countdown((Date.parse(session.expiresAt) - now) / 1000)
}
