/** Counts what really arrives: packets from and to one address, in a namespace's own kernel, at the level that allowances are counted on. */
import { inside, run } from '../run.ts'

/** IP bytes, headers included. */
export type Counted = { receivedBytes: number; sentBytes: number }

/** Begins to count in `namespace` what it exchanges over `address`: its own address, or the other side's. */
export async function startCounting(
  namespace: string,
  address: string,
): Promise<{ read: () => Promise<Counted>; end: () => Promise<void> }> {
  const table = 'ip demo'
  // Resets are left out: the box makes them itself, in the name of whom they say they come from.
  const ruleset = `table ${table} {
    counter received { }
    counter sent { }
    chain arrive {
      type filter hook prerouting priority -300
      tcp flags & rst == rst return
      ip saddr ${address} counter name received
      ip daddr ${address} counter name received
    }
    chain leave {
      type filter hook postrouting priority 300
      ip saddr ${address} counter name sent
      ip daddr ${address} counter name sent
    }
  }`
  const nft = (args: string[], input?: string) => run(inside(namespace, ['/usr/sbin/nft', ...args]), input === undefined ? {} : { input })
  await nft(['-f', '-'], ruleset)
  const read = async (): Promise<Counted> => {
    const { stdout } = await nft(['-j', 'list', 'counters', 'table', ...table.split(' ')])
    const counters = (JSON.parse(stdout) as { nftables: { counter?: { name: string; bytes: number } }[] }).nftables
    const bytes = (name: string) => counters.find(({ counter }) => counter?.name === name)?.counter?.bytes ?? 0
    return { receivedBytes: bytes('received'), sentBytes: bytes('sent') }
  }
  return { read, end: async () => void (await nft(['delete', 'table', ...table.split(' ')])) }
}
