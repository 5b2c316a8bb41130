import { pino } from 'pino'

export type Log = ReturnType<typeof createLog>

/** One JSON line per event on standard output; the journal keeps it. Secrets are taken out by name, whatever object they came in. */
export function createLog(role: string, level: string) {
  const secrets = ['password', 'pin', 'codes', 'resumeCode', 'apiKey', 'authorization', 'cookie', 'token', 'csrfToken']
  return pino({
    level,
    base: { role },
    timestamp: pino.stdTimeFunctions.isoTime,
    // A bare `code` is a voucher's in a body, but an error's own in `err`.
    redact: { paths: ['code', 'body.code', ...secrets.flatMap((name) => [name, `*.${name}`, `*.*.${name}`])], censor: '(secret)' },
  })
}
