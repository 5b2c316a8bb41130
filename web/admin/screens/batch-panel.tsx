import { useState } from 'preact/hooks'
import { counted, moment } from '../../shared/format.ts'
import { useAccount } from '../account.ts'
import { useLoaded, useNow } from '../asking.ts'
import type { Batch, BatchDetail, Voucher } from '../contract.ts'
import { useRefreshOn } from '../live.ts'
import { Confirm, Dialog } from '../parts/dialog.tsx'
import { Arrived, Button, useSay } from '../parts/feedback.tsx'
import { Choice } from '../parts/form.tsx'
import { Badge, Facts } from '../parts/page.tsx'
import { day } from '../words.ts'
import { BatchState, BatchUse } from './vouchers.tsx'

type PanelProps = { id: number; onChanged: () => void; onClose: () => void }

/** One batch: how it sells, and which codes are gone. */
export function BatchPanel({ id, onChanged, onClose }: PanelProps) {
  const { api, me } = useAccount()
  const say = useSay()
  const [voiding, setVoiding] = useState(false)
  const detail = useLoaded(() => api.get<BatchDetail>(`/api/admin/vouchers/${id}`), [id])
  useRefreshOn('session', detail.reload)
  const batch = detail.data?.batch
  const left = batch ? batch.count - batch.used : 0
  return (
    <Dialog title={`Batch ${id}`} shape="panel" onClose={onClose}>
      <div class="dialog-body stack" tabIndex={0}>
        <Arrived loaded={detail}>{(data) => <Detail {...data} />}</Arrived>
      </div>
      {me.role === 'owner' && batch && !batch.voidedAt && left > 0 && (
        <footer class="dialog-foot">
          <Button kind="danger" icon="stop" onClick={() => setVoiding(true)}>
            Void what is left
          </Button>
        </footer>
      )}
      {voiding && batch && (
        <Confirm
          title={`Void ${counted(left, 'voucher')}?`}
          verb={`Void ${counted(left, 'voucher')}`}
          act={() => api.post(`/api/admin/vouchers/${id}/void`)}
          onDone={() => {
            say(`Batch ${id} is void.`)
            detail.reload()
            onChanged()
          }}
          onClose={() => setVoiding(false)}
        >
          <p>Nobody can redeem them any more, also those already sold. Sessions that were opened with this batch go on.</p>
        </Confirm>
      )}
    </Dialog>
  )
}

const SHOWN_AT_ONCE = 200
type Shown = Voucher['status'] | 'all'

function Detail({ batch, vouchers }: { batch: Batch; vouchers: Voucher[] }) {
  const now = useNow(60_000)
  const [status, setStatus] = useState<Shown>('all')
  const [most, setMost] = useState(SHOWN_AT_ONCE)
  const shown = vouchers.filter((voucher) => status === 'all' || voucher.status === status)
  return (
    <>
      <div class="split">
        <strong>{batch.packageName}</strong>
        <BatchState batch={batch} now={now} />
      </div>
      <div class="panel-meter">
        <BatchUse batch={batch} />
      </div>
      <Facts
        facts={[
          ['Made', `${moment(batch.createdAt)} by ${batch.createdBy}`],
          ['Redeem by', batch.expiresAt ? day(batch.expiresAt) : 'Any time'],
          ['Codes of', batch.alphabet === 'digits' ? 'digits' : 'letters and digits'],
          ...(batch.seller ? [['Seller', batch.seller] as [string, string]] : []),
          ...(batch.note ? [['Note', batch.note] as [string, string]] : []),
          ...(batch.voidedAt ? [['Made void', moment(batch.voidedAt)] as [string, string]] : []),
        ]}
      />
      <p class="soft small">The box keeps only the last four signs of each code, so a batch cannot be printed again.</p>
      <Choice
        label="Show"
        value={status}
        onValue={(value) => {
          setStatus(value)
          setMost(SHOWN_AT_ONCE)
        }}
        options={[
          { value: 'all', label: 'All' },
          { value: 'unused', label: 'Not used' },
          { value: 'used', label: 'Redeemed' },
          ...(batch.voidedAt ? [{ value: 'void' as const, label: 'Void' }] : []),
        ]}
      />
      {shown.length === 0 && <p class="soft">None.</p>}
      <ul class="codes-list figures">
        {shown.slice(0, most).map((voucher) => (
          <li key={voucher.id}>
            <span class="code">
              <span class="visually-hidden">ending in </span>…{voucher.last4}
            </span>
            <VoucherState voucher={voucher} />
          </li>
        ))}
      </ul>
      {shown.length > most && (
        <Button onClick={() => setMost(most + SHOWN_AT_ONCE)}>Show more of {shown.length.toLocaleString('en-US')}</Button>
      )}
    </>
  )
}

function VoucherState({ voucher }: { voucher: Voucher }) {
  if (voucher.status === 'unused') return <span class="soft small">Not used</span>
  if (voucher.status === 'void') return <Badge kind="bad">Void</Badge>
  return (
    <span class="small">
      {voucher.redeemedAt && moment(voucher.redeemedAt)}
      {voucher.sessionId !== null && (
        <>
          {' · '}
          <a href={`#/sessions/${voucher.sessionId}`}>session {voucher.sessionId}</a>
        </>
      )}
    </span>
  )
}
