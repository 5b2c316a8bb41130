import type { Now } from '../clock.ts'
import { Refusal } from '../errors.ts'
import type { Bus } from '../events.ts'
import type { Db, Store } from '../store/store.ts'
import { type Package, type PackageInput, type PackagePatch, packageInput } from './schema.ts'
import { seedPackages } from './seed.ts'
import * as table from './table.ts'

export type Packages = ReturnType<typeof createPackages>

/** What the venue sells. A package that was sold is never deleted, only taken off sale: sessions and vouchers keep referring to it. */
export function createPackages({ store, now, bus }: { store: Store; now: Now; bus: Bus }) {
  const changed = () => bus.publish('catalogue.changed', { what: 'packages' })

  return {
    /** What is on sale, in the owner's order. */
    list: (): Promise<Package[]> => table.list(store.db, { archived: false }),

    /** Everything, also what was taken off sale. */
    listAll: (): Promise<Package[]> => table.list(store.db, { archived: true }),

    /** One package, on sale or not. */
    find: (db: Db, id: number): Promise<Package | undefined> => table.find(db, id),

    /** Packages that share a customer limit, on sale or not. */
    idsOfGroup: (db: Db, group: string): Promise<number[]> => table.idsOfGroup(db, group),

    /** @param currency of the venue, for input that names none */
    async create(input: PackageInput, currency: string): Promise<Package> {
      const made = await store.transaction((tx) => table.insert(tx, { ...input, currency: input.currency ?? currency }, now()))
      changed()
      return made
    },

    /**
     * Sessions already opened keep what they were sold; vouchers not yet redeemed open the changed package.
     * @throws Refusal `not-found`, or `bad-input` when the changed package would not make sense as a whole
     */
    async update(id: number, patch: PackagePatch): Promise<Package> {
      const updated = await store.transaction(async (tx) => {
        const { id: _, archived: __, ...current } = await onSale(tx, id)
        const merged = packageInput.safeParse({ ...current, ...patch })
        if (!merged.success) throw badPackage(merged.error.issues)
        return table.update(tx, id, { ...merged.data, currency: merged.data.currency ?? current.currency }, now())
      })
      changed()
      return updated
    },

    /**
     * Takes it off sale. Vouchers already printed for it stay good.
     * @throws Refusal `not-found`
     */
    async archive(id: number): Promise<void> {
      await store.transaction(async (tx) => {
        await onSale(tx, id)
        await table.archive(tx, id, now())
      })
      changed()
    },

    /** Puts the first packages on a new box; does nothing when there is, or ever was, one. */
    async seed(currency: string): Promise<void> {
      const seeded = await store.transaction(async (tx) => {
        if ((await table.count(tx)) > 0) return false
        for (const input of seedPackages(currency)) await table.insert(tx, input, now())
        return true
      })
      if (seeded) changed()
    },
  }
}

async function onSale(db: Db, id: number): Promise<Package> {
  const found = await table.find(db, id)
  if (!found || found.archived) throw new Refusal('not-found', `There is no package ${id} on sale.`)
  return found
}

function badPackage(issues: { path: PropertyKey[]; message: string }[]): Refusal {
  const faults = issues.map((issue) => ({ path: issue.path.join('.'), message: issue.message }))
  return new Refusal('bad-input', `With this change the package would not be right: ${faults[0]?.path}: ${faults[0]?.message}`, {
    where: 'body',
    faults,
  })
}
