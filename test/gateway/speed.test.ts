import test from 'ava'
import { openVenue, sum, type Venue } from './venue.ts'

const RATE_BPS = 10_000_000
const BYTES = 8_000_000

let venue: Venue

test.before(async () => {
  venue = await openVenue('speed', { phones: 1 })
})
test.after.always(() => venue?.stop())

// Goodput is content without headers. The contract is 0.93 to 0.96; a busy machine may take some of it, the shaper never gives more.
test.serial('a 10 Mbps package gives 10 Mbps down, and charges for hardly more than what arrives', async (t) => {
  const { id } = await venue.use(venue.phone1, { voucher: await venue.sell({ dataLimit: null, downBps: RATE_BPS, upBps: RATE_BPS }) })
  const carried = await venue.count()
  const usedBefore = await used(id)
  const { tookMs, bytes } = await venue.curl(venue.phone1, `http://${venue.lab.internet.address}/bytes/${BYTES}`)
  t.is(bytes, BYTES)
  const goodput = (BYTES * 8) / (tookMs / 1000) / RATE_BPS
  const [charged, delivered] = [(await used(id)) - usedBefore, sum(await carried())]
  t.log(
    `goodput ${goodput.toFixed(4)} of the rate over ${(tookMs / 1000).toFixed(2)} s; charged ${charged} for ${delivered} delivered: ${(charged / delivered).toFixed(4)}`,
  )
  t.true(goodput >= 0.9 && goodput <= 0.965)
  t.true(charged / delivered <= 1.03)
})

test.serial('and 10 Mbps up', async (t) => {
  const { id } = await venue.use(venue.phone1, { voucher: await venue.sell({ dataLimit: null, downBps: RATE_BPS, upBps: RATE_BPS }) })
  const carried = await venue.count()
  const usedBefore = await used(id)
  const { stdout, tookMs } = await venue.lab.exec(
    venue.phone1.namespace,
    ['curl', '-s', '-T', '-', `http://${venue.lab.internet.address}/sink`],
    {
      input: new Uint8Array(BYTES),
    },
  )
  t.deepEqual(JSON.parse(stdout), { bytes: BYTES })
  const goodput = (BYTES * 8) / (tookMs / 1000) / RATE_BPS
  const [charged, delivered] = [(await used(id)) - usedBefore, sum(await carried())]
  t.log(
    `goodput ${goodput.toFixed(4)} of the rate over ${(tookMs / 1000).toFixed(2)} s; charged ${charged} for ${delivered} delivered: ${(charged / delivered).toFixed(4)}`,
  )
  t.true(goodput >= 0.9 && goodput <= 0.965)
  t.true(charged / delivered <= 1.03)
})

/** What the kernel has charged by now. */
async function used(id: number): Promise<number> {
  const listed = await venue.inBox('/usr/sbin/nft', '-j', 'list', 'quota', 'inet', 'kswifi', `s${id}`)
  return (JSON.parse(listed) as { nftables: { quota?: { used: number } }[] }).nftables.find((one) => one.quota)!.quota!.used
}
