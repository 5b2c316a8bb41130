import { inside, run, until } from '#lab/run.ts'

/** A cable between two namespaces, by its ends. */
export type Wire = [here: { namespace: string; device: string }, there: { namespace: string; device: string }]

/** Resolves once every packet that was sent on these wires has come out of them, and none waits in a queue of `box`. */
export async function drained(box: string, wires: Wire[]): Promise<void> {
  await until(
    'the wires are still',
    async () => {
      const ends = await Promise.all(wires.flat().map(({ namespace, device }) => counters(namespace, device)))
      const still = wires.every((_, index) => {
        const [here, there] = [ends[2 * index]!, ends[2 * index + 1]!]
        return here.sent === there.came && there.sent === here.came
      })
      const { stdout } = await run(inside(box, ['tc', '-s', 'qdisc', 'show']))
      return still && [...stdout.matchAll(/backlog \S+ (\d+)p/g)].every((match) => match[1] === '0')
    },
    10_000,
    5,
  )
}

async function counters(namespace: string, device: string): Promise<{ sent: number; came: number }> {
  const { stdout } = await run(['ip', '-n', namespace, '-s', '-j', 'link', 'show', 'dev', device])
  const [{ stats64 }] = JSON.parse(stdout) as [{ stats64: Record<'rx' | 'tx', { packets: number }> }]
  return { sent: stats64.tx.packets, came: stats64.rx.packets }
}
