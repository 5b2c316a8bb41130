import { z } from 'zod'

const words = (most: number) => z.string().trim().min(1).max(most)

/** Names under which customers know Connect. */
export const connectWords = z.strictObject({
  product: words(30).meta({ description: 'KSWiFi Connect' }),
  code: words(30).meta({ description: 'Connect QR code' }),
  access: words(40).meta({ description: 'Secure Internet Access' }),
  profile: words(40).meta({ description: 'Internet Access Profile' }),
})
export type ConnectWords = z.output<typeof connectWords>

const colour = z.string().regex(/^#[0-9a-f]{6}$/i, 'a colour such as #0b7a4b')

/** The owner's choices. */
export const settingsShape = z
  .strictObject({
    venueName: z.string().trim().min(1).max(60),
    venueMessage: z.string().trim().max(200).meta({ description: 'one line under the name on the portal' }),
    supportPhone: z.string().trim().max(30),
    logo: z
      .string()
      .max(150_000, 'at most about 100 KB')
      .regex(/^data:image\/(png|jpeg|webp);base64,[A-Za-z0-9+/=]+$/, 'a PNG, JPEG or WebP picture')
      .nullable(),
    accent: colour.meta({ description: 'colour of buttons and the meter' }),
    currency: z.string().regex(/^[A-Z]{3}$/, 'three capital letters, such as NGN'),
    country: z
      .string()
      .regex(/^[A-Z]{2}$/, 'two capital letters, such as NG, UG or KE')
      .meta({ description: 'of phone numbers without a country' }),
    publicUrl: z
      .string()
      .trim()
      .max(200)
      .regex(/^(https?:\/\/[a-z0-9.-]+(:\d+)?)?$/i, 'an address such as https://pay.example.com, or nothing')
      .meta({ description: 'where payment companies reach this box; empty: they are asked, and call nobody' }),
    pointsOn: z.boolean().meta({ description: 'purchases earn points' }),
    pointsPerMinor: z
      .number()
      .int()
      .min(1)
      .max(100_000_000)
      .meta({ description: 'how much money earns one point, in the smallest unit of the currency' }),
    tileUrl: z
      .string()
      .trim()
      .max(300)
      .regex(/^(https?:\/\/\S*\{z\}\S*)?$/, 'such as https://tiles.example.com/{z}/{x}/{y}.png, or nothing')
      .meta({ description: 'a tile server for the map; empty: the outline map of the box' }),
    tileCredit: z.string().trim().max(120).meta({ description: 'whose tiles these are, as their terms ask' }),
    ssid: z.string().trim().max(32).meta({ description: 'printed on vouchers' }),
    pollSeconds: z.number().int().min(1).max(30).meta({ description: 'how often the ledger is brought up to date' }),
    whenDevicesFull: z
      .enum(['refuse-new', 'drop-oldest'])
      .meta({ description: 'what a new device meets when all places of a session are taken' }),
    connectOn: z.boolean().meta({ description: 'customers may make Connect profiles' }),
    connectWords,
    connectRange: z
      .string()
      .regex(
        /^(10\.(\d|[1-9]\d|1\d\d|2[0-4]\d|25[0-5])|172\.(1[6-9]|2\d|3[01])|192\.168)\.0\.0\/16$/,
        'a private network such as 10.8.0.0/16',
      )
      .meta({ description: 'addresses of the profiles inside the tunnel; a /16 holds 65,000' }),
    connectDns: z
      .array(z.ipv4('an IPv4 address such as 9.9.9.9'))
      .max(3)
      .meta({ description: 'name servers of the profiles; none: this box' }),
  })
  .meta({ id: 'Settings' })

export type Settings = z.output<typeof settingsShape>

/** What they are on a new box. */
export const defaults: Settings = {
  venueName: 'KSWiFi',
  venueMessage: '',
  supportPhone: '',
  logo: null,
  accent: '#0b7a4b',
  currency: 'NGN',
  country: 'NG',
  publicUrl: '',
  pointsOn: true,
  pointsPerMinor: 10_000,
  tileUrl: '',
  tileCredit: '',
  ssid: '',
  pollSeconds: 5,
  whenDevicesFull: 'drop-oldest',
  connectOn: true,
  connectWords: {
    product: 'KSWiFi Connect',
    code: 'Connect QR code',
    access: 'Secure Internet Access',
    profile: 'Internet Access Profile',
  },
  connectRange: '10.8.0.0/16',
  connectDns: [],
}

export const settingsPatch = settingsShape.partial().refine((value) => Object.keys(value).length > 0, 'name at least one setting to change')
export type SettingsPatch = z.output<typeof settingsPatch>
