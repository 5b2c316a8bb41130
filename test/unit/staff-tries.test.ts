import test from 'ava'
import { createTries } from '#server/staff/tries.ts'

type Tries = ReturnType<typeof createTries>

/** How many of `count` wrong tries are let through to look at the password. */
async function letThrough(tries: Tries, count: number, who: (index: number) => [username: string, from: string]): Promise<number> {
  let through = 0
  for (let index = 0; index < count; index++) {
    try {
      await tries.begin(...who(index))
      through++
    } catch (error) {
      if ((error as { code?: string }).code !== 'too-many-tries') throw error
    }
  }
  return through
}

test('one account from one address has five tries', async (t) => {
  t.is(await letThrough(createTries(), 20, () => ['ada', 'x']), 5)
})

test('one address has thirty tries over all accounts, and holds up no other address', async (t) => {
  const tries = createTries()
  t.is(await letThrough(tries, 100, (index) => [`user${index}`, 'x']), 30)
  await t.notThrowsAsync(tries.begin('ada', 'y'))
})

test('many addresses together have three hundred tries, and the owner at the usual place still gets in', async (t) => {
  const tries = createTries()
  const signedIn = await tries.begin('ada', 'office')
  await signedIn()
  t.is(await letThrough(tries, 1000, (index) => ['ada', `10.64.0.${index}`]), 300)
  await t.throwsAsync(tries.begin('bo', 'elsewhere'), { code: 'too-many-tries' })
  await t.notThrowsAsync(tries.begin('ada', 'office'))
})

test('whoever signs in well uses up no try', async (t) => {
  const tries = createTries()
  for (let count = 0; count < 100; count++) await (await tries.begin('ada', 'x'))()
  t.is(await letThrough(tries, 20, () => ['ada', 'x']), 5)
})
