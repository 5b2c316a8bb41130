import type { Scope } from '#server/staff/schema.ts'
import type { UserSession } from '#server/sessions/users-schema.ts'

type Owner = {
  lab: { url: string; admin: { apiKey: string } }
  api: <T>(path: string, body?: object) => Promise<T>
}

/** An answer of the session API, and its text as it came. */
export type Told = {
  status: number
  text: string
  body: {
    hasActiveSession?: boolean
    resumed?: boolean
    session?: UserSession | null
    error?: { code: string; message: string; requestId: string; details?: Record<string, unknown> }
  }
}

export type Program = Awaited<ReturnType<typeof programOf>>

let made = 0

/** A program with an API key of its own; `role` null: only the scopes. */
export async function programOf({ lab, api }: Owner, scopes: Scope[], role: 'owner' | 'cashier' | null = null) {
  const { apiKey } = await api<{ apiKey: string }>('/api/admin/keys', { name: `program ${++made}`, role, scopes })
  return askWith(lab.url, { authorization: `Bearer ${apiKey}` })
}

/** Asks as whoever these headers say. */
export function askWith(url: string, headers: Record<string, string>) {
  return async (method: string, path: string, body?: object): Promise<Told> => {
    const json = body === undefined ? {} : { 'content-type': 'application/json' }
    const answer = await fetch(url + path, {
      method,
      headers: { ...headers, ...json },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    const text = await answer.text()
    return { status: answer.status, text, body: text.startsWith('{') ? (JSON.parse(text) as Told['body']) : {} }
  }
}

/** What an outsider can learn from an answer: all of it but the number of the request. */
export const withoutRequestId = (text: string): string => text.replace(/"requestId":"[^"]+"/, '"requestId":""')
