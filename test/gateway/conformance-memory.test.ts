import test from 'ava'
import { createMemoryGateway } from '#server/gateway/memory.ts'
import { PACKET_BYTES, conformance, type Bench } from './conformance.ts'
import { createLedger } from './ledger.ts'

conformance(test, 'memory', async (): Promise<Bench> => {
  const ledger = createLedger()
  const gateway = createMemoryGateway({ ...ledger, now: Date.now })
  return {
    want: async (...grants) => ledger.want(grants),
    enforce: gateway.enforce,
    poll: gateway.poll,
    readings: async () => ledger.readings(),
    pass: async (device, direction, packets) =>
      (await gateway.pass(device, direction, packets * PACKET_BYTES, PACKET_BYTES)) / PACKET_BYTES,
    forget: async () => gateway.forget(),
    close: gateway.close,
  }
})
