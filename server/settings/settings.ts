import type { Now } from '../clock.ts'
import type { Bus } from '../events.ts'
import type { Db, Store } from '../store/store.ts'
import { SECOND } from '../units.ts'
import { type Settings as Choices, type SettingsPatch, defaults, settingsShape } from './schema.ts'
import * as table from './table.ts'

export type Settings = ReturnType<typeof createSettings>

/** The bus may lose a message (Redis is down): after this long another process sees the owner's change all the same. */
const keepForMs = 10 * SECOND

/** The owner's choices, and the box's own small notes. */
export function createSettings({ store, now, bus }: { store: Store; now: Now; bus: Bus }) {
  let cached: { choices: Promise<Choices>; readAt: number } | undefined
  let latest = defaults

  const forget = () => (cached = undefined)
  bus.subscribe('catalogue.changed', ({ what }) => {
    if (what === 'settings') forget()
  })

  const keep = (choices: Choices): Choices => (latest = choices)

  return {
    /** The owner's choices; a stored value that cannot be used counts as not chosen. Not to be called inside a transaction. */
    async get(): Promise<Choices> {
      if (!cached || now() - cached.readAt >= keepForMs) {
        const choices = table.readAll(store.db).then(choicesFrom).then(keep)
        choices.catch(forget)
        cached = { choices, readAt: now() }
      }
      return cached.choices
    },

    /** As they were read or written last, without asking the database: for what cannot wait. The defaults before that. */
    latest: (): Choices => latest,

    /** What was chosen under a name that is no setting any more; undefined when nothing was. Not to be called inside a transaction. */
    async former(key: string): Promise<unknown> {
      return parsed(await table.read(store.db, key))
    },

    async update(patch: SettingsPatch): Promise<Choices> {
      const choices = await store.transaction(async (tx) => {
        for (const [key, value] of Object.entries(patch)) if (value !== undefined) await table.write(tx, key, value, now())
        return choicesFrom(await table.readAll(tx))
      })
      keep(choices)
      forget()
      bus.publish('catalogue.changed', { what: 'settings' })
      return choices
    },

    /** Writes down a fact of the box, plain JSON, under `box.<key>`. Inside a transaction give it as `db`. */
    note: (key: string, value: unknown, db: Db = store.db): Promise<void> => table.write(db, `box.${key}`, value, now()),

    /** What was written down last; undefined when nothing was, or it is damaged. */
    async noted(key: string, db: Db = store.db): Promise<unknown> {
      return parsed(await table.read(db, `box.${key}`))
    },
  }
}

/** When the box was last known to be alive (UTC ms), 0 on a new one. Before there is a clock: the clock is made from it. */
export async function lastAlive(store: Store): Promise<number> {
  const at = parsed(await table.read(store.db, 'box.alive'))
  return typeof at === 'number' ? at : 0
}

function choicesFrom(stored: Map<string, string>): Choices {
  const choice = <K extends keyof Choices>(key: K): Choices[K] => {
    const checked = settingsShape.shape[key].safeParse(parsed(stored.get(key)))
    return checked.success ? (checked.data as Choices[K]) : defaults[key]
  }
  return Object.fromEntries((Object.keys(defaults) as (keyof Choices)[]).map((key) => [key, choice(key)])) as Choices
}

function parsed(text: string | undefined): unknown {
  try {
    return text === undefined ? undefined : JSON.parse(text)
  } catch {
    return undefined
  }
}
