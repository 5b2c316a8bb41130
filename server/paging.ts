import { z } from 'zod'

/** Which part of a long list is asked for; pages count from 1. */
export const pageAsked = {
  page: z.coerce.number().int().min(1).max(100_000).default(1),
  pageSize: z.coerce.number().int().min(1).max(200).default(50),
}

/** Which part of how many was answered. */
export const pageAnswered = { total: z.number().int(), page: z.number().int(), pageSize: z.number().int() }
