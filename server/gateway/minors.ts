import { MAX_MINOR } from './shaper.ts'

/** Class numbers: a session keeps its own as long as it lives, also over a restart of this process. */
export function createMinors() {
  const bySession = new Map<number, number>()
  const taken = new Set<number>()
  let next = 1
  const claim = (session: number, minor: number) => {
    bySession.set(session, minor)
    taken.add(minor)
    return minor
  }
  return {
    /** Believes the kernel about a session's number. */
    adopt(session: number, minor: number) {
      if (minor > 0 && !bySession.has(session) && !taken.has(minor)) claim(session, minor)
    },
    /** @throws Error when HTB has no more numbers */
    of(session: number): number {
      const has = bySession.get(session)
      if (has) return has
      for (let tries = 0; tries < MAX_MINOR; tries++) {
        const minor = next
        next = next >= MAX_MINOR ? 1 : next + 1
        if (!taken.has(minor)) return claim(session, minor)
      }
      throw new Error(`More than ${MAX_MINOR} sessions at once: HTB has no more class numbers`)
    },
    release(session: number) {
      const minor = bySession.get(session)
      bySession.delete(session)
      if (minor) taken.delete(minor)
    },
  }
}
