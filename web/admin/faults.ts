import type { ApiError } from '../shared/api.ts'

type Fault = { path: string; message: string }

/** What the server found wrong with what was sent, field by field; empty for every other refusal. */
export function faultsOf(error: ApiError | null): Fault[] {
  const faults = error?.details['faults']
  return Array.isArray(faults) ? (faults as Fault[]) : []
}

/** What the server found wrong with a list or a group, or with something in it. */
export function faultWithin(error: ApiError | null, path: string): string | undefined {
  return faultsOf(error).find((fault) => fault.path === path || fault.path.startsWith(`${path}.`))?.message
}

/** What the server found wrong with one field. */
export function faultOf(error: ApiError | null, path: string): string | undefined {
  return faultsOf(error).find((fault) => fault.path === path)?.message
}
