import { useEffect, useRef, useState } from 'preact/hooks'
import { counted } from '../../shared/format.ts'
import { useAccount } from '../account.ts'
import { useLoaded, useNow } from '../asking.ts'
import type { InboxEntry } from '../contract.ts'
import { useRefreshOn } from '../live.ts'
import { Arrived, Empty } from '../parts/feedback.tsx'
import { Icon } from '../parts/icons.tsx'
import { Badge, Page, Pager } from '../parts/page.tsx'
import { ago } from '../words.ts'

type Entries = { entries: InboxEntry[]; total: number; page: number; pageSize: number }

/** Everything that providers sent to this box, as it came. */
export function Inbox() {
  const { api } = useAccount()
  const [page, setPage] = useState(1)
  const inbox = useLoaded(() => api.get<Entries>(`/api/admin/inbox?page=${page}`), [page])
  useRefreshOn('payment', inbox.reload)
  const place = useRef<HTMLDivElement>(null)
  useEffect(() => place.current?.querySelector('h1')?.focus({ preventScroll: true }), [])
  return (
    <div ref={place}>
      <Page
        title="Raw inbox"
        note="What providers sent, as it came. It never credits anything by itself: the box asks the provider for the truth each time."
        actions={
          <a class="button" href="#/payments">
            <span class="turned">
              <Icon name="chevron" />
            </span>
            <span>Payments</span>
          </a>
        }
      >
        <Arrived loaded={inbox}>
          {(data) => (
            <>
              {data.entries.length === 0 && (
                <Empty icon="inbox" title="Nothing has come in">
                  <p>
                    Providers can send something only if this box has a public address. Without one they are asked every few seconds, and
                    payments work all the same.
                  </p>
                </Empty>
              )}
              <InboxEntries entries={data.entries} linked />
              <div class="list-foot soft">
                <span>{data.total > 0 && (data.total === 1 ? '1 entry' : `${data.total.toLocaleString('en-US')} entries`)}</span>
                <Pager page={data.page} pageSize={data.pageSize} total={data.total} onPage={setPage} />
              </div>
            </>
          )}
        </Arrived>
      </Page>
    </div>
  )
}

/** Callbacks one under the other. @param linked with a way to the payment of each */
export function InboxEntries({ entries, linked = false }: { entries: InboxEntry[]; linked?: boolean }) {
  const now = useNow(10_000)
  return (
    <ol class="inbox">
      {entries.map((entry) => (
        <li key={entry.id} class={linked ? 'card' : ''}>
          <p class="inbox-head">
            <strong>{entry.provider}</strong>
            <Badge kind={entry.trusted ? 'good' : 'quiet'}>{entry.trusted ? 'Signature right' : 'Not signed'}</Badge>
            <span class="soft small figures">
              {ago(entry.receivedAt, now)}
              {entry.times > 1 && `, ${counted(entry.times, 'time')}, last ${ago(entry.lastAt, now)}`}
            </span>
            {linked && entry.reference && <a href={`#/payments/find/${encodeURIComponent(entry.reference)}`}>Its payment</a>}
          </p>
          <pre class="inbox-body code" tabIndex={0} aria-label={`What ${entry.provider} sent`} role="group">
            {entry.body}
          </pre>
        </li>
      ))}
    </ol>
  )
}
