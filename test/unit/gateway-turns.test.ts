import test from 'ava'
import { createTurns } from '#server/gateway/lock.ts'

/** Work that ends when told, and says what it was asked. */
function handWork() {
  const runs: { sessions: number[] | undefined; thorough: boolean; finish: () => void; fail: (error: Error) => void }[] = []
  const take = createTurns(
    (sessions, thorough) => new Promise<void>((resolve, reject) => runs.push({ sessions, thorough, finish: resolve, fail: reject })),
  )
  /** Lets everything happen that can happen by itself. */
  const settle = () => new Promise((resolve) => setImmediate(resolve))
  return { runs, take, settle }
}

test('who asks during a run is answered by a later run, never by the one that began before', async (t) => {
  const { runs, take, settle } = handWork()
  const answered: string[] = []
  void take([1], false).then(() => answered.push('first'))
  await settle()
  void take([2], false).then(() => answered.push('second'))
  await settle()
  t.is(runs.length, 1, 'one at a time')
  runs[0]!.finish()
  await settle()
  t.deepEqual(answered, ['first'])
  t.deepEqual(runs[1]!.sessions, [2])
  runs[1]!.finish()
  await settle()
  t.deepEqual(answered, ['first', 'second'])
})

test('those who wait share one run that is about all of them', async (t) => {
  const { runs, take, settle } = handWork()
  void take([1], false)
  await settle()
  const waiting = [take([2], false), take([3, 2], false), take([4], true)]
  runs[0]!.finish()
  await settle()
  t.is(runs.length, 2)
  t.deepEqual(runs[1]!.sessions?.toSorted(), [2, 3, 4])
  t.true(runs[1]!.thorough, 'as thorough as any of them asked')
  runs[1]!.finish()
  await Promise.all(waiting)
})

test('a run about everything is not narrowed by who joins it, and widens one about a few', async (t) => {
  const { runs, take, settle } = handWork()
  void take([1], false)
  await settle()
  void take(undefined, false)
  void take([5], false)
  runs[0]!.finish()
  await settle()
  t.is(runs[1]!.sessions, undefined)
  void take([6], false)
  void take(undefined, true)
  runs[1]!.finish()
  await settle()
  t.deepEqual([runs[2]!.sessions, runs[2]!.thorough], [undefined, true])
  runs[2]!.finish()
})

test('no update is lost: a run reads what was wanted when it began, whoever it answers', async (t) => {
  let wanted = 0
  let applied = 0
  const take = createTurns(async () => {
    const read = wanted
    await new Promise((resolve) => setImmediate(resolve))
    applied = read
  })
  const callers = Array.from({ length: 200 }, async (_, number) => {
    for (let ticks = number % 7; ticks > 0; ticks--) await new Promise((resolve) => setImmediate(resolve))
    wanted += 1
    const mine = wanted
    await take([number], false)
    return applied >= mine
  })
  t.true((await Promise.all(callers)).every(Boolean))
})

test('a run that fails tells those who asked for it, and the next one goes on', async (t) => {
  const { runs, take, settle } = handWork()
  const failing = take([1], false)
  await settle()
  const next = take([2], false)
  runs[0]!.fail(new Error('the kernel said no'))
  await t.throwsAsync(failing, { message: 'the kernel said no' })
  await settle()
  runs[1]!.finish()
  await t.notThrowsAsync(next)
  const after = take([3], false)
  await settle()
  runs[2]!.finish()
  await t.notThrowsAsync(after)
})
