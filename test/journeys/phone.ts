/**
 * A program for a phone, or for the internet, that asks over HTTP and keeps cookies as a browser does, those of all sites
 * together. It is asked over standard input and answers over standard output, one JSON line each.
 */
import { request } from 'node:http'
import { createInterface } from 'node:readline'

/** Requests that are sent at the same moment. */
export type Ask = { requests: Question[] }

/** Each is asked over a connection of its own, and given up after `patienceMs` (default: 10 s). */
export type Question = { method: string; url: string; headers?: Record<string, string>; body?: string; patienceMs?: number }

/** Status 0: there was no answer, and `text` says why. */
export type Answer = { status: number; text: string; bytes: number; location: string | null }

if (import.meta.main) {
  const cookies = new Map<string, string>()
  createInterface({ input: process.stdin }).on('line', (text) => {
    const { id, ask } = JSON.parse(text) as { id: number; ask: Ask }
    void Promise.all(ask.requests.map((question) => put(question, cookies))).then((value) => console.log(JSON.stringify({ id, value })))
  })
  process.stdin.on('end', () => process.exit(0))
}

function put({ method, url, headers = {}, body, patienceMs = 10_000 }: Question, cookies: Map<string, string>): Promise<Answer> {
  const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ')
  const sent = { ...headers, ...(cookie && { cookie }), ...(body !== undefined && { 'content-length': Buffer.byteLength(body) }) }
  return new Promise((resolve) => {
    const failed = (error: Error) => resolve({ status: 0, text: error.message, bytes: 0, location: null })
    const signal = AbortSignal.timeout(patienceMs)
    const asked = request(url, { method, headers: sent, agent: false, signal }, (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('error', failed)
      response.on('end', () => {
        for (const set of response.headers['set-cookie'] ?? []) keep(set, cookies)
        const all = Buffer.concat(chunks)
        const { statusCode: status = 0, headers: said } = response
        const isText = /json|text/.test(said['content-type'] ?? '')
        resolve({ status, text: isText ? all.toString() : '', bytes: all.length, location: said.location ?? null })
      })
    })
    asked.on('error', failed)
    asked.end(body)
  })
}

function keep(set: string, cookies: Map<string, string>): void {
  const [, name, value] = /^([^=;]+)=([^;]*)/.exec(set) ?? []
  if (!name) return
  if (value) cookies.set(name, value)
  else cookies.delete(name)
}
