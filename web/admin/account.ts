import { createContext } from 'preact'
import { useContext } from 'preact/hooks'
import { ApiError, createApi, type Api } from '../shared/api.ts'
import type { Me, Settings } from './contract.ts'

/** Who is signed in, how to ask the box in their name, and what the venue is called. */
export type Account = {
  me: Me
  api: Api
  settings: Settings
  /** The name under which customers reach the portal. */
  portalHost: string
  /** After the owner saved them. */
  setSettings: (settings: Settings) => void
  signOut: () => Promise<void>
}

export const AccountContext = createContext<Account | null>(null)

/** The account; only below the sign-in. */
export function useAccount(): Account {
  const account = useContext(AccountContext)
  if (!account) throw new Error('useAccount() is for screens behind the sign-in')
  return account
}

/**
 * A client that sends the CSRF token with every change.
 * @param signedOut called when the box says that the sign-in has run out
 */
export function createStaffApi(csrfToken: () => string, signedOut: () => void): Api {
  const api = createApi(() => ({ 'X-CSRF-Token': csrfToken() }))
  const watch = async <T>(asking: Promise<T>): Promise<T> => {
    try {
      return await asking
    } catch (error) {
      if (error instanceof ApiError && error.status === 401) signedOut()
      throw error
    }
  }
  return {
    get: (path, ask) => watch(api.get(path, ask)),
    post: (path, body, ask) => watch(api.post(path, body, ask)),
    patch: (path, body, ask) => watch(api.patch(path, body, ask)),
    remove: (path, ask) => watch(api.remove(path, ask)),
  }
}

/** The box's own name for the portal, until it says another. */
export const usualPortalHost = 'kswifi.internal'

/** What the screens show until the venue's settings are known, or where a cashier may not see them. */
export const unknownVenue: Settings = {
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
