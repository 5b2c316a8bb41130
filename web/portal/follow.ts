import { hearEvents } from '../shared/api.ts'

/** `ask` asks now. */
export type Following = { ask: () => void; stop: () => void }

type Thing<T> = {
  /** Where its events are, their names, and what is in their data. */
  path: string
  events: string[]
  read: (data: unknown) => T
  ask: () => Promise<T>
  /** How often to ask while events come, and while they don't. */
  everyMs: { flowing: number; alone: number }
  /** Hears every newer view. */
  put: (thing: T) => void
  /** Asked, and answered or not. */
  onAnswer?: (error: unknown, flowing: boolean) => void
  onFlowing?: () => void
}

/** Keeps something of the box true on the screen: by events, and by asking while they don't come. */
export function follow<T>({ path, events, read, ask: question, everyMs, put, onAnswer, onFlowing }: Thing<T>): Following {
  let stopped = false
  let timer: ReturnType<typeof setTimeout>
  let heard = 0
  let flowing = false

  const ask = async () => {
    clearTimeout(timer)
    const asked = ++heard
    try {
      const thing = await question()
      // An event that came meanwhile is newer than this answer.
      if (!stopped && asked === heard) put(thing)
      if (!stopped) onAnswer?.(null, flowing)
    } catch (error) {
      // The line comes back or it does not: the next question finds out.
      if (!stopped) onAnswer?.(error, flowing)
    }
    if (!stopped) timer = setTimeout(ask, flowing ? everyMs.flowing : everyMs.alone)
  }
  const close = hearEvents(
    path,
    events,
    (_name, data) => {
      heard++
      put(read(data))
    },
    (state) => {
      const was = flowing
      flowing = state === 'live'
      if (flowing) onFlowing?.()
      if (was && !flowing) void ask()
    },
  )
  // Whoever comes back to this page from another app wants to know at once.
  const seen = () => {
    if (document.visibilityState === 'visible') void ask()
  }
  document.addEventListener('visibilitychange', seen)
  timer = setTimeout(ask, everyMs.alone)

  return {
    ask: () => void ask(),
    stop: () => {
      stopped = true
      clearTimeout(timer)
      document.removeEventListener('visibilitychange', seen)
      close()
    },
  }
}
