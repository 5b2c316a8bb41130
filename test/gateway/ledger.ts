import type { Grant, Reading } from '#server/gateway/grant.ts'

export type Ledger = ReturnType<typeof createLedger>

/** What stands above a gateway, as small as can be: a list of grants that remembers the highest count that it was told. */
export function createLedger() {
  const readings: Reading[] = []
  let grants: Grant[] = []

  return {
    want: (wanted: Grant[]) => void (grants = wanted),
    wanted: async (sessions?: number[]): Promise<Grant[]> =>
      grants
        .filter((grant) => !sessions || sessions.includes(grant.session))
        .map((grant) => ({
          ...grant,
          usedBytes: Math.max(grant.usedBytes, ...of(grant.session).map((reading) => reading.usedBytes)),
          uploadedBytes: Math.max(grant.uploadedBytes, ...of(grant.session).map((reading) => reading.uploadedBytes)),
        })),
    settle: async (settled: Reading[]): Promise<void> => void readings.push(...settled),
    /** Everything that was settled, oldest first. */
    readings: () => readings,
  }

  function of(session: number): Reading[] {
    return readings.filter((reading) => reading.session === session)
  }
}
