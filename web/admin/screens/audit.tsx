import { useState } from 'preact/hooks'
import { useAccount } from '../account.ts'
import { useLoaded } from '../asking.ts'
import type { AuditEntry, AuditPage } from '../contract.ts'
import { useRefreshOn } from '../live.ts'
import { Arrived, Empty } from '../parts/feedback.tsx'
import { Card, Page, Pager } from '../parts/page.tsx'
import { day } from '../words.ts'
import { actionWords, detailWords } from './audit-words.ts'

/** Who changed what, newest first. */
export function Audit() {
  const { api } = useAccount()
  const [page, setPage] = useState(1)
  const audit = useLoaded(() => api.get<AuditPage>(`/api/admin/audit?page=${page}`), [page])
  useRefreshOn('session', audit.reload)
  useRefreshOn('catalogue', audit.reload)
  useRefreshOn('payment', audit.reload)
  return (
    <Page title="Audit" note="Every change made by staff and by programs. It cannot be edited.">
      <Arrived loaded={audit}>
        {(data) => (
          <>
            {data.entries.length === 0 && (
              <Empty icon="audit" title="Nothing has been changed yet">
                <p>Packages, vouchers, sessions, settings, staff: whoever changes one is written down here.</p>
              </Empty>
            )}
            {byDay(data.entries).map(([date, entries]) => (
              <section key={date} class="audit-day">
                <h2 class="band-title">{date}</h2>
                <Card flush>
                  <ol class="audit">
                    {entries.map((entry) => (
                      <Entry key={entry.id} entry={entry} />
                    ))}
                  </ol>
                </Card>
              </section>
            ))}
            <div class="list-foot">
              <Pager page={data.page} pageSize={data.pageSize} total={data.total} onPage={setPage} />
            </div>
          </>
        )}
      </Arrived>
    </Page>
  )
}

function Entry({ entry }: { entry: AuditEntry }) {
  const { settings } = useAccount()
  const details = detailWords(entry.details, settings.currency)
  return (
    <li>
      <time class="figures soft" dateTime={entry.at}>
        {clock(entry.at)}
      </time>
      <div>
        <p>
          <strong>{entry.actor || 'Somebody'}</strong> {actionWords(entry.action)} <Subject entry={entry} />
        </p>
        {details.length > 0 && (
          <dl class="audit-details figures">
            {details.map(([name, value]) => (
              <div key={name}>
                <dt>{name}</dt>
                <dd>{value}</dd>
              </div>
            ))}
          </dl>
        )}
      </div>
    </li>
  )
}

/** The thing that was changed, with a way to it where it has a page. */
function Subject({ entry }: { entry: AuditEntry }) {
  if (!entry.subject) return null
  const screen = screensOf[entry.action.split('.')[0] ?? '']
  if (!screen || gone.has(entry.action)) return <span class="figures">{entry.subject}</span>
  return (
    <a class="figures" href={`#/${screen}/${entry.subject}`}>
      {entry.subject}
    </a>
  )
}

const screensOf: Record<string, string> = {
  vouchers: 'vouchers',
  session: 'sessions',
  package: 'packages',
  payment: 'payments',
  customer: 'customers',
  points: 'customers',
  account: 'providers',
}
const gone = new Set(['package.archive', 'customer.delete'])

function byDay(entries: AuditEntry[]): [string, AuditEntry[]][] {
  const days = new Map<string, AuditEntry[]>()
  for (const entry of entries) {
    const date = day(entry.at)
    days.set(date, [...(days.get(date) ?? []), entry])
  }
  return [...days]
}

function clock(iso: string): string {
  return new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit' }).format(new Date(iso))
}
