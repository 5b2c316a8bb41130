import { route, type Route } from '../http/api.ts'
import { csvOf } from './csv.ts'
import type { Reports } from './reports.ts'
import { csvFilter, reportFilter, reportShape } from './schema.ts'

const tag = 'reports'

export function reportRoutes({ reports }: { reports: Reports }): Route[] {
  return [
    route({
      method: 'get',
      path: '/api/admin/reports',
      tag,
      summary: 'Numbers of some days: sessions, data, revenue, what was prevented, points',
      guard: 'owner',
      query: reportFilter,
      response: reportShape,
      handle: async ({ query }) => {
        // What was sold a moment ago is looked for too.
        await reports.roll()
        return reports.read(query)
      },
    }),
    route({
      method: 'get',
      path: '/api/admin/reports.csv',
      tag,
      summary: 'The same as a table for a spreadsheet',
      guard: 'owner',
      query: csvFilter,
      handle: async ({ ctx, query: { table, ...filter } }) => {
        await reports.roll()
        const span = reports.spanOf(filter)
        const text = await csvOf(reports, table, span)
        ctx.status = 200
        ctx.type = 'text/csv; charset=utf-8'
        ctx.attachment(`${table}-${span.from}-to-${span.to}.csv`)
        ctx.set('Cache-Control', 'no-store')
        ctx.body = text
        return undefined
      },
    }),
  ]
}
