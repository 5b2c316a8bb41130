import type { z } from 'zod'
import type { apiKeyShape, auditPage, auditShape, loginAnswer, staffShape } from '../../server/staff/schema.ts'
import type { batchMade, Batch, Voucher } from '../../server/vouchers/schema.ts'
import type { Package } from '../../server/packages/schema.ts'
import type { sessionPage } from '../../server/sessions/schema.ts'

/** The answers of /api/admin, from the very shapes that the server checks them with. */
export type { ConnectAnswer, ConnectOverview, EndpointView, ProfileView, Reach } from '../../server/connect/schema.ts'
export type { Overview, Health } from '../../server/venue/schema.ts'
export type { Package, PackageInput } from '../../server/packages/schema.ts'
export type { SessionView, SessionStatus, SessionFilter } from '../../server/sessions/schema.ts'
export type { ConnectWords, Settings } from '../../server/settings/schema.ts'
export type { Role } from '../../server/staff/schema.ts'
export type { Batch, Voucher } from '../../server/vouchers/schema.ts'

export type Me = z.output<typeof loginAnswer>
export type Staff = z.output<typeof staffShape>
export type ApiKey = z.output<typeof apiKeyShape>
export type AuditEntry = z.output<typeof auditShape>
export type AuditPage = z.output<typeof auditPage>
export type SessionPage = z.output<typeof sessionPage>
export type BatchMade = z.output<typeof batchMade>
export type Packages = { packages: Package[] }
export type Batches = { batches: Batch[] }
export type BatchDetail = { batch: Batch; vouchers: Voucher[] }
