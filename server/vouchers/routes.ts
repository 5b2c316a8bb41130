import { z } from 'zod'
import { type Route, route } from '../http/api.ts'
import { batchInput, batchMade, batchShape, sellAnswer, sellInput, voucherShape } from './schema.ts'
import type { Vouchers } from './vouchers.ts'

const tag = 'vouchers'
const path = '/api/admin/vouchers'
const params = z.object({ id: z.coerce.number().int().positive() })

export function voucherRoutes({ vouchers }: { vouchers: Vouchers }): Route[] {
  return [
    route({
      method: 'post',
      path,
      tag,
      summary: 'Make a batch of codes; only this answer ever holds them',
      guard: 'cashier',
      body: batchInput,
      response: batchMade,
      status: 201,
      audit: 'vouchers.create',
      handle: ({ body, caller }) => vouchers.makeBatch(body, caller.name),
    }),
    route({
      method: 'post',
      path: '/api/admin/sell',
      tag,
      summary: 'One voucher for cash, at the counter; the same key gives the same voucher',
      guard: 'cashier',
      body: sellInput,
      response: sellAnswer,
      status: 201,
      audit: 'sell',
      handle: ({ body, caller }) => vouchers.sell(body, caller.name),
    }),
    route({
      method: 'get',
      path,
      tag,
      summary: 'All batches, newest first',
      guard: 'cashier',
      response: z.object({ batches: z.array(batchShape) }),
      handle: async () => ({ batches: await vouchers.batches() }),
    }),
    route({
      method: 'get',
      path: `${path}/:id`,
      tag,
      summary: 'One batch and its vouchers',
      guard: 'cashier',
      params,
      response: z.object({ batch: batchShape, vouchers: z.array(voucherShape) }),
      handle: ({ params: { id } }) => vouchers.batch(id),
    }),
    route({
      method: 'post',
      path: `${path}/:id/void`,
      tag,
      summary: 'Make the unused codes of a batch worthless',
      guard: 'owner',
      params,
      response: z.object({ batch: batchShape }),
      audit: 'vouchers.void',
      handle: async ({ params: { id } }) => ({ batch: await vouchers.voidBatch(id) }),
    }),
  ]
}
