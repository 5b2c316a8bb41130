import type { ExecutionContext, TestFn } from 'ava'
import { until } from '#lab/run.ts'
import type { Grant, LanDevice, Reading } from '#server/gateway/grant.ts'
import type { Way } from '#server/gateway/memory.ts'

export const PACKET_BYTES = 1000

/** Two phones of the venue, and what wears whose address. */
export const phone1: LanDevice = { mac: '02:4b:53:00:00:01', ip: '10.64.0.11' }
export const phone2: LanDevice = { mac: '02:4b:53:00:00:02', ip: '10.64.0.12' }

/** Somebody inside the tunnel. */
export const peer: { peer: string } = { peer: '10.8.0.5' }

/** A gateway of either kind, with what this suite must be able to do to it. */
export type Bench = {
  want: (...grants: Grant[]) => Promise<void>
  enforce: (sessions?: number[]) => Promise<void>
  poll: (sessions?: number[]) => Promise<void>
  /** Everything that the gateway settled, oldest first. */
  readings: () => Promise<Reading[]>
  /** Sends packets of PACKET_BYTES, and says how many reached the other side. A phone must have sent one before any can come down to it. */
  pass: (way: Way, direction: 'down' | 'up', packets: number) => Promise<number>
  /** Takes everything of the gateway away, as a power cut or `nft flush ruleset` does. */
  forget: () => Promise<void>
  close: () => Promise<void>
}

/** A grant for phone 1 of session 7 without cap or speed, for an hour; `terms` say what is different. */
export function grant(terms: Partial<Grant> = {}): Grant {
  return {
    session: 7,
    limitBytes: null,
    usedBytes: 0,
    uploadedBytes: 0,
    tunnelledBytes: 0,
    until: Date.now() + 3_600_000,
    downBps: null,
    upBps: null,
    devices: [phone1],
    peers: [],
    ...terms,
  }
}

/** What both gateways promise. `open` gives a gateway that holds nothing. */
export function conformance(test: TestFn, kind: string, open: () => Promise<Bench>): void {
  const says = (title: string, body: (t: ExecutionContext, bench: Bench) => Promise<void>) =>
    test.serial(`${kind}: ${title}`, async (t) => {
      const bench = await open()
      try {
        await body(t, bench)
      } finally {
        await bench.close()
      }
    })

  says('nothing passes without a grant', async (t, bench) => {
    await bench.enforce()
    t.is(await bench.pass(phone1, 'up', 3), 0)
    t.is(await bench.pass(phone1, 'down', 3), 0)
  })

  says('a grant lets both directions pass, and counts them together', async (t, bench) => {
    await bench.want(grant())
    await bench.enforce([7])
    t.is(await bench.pass(phone1, 'up', 4), 4)
    t.is(await bench.pass(phone1, 'down', 6), 6)
    await bench.poll([7])
    t.deepEqual(last(await bench.readings()), { session: 7, usedBytes: 10_000, uploadedBytes: 4_000, tunnelledBytes: 0, depleted: false })
  })

  says('the wrong MAC or the wrong address gets nothing', async (t, bench) => {
    await bench.want(grant())
    await bench.enforce()
    t.is(await bench.pass({ ...phone2, ip: phone1.ip }, 'up', 3), 0)
    t.is(await bench.pass({ ...phone1, ip: '10.64.0.77' }, 'up', 3), 0)
    t.is(await bench.pass(phone1, 'up', 3), 3)
  })

  for (const direction of ['up', 'down'] as const) {
    says(`the cap is exact ${direction}: never over, short by less than one packet`, async (t, bench) => {
      await bench.want(grant({ limitBytes: 10_500 }))
      await bench.enforce()
      t.is(await bench.pass(phone1, 'up', 1), 1)
      t.is(await bench.pass(phone1, direction, 30), 9)
      t.is(await bench.pass(phone1, direction, 30), 0)
      await until('the depletion is settled', async () => (await bench.readings()).some((one) => one.depleted), 5000)
      t.is(last(await bench.readings()).usedBytes, 10_500)
    })
  }

  says('a packet that fits to the byte passes', async (t, bench) => {
    await bench.want(grant({ limitBytes: 10_000 }))
    await bench.enforce()
    t.is(await bench.pass(phone1, 'up', 10), 10)
    t.is(await bench.pass(phone1, 'up', 1), 0)
  })

  says('both directions share one cap', async (t, bench) => {
    await bench.want(grant({ limitBytes: 10_500 }))
    await bench.enforce()
    t.is(await bench.pass(phone1, 'up', 6), 6)
    t.is(await bench.pass(phone1, 'down', 30), 4)
    t.is(await bench.pass(phone1, 'up', 30), 0)
  })

  says('two devices share one cap', async (t, bench) => {
    await bench.want(grant({ limitBytes: 10_500, devices: [phone1, phone2] }))
    await bench.enforce()
    t.is(await bench.pass(phone1, 'up', 6), 6)
    t.is(await bench.pass(phone2, 'up', 30), 4)
    t.is(await bench.pass(phone1, 'up', 30), 0)
  })

  says('hotspot and tunnel share one cap, and the tunnel is counted apart too', async (t, bench) => {
    await bench.want(grant({ limitBytes: 10_500, peers: [peer.peer] }))
    await bench.enforce()
    t.is(await bench.pass(phone1, 'up', 3), 3)
    t.is(await bench.pass(peer, 'up', 2), 2)
    t.is(await bench.pass(peer, 'down', 2), 2)
    await bench.poll([7])
    t.deepEqual(last(await bench.readings()), {
      session: 7,
      usedBytes: 7_000,
      uploadedBytes: 5_000,
      tunnelledBytes: 4_000,
      depleted: false,
    })
    t.is(await bench.pass(phone1, 'down', 30), 3)
    t.is(await bench.pass(peer, 'up', 3), 0)
    t.is(await bench.pass(peer, 'down', 3), 0)
  })

  says('a peer that is taken away passes nothing, and nor does one whom nobody knows', async (t, bench) => {
    await bench.want(grant({ peers: [peer.peer] }))
    await bench.enforce()
    t.is(await bench.pass(peer, 'up', 2), 2)
    await bench.want(grant())
    await bench.enforce([7])
    t.is(await bench.pass(peer, 'up', 3), 0)
    t.is(await bench.pass(peer, 'down', 3), 0)
    t.is(await bench.pass(phone1, 'up', 3), 3)
    await bench.poll([7])
    t.is(last(await bench.readings()).usedBytes, 5_000)
  })

  says('a peer alone is enough for a session, and moves to another like a device', async (t, bench) => {
    await bench.want(grant({ devices: [], peers: [peer.peer] }))
    await bench.enforce()
    t.is(await bench.pass(peer, 'up', 2), 2)
    await bench.want(grant({ session: 8, devices: [], peers: [peer.peer], usedBytes: 500, tunnelledBytes: 500 }))
    await bench.enforce([7, 8])
    t.is(await bench.pass(peer, 'up', 3), 3)
    await bench.poll()
    t.is(lastOf(await bench.readings(), 7)?.usedBytes, 2_000)
    t.is(lastOf(await bench.readings(), 8)?.usedBytes, 3_500)
    t.is(lastOf(await bench.readings(), 8)?.tunnelledBytes, 3_500)
  })

  says('a peer has the deadline of its session', async (t, bench) => {
    await bench.want(grant({ peers: [peer.peer], until: Date.now() + 500 }))
    await bench.enforce()
    t.is(await bench.pass(peer, 'up', 1), 1)
    await until('nothing passes', async () => (await bench.pass(peer, 'up', 1)) === 0, 5000, 5)
    t.is(await bench.pass(peer, 'down', 2), 0)
  })

  says('two sessions have each their own cap', async (t, bench) => {
    await bench.want(grant({ limitBytes: 5_000 }), grant({ session: 8, limitBytes: 9_000, devices: [phone2] }))
    await bench.enforce()
    t.is(await bench.pass(phone1, 'up', 20), 5)
    t.is(await bench.pass(phone2, 'up', 20), 9)
  })

  says('what the ledger says was used is not given again', async (t, bench) => {
    await bench.want(grant({ limitBytes: 10_500, usedBytes: 7_000, uploadedBytes: 2_000 }))
    await bench.enforce()
    t.is(await bench.pass(phone1, 'up', 30), 3)
    await bench.poll()
    const { usedBytes, uploadedBytes } = last(await bench.readings())
    t.is(usedBytes, 10_500)
    // What the kernel dropped in the end it counted as sent, too; never more than all of it.
    t.true(uploadedBytes >= 5_000 && uploadedBytes <= usedBytes)
  })

  says('the deadline ends it, within a second', async (t, bench) => {
    const deadline = Date.now() + 700
    await bench.want(grant({ until: deadline }))
    await bench.enforce()
    t.is(await bench.pass(phone1, 'up', 1), 1)
    await until('nothing passes', async () => (await bench.pass(phone1, 'up', 1)) === 0, 5000, 5)
    const lateMs = Date.now() - deadline
    t.log(`cut ${lateMs} ms after the deadline, to which it takes some to notice`)
    t.true(lateMs >= -20 && lateMs <= 1000)
    t.is(await bench.pass(phone1, 'down', 5), 0)
  })

  says('a deadline moved while it lives counts from then on', async (t, bench) => {
    await bench.want(grant({ until: Date.now() + 60_000 }))
    await bench.enforce()
    const deadline = Date.now() + 700
    await bench.want(grant({ until: deadline }))
    await bench.enforce([7])
    await until('nothing passes', async () => (await bench.pass(phone1, 'up', 1)) === 0, 5000, 5)
    t.true(Date.now() >= deadline - 20)
    await bench.want(grant({ until: Date.now() + 60_000 }))
    await bench.enforce([7])
    t.is(await bench.pass(phone1, 'up', 2), 2)
  })

  says('a cap raised while it lives keeps what was used', async (t, bench) => {
    await bench.want(grant({ limitBytes: 10_500 }))
    await bench.enforce()
    t.is(await bench.pass(phone1, 'up', 6), 6)
    await bench.want(grant({ limitBytes: 20_500 }))
    await bench.enforce([7])
    t.is(await bench.pass(phone1, 'up', 40), 14)
  })

  says('a cap raised after its end goes on from the old limit: what was dropped is not charged', async (t, bench) => {
    await bench.want(grant({ limitBytes: 10_500 }))
    await bench.enforce()
    t.is(await bench.pass(phone1, 'up', 60), 10)
    await bench.poll()
    t.is(last(await bench.readings()).usedBytes, 10_500)
    await bench.want(grant({ limitBytes: 20_500 }))
    await bench.enforce([7])
    t.is(await bench.pass(phone1, 'up', 60), 10)
  })

  says('a session may go on without a cap after its data, and is still counted', async (t, bench) => {
    await bench.want(grant({ limitBytes: 5_000 }))
    await bench.enforce()
    t.is(await bench.pass(phone1, 'up', 20), 5)
    await bench.want(grant({ limitBytes: null, downBps: 8_000_000, upBps: 8_000_000 }))
    await bench.enforce([7])
    t.is(await bench.pass(phone1, 'up', 20), 20)
    await bench.poll()
    const { usedBytes, depleted } = last(await bench.readings())
    t.deepEqual({ usedBytes, depleted }, { usedBytes: 25_000, depleted: false })
  })

  says('a device that is taken away passes nothing, the other goes on', async (t, bench) => {
    await bench.want(grant({ devices: [phone1, phone2] }))
    await bench.enforce()
    t.is(await bench.pass(phone1, 'up', 2), 2)
    await bench.want(grant({ devices: [phone2] }))
    await bench.enforce([7])
    t.is(await bench.pass(phone1, 'up', 5), 0)
    t.is(await bench.pass(phone1, 'down', 5), 0)
    t.is(await bench.pass(phone2, 'up', 5), 5)
  })

  says('a device may move from one session to another in one go', async (t, bench) => {
    await bench.want(grant(), grant({ session: 8, devices: [phone2] }))
    await bench.enforce()
    t.is(await bench.pass(phone1, 'up', 2), 2)
    await bench.want(grant({ session: 8, devices: [phone1, phone2] }))
    await bench.enforce([7, 8])
    t.is(await bench.pass(phone1, 'up', 3), 3)
    await bench.poll()
    t.is(lastOf(await bench.readings(), 7)?.usedBytes, 2_000)
    t.is(lastOf(await bench.readings(), 8)?.usedBytes, 3_000)
  })

  says('a session that ends settles its last reading, and then passes nothing', async (t, bench) => {
    await bench.want(grant())
    await bench.enforce()
    t.is(await bench.pass(phone1, 'up', 3), 3)
    await bench.want()
    await bench.enforce([7])
    t.deepEqual(last(await bench.readings()), { session: 7, usedBytes: 3_000, uploadedBytes: 3_000, tunnelledBytes: 0, depleted: false })
    t.is(await bench.pass(phone1, 'up', 3), 0)
    t.is(await bench.pass(phone1, 'down', 3), 0)
    const settled = (await bench.readings()).length
    await bench.poll()
    t.is((await bench.readings()).length, settled)
  })

  says('a session that ended can come back with what was used', async (t, bench) => {
    await bench.want(grant({ limitBytes: 10_500 }))
    await bench.enforce()
    await bench.pass(phone1, 'up', 3)
    await bench.want()
    await bench.enforce([7])
    await bench.want(grant({ limitBytes: 10_500 }))
    await bench.enforce([7])
    t.is(await bench.pass(phone1, 'up', 30), 7)
  })

  says('enforcing again changes nothing', async (t, bench) => {
    await bench.want(grant({ limitBytes: 10_500 }))
    await bench.enforce()
    await bench.pass(phone1, 'up', 3)
    await bench.enforce()
    await bench.enforce([7])
    await bench.poll()
    await bench.enforce()
    t.is(await bench.pass(phone1, 'up', 30), 7)
  })

  says('after everything was lost, a poll brings it back as the ledger has it', async (t, bench) => {
    await bench.want(grant({ limitBytes: 10_500 }))
    await bench.enforce()
    await bench.pass(phone1, 'up', 4)
    await bench.poll()
    await bench.forget()
    t.is(await bench.pass(phone1, 'down', 5), 0)
    await bench.poll()
    t.is(await bench.pass(phone1, 'up', 30), 6)
  })

  says('enforcements that are asked for at once are all done when they answer', async (t, bench) => {
    await bench.want(grant(), grant({ session: 8, devices: [phone2] }))
    await Promise.all([bench.enforce([7]), bench.enforce([8]), bench.enforce(), bench.poll([7])])
    t.is(await bench.pass(phone1, 'up', 2), 2)
    t.is(await bench.pass(phone2, 'up', 2), 2)
  })

  says('a session that nobody wants any more is swept', async (t, bench) => {
    await bench.want(grant(), grant({ session: 8, devices: [phone2] }))
    await bench.enforce()
    await bench.pass(phone2, 'up', 2)
    await bench.want(grant())
    await bench.enforce()
    t.is(await bench.pass(phone2, 'up', 3), 0)
    t.is(lastOf(await bench.readings(), 8)?.usedBytes, 2_000)
    t.is(await bench.pass(phone1, 'up', 3), 3)
  })
}

function last(readings: Reading[]): Reading {
  return readings.at(-1)!
}

function lastOf(readings: Reading[], session: number): Reading | undefined {
  return readings.findLast((reading) => reading.session === session)
}
