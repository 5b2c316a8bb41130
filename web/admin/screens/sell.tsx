import { useEffect, useRef, useState } from 'preact/hooks'
import { price } from '../../shared/format.ts'
import { useAccount } from '../account.ts'
import { useLoaded, useNow } from '../asking.ts'
import type { Package, Packages, PaymentPage, PaymentView } from '../contract.ts'
import { useRefreshOn } from '../live.ts'
import { Arrived, Button, Empty } from '../parts/feedback.tsx'
import { Page } from '../parts/page.tsx'
import { ago, packageLine } from '../words.ts'
import { CashReceived } from './cash-received.tsx'
import { payerWords } from './payment-words.ts'
import { SellPackage, Sold, type Sale } from './sell-package.tsx'

/** The counter, for one thumb: who waits with cash, and every package two taps away from its code. */
export function SellScreen() {
  const [offer, setOffer] = useState<Package | null>(null)
  const [sale, setSale] = useState<Sale | null>(null)
  const [shown, setShown] = useState(false)
  return (
    <Page title="Sell">
      <div class="sell">
        <WaitingForCash />
        <section aria-labelledby="sell-packages">
          <div class="split sell-band">
            <h2 id="sell-packages" class="band-title">
              Sell a voucher
            </h2>
            {sale && (
              <Button icon="eye" onClick={() => setShown(true)}>
                Last code
              </Button>
            )}
          </div>
          <PackageButtons onChoose={setOffer} />
        </section>
      </div>
      {offer && (
        <SellPackage
          offer={offer}
          onSold={(made) => {
            setOffer(null)
            setSale(made)
            setShown(true)
          }}
          onClose={() => setOffer(null)}
        />
      )}
      {sale && shown && <Sold key={sale.code} sale={sale} onClose={() => setShown(false)} />}
    </Page>
  )
}

function WaitingForCash() {
  const { api } = useAccount()
  const waiting = useLoaded(() => api.get<PaymentPage>('/api/admin/payments?status=cash&pageSize=100'))
  useRefreshOn('payment', waiting.reload)
  const [taking, setTaking] = useState<PaymentView | null>(null)
  const now = useNow(10_000)
  const heading = useRef<HTMLHeadingElement>(null)
  useEffect(() => {
    // Whoever was served is gone from the list, and with them the button that had the focus.
    if (taking === null && document.activeElement === document.body) heading.current?.focus({ preventScroll: true })
  }, [waiting.data, taking])
  return (
    <section aria-labelledby="sell-waiting">
      <h2 id="sell-waiting" ref={heading} tabIndex={-1} class="band-title">
        Waiting for cash {waiting.data && waiting.data.total > 0 && <span class="badge accent figures">{waiting.data.total}</span>}
      </h2>
      <Arrived loaded={waiting}>
        {({ payments }) =>
          payments.length === 0 ? (
            <p class="soft">Nobody. Customers who choose cash on their phone appear here, with a number to say.</p>
          ) : (
            <ul class="sell-waiting">
              {/* The one who came first is served first. */}
              {payments.toReversed().map((payment) => (
                <li key={payment.number}>
                  <button type="button" class="card sell-button" onClick={() => setTaking(payment)}>
                    <span class="sell-number figures">
                      <small>Number</small> {payment.number}
                    </span>
                    <span class="sell-what">
                      <strong>{payment.packageName}</strong>
                      {payment.userPhone && <small class="soft figures">{payerWords(payment)}</small>}
                      <small class="soft figures">{ago(payment.createdAt, now)}</small>
                    </span>
                    <strong class="sell-price figures">{price(payment.amountMinor, payment.currency)}</strong>
                  </button>
                </li>
              ))}
            </ul>
          )
        }
      </Arrived>
      {taking && <CashReceived payment={taking} onDone={waiting.reload} onClose={() => setTaking(null)} />}
    </section>
  )
}

function PackageButtons({ onChoose }: { onChoose: (offer: Package) => void }) {
  const { api } = useAccount()
  const packages = useLoaded(() => api.get<Packages>('/api/admin/packages'))
  useRefreshOn('catalogue', packages.reload)
  return (
    <Arrived loaded={packages}>
      {(data) => {
        // What costs nothing is not sold: its vouchers are made under Vouchers.
        const forSale = data.packages.filter((offer) => offer.priceMinor > 0).toSorted((one, other) => one.position - other.position)
        if (forSale.length === 0) {
          return (
            <Empty icon="packages" title="Nothing for sale yet">
              <p>The owner makes packages with a price. Free ones are given out under Vouchers.</p>
            </Empty>
          )
        }
        return (
          <ul class="sell-packages">
            {forSale.map((offer) => (
              <li key={offer.id}>
                <button type="button" class="card sell-button" onClick={() => onChoose(offer)}>
                  <span class="sell-what">
                    <strong>{offer.name}</strong>
                    <small class="soft figures">{packageLine(offer)}</small>
                  </span>
                  <strong class="sell-price figures">{price(offer.priceMinor, offer.currency)}</strong>
                </button>
              </li>
            ))}
          </ul>
        )
      }}
    </Arrived>
  )
}
