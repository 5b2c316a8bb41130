import { useState } from 'preact/hooks'
import { moment } from '../../shared/format.ts'
import { useAccount } from '../account.ts'
import { useLoaded, useMedia, useNow } from '../asking.ts'
import type { Batch, Batches } from '../contract.ts'
import { useRefreshOn } from '../live.ts'
import { Arrived, Button, Empty } from '../parts/feedback.tsx'
import { Badge, Bar, Page } from '../parts/page.tsx'
import type { Made } from '../print/made.tsx'
import { go } from '../router.ts'
import { day } from '../words.ts'
import { BatchPanel } from './batch-panel.tsx'
import { MakeVouchers } from './make-vouchers.tsx'

/** Batches of vouchers. `#/vouchers/14` opens one, `#/vouchers/new` makes one. */
export function Vouchers({ rest, onMade }: { rest: string[]; onMade: (made: Made) => void }) {
  const { api } = useAccount()
  const batches = useLoaded(() => api.get<Batches>('/api/admin/vouchers'))
  useRefreshOn('catalogue', batches.reload)
  useRefreshOn('session', batches.reload)
  const [shown, setShown] = useState(SHOWN_FIRST)
  const opened = Number(rest[0])

  return (
    <Page
      title="Vouchers"
      note="Codes that customers type in or scan. Each works once."
      actions={
        <Button kind="primary" icon="plus" onClick={() => go('vouchers/new')}>
          Make vouchers
        </Button>
      }
    >
      <Arrived loaded={batches}>
        {({ batches: all }) =>
          all.length === 0 ? (
            <Empty icon="vouchers" title="No vouchers yet">
              <p>
                Make a batch, print it, and sell the codes at the counter. Customers join the Wi-Fi, type the code or scan it, and are
                online.
              </p>
              <a class="button primary" href="#/vouchers/new">
                Make the first batch
              </a>
            </Empty>
          ) : (
            <>
              <BatchList batches={all.slice(0, shown)} />
              {all.length > shown && (
                <div class="list-foot">
                  <Button onClick={() => setShown(shown + SHOWN_FIRST)}>Show older batches</Button>
                </div>
              )}
            </>
          )
        }
      </Arrived>
      {rest[0] === 'new' && (
        <MakeVouchers
          onClose={() => go('vouchers')}
          onMade={(made) => {
            batches.reload()
            go('vouchers')
            onMade(made)
          }}
        />
      )}
      {opened > 0 && <BatchPanel key={opened} id={opened} onChanged={batches.reload} onClose={() => go('vouchers')} />}
    </Page>
  )
}

const SHOWN_FIRST = 50

function BatchList({ batches }: { batches: Batch[] }) {
  const isWide = useMedia('(min-width: 760px)')
  const now = useNow(60_000)
  if (!isWide) {
    return (
      <ul class="cards">
        {batches.map((batch) => (
          <li key={batch.id}>
            <a class="card session-card" href={`#/vouchers/${batch.id}`}>
              <span class="split">
                <strong>
                  {batch.count.toLocaleString('en-US')} × {batch.packageName}
                </strong>
                <BatchState batch={batch} now={now} />
              </span>
              <span class="split soft small">
                <span>{remarks(batch) || `Batch ${batch.id}`}</span>
                <span>{day(batch.createdAt)}</span>
              </span>
              <BatchUse batch={batch} />
            </a>
          </li>
        ))}
      </ul>
    )
  }
  return (
    <div class="card flush">
      <table class="table">
        <thead>
          <tr>
            <th>Batch</th>
            <th>Package</th>
            <th>Redeemed</th>
            <th>Seller and note</th>
            <th>Redeem by</th>
            <th>State</th>
          </tr>
        </thead>
        <tbody>
          {batches.map((batch) => (
            <tr key={batch.id}>
              <td>
                <a class="row-link" href={`#/vouchers/${batch.id}`}>
                  Batch {batch.id}
                </a>
                <small>
                  {moment(batch.createdAt)} by {batch.createdBy}
                </small>
              </td>
              <td>{batch.packageName}</td>
              <td class="use-cell">
                <BatchUse batch={batch} />
              </td>
              <td>{remarks(batch) || <span class="soft">–</span>}</td>
              <td class="figures">{batch.expiresAt ? day(batch.expiresAt) : <span class="soft">Any time</span>}</td>
              <td>
                <BatchState batch={batch} now={now} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}

export function BatchUse({ batch }: { batch: Batch }) {
  return (
    <span class="use figures">
      <span>
        {batch.used.toLocaleString('en-US')}
        <span class="soft"> of {batch.count.toLocaleString('en-US')}</span>
      </span>
      <Bar percent={(batch.used / batch.count) * 100} label="Redeemed" tone={batch.voidedAt ? 'quiet' : 'accent'} />
    </span>
  )
}

export function BatchState({ batch, now }: { batch: Batch; now: number }) {
  if (batch.voidedAt) return <Badge kind="bad">Void</Badge>
  if (batch.used >= batch.count) return <Badge>All redeemed</Badge>
  if (batch.expiresAt && Date.parse(batch.expiresAt) < now) return <Badge kind="warn">Expired</Badge>
  return <Badge kind="good">For sale</Badge>
}

function remarks(batch: Batch): string {
  return [batch.seller, batch.note].filter(Boolean).join(' · ')
}
