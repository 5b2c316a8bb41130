import { useEffect, useState } from 'preact/hooks'
import { counted, price } from '../../shared/format.ts'
import { useAccount } from '../account.ts'
import { useLoaded, useMedia, useNow, useSettled } from '../asking.ts'
import type { PaymentFilter, PaymentPage, StaffPayment } from '../contract.ts'
import { useRefreshOn } from '../live.ts'
import { Arrived, Empty } from '../parts/feedback.tsx'
import { Choice } from '../parts/form.tsx'
import { Icon } from '../parts/icons.tsx'
import { Badge, Page, Pager } from '../parts/page.tsx'
import { go } from '../router.ts'
import { ago } from '../words.ts'
import { Inbox } from './payment-inbox.tsx'
import { PaymentPanel } from './payment-panel.tsx'
import { WayLine } from './payment-way.tsx'
import { payerWords, paymentFilters, paymentState } from './payment-words.ts'

type Status = PaymentFilter['status']

/** Money on its way, live. `#/payments/412` opens one, `#/payments/find/2567` searches, `#/payments/inbox` is what providers sent. */
export function PaymentsScreen({ rest }: { rest: string[] }) {
  if (rest[0] === 'inbox') return <Inbox />
  return <Payments rest={rest} />
}

function Payments({ rest }: { rest: string[] }) {
  const { api, me } = useAccount()
  const [status, setStatus] = useState<Status>('all')
  const wanted = rest[0] === 'find' ? (rest[1] ?? '') : ''
  const [typed, setTyped] = useState(wanted)
  useEffect(() => {
    if (!wanted) return
    setStatus('all')
    setTyped(wanted)
  }, [wanted])
  const search = useSettled(typed.trim(), 250)
  const [page, setPage] = useState(1)
  useEffect(() => setPage(1), [status, search])

  const query = new URLSearchParams({ status, page: String(page), ...(search ? { search } : {}) })
  const payments = useLoaded(() => api.get<PaymentPage>(`/api/admin/payments?${query}`), [status, search, page])
  useRefreshOn('payment', payments.reload)
  const opened = Number(rest[0])

  return (
    <Page
      title="Payments"
      actions={
        me.role === 'owner' && (
          <a class="button" href="#/payments/inbox">
            <Icon name="inbox" />
            <span>Raw inbox</span>
          </a>
        )
      }
    >
      <div class="toolbar payments-toolbar">
        <Choice label="Show" value={status} options={paymentFilters} onValue={setStatus} />
        <label class="search">
          <span class="visually-hidden">Search by phone, number or reference</span>
          <Icon name="search" />
          <input
            class="input"
            type="search"
            placeholder="Phone, number or reference"
            maxLength={60}
            value={typed}
            onInput={(event) => setTyped(event.currentTarget.value)}
          />
        </label>
      </div>
      <Arrived loaded={payments}>
        {(data) => (
          <>
            {data.payments.length === 0 ? <Nothing status={status} search={search} /> : <PaymentList payments={data.payments} />}
            <div class="list-foot soft">
              <span>{data.total > 0 && counted(data.total, 'payment')}</span>
              <Pager page={data.page} pageSize={data.pageSize} total={data.total} onPage={setPage} />
            </div>
          </>
        )}
      </Arrived>
      {opened > 0 && (
        <PaymentPanel
          key={opened}
          number={opened}
          known={payments.data?.payments.find(({ number }) => number === opened) ?? null}
          onChanged={payments.reload}
          onClose={() => go('payments')}
        />
      )}
    </Page>
  )
}

const nothingWords: Record<Status, [title: string, words: string]> = {
  all: ['No payments yet', 'A payment appears here as soon as a customer chooses how to pay on their phone.'],
  open: ['Nobody is paying right now', 'Whoever is asked for money appears here until it is there, or refused.'],
  cash: ['Nobody waits with cash', 'Customers who choose cash on their phone appear here, and under Sell.'],
  paid: ['Nothing paid yet', 'Payments that reached you appear here.'],
  'not-online': [
    'Everybody who paid is online',
    'Who paid and is not let in within a minute would appear here; the box goes on trying by itself.',
  ],
  failed: ['No payment failed', 'What was declined, or never confirmed, appears here with the reason.'],
  refunds: ['No refunds', 'Money that was given back appears here.'],
}

function Nothing({ status, search }: { status: Status; search: string }) {
  if (search) {
    return (
      <Empty icon="search" title={`Nothing found for “${search}”`}>
        <p>Try the last digits of the phone number, the payment's number, or the provider's reference on their receipt.</p>
      </Empty>
    )
  }
  const [title, words] = nothingWords[status]
  return (
    <Empty icon="payments" title={title}>
      <p>{words}</p>
    </Empty>
  )
}

function PaymentList({ payments }: { payments: StaffPayment[] }) {
  const isWide = useMedia('(min-width: 760px)')
  const now = useNow(10_000)
  if (!isWide) {
    return (
      <ul class="cards">
        {payments.map((payment) => (
          <li key={payment.number}>
            <PaymentCard payment={payment} now={now} />
          </li>
        ))}
      </ul>
    )
  }
  return (
    <div class="card flush">
      <table class="table payments-table">
        <thead>
          <tr>
            <th>Payment</th>
            <th>Package</th>
            <th class="to-right">Amount</th>
            <th>Way</th>
            <th>State</th>
            <th class="to-right">Asked</th>
          </tr>
        </thead>
        <tbody>
          {payments.map((payment) => (
            <PaymentRow key={payment.number} payment={payment} now={now} />
          ))}
        </tbody>
      </table>
    </div>
  )
}

type RowProps = { payment: StaffPayment; now: number }

function PaymentRow({ payment, now }: RowProps) {
  const { words, tone } = paymentState(payment, now)
  return (
    <tr>
      <td>
        <a class="row-link figures" href={`#/payments/${payment.number}`}>
          {payerWords(payment)}
        </a>
        <small class="figures">
          No. {payment.number} · {payment.title}
        </small>
      </td>
      <td>{payment.packageName}</td>
      <td class="to-right figures">{price(payment.amountMinor, payment.currency)}</td>
      <td>
        <WayLine payment={payment} />
      </td>
      <td>
        <Badge kind={tone}>{words}</Badge>
      </td>
      <td class="to-right figures soft">{ago(payment.createdAt, now)}</td>
    </tr>
  )
}

function PaymentCard({ payment, now }: RowProps) {
  const { words, tone } = paymentState(payment, now)
  return (
    <a class="card session-card" href={`#/payments/${payment.number}`}>
      <span class="split">
        <strong class="figures">{payerWords(payment)}</strong>
        <strong class="figures">{price(payment.amountMinor, payment.currency)}</strong>
      </span>
      <span class="split soft small">
        <span>{payment.packageName}</span>
        <span class="figures">
          No. {payment.number} · {payment.title}
        </span>
      </span>
      <WayLine payment={payment} />
      <span class="split small">
        <Badge kind={tone}>{words}</Badge>
        <span class="figures soft">{ago(payment.createdAt, now)}</span>
      </span>
    </a>
  )
}
