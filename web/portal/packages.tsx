import type { Portal } from '../../server/venue/schema.ts'
import type { Package } from '../../server/packages/schema.ts'
import { bytes, counted, duration, price, speed, speedLimit } from '../shared/format.ts'
import { Icon } from './icons.tsx'
import { Support } from './parts.tsx'

/** What the venue sells. Nothing to press: until mobile money comes, the counter sells. */
export function Packages({ portal, title }: { portal: Portal; title: string }) {
  const packages = portal.packages.filter((one) => !one.archived)
  return (
    <section class="packages" aria-labelledby="packages-title">
      <h2 id="packages-title">{title}</h2>
      {packages.length === 0 ? (
        <p class="soft">No packages are on offer right now. Ask at the counter.</p>
      ) : (
        <>
          {!portal.services.mobileMoney && <p class="soft">Ask at the counter for a voucher, then type its code on this page.</p>}
          <ul class="tickets">
            {packages.map((one) => (
              <Ticket key={one.id} item={one} />
            ))}
          </ul>
          <p class="small soft">1 MB = 1,048,576 bytes and 1 GB = 1,024 MB. Downloads and uploads count together.</p>
        </>
      )}
      <Support phone={portal.venue.supportPhone} />
    </section>
  )
}

function Ticket({ item }: { item: Package }) {
  const [size, unit] = item.dataLimit === null ? ['No data limit', ''] : bytes(item.dataLimit).split(' ')
  const notes = [item.description, afterData(item), limit(item)].filter(Boolean)
  return (
    <li class="ticket">
      <div class="ticket-main">
        <h3>{item.name}</h3>
        <p class="ticket-size figures">
          <strong class={unit ? '' : 'word'}>{size}</strong>
          {unit && ` ${unit}`}
        </p>
        <p class="figures">
          {duration(item.durationSeconds)} · {counted(item.maxDevices, 'device')}
        </p>
        <Speeds item={item} />
        {notes.map((note) => (
          <p class="small soft" key={note}>
            {note}
          </p>
        ))}
      </div>
      <p class="ticket-price figures">
        <span class="visually-hidden">Price: </span>
        {price(item.priceMinor, item.currency)}
      </p>
    </li>
  )
}

function Speeds({ item: { downBps, upBps } }: { item: Package }) {
  if (downBps === upBps) return <p class="figures">{downBps === null ? 'Full speed' : `Up to ${speed(downBps)}`}</p>
  return (
    <p class="speeds figures">
      <span>
        <Icon name="down" size={18} />
        <span class="visually-hidden">down </span>
        {speedLimit(downBps)}
      </span>
      <span>
        <Icon name="up" size={18} />
        <span class="visually-hidden">up </span>
        {speedLimit(upBps)}
      </span>
    </p>
  )
}

function afterData(item: Package): string {
  if (item.dataLimit === null || item.afterData === 'stop') return ''
  return item.slowBps === null ? 'Then goes on slowly.' : `Then goes on slowly, at ${speed(item.slowBps)}.`
}

function limit({ customerLimit }: Package): string {
  if (!customerLimit) return ''
  const much = [
    customerLimit.bytes === null ? '' : bytes(customerLimit.bytes),
    customerLimit.count === null ? '' : counted(customerLimit.count, 'time'),
  ]
  return `Limit: ${much.filter(Boolean).join(' and ')} per customer in ${counted(customerLimit.days, 'day')}.`
}
