import { useEffect, useState } from 'preact/hooks'
import { counted } from '../../shared/format.ts'
import { useAccount } from '../account.ts'
import { useLoaded, useMedia, useNow, useSettled } from '../asking.ts'
import type { CustomerPage, CustomerRow } from '../contract.ts'
import { useRefreshOn } from '../live.ts'
import { Arrived, Empty } from '../parts/feedback.tsx'
import { Icon } from '../parts/icons.tsx'
import { Badge, Page, Pager } from '../parts/page.tsx'
import { go } from '../router.ts'
import { ago } from '../words.ts'
import { CustomerPanel } from './customer-panel.tsx'

/** Who bought with a phone number. `#/customers/256771234567` opens one beside the list. */
export function CustomersScreen({ rest }: { rest: string[] }) {
  const { api } = useAccount()
  const [typed, setTyped] = useState('')
  const search = useSettled(typed.trim(), 250)
  const [page, setPage] = useState(1)
  useEffect(() => setPage(1), [search])
  const query = new URLSearchParams({ page: String(page), ...(search ? { search } : {}) })
  const customers = useLoaded(() => api.get<CustomerPage>(`/api/admin/customers?${query}`), [search, page])
  useRefreshOn('session', customers.reload)
  useRefreshOn('payment', customers.reload)
  const opened = rest[0]

  return (
    <Page title="Customers" note="Everybody who gave a phone number. Whoever only types in a voucher needs none, and is not here.">
      <div class="toolbar">
        <label class="search">
          <span class="visually-hidden">Search by phone number</span>
          <Icon name="search" />
          <input
            class="input"
            type="search"
            inputMode="tel"
            placeholder="Phone number, or part of it"
            maxLength={30}
            value={typed}
            onInput={(event) => setTyped(event.currentTarget.value)}
          />
        </label>
      </div>
      <Arrived loaded={customers}>
        {(data) => (
          <>
            {data.customers.length === 0 ? <Nobody search={search} /> : <CustomerList customers={data.customers} />}
            <div class="list-foot soft">
              <span>{data.total > 0 && counted(data.total, 'customer')}</span>
              <Pager page={data.page} pageSize={data.pageSize} total={data.total} onPage={setPage} />
            </div>
          </>
        )}
      </Arrived>
      {opened && <CustomerPanel key={opened} phone={opened} onChanged={customers.reload} onClose={() => go('customers')} />}
    </Page>
  )
}

function Nobody({ search }: { search: string }) {
  if (search) {
    return (
      <Empty icon="search" title={`No number with “${search}”`}>
        <p>Try the last digits only.</p>
      </Empty>
    )
  }
  return (
    <Empty icon="customers" title="No customers yet">
      <p>Customers appear here with their first purchase by phone number.</p>
    </Empty>
  )
}

function CustomerList({ customers }: { customers: CustomerRow[] }) {
  const isWide = useMedia('(min-width: 760px)')
  const now = useNow(10_000)
  if (!isWide) {
    return (
      <ul class="cards">
        {customers.map((customer) => (
          <li key={customer.phone}>
            <a class="card session-card" href={`#/customers/${customer.phone}`}>
              <span class="split">
                <strong class="figures">+{customer.phone}</strong>
                <Presence customer={customer} />
              </span>
              <span class="split soft small figures">
                <span>
                  {counted(customer.points, 'point')} · {counted(customer.sessions, 'session')}
                </span>
                <span>seen {ago(customer.seenAt, now)}</span>
              </span>
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
            <th>Phone</th>
            <th class="to-right">Points</th>
            <th class="to-right">Sessions</th>
            <th>Now</th>
            <th class="to-right">Last seen</th>
          </tr>
        </thead>
        <tbody>
          {customers.map((customer) => (
            <tr key={customer.phone}>
              <td>
                <a class="row-link figures" href={`#/customers/${customer.phone}`}>
                  +{customer.phone}
                </a>
              </td>
              <td class="to-right figures">{customer.points.toLocaleString('en-US')}</td>
              <td class="to-right figures">{customer.sessions.toLocaleString('en-US')}</td>
              <td>
                <Presence customer={customer} />
              </td>
              <td class="to-right figures soft">{ago(customer.seenAt, now)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}

function Presence({ customer }: { customer: CustomerRow }) {
  if (customer.liveSessionId !== null) return <Badge kind="good">Live session</Badge>
  if (!customer.confirmed) return <Badge>Not proved</Badge>
  return <span class="soft">–</span>
}
