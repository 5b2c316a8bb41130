import test from 'ava'
import { createGather } from '#server/gather.ts'

test('whoever comes while a run goes on is in the next one, together', async (t) => {
  const runs: number[][] = []
  const gates: (() => void)[] = []
  const add = createGather<number>((items) => {
    runs.push(items)
    return new Promise((resolve) => gates.push(resolve))
  })
  const first = add(1)
  await Promise.resolve()
  const rest = [add(2), add(3)]
  t.deepEqual(runs, [[1]])
  gates[0]!()
  await first
  await Promise.resolve()
  t.deepEqual(runs, [[1], [2, 3]])
  gates[1]!()
  await Promise.all(rest)
})

test('a run that fails, fails for its own items only', async (t) => {
  const add = createGather<string>(async (items) => {
    if (items.includes('bad')) throw new Error('no')
  })
  const [bad, alongside] = [add('bad'), add('good')]
  await t.throwsAsync(bad, { message: 'no' })
  await t.throwsAsync(alongside, { message: 'no' })
  await t.notThrowsAsync(add('good'))
})
