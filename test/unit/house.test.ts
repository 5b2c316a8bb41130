import { globSync, readFileSync } from 'node:fs'
import { basename, dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import test from 'ava'

const root = fileURLToPath(new URL('../..', import.meta.url))

/** A line of a file that brings another file in. `to` is a path from the root of the repository, or the name of a package. */
type Import = { from: string; to: string; typeOnly: boolean }

/** The ground: files that stand at server/ itself and import no room. */
const ground = [
  'gather',
  'clock',
  'config',
  'errors',
  'events',
  'log',
  'money',
  'outside',
  'paging',
  'password',
  'phone',
  'seal',
  'token',
  'units',
].map((name) => `server/${name}.ts`)

/** The arrows of ARCHITECTURE.md: what each room may import beside the ground and itself. */
const below: Record<string, string[]> = {
  store: [],
  gateway: [],
  jobs: [],
  settings: ['store'],
  packages: ['store'],
  staff: ['store'],
  vouchers: ['store', 'packages'],
  accounts: ['store', 'settings'],
  payments: ['store', 'settings', 'packages', 'accounts', 'hotspots', 'gateway'],
  sms: ['accounts'],
  loyalty: ['store'],
  customers: ['store', 'settings', 'loyalty', 'sms'],
  connect: ['store', 'gateway', 'settings'],
  reports: ['store'],
  hotspots: ['store', 'settings'],
  sessions: ['store', 'gateway', 'settings', 'packages', 'vouchers', 'connect', 'hotspots', 'customers', 'loyalty', 'payments'],
  http: [],
  venue: ['store', 'settings', 'packages', 'vouchers', 'connect', 'hotspots', 'customers', 'payments', 'sms', 'sessions'],
  app: ['http'],
  main: ['store', 'roles'],
}

/** Shapes that http/ only speaks of: who asks, and who is signed in. */
const typesForHttp = ['gateway', 'sessions', 'staff']

test('arrows go down only', (t) => {
  t.deepEqual(readImports('server/**/*.ts').flatMap(wrongArrow), [])
})

test('an arrow that goes up is noticed', (t) => {
  const wrong = (from: string, to: string, typeOnly = false) => wrongArrow({ from, to, typeOnly }).length === 1
  t.true(wrong('server/events.ts', 'server/sessions/schema.ts', true))
  t.true(wrong('server/store/store.ts', 'server/settings/settings.ts'))
  t.true(wrong('server/gateway/kernel.ts', 'server/sessions/schema.ts', true))
  t.true(wrong('server/packages/packages.ts', 'server/vouchers/vouchers.ts'))
  t.true(wrong('server/sessions/sessions.ts', 'server/http/api.ts', true))
  t.true(wrong('server/http/asker.ts', 'server/sessions/sessions.ts'))
  t.true(wrong('server/sessions/sessions.ts', 'server/main.ts'))
  t.true(wrong('server/newroom/newroom.ts', 'server/store/store.ts'))
  t.false(wrong('server/http/asker.ts', 'server/sessions/sessions.ts', true))
  t.false(wrong('server/sessions/routes.ts', 'server/http/api.ts'))
  t.false(wrong('server/gateway/kernel.ts', 'server/log.ts'))
})

test('no file is imported in a circle', (t) => {
  t.deepEqual(circles(readImports('server/**/*.ts')), [])
  t.deepEqual(circles(readImports('appliance/**/*.ts')), [])
})

test('a circle is noticed', (t) => {
  const [one, two, three] = ['server/a/one.ts', 'server/b/two.ts', 'server/c/three.ts'] as const
  const imports = [
    { from: one, to: two, typeOnly: false },
    { from: two, to: three, typeOnly: true },
    { from: three, to: one, typeOnly: false },
  ]
  t.is(circles(imports).length, 1)
  t.deepEqual(circles(imports.slice(0, 2)), [])
})

test("no room imports another room's tables", (t) => {
  const wrong = readImports('server/**/*.ts').filter(({ from, to }) => isTable(to) && dirname(from) !== dirname(to))
  t.deepEqual(wrong, [])
})

test('only table files and the store speak SQL', (t) => {
  const speaks = /\b(?:db|tx)\(|\.db\(|\.raw\(|from 'knex'/
  const wrong = files('server/**/*.ts').filter((file) => !isTable(file) && roomOf(file) !== 'store' && speaks.test(code(file)))
  t.deepEqual(wrong, [])
})

test('only gateway/run.ts starts programs', (t) => {
  const starters = readImports('server/**/*.ts').filter(({ to }) => /^(?:node:)?(?:child_process|cluster)$/.test(to))
  t.deepEqual(
    starters.map(({ from }) => from),
    ['server/gateway/run.ts'],
  )
})

test('the environment is read once, in main.ts', (t) => {
  const readers = files('server/**/*.ts').filter((file) => /\bprocess\.env\b|import\.meta\.env/.test(code(file)))
  t.deepEqual(readers, ['server/main.ts'])
})

test("the UI knows the server's shapes, as types, and nothing else of it", (t) => {
  const shared = /^server\/\w+\/schema\.ts$|^server\/events\.ts$/
  const arrows = readImports('web/**/*.{ts,tsx}').filter(({ to }) => to.startsWith('server/'))
  t.true(arrows.length > 0)
  t.deepEqual(
    arrows.filter(({ to, typeOnly }) => !typeOnly || !shared.test(to)),
    [],
  )
})

test("the portal and the admin do not import each other's files", (t) => {
  const side = (path: string) => /^web\/(\w+)\//.exec(path)?.[1]
  const wrong = readImports('web/**/*.{ts,tsx}').filter(
    ({ from, to }) => to.startsWith('web/') && side(to) !== side(from) && side(to) !== 'shared',
  )
  t.deepEqual(wrong, [])
})

test('a shape file holds shapes only', (t) => {
  const wrong = readImports('server/*/schema.ts').filter(
    ({ to }) => to !== 'zod' && !ground.includes(to) && !/^server\/\w+\/schema\.ts$/.test(to),
  )
  t.deepEqual(wrong, [])
})

test('no file is longer than 350 lines', (t) => {
  const long = files('{server,appliance,web}/**/*.{ts,tsx,sh}')
    .map((file) => ({ file, lines: code(file).split('\n').length - 1 }))
    .filter(({ lines }) => lines > 350)
  t.deepEqual(long, [])
})

test('no file is called for what it is to others rather than for what it does', (t) => {
  const vague = files('{server,appliance,web}/**/*.{ts,tsx}').filter((file) =>
    /\b(?:utils?|helpers?|managers?|common|misc|types)\b/.test(basename(file)),
  )
  t.deepEqual(vague, [])
})

// The functions of a table file are one query each, under a name that says it, and a routes file has one list: there a comment is up to you.
test('every exported function of the server says what it does', (t) => {
  const silent = files('server/**/*.ts')
    .filter((file) => !isTable(file) && !isRoutes(file) && !file.includes('/migrations/'))
    .flatMap((file) => undocumented(code(file)).map((name) => `${file}: ${name}`))
  t.deepEqual(silent, [])
})

test('a function without a comment is noticed', (t) => {
  t.deepEqual(undocumented('/** Says it. */\nexport function one() {}\n\nexport async function two() {}\n'), ['two'])
  t.deepEqual(undocumented('export const three = (a: number) => a\n'), ['three'])
  t.deepEqual(undocumented('/** Once. */\nexport function four(a: 1): 1\nexport function four(a: 2): 2\n'), [])
})

function files(pattern: string): string[] {
  const found = globSync(pattern, { cwd: root }).filter((file) => !file.startsWith('web/dist/'))
  if (found.length === 0) throw new Error(`nothing matches ${pattern}: this test would prove nothing`)
  return found.toSorted()
}

function code(file: string): string {
  return readFileSync(join(root, file), 'utf8')
}

function readImports(pattern: string): Import[] {
  return files(pattern).flatMap((file) => importsOf(file, code(file)))
}

function importsOf(from: string, text: string): Import[] {
  const statements = /^(?:import|export)\s+(type\s+)?(?:(\{[^}]*\}|[\w*\s,{}]+?)\s+from\s+)?'([^']+)'/gm
  const fixed = [...text.matchAll(statements)].map(([, type, names, path]) => ({
    from,
    to: target(from, path!),
    typeOnly: type !== undefined || (names !== undefined && /^\{(?:\s*type\s+\w+(?:\s+as\s+\w+)?\s*,?)+\s*\}$/.test(names)),
  }))
  const lazy = [...text.matchAll(/\bimport\('([^']+)'\)/g)].map(([, path]) => ({ from, to: target(from, path!), typeOnly: false }))
  return [...fixed, ...lazy]
}

function target(from: string, path: string): string {
  return path.startsWith('.') ? relative(root, join(root, dirname(from), path)) : path
}

/** `sessions` for server/sessions/table.ts, `main` for server/main.ts. */
function roomOf(file: string): string {
  return file.split('/')[1]!.replace('.ts', '')
}

function isTable(file: string): boolean {
  return /^server\/\w+\/(?:\w+-)?table\.ts$/.test(file)
}

function wrongArrow({ from, to, typeOnly }: Import): string[] {
  if (!to.startsWith('server/')) return []
  const [own, other] = [roomOf(from), roomOf(to)]
  if (ground.includes(to)) return []
  if (ground.includes(from)) return [`${from} is ground and imports ${to}`]
  if (own === other) return []
  // The roles put the rooms together.
  if (own === 'roles') return other === 'main' ? [`${from} may not import ${to}`] : []
  const allowed = below[own]
  if (!allowed) return [`${from} is in a room that no plan knows: put ${own} into ARCHITECTURE.md and this test`]
  const isFine =
    allowed.includes(other) ||
    (other === 'http' && (own === 'venue' || isRoutes(from))) ||
    (other === 'sessions' && isRoutes(from)) ||
    (own === 'http' && typeOnly && typesForHttp.includes(other))
  return isFine ? [] : [`${from} may not import ${to}`]
}

/** `routes.ts`, and `me-routes.ts` where a room answers several kinds of askers. */
function isRoutes(file: string): boolean {
  return /^(?:\w+-)?routes\.ts$/.test(basename(file))
}

/** Each circle once, as `a > b > a`. */
function circles(imports: Import[]): string[] {
  const arrows = Map.groupBy(imports, ({ from }) => from)
  const found = new Set<string>()
  const finished = new Set<string>()
  const visit = (file: string, path: string[]) => {
    const at = path.indexOf(file)
    if (at !== -1) return void found.add([...path.slice(at), file].join(' > '))
    if (finished.has(file)) return
    for (const { to } of arrows.get(file) ?? []) visit(to, [...path, file])
    finished.add(file)
  }
  for (const file of arrows.keys()) visit(file, [])
  return [...found]
}

function undocumented(text: string): string[] {
  const lines = text.split('\n')
  const nameOf = (line: string | undefined) =>
    /^export (?:async )?function (\w+)/.exec(line ?? '')?.[1] ??
    /^export const (\w+) = (?:async )?\([^)]*\)(?:: [^=]+)? =>/.exec(line ?? '')?.[1]
  return lines.flatMap((line, index) => {
    const name = nameOf(line)
    const before = lines[index - 1]
    if (!name || before?.trimEnd().endsWith('*/') || nameOf(before) === name) return []
    return [name]
  })
}
