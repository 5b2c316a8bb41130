import type { z } from 'zod'
import type { apiKeyShape, auditPage, auditShape, loginAnswer, staffShape } from '../../server/staff/schema.ts'
import type { customerPage, CustomerRow } from '../../server/customers/schema.ts'
import type { inboxEntry, paymentPage, PaymentView, StaffPayment } from '../../server/payments/schema.ts'
import type { PointsAnswer } from '../../server/loyalty/schema.ts'
import type { batchMade, Batch, sellAnswer, Voucher } from '../../server/vouchers/schema.ts'
import type { Package } from '../../server/packages/schema.ts'
import type { sessionPage, SessionView } from '../../server/sessions/schema.ts'

/** The answers of /api/admin, from the very shapes that the server checks them with. */
export type { AccountTried, AccountView } from '../../server/accounts/schema.ts'
export type { ConnectAnswer, ConnectOverview, EndpointView, ProfileView, Reach } from '../../server/connect/schema.ts'
export type { Hotspot } from '../../server/hotspots/schema.ts'
export type { Overview, Health } from '../../server/venue/schema.ts'
export type { Package, PackageInput } from '../../server/packages/schema.ts'
export type { SessionView, SessionStatus, SessionFilter } from '../../server/sessions/schema.ts'
export type { ConnectWords, Settings } from '../../server/settings/schema.ts'
export type { CustomerRow } from '../../server/customers/schema.ts'
export type { PaymentFilter, PaymentView, StaffPayment } from '../../server/payments/schema.ts'
export type { PointsAnswer, PointsEntry } from '../../server/loyalty/schema.ts'
export type { Report } from '../../server/reports/schema.ts'
export type { Role, Scope } from '../../server/staff/schema.ts'
export type { Batch, Voucher } from '../../server/vouchers/schema.ts'

export type Me = z.output<typeof loginAnswer>
export type Staff = z.output<typeof staffShape>
export type ApiKey = z.output<typeof apiKeyShape>
export type AuditEntry = z.output<typeof auditShape>
export type AuditPage = z.output<typeof auditPage>
export type SessionPage = z.output<typeof sessionPage>
export type SellAnswer = z.output<typeof sellAnswer>
export type BatchMade = z.output<typeof batchMade>
export type Packages = { packages: Package[] }
export type Batches = { batches: Batch[] }
export type PaymentPage = z.output<typeof paymentPage>
export type InboxEntry = z.output<typeof inboxEntry>
export type PaymentDetail = { payment: StaffPayment; inbox: InboxEntry[] }
export type CustomerPage = z.output<typeof customerPage>
export type CustomerDetail = { customer: CustomerRow; sessions: SessionView[]; payments: PaymentView[]; points: PointsAnswer }
export type BatchDetail = { batch: Batch; vouchers: Voucher[] }
