import { DAY, GB, HOUR, SECOND } from '../units.ts'
import type { Fields } from './table.ts'

const mbps = 1_000_000
const days = (count: number) => (count * DAY) / SECOND

const plain = {
  description: '',
  activateWithinSeconds: days(90),
  maxDevices: 1,
  afterData: 'stop',
  slowBps: null,
  customerLimit: null,
  pointsPrice: null,
} as const satisfies Partial<Fields>

/** One customer may take 5 GB of free data in 30 days, in whatever sizes. */
const free = {
  ...plain,
  durationSeconds: days(30),
  downBps: 5 * mbps,
  upBps: 2 * mbps,
  priceMinor: 0,
  customerLimit: { group: 'free', count: null, bytes: 5 * GB, days: 30 },
} as const satisfies Partial<Fields>

const unlimited = { ...plain, dataLimit: null, downBps: 10 * mbps, upBps: 5 * mbps } as const satisfies Partial<Fields>

/**
 * What a new box sells. The free ones, "Unlimited" with its price, and the names, sizes and speeds of the rest are the founders';
 * the other prices are suggestions in ₦ that an owner is expected to change. Money in minor units of `currency`.
 */
export function seedPackages(currency: string): Fields[] {
  const packages: Omit<Fields, 'currency' | 'position'>[] = [
    { ...free, name: 'Free 1 GB', dataLimit: 1 * GB },
    { ...free, name: 'Free 3 GB', dataLimit: 3 * GB },
    { ...free, name: 'Free 5 GB', dataLimit: 5 * GB },
    {
      ...plain,
      name: 'Basic',
      description: 'Chat, mail and web pages',
      dataLimit: 1 * GB,
      durationSeconds: days(7),
      downBps: 10 * mbps,
      upBps: 5 * mbps,
      priceMinor: 200_00,
    },
    {
      ...plain,
      name: 'Premium',
      description: 'Video calls and HD video',
      dataLimit: 5 * GB,
      durationSeconds: days(30),
      downBps: 25 * mbps,
      upBps: 12 * mbps,
      priceMinor: 800_00,
    },
    {
      ...plain,
      name: 'Ultra',
      description: 'For all your devices, up to five at once',
      dataLimit: 20 * GB,
      durationSeconds: days(30),
      downBps: 50 * mbps,
      upBps: 25 * mbps,
      maxDevices: 5,
      priceMinor: 2500_00,
    },
    {
      ...unlimited,
      name: 'Daily Unlimited',
      description: 'All day, no data limit',
      durationSeconds: (24 * HOUR) / SECOND,
      priceMinor: 200_00,
    },
    { ...unlimited, name: 'Unlimited', description: 'A whole week, no data limit', durationSeconds: days(7), priceMinor: 800_00 },
  ]
  return packages.map((fields, index) => ({ ...fields, currency, position: (index + 1) * 10 }))
}
