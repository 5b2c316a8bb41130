/**
 * Lets many who come at once share one piece of work: whoever comes while it runs goes into the next run together.
 * @param work is given what came, oldest first; when it fails, it fails for all of these
 * @returns a function that hands in one, and answers when the run that took it is over
 */
export function createGather<T>(work: (items: T[]) => Promise<void>): (item: T) => Promise<void> {
  let waiting: T[] = []
  let next: Promise<void> | undefined
  let last: Promise<void> = Promise.resolve()

  function begin(): Promise<void> {
    const items = waiting
    waiting = []
    next = undefined
    const run = work(items)
    last = run.catch(() => {})
    return run
  }

  return (item) => {
    waiting.push(item)
    next ??= last.then(begin)
    return next
  }
}
