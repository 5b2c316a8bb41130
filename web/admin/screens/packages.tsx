import { useState } from 'preact/hooks'
import { bytes, counted, duration, price, speed } from '../../shared/format.ts'
import type { Api } from '../../shared/api.ts'
import { useAccount } from '../account.ts'
import { useChange, useLoaded } from '../asking.ts'
import type { Package, Packages } from '../contract.ts'
import { useRefreshOn } from '../live.ts'
import { Confirm } from '../parts/dialog.tsx'
import { Arrived, Button, Empty, ErrorNote, useSay } from '../parts/feedback.tsx'
import { Icon } from '../parts/icons.tsx'
import { Badge, Page } from '../parts/page.tsx'
import { go } from '../router.ts'
import { speedPair } from '../words.ts'
import { limitWords } from './package-draft.ts'
import { PackageForm } from './package-form.tsx'

/** What is for sale, in the order of the portal. A cashier looks, the owner changes. */
export function PackagesScreen({ rest }: { rest: string[] }) {
  const { api, me } = useAccount()
  const mayChange = me.role === 'owner'
  const packages = useLoaded(() => api.get<Packages>(`/api/admin/packages?archived=${mayChange ? 'with' : 'without'}`))
  useRefreshOn('catalogue', packages.reload)
  const all = packages.data?.packages ?? []
  const opened = rest[0] === 'new' ? 'new' : all.find(({ id }) => id === Number(rest[0]))

  return (
    <Page
      title="Packages"
      note="What customers can buy, in the order in which the portal shows it."
      actions={
        mayChange && (
          <Button kind="primary" icon="plus" onClick={() => go('packages/new')}>
            New package
          </Button>
        )
      }
    >
      <Arrived loaded={packages}>
        {() => {
          const offered = all.filter(({ archived }) => !archived).toSorted((a, b) => a.position - b.position)
          const archived = all.filter((offer) => offer.archived)
          return (
            <>
              {offered.length === 0 && (
                <Empty icon="packages" title="Nothing for sale yet">
                  <p>A package says how much data, how long and how fast. Vouchers are made for a package.</p>
                  {mayChange && (
                    <a class="button primary" href="#/packages/new">
                      Make the first package
                    </a>
                  )}
                </Empty>
              )}
              <ul class="offers">
                {offered.map((offer, at) => (
                  <li key={offer.id} class="card offer">
                    <Offer offer={offer} />
                    {mayChange && <OfferActions offer={offer} at={at} offered={offered} onChanged={packages.reload} />}
                  </li>
                ))}
              </ul>
              {archived.length > 0 && (
                <details class="archived">
                  <summary>No longer sold ({archived.length})</summary>
                  <ul class="offers">
                    {archived.map((offer) => (
                      <li key={offer.id} class="card offer">
                        <Offer offer={offer} />
                      </li>
                    ))}
                  </ul>
                </details>
              )}
            </>
          )
        }}
      </Arrived>
      {opened && mayChange && (
        <PackageForm known={opened === 'new' ? null : opened} others={all} onSaved={packages.reload} onClose={() => go('packages')} />
      )}
    </Page>
  )
}

function Offer({ offer }: { offer: Package }) {
  const facts: [string, string][] = [
    ['Data', offer.dataLimit === null ? 'Unlimited' : bytes(offer.dataLimit)],
    ['Time', duration(offer.durationSeconds)],
    ['Speed', speedPair(offer.downBps, offer.upBps)],
    ['Devices', String(offer.maxDevices)],
  ]
  return (
    <>
      <div class="split">
        <div>
          <h2>{offer.name}</h2>
          {offer.description && <p class="soft small">{offer.description}</p>}
        </div>
        <p class="offer-price figures">{price(offer.priceMinor, offer.currency)}</p>
      </div>
      <dl class="offer-facts figures">
        {facts.map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
      <p class="offer-badges">
        {offer.afterData === 'slow' && offer.slowBps !== null && <Badge>Then {speed(offer.slowBps)}</Badge>}
        {offer.pointsPrice !== null && <Badge>Or {counted(offer.pointsPrice, 'point')}</Badge>}
        {offer.customerLimit && <Badge>{limitWords(offer.customerLimit)}</Badge>}
        {offer.archived && <Badge>No longer sold</Badge>}
      </p>
    </>
  )
}

type ActionProps = { offer: Package; at: number; offered: Package[]; onChanged: () => void }

function OfferActions({ offer, at, offered, onChanged }: ActionProps) {
  const { api } = useAccount()
  const say = useSay()
  const [removing, setRemoving] = useState(false)
  const moving = useChange((to: number) => move(api, offered, at, to))
  const shift = async (to: number) => {
    if (await moving.run(to)) onChanged()
  }
  return (
    <div class="offer-actions">
      <Button icon="edit" onClick={() => go(`packages/${offer.id}`)}>
        Edit
      </Button>
      <button type="button" class="button bare" onClick={() => setRemoving(true)}>
        Remove
      </button>
      <span class="grow" />
      <button
        type="button"
        class="button bare"
        aria-label={`Move ${offer.name} up`}
        disabled={at === 0 || moving.busy}
        onClick={() => void shift(at - 1)}
      >
        <Icon name="up" />
      </button>
      <button
        type="button"
        class="button bare"
        aria-label={`Move ${offer.name} down`}
        disabled={at === offered.length - 1 || moving.busy}
        onClick={() => void shift(at + 1)}
      >
        <Icon name="down" />
      </button>
      <ErrorNote error={moving.error} />
      {removing && (
        <Confirm
          title={`Stop selling ${offer.name}?`}
          verb="Stop selling it"
          act={() => api.remove(`/api/admin/packages/${offer.id}`)}
          onDone={() => {
            say(`${offer.name} is no longer sold.`)
            onChanged()
          }}
          onClose={() => setRemoving(false)}
        >
          <p>
            It leaves the portal and can't be chosen for new vouchers. Sessions that run go on, and vouchers already handed out stay good.
          </p>
        </Confirm>
      )}
    </div>
  )
}

/** Numbers the packages anew in their new order, changing only what has to change. */
async function move(api: Api, offered: Package[], from: number, to: number): Promise<void> {
  const order = [...offered]
  const [moved] = order.splice(from, 1)
  if (moved) order.splice(to, 0, moved)
  for (const [at, offer] of order.entries()) {
    const position = (at + 1) * 10
    if (offer.position !== position) await api.patch(`/api/admin/packages/${offer.id}`, { position })
  }
}
