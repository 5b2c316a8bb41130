import type { Now } from '../clock.ts'
import { Refusal } from '../errors.ts'
import type { Bus } from '../events.ts'
import type { Packages } from '../packages/packages.ts'
import type { Db, Store, Tx } from '../store/store.ts'
import { type Alphabet, codeOfSale, formatCode, hashCode, makeCode, normaliseCode } from './codes.ts'
import type { Batch, BatchInput, Voucher } from './schema.ts'
import { DAY } from '../units.ts'
import * as table from './table.ts'

const SOLD_AT_COUNTER = 'Sold at the counter'

export type Vouchers = ReturnType<typeof createVouchers>

/** A voucher that was just redeemed. */
export type Claim = { voucherId: number; batchId: number; packageId: number; last4: string }

type Needs = { store: Store; now: Now; secret: string; packages: Pick<Packages, 'find' | 'listAll'>; bus: Bus }

/**
 * Codes that were paid for at the counter.
 * @param secret key of the codes' hashes; when it is lost, every unused voucher is
 */
export function createVouchers({ store, now, secret, packages, bus }: Needs) {
  const changed = () => bus.publish('catalogue.changed', { what: 'vouchers' })

  return {
    /**
     * Makes codes. This answer is the only place where they can ever be read.
     * @throws Refusal `not-found` without such a package on sale, `bad-input` when they would be expired at once
     */
    async makeBatch(input: BatchInput, createdBy: string): Promise<{ batchId: number; codes: string[] }> {
      const at = now()
      if (input.expiresAt && input.expiresAt <= at)
        throw new Refusal('bad-input', 'The vouchers would be expired at once: choose a later expiresAt.')
      const made = await store.transaction(async (tx) => {
        const found = await packages.find(tx, input.packageId)
        if (!found || found.archived) throw new Refusal('not-found', `There is no package ${input.packageId} on sale.`)
        const batchId = await table.insertBatch(tx, input, createdBy, at)
        const codes = await newCodes(tx, input.alphabet, input.count, secret)
        await table.insertVouchers(
          tx,
          batchId,
          [...codes].map(([codeHash, code]) => ({ codeHash, last4: code.slice(-4) })),
        )
        return { batchId, codes: [...codes.values()].map((code) => formatCode(code, input.alphabet)) }
      })
      changed()
      return made
    },

    /**
     * One voucher, sold for cash at the counter. Its code follows from the sale's key, so that a second tap, or an answer
     * that was lost, shows the same voucher instead of making another.
     * @throws Refusal `not-found` without such a package on sale
     */
    async sell({ packageId, key }: { packageId: number; key: string }, seller: string): Promise<{ code: string; packageName: string }> {
      const code = codeOfSale(`${seller} ${packageId} ${key}`, secret)
      const at = now()
      const sold = await store.transaction(async (tx) => {
        const found = await packages.find(tx, packageId)
        if (!found || found.archived) throw new Refusal('not-found', `There is no package ${packageId} on sale.`)
        const codeHash = hashCode(code, secret)
        if (await table.findByHash(tx, codeHash)) return found
        const batchId = await counterBatch(tx, packageId, seller, at)
        await table.insertVouchers(tx, batchId, [{ codeHash, last4: code.slice(-4) }])
        return found
      })
      changed()
      return { code: formatCode(code, 'letters'), packageName: sold.name }
    },

    /** All batches, newest first. */
    async batches(): Promise<Batch[]> {
      const named = await packageNames()
      return (await table.listBatches(store.db)).map((batch) => ({ ...batch, packageName: named(batch.packageId) }))
    },

    /** @throws Refusal `not-found` */
    async batch(id: number): Promise<{ batch: Batch; vouchers: Voucher[] }> {
      return { batch: await oneBatch(id), vouchers: await table.listVouchers(store.db, id) }
    },

    /**
     * Makes the unused codes of a batch worthless, for ever; used ones stay as they are. May be called twice.
     * @throws Refusal `not-found`
     */
    async voidBatch(id: number): Promise<Batch> {
      await store.transaction((tx) => table.voidBatch(tx, id, now()))
      const batch = await oneBatch(id)
      changed()
      return batch
    },

    /**
     * Redeems a code: of any number who try at once, one succeeds. Belongs into the caller's transaction, so that
     * whatever is refused later there gives the voucher back.
     * @throws Refusal `voucher-unknown`, `voucher-used`, `voucher-expired` or `voucher-void`
     */
    async claim(tx: Tx, code: string): Promise<Claim> {
      const at = now()
      const codeHash = hashCode(normaliseCode(code), secret)
      const claimed = await table.claim(tx, codeHash, at)
      const voucher = await table.findByHash(tx, codeHash)
      if (!claimed || !voucher) throw whyNot(voucher)
      return { voucherId: voucher.id, batchId: voucher.batchId, packageId: voucher.packageId, last4: voucher.last4 }
    },

    /** The session that a used code opened or topped up. */
    async usedFor(tx: Tx, code: string): Promise<number | null> {
      return (await table.findByHash(tx, hashCode(normaliseCode(code), secret)))?.sessionId ?? null
    },

    /** What a code would buy, without using it. @throws Refusal like `claim` */
    async look(tx: Tx, code: string): Promise<Claim> {
      const voucher = await table.findByHash(tx, hashCode(normaliseCode(code), secret))
      if (!voucher || voucher.status !== 'unused') throw whyNot(voucher)
      return { voucherId: voucher.id, batchId: voucher.batchId, packageId: voucher.packageId, last4: voucher.last4 }
    },

    /** Notes which session a claimed voucher opened or topped up. */
    bind: (tx: Tx, voucherId: number, sessionId: number): Promise<void> => table.bind(tx, voucherId, sessionId),

    /** How many were redeemed at or after a time, UTC ms. */
    countRedeemed: (sinceMs: number): Promise<number> => table.countRedeemed(store.db, sinceMs),
  }

  /** The sales of one day at one counter are one batch, so that they don't crowd the list. */
  async function counterBatch(tx: Tx, packageId: number, seller: string, at: number): Promise<number> {
    const batch = { packageId, count: 1, alphabet: 'letters' as const, note: SOLD_AT_COUNTER, seller }
    const today = await table.findBatchOf(tx, { ...batch, since: at - (at % DAY) })
    if (today === undefined) return table.insertBatch(tx, batch, seller, at)
    await table.growBatch(tx, today)
    return today
  }

  async function oneBatch(id: number): Promise<Batch> {
    const batch = await table.findBatch(store.db, id)
    if (!batch) throw new Refusal('not-found', `There is no batch ${id}.`)
    const named = await packageNames()
    return { ...batch, packageName: named(batch.packageId) }
  }

  async function packageNames(): Promise<(id: number) => string> {
    const names = new Map((await packages.listAll()).map(({ id, name }) => [id, name]))
    return (id) => names.get(id) ?? ''
  }
}

/** Codes that no voucher of this box ever had, by their hashes. */
async function newCodes(db: Db, alphabet: Alphabet, count: number, secret: string): Promise<Map<string, string>> {
  const codes = new Map<string, string>()
  while (codes.size < count) {
    const fresh = new Map<string, string>()
    for (let missing = count - codes.size; missing > 0; missing--) {
      const code = makeCode(alphabet)
      fresh.set(hashCode(code, secret), code)
    }
    for (const known of await table.knownHashes(db, [...fresh.keys()])) fresh.delete(known)
    for (const [hash, code] of fresh) codes.set(hash, code)
  }
  return codes
}

function whyNot(voucher: table.FoundVoucher | undefined): Refusal {
  if (!voucher)
    return new Refusal('voucher-unknown', 'We do not know this code. Compare it with your voucher, sign by sign, and try again.')
  if (voucher.status === 'used') {
    return new Refusal(
      'voucher-used',
      'This voucher was used before. If it was you, continue with your resume code; if not, show the voucher to the staff.',
    )
  }
  if (voucher.status === 'void') return new Refusal('voucher-void', 'This voucher was withdrawn. Please show it to the staff.')
  return new Refusal('voucher-expired', 'This voucher was to be used earlier and has expired. Please show it to the staff.')
}
