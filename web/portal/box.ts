import type { ConnectAnswer, ProfileView } from '../../server/connect/schema.ts'
import type { Portal } from '../../server/venue/schema.ts'
import type { redeemAnswer, SessionView } from '../../server/sessions/schema.ts'
import { createApi } from '../shared/api.ts'
import { follow, type Following } from './follow.ts'

export type Redeemed = (typeof redeemAnswer)['_output']
type Answer = { session: SessionView }

/** The way into the tunnel that the reader chose; the box chooses what is left out. */
export type Way = { endpoint_id?: number; port?: number }

const api = createApi()

export const askPortal = () => api.get<Portal>('/api/portal', { timeoutMs: 8000 })
export const askSession = () => api.get<Answer>('/api/me/session', { timeoutMs: 8000 }).then(sessionOf)
export const redeem = (code: string, phone: string) => api.post<Redeemed>('/api/vouchers/redeem', phone ? { code, phone } : { code })
export const resume = (code: string) => api.post<Answer>('/api/sessions/resume', { code }).then(sessionOf)
export const disconnect = () => api.post<Answer>('/api/me/session/disconnect').then(sessionOf)
export const removeDevice = (id: number) => api.remove<Answer>(`/api/me/devices/${id}`).then(sessionOf)

export const makeProfile = (sessionId: number, way: Way) =>
  api.post<ConnectAnswer>('/api/connect/generate-profile', { session_id: sessionId, ...way })
export const renewProfile = (id: number, way: Way) => api.post<ConnectAnswer>(`/api/connect/profiles/${id}/renew`, way)
export const claimProfile = (token: string) => api.post<ConnectAnswer>('/api/connect/claim', { token })
export const renameProfile = (id: number, name: string) => api.patch<{ profile: ProfileView }>(`/api/connect/profiles/${id}`, { name })
export const removeProfile = (id: number) => api.remove<{ profile: ProfileView }>(`/api/connect/profiles/${id}`)

/** How the session on the screen is kept true: `live` by events, `lost` when neither events nor questions get through. */
export type Line = 'live' | 'polling' | 'lost'

/**
 * Follows this device's session: by events, and by asking while they don't come.
 * @param put hears every newer view, and null when the box knows no session of this device any more
 * @returns ask (now) and stop
 */
export function followSession(put: (session: SessionView | null) => void, line: (line: Line) => void): Following {
  return follow<SessionView>({
    path: '/api/me/session/events',
    events: ['session', 'usage', 'topped-up', 'ended', 'changed'],
    read: (data) => (data as Answer).session,
    ask: askSession,
    everyMs: { flowing: 30_000, alone: 5000 },
    put,
    onAnswer(error, flowing) {
      const { code } = (error ?? {}) as { code?: string }
      if (code === 'no-session') put(null)
      else if (code === 'unreachable') line('lost')
      else if (!error) line(flowing ? 'live' : 'polling')
    },
    onFlowing: () => line('live'),
  })
}

/** The one full page load after the box let a device on: it makes the phone's system look again whether it is online. */
export function toConnectedPage(): void {
  location.assign('/connected')
}

function sessionOf(answer: Answer): SessionView {
  return answer.session
}
