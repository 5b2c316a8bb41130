/** `npm start` and `npm run lab`: the lab on the command line. */
import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { spawnSync } from 'node:child_process'
import { parseArgs } from 'node:util'
import { askLab } from './control.ts'
import { hold } from './hold.ts'
import { removeVenue } from './namespaces.ts'
import { insideLab } from './tunnels.ts'
import { up } from './up.ts'
import type { UnitStatus } from './units.ts'

const usage = `npm start -- [--fresh] [--prefix kswifi] [--port 8080] [--data .lab]    the venue, until Ctrl-C
npm run lab -- status                     what runs, and how to reach it
npm run lab -- phone add                  plugs in one more phone
npm run lab -- phone remove phone4        takes one away
npm run lab -- remote connect FILE        imports a Connect profile on remote1 and turns it on; FILE phone1: there instead
npm run lab -- remote disconnect          turns it off
npm run lab -- exec phone1 curl -s …      runs a program on a phone, a remote, the box or the internet
npm run lab -- power cut | power on       takes the box's power away, and gives it back
npm run lab -- down                       ends the lab, or sweeps up after one that was killed
npm run lab -- demo                       plays one customer and prints what was measured`

type Status = {
  prefix: string
  units: UnitStatus[]
  phones: { namespace: string; mac: string; ip: string }[]
  remotes: { namespace: string; ip: string; publicAddress: string }[]
  url: string
}

const argv = process.argv.slice(2)
// What follows `exec` belongs to the program, options and all.
const cut = argv.indexOf('exec')
const own = cut === -1 ? argv : argv.slice(0, cut + 1)
const foreign = cut === -1 ? [] : argv.slice(cut + 1)

try {
  process.exit(await main())
} catch (error) {
  console.error((error as Error).message)
  process.exit(1)
}

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    args: own,
    allowPositionals: true,
    options: {
      fresh: { type: 'boolean', default: false },
      prefix: { type: 'string', default: 'kswifi' },
      port: { type: 'string', default: '8080' },
      data: { type: 'string', default: join(import.meta.dirname, '../../.lab') },
      help: { type: 'boolean', default: false },
    },
  })
  const command = positionals.join(' ')
  const { prefix, fresh, data: dir } = values
  const control = join(dir, 'control.sock')
  if (values.help || command === '') return tell(usage)
  if (command === 'up') return await up({ prefix, fresh, dir, port: Number(values.port) })
  if (command === 'demo') return await (await import('./demo/demo.ts')).demo({ dir })
  if (command === 'down') return await down(control, prefix)

  const status = await askLab<Status>(control, 'status')
  if (!status) throw new Error('No lab is running here: start one with `npm start`')
  if (command === 'status') return tell(describe(status))
  if (command === 'exec') return runIn({ dir, prefix: status.prefix }, foreign)
  if (command === 'phone add') return tell(JSON.stringify(await askLab(control, 'phone add'), null, 2))
  if (command.startsWith('phone remove ')) return tell((await askLab(control, 'phone remove', positionals[2])) ?? 'done')
  if (command.startsWith('remote ')) return tell((await turnProfile(control, positionals.slice(1))) ?? 'done')
  if (command === 'power cut' || command === 'power on') return tell((await askLab(control, command)) ?? 'done')
  throw new Error(`The lab does not know how to "${command}".\n${usage}`)
}

/** `connect FILE [where]` or `disconnect [where]`; where is remote1 unless said. The file is found from where npm was called. */
function turnProfile(control: string, [verb, ...rest]: string[]): Promise<unknown> {
  if (verb === 'disconnect') return askLab(control, 'remote disconnect', rest[0] ?? 'remote1')
  const [file, where = 'remote1'] = rest
  if (verb !== 'connect' || !file) throw new Error('Say which profile: npm run lab -- remote connect kswifi.conf')
  const text = readFileSync(resolve(process.env['INIT_CWD'] ?? '.', file), 'utf8')
  return askLab(control, 'remote connect', JSON.stringify({ where, text }))
}

async function down(control: string, prefix: string): Promise<number> {
  const asked = await askLab(control, 'stop').then((reply) => reply !== null)
  if (asked) return tell('The lab is ending')
  await hold(`lab ${prefix}`, `A lab called ${prefix} runs, but not from here: say where with --data, or end it where it was started`)
  await removeVenue(prefix)
  return tell(`Nothing runs; what ${prefix} had left behind is gone`)
}

function describe({ url, phones, remotes, units }: Status): string {
  const rows = [
    ...units.map((unit) => [unit.name, unit.pid ? `pid ${unit.pid}` : 'down', `${unit.starts} starts`, unit.lastExit ?? '']),
    ...phones.map((phone) => [phone.namespace, phone.ip, phone.mac, '']),
    ...remotes.map((remote) => [remote.namespace, remote.ip, `seen as ${remote.publicAddress}`, '']),
  ]
  return [
    url,
    ...rows.map((row) =>
      row
        .map((cell) => cell.padEnd(18))
        .join(' ')
        .trimEnd(),
    ),
  ].join('\n')
}

/** Hands over the terminal. `phone1` may be written short. */
function runIn({ dir, prefix }: { dir: string; prefix: string }, [where, ...program]: string[]): number {
  if (!where || program.length === 0) throw new Error('Say where and what: npm run lab -- exec phone1 curl -s http://example.com')
  const namespace = where.startsWith(`${prefix}-`) ? where : `${prefix}-${where}`
  const [command = '', ...rest] = insideLab({ dir, prefix }, namespace, program)
  return spawnSync(command, rest, { stdio: 'inherit' }).status ?? 1
}

function tell(text: unknown): number {
  console.log(text)
  return 0
}
