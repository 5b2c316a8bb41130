import type { Bus } from '../events.ts'
import type { Bought } from './buying.ts'
import type { Session } from './lifecycle.ts'

/** What a transaction changed: to be enforced and told when it is over. `others`: sessions whose devices changed besides. */
export type Changed = { session: Session; others: number[]; what: 'opened' | 'topped-up' | 'resumed' }

/** What a purchase changed. */
export function changeOf({ session, others, outcome }: Bought): Changed {
  return { session, others, what: outcome === 'topped-up' ? 'topped-up' : 'opened' }
}

/** Makes the gateway agree with all that was changed, in one run, then tells the screens. */
export function createTell({ bus, enforce }: { bus: Bus; enforce: (sessions: number[]) => Promise<void> }) {
  return async (changed: Changed[]): Promise<void> => {
    if (changed.length === 0) return
    await enforce(changed.flatMap(({ session, others }) => [session.id, ...others]))
    for (const { session, others, what } of changed) {
      bus.publish('session.changed', { id: session.id, what })
      for (const id of others) bus.publish('session.changed', { id, what: 'devices' })
    }
  }
}
