import type { Portal } from '../../server/venue/schema.ts'
import type { Package } from '../../server/packages/schema.ts'
import { bytes, counted, duration, price, speed, speedLimit } from '../shared/format.ts'
import { Icon } from './icons.tsx'
import './pay.css'
import { Support } from './parts.tsx'
import { optionsFor, sellsHere } from './ways.ts'

type PackagesProps = { portal: Portal; title: string; onBuy: (item: Package) => void }

/** What the venue sells: to be pressed where this page can sell it, else the counter does. */
export function Packages({ portal, title, onBuy }: PackagesProps) {
  const packages = portal.packages.filter((one) => !one.archived)
  return (
    <section class="packages" aria-labelledby="packages-title">
      <h2 id="packages-title">{title}</h2>
      {packages.length === 0 ? (
        <p class="soft">No packages are on offer right now. Ask at the counter.</p>
      ) : (
        <>
          {portal.services.ways.length === 0 && (
            <p class="soft">
              {sellsHere(portal) ? 'For what has a price, ask' : 'Ask'} at the counter for a voucher, then type its code on this page.
            </p>
          )}
          <ul class="tickets">
            {packages.map((one) => (
              <Ticket key={one.id} item={one} portal={portal} onBuy={onBuy} />
            ))}
          </ul>
          <p class="small soft">1 MB = 1,048,576 bytes and 1 GB = 1,024 MB. Downloads and uploads count together.</p>
        </>
      )}
      <Support phone={portal.venue.supportPhone} />
    </section>
  )
}

function Ticket({ item, portal, onBuy }: { item: Package; portal: Portal; onBuy: PackagesProps['onBuy'] }) {
  const [size, unit] = item.dataLimit === null ? ['No data limit', ''] : bytes(item.dataLimit).split(' ')
  const notes = [item.description, forPoints(item, portal), afterData(item), limit(item)].filter(Boolean)
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
      {optionsFor(portal, item).length > 0 ? (
        <button type="button" class="ticket-price figures" onClick={() => onBuy(item)}>
          <span>{price(item.priceMinor, item.currency)}</span>
          <span class="ticket-buy">
            {item.priceMinor === 0 ? 'Get it' : 'Buy'}
            <span class="visually-hidden"> {item.name}</span>
          </span>
        </button>
      ) : (
        <p class="ticket-price figures">
          <span class="visually-hidden">Price: </span>
          {price(item.priceMinor, item.currency)}
        </p>
      )}
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

function forPoints({ pointsPrice }: Package, { services, customer }: Portal): string {
  if (pointsPrice === null || !services.points) return ''
  const has = customer ? ` You have ${customer.points.toLocaleString('en-US')}.` : ''
  return `Or for ${counted(pointsPrice, 'point')}.${has}`
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
