/**
 * Runs one thing at a time and lets callers share a run that has not begun yet.
 * A caller's sessions are always covered by a run that begins after it asked.
 */
export function createTurns(work: (sessions: number[] | undefined, thorough: boolean) => Promise<void>) {
  type Turn = { sessions: Set<number> | 'all'; thorough: boolean; done: Promise<void> }
  let tail: Promise<void> = Promise.resolve()
  let waiting: Turn | undefined

  /** @param thorough read the kernel first */
  return function take(sessions: number[] | undefined, thorough: boolean): Promise<void> {
    if (waiting) {
      if (!sessions) waiting.sessions = 'all'
      else if (waiting.sessions !== 'all') for (const session of sessions) waiting.sessions.add(session)
      waiting.thorough ||= thorough
      return waiting.done
    }
    const turn: Turn = { sessions: sessions ? new Set(sessions) : 'all', thorough, done: Promise.resolve() }
    turn.done = tail.then(() => {
      waiting = undefined
      return work(turn.sessions === 'all' ? undefined : [...turn.sessions], turn.thorough)
    })
    waiting = turn
    tail = turn.done.catch(() => {})
    return turn.done
  }
}
