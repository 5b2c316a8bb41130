import type { Package } from '../../server/packages/schema.ts'
import type { Portal } from '../../server/venue/schema.ts'
import { counted } from '../shared/format.ts'
import type { PayWay } from './till.ts'
import { plainPhone } from './words.ts'

/** One way to have a package; points are one, too. */
export type Option = Pick<PayWay, 'title' | 'needsPhone'> & {
  provider: PayWay['provider'] | 'points'
  kind: PayWay['kind'] | 'points'
}

/** How a package can be had here by this reader. */
export function optionsFor({ services, customer }: Portal, item: Package): Option[] {
  if (item.priceMinor === 0) return [{ provider: 'free', kind: 'free', title: 'Free', needsPhone: false }]
  const pointsPrice = services.points ? item.pointsPrice : null
  const byPoints = pointsPrice !== null && customer !== null && customer.points >= pointsPrice
  return [
    ...services.ways,
    ...(byPoints ? [{ provider: 'points', kind: 'points', title: `Use ${counted(pointsPrice, 'point')}`, needsPhone: true } as const] : []),
  ]
}

/** True where this page sells, besides taking vouchers. */
export function sellsHere(portal: Portal): boolean {
  return portal.packages.some((item) => !item.archived && optionsFor(portal, item).length > 0)
}

/** What a way means for the reader. `named`: its title stands beside it. */
export function optionWords({ kind, title }: Option, { customer, venue }: Portal, item: Package, named: boolean): string {
  switch (kind) {
    case 'push':
      return `${named ? 'Confirm' : `${title}: confirm`} on ${customer ? plainPhone(customer.phone) : 'your phone'}`
    case 'checkout':
      return `On the page of ${title}, then back here`
    case 'desk':
      return `Pay the staff of ${venue.venueName}. No sign-in.`
    case 'points':
      return `You have ${counted(customer?.points ?? 0, 'point')}, ${((customer?.points ?? 0) - (item.pointsPrice ?? 0)).toLocaleString('en-US')} stay`
    case 'free':
      return 'Nothing to pay'
  }
}
