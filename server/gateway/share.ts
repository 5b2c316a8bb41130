import { SHARE_MAJOR } from './changes.ts'
import { ProgramFailed, run } from './run.ts'

const DEVICE = 'kswifi-share'
const TABLE = 'netdev kswifi'

/**
 * One queue before several devices: an `ifb` device, to which an egress hook hands those packets of the devices whose
 * priority names a class of HTB's major number `SHARE_MAJOR`; it gives them back to the device that they came from.
 * Packets without such a class pass by, so nobody else pays for it.
 */
export function createShare(devices: string[], log: { warn: (facts: object, words: string) => void }) {
  /** Whether the device is there; unknown at first, for an earlier process may have made it. */
  let there = true

  async function chains(): Promise<string> {
    return run('nft', ['list', 'table', ...TABLE.split(' ')]).catch(ifMissing(''))
  }

  return {
    device: DEVICE,
    isThere: () => there,

    /** What the kernel has of it: `tc class show`, and whether every device leads there. */
    async look(): Promise<{ classes: string; intact: boolean }> {
      if (!there) return { classes: '', intact: true }
      const [classes, listed] = await Promise.all([run('tc', ['class', 'show', 'dev', DEVICE]).catch(ifMissing(null)), chains()])
      there = classes !== null
      return { classes: classes ?? '', intact: !there || devices.every((device) => leads(listed, device)) }
    },

    /** Makes what is missing. @param prepare is given the device, to put its queue on */
    async put(prepare: (device: string) => Promise<void>): Promise<void> {
      await run('ip', ['link', 'add', DEVICE, 'type', 'ifb']).catch(ifThere)
      await run('ip', ['link', 'set', DEVICE, 'up'])
      await prepare(DEVICE)
      there = true
      const listed = await chains()
      for (const device of devices.filter((one) => !leads(listed, one))) {
        await run('nft', ['-f', '-'], egress(device)).catch((error: unknown) =>
          log.warn({ err: error, device }, 'speeds are not shared with this device: it is missing'),
        )
      }
    },
  }
}

function egress(device: string): string {
  const chain = `${TABLE} from_${device}`
  return `add table ${TABLE}
add chain ${chain} { type filter hook egress device "${device}" priority 0; policy accept; }
flush chain ${chain}
add rule ${chain} meta priority ${SHARE_MAJOR}:0-${SHARE_MAJOR}:ffff fwd to "${DEVICE}"
`
}

function leads(listed: string, device: string): boolean {
  return (
    listed.includes(`hook egress device "${device}"`) &&
    listed.split(`chain from_${device} {`)[1]?.split('}')[0]?.includes(`fwd to "${DEVICE}"`) === true
  )
}

function ifMissing<T>(instead: T): (error: unknown) => T {
  return (error) => {
    if (error instanceof ProgramFailed && /No such file|Cannot find device/.test(error.stderr)) return instead
    throw error
  }
}

function ifThere(error: unknown): string {
  if (error instanceof ProgramFailed && error.stderr.includes('File exists')) return ''
  throw error
}
