import { useEffect, useState } from 'preact/hooks'
import type { EndpointView } from '../../server/connect/schema.ts'

const TRIES = 2
const LIMIT_MS = 2000

/** The time to an endpoint. Not `sure`: something refused, which may have been the endpoint or a router on the way. */
type Time = { ms: number; sure: boolean }

/** An endpoint and the time to it: `null` when nothing answered, `undefined` while it is being measured. */
export type Measured = { endpoint: EndpointView; time: Time | null | undefined }

/** The endpoints as they are while the times to them are measured, and then the nearest first. */
export function useNearest(endpoints: EndpointView[]): { list: Measured[]; done: boolean } {
  const [times, setTimes] = useState<ReadonlyMap<number, Time | null>>(new Map())
  // Once: the list that came with the portal may be replaced by an equal one meanwhile.
  useEffect(() => {
    for (const endpoint of endpoints) void measure(endpoint)
    async function measure(endpoint: EndpointView) {
      const time = await timeTo(endpoint)
      setTimes((known) => new Map(known).set(endpoint.id, time))
    }
  }, [])
  const list = endpoints.map((endpoint): Measured => ({ endpoint, time: times.get(endpoint.id) }))
  const done = list.every(({ time }) => time !== undefined)
  // Old phones have no toSorted().
  // oxlint-disable-next-line unicorn/no-array-sort
  if (done) list.sort((one, other) => rank(one.time) - rank(other.time))
  return { list, done }
}

/** A way that is not sure comes after all that are: one that leads nowhere is refused the fastest. */
function rank(time: Time | null | undefined): number {
  return time ? time.ms + (time.sure ? 0 : LIMIT_MS) : Infinity
}

/** The best of a few tries. The first pays for finding the name and opening the connection. */
async function timeTo(endpoint: EndpointView): Promise<Time | null> {
  let best: Time | null = null
  for (let number = 0; number < TRIES; number++) {
    const time = await tryOnce(endpoint)
    if (rank(time) < rank(best)) best = time
  }
  return best
}

async function tryOnce({ self, host }: EndpointView): Promise<Time | null> {
  if (!self && !host) return null
  const url = self ? '/api/connect/endpoints' : `http://${host}/`
  const control = new AbortController()
  const timer = setTimeout(() => control.abort(), LIMIT_MS)
  const wall = noticeWall(url)
  const begun = performance.now()
  try {
    await fetch(url, { mode: self ? 'same-origin' : 'no-cors', cache: 'no-store', credentials: 'omit', signal: control.signal })
    return { ms: performance.now() - begun, sure: true }
  } catch {
    // Few endpoints serve pages: most refuse, and a refusal comes back as fast as an answer would.
    const ms = performance.now() - begun
    return control.signal.aborted || (await wall.met()) ? null : { ms, sure: false }
  } finally {
    clearTimeout(timer)
    wall.forget()
  }
}

/** Notices that the page's own rules kept a request from being sent: that says nothing of the way. */
function noticeWall(url: string): { met: () => Promise<boolean>; forget: () => void } {
  let met = false
  const hear = ({ blockedURI }: SecurityPolicyViolationEvent) => {
    if (url.startsWith(blockedURI)) met = true
  }
  document.addEventListener('securitypolicyviolation', hear)
  return {
    // The browser reports it in a task of its own, after the request has failed.
    met: () => new Promise((tell) => setTimeout(() => tell(met), 50)),
    forget: () => document.removeEventListener('securitypolicyviolation', hear),
  }
}
