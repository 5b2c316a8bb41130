import { phoneKey } from './changes.ts'
import type { LanDevice } from './grant.ts'
import { run } from './run.ts'

/** Neighbours that cannot be talked over: nobody can claim a paying customer's address by ARP. */
export function createPins(device: string) {
  /** As `mac . ip`. */
  let pinned = new Set<string>()

  async function batch(lines: string[]): Promise<void> {
    if (lines.length > 0) await run('ip', ['-force', '-batch', '-'], lines.join(''))
  }

  return {
    /** Reads what the kernel has. */
    async look(): Promise<void> {
      const text = await run('ip', ['neigh', 'show', 'dev', device, 'nud', 'permanent'])
      pinned = new Set([...text.matchAll(/^(\S+) lladdr (\S+) /gm)].map(([, ip, mac]) => phoneKey({ mac: mac!, ip: ip! })))
    },
    async pin(phones: LanDevice[]): Promise<void> {
      const fresh = phones.filter((phone) => !pinned.has(phoneKey(phone)))
      for (const phone of fresh) pinned.add(phoneKey(phone))
      await batch(fresh.map(({ mac, ip }) => `neigh replace ${ip} lladdr ${mac} dev ${device} nud permanent\n`))
    },
    async unpin(phones: LanDevice[]): Promise<void> {
      for (const phone of phones) pinned.delete(phoneKey(phone))
      // Gone already is as good.
      await batch(phones.map(({ ip }) => `neigh del ${ip} dev ${device}\n`)).catch(() => {})
    },
  }
}
