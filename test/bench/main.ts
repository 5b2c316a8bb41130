/** `npm run bench [-- group …]`: measures, prints a table and, as its last line, JSON. Exits with 1 when a "must" does not hold. */
import { cpus } from 'node:os'
import { api } from './api.ts'
import { buying } from './buying.ts'
import { connect } from './connect.ts'
import { exactness } from './exactness.ts'
import { table, verdict, round, type Figure } from './figure.ts'
import { forwarding } from './forwarding.ts'
import { latency } from './latency.ts'
import { memory } from './memory.ts'
import { reports } from './reports.ts'
import { restore } from './restore.ts'
import { shaping } from './shaping.ts'

const groups: Record<string, () => Promise<Figure[]>> = {
  exactness,
  latency,
  forwarding,
  shaping,
  restore,
  api,
  memory,
  connect,
  reports,
  buying,
}

const asked = process.argv.slice(2)
const unknown = asked.filter((name) => !groups[name])
if (unknown.length > 0) {
  console.error(`There is no ${unknown.join(', ')}; there are ${Object.keys(groups).join(', ')}.`)
  process.exit(2)
}

const figures: Figure[] = []
for (const name of asked.length > 0 ? asked : Object.keys(groups)) {
  process.stderr.write(`${name} … `)
  const begun = performance.now()
  figures.push(...(await groups[name]!()))
  process.stderr.write(`${Math.round((performance.now() - begun) / 1000)} s\n`)
}
console.log(`\n${table(figures)}\n`)
for (const { what, note } of figures) if (note) console.log(`${what}: ${note}`)
const cores = cpus().length
const results = figures.map((one) => ({
  what: one.what,
  measured: round(one.measured),
  unit: one.unit,
  must: one.mustWords,
  aim: one.aimWords,
  verdict: verdict(one),
}))
const held = results.every((one) => one.verdict !== 'failed')
console.log(JSON.stringify({ held, cores, figures: results }))
process.exit(held ? 0 : 1)
