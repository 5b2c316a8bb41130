import { SECOND } from './units.ts'

/** What a company on the internet is asked with; tests give their own. */
export type Fetch = typeof globalThis.fetch

export type Question = { method?: 'GET' | 'POST'; headers?: Record<string, string>; body?: string; timeoutMs?: number }

/** `json` is undefined for what is no JSON; whole numbers too large for a double are in it as text. */
export type Answer = { status: number; text: string; json: unknown; waitMs: number }

/** So long a company may take to answer, body and all. */
const PATIENCE_MS = 15 * SECOND

/**
 * Asks a company on the internet. Whatever status it answers with is an answer.
 * Redirects are not followed: keys in the headers are meant for this address alone.
 * @returns `waitMs`: it asked to be left alone for so long (Retry-After in seconds), else 0
 * @throws NoAnswer when it cannot be reached or takes too long
 */
export async function askOutside(fetch: Fetch, url: string, { timeoutMs = PATIENCE_MS, ...question }: Question): Promise<Answer> {
  try {
    const response = await fetch(url, { ...question, redirect: 'manual', signal: AbortSignal.timeout(timeoutMs) })
    const text = await response.text()
    const seconds = Number(response.headers.get('retry-after') ?? 0)
    return { status: response.status, text, json: parseJson(text), waitMs: seconds > 0 && seconds <= 3600 ? seconds * SECOND : 0 }
  } catch (error) {
    throw new NoAnswer(whyNot(error, timeoutMs), { cause: error })
  }
}

/** Whether a status says that the question itself was wrong, so that asking again later would not help. */
export function isAskersFault(status: number): boolean {
  return status >= 300 && status < 500 && status !== 408 && status !== 429
}

/** Reads JSON that somebody sent; whole numbers too large for a double become text. @returns undefined for what is no JSON */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text, exact)
  } catch {
    return undefined
  }
}

/** Fields of a JSON object, none for anything else. */
export function fieldsOf(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {}
}

/** A company on the internet gave no answer at all; the words go after its name. */
export class NoAnswer extends Error {}

function whyNot(error: unknown, timeoutMs: number): string {
  if ((error as Error).name === 'TimeoutError') return `did not answer within ${timeoutMs / SECOND} s`
  const code = ((error as Error).cause as { code?: string } | undefined)?.code
  return `cannot be reached${code ? ` (${code})` : ''}`
}

/** Paystack's ids have 64 bits. */
function exact(_key: string, value: unknown, context?: { source?: string }): unknown {
  return typeof value === 'number' && Number.isInteger(value) && !Number.isSafeInteger(value) ? (context?.source ?? value) : value
}
