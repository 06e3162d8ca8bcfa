import type { InferKyselyDB } from '@mikro-orm/postgresql';
import {
  Application,
  type ApplicationSchema,
  Credential,
  type CredentialSchema,
  GatewayConfiguration,
  type GatewayConfigurationSchema,
  GatewayToken,
  type GatewayTokenSchema,
  WebhookEndpoint,
  type WebhookEndpointSchema,
  WebhookSigningSecret,
  type WebhookSigningSecretSchema,
} from './entities/application.ts';
import { ClockSkip, type ClockSkipSchema } from './entities/clock-skip.ts';
import { Dispute, type DisputeSchema } from './entities/dispute.ts';
import {
  Invoice,
  type InvoiceSchema,
  InvoiceCounter,
  type InvoiceCounterSchema,
  InvoiceInstallment,
  type InvoiceInstallmentSchema,
  InvoiceItem,
  type InvoiceItemSchema,
  InvoiceNotice,
  type InvoiceNoticeSchema,
  InvoiceTemplate,
  type InvoiceTemplateSchema,
} from './entities/invoice.ts';
import {
  LedgerAccount,
  type LedgerAccountSchema,
  LedgerPosting,
  type LedgerPostingSchema,
  LedgerSeal,
  type LedgerSealSchema,
  LedgerSealedRow,
  type LedgerSealedRowSchema,
  LedgerVerification,
  type LedgerVerificationSchema,
  LedgerTransaction,
  type LedgerTransactionSchema,
} from './entities/ledger.ts';
import {
  ActingOperator,
  type ActingOperatorSchema,
  AuditLog,
  type AuditLogSchema,
  LoginThrottle,
  type LoginThrottleSchema,
  Operator,
  type OperatorSchema,
  OperatorGrant,
  type OperatorGrantSchema,
  ApprovalNotice,
  type ApprovalNoticeSchema,
  OperatorLink,
  type OperatorLinkSchema,
  OperatorRecoveryCode,
  type OperatorRecoveryCodeSchema,
  OperatorSession,
  type OperatorSessionSchema,
  PendingChange,
  type PendingChangeSchema,
  Role,
  type RoleSchema,
  Setting,
  type SettingSchema,
} from './entities/operator.ts';
import {
  GatewayCallback,
  type GatewayCallbackSchema,
  IdempotencyKey,
  type IdempotencyKeySchema,
  ManualSubmission,
  type ManualSubmissionSchema,
  Payment,
  type PaymentSchema,
  PaymentAttempt,
  type PaymentAttemptSchema,
  UnappliedPayment,
  type UnappliedPaymentSchema,
} from './entities/payment.ts';
import {
  PayoutMappingVersion,
  type PayoutMappingVersionSchema,
  PayoutFile,
  type PayoutFileSchema,
  PayoutFileChunk,
  type PayoutFileChunkSchema,
  PayoutFileRejection,
  type PayoutFileRejectionSchema,
  Payout,
  type PayoutSchema,
  StoredPayoutLine,
  type StoredPayoutLineSchema,
  StoredBankEntry,
  type StoredBankEntrySchema,
  StoredBankStatement,
  type StoredBankStatementSchema,
} from './entities/payout.ts';
import { SavedView, type SavedViewSchema } from './entities/saved-view.ts';
import {
  ReconciliationRun,
  type ReconciliationRunSchema,
  ReconciliationResult,
  type ReconciliationResultSchema,
  PayoutBooking,
  type PayoutBookingSchema,
  ReconciliationCase,
  type ReconciliationCaseSchema,
  CaseEntry,
  type CaseEntrySchema,
} from './entities/reconciliation.ts';
import {
  Decision,
  type DecisionSchema,
  ManualConfirmation,
  type ManualConfirmationSchema,
  Refund,
  type RefundSchema,
} from './entities/refund.ts';
import {
  ReportProgress,
  type ReportProgressSchema,
  ReportSum,
  type ReportSumSchema,
  ReportTime,
  type ReportTimeSchema,
} from './entities/report.ts';
import {
  DisputeSearch,
  type DisputeSearchSchema,
  LostInvoiceNumber,
  type LostInvoiceNumberSchema,
  Restore,
  type RestoreSchema,
} from './entities/restore.ts';
import {
  WebhookAttempt,
  type WebhookAttemptSchema,
  WebhookEvent,
  type WebhookEventSchema,
} from './entities/webhook.ts';

/** One entity for each table. A test compares them with the migrated schema. */
export const ENTITIES = [
  Application,
  Credential,
  WebhookEndpoint,
  WebhookSigningSecret,
  GatewayConfiguration,
  GatewayToken,
  InvoiceCounter,
  Invoice,
  InvoiceItem,
  InvoiceInstallment,
  InvoiceNotice,
  InvoiceTemplate,
  LedgerAccount,
  LedgerTransaction,
  LedgerPosting,
  LedgerSeal,
  LedgerSealedRow,
  LedgerVerification,
  Operator,
  OperatorRecoveryCode,
  OperatorSession,
  LoginThrottle,
  Role,
  OperatorGrant,
  SavedView,
  Setting,
  AuditLog,
  ApprovalNotice,
  OperatorLink,
  PendingChange,
  ActingOperator,
  Payment,
  PaymentAttempt,
  GatewayCallback,
  UnappliedPayment,
  IdempotencyKey,
  ManualSubmission,
  Refund,
  Decision,
  ManualConfirmation,
  Restore,
  DisputeSearch,
  LostInvoiceNumber,
  WebhookEvent,
  WebhookAttempt,
  ClockSkip,
  ReportSum,
  ReportTime,
  ReportProgress,
  Dispute,
  PayoutMappingVersion,
  PayoutFile,
  PayoutFileChunk,
  PayoutFileRejection,
  Payout,
  StoredPayoutLine,
  StoredBankEntry,
  StoredBankStatement,
  ReconciliationRun,
  ReconciliationResult,
  PayoutBooking,
  ReconciliationCase,
  CaseEntry,
];

/**
 * The columns of all tables, for typed statements. The schemas tell more than the classes: table names as literals, and which columns have defaults. An
 * interface, so that errors name it and tsc resolves it once.
 */
export interface Tables extends InferKyselyDB<
  | typeof ApplicationSchema
  | typeof CredentialSchema
  | typeof WebhookEndpointSchema
  | typeof WebhookSigningSecretSchema
  | typeof GatewayConfigurationSchema
  | typeof GatewayTokenSchema
  | typeof InvoiceCounterSchema
  | typeof InvoiceSchema
  | typeof InvoiceItemSchema
  | typeof InvoiceInstallmentSchema
  | typeof InvoiceNoticeSchema
  | typeof InvoiceTemplateSchema
  | typeof LedgerAccountSchema
  | typeof LedgerTransactionSchema
  | typeof LedgerPostingSchema
  | typeof LedgerSealSchema
  | typeof LedgerSealedRowSchema
  | typeof LedgerVerificationSchema
  | typeof OperatorSchema
  | typeof OperatorRecoveryCodeSchema
  | typeof OperatorSessionSchema
  | typeof LoginThrottleSchema
  | typeof RoleSchema
  | typeof OperatorGrantSchema
  | typeof SavedViewSchema
  | typeof SettingSchema
  | typeof AuditLogSchema
  | typeof ApprovalNoticeSchema
  | typeof OperatorLinkSchema
  | typeof PendingChangeSchema
  | typeof ActingOperatorSchema
  | typeof PaymentSchema
  | typeof PaymentAttemptSchema
  | typeof GatewayCallbackSchema
  | typeof UnappliedPaymentSchema
  | typeof IdempotencyKeySchema
  | typeof ManualSubmissionSchema
  | typeof RefundSchema
  | typeof DecisionSchema
  | typeof ManualConfirmationSchema
  | typeof RestoreSchema
  | typeof DisputeSearchSchema
  | typeof LostInvoiceNumberSchema
  | typeof WebhookEventSchema
  | typeof WebhookAttemptSchema
  | typeof ClockSkipSchema
  | typeof ReportSumSchema
  | typeof ReportTimeSchema
  | typeof ReportProgressSchema
  | typeof DisputeSchema
  | typeof PayoutMappingVersionSchema
  | typeof PayoutFileSchema
  | typeof PayoutFileChunkSchema
  | typeof PayoutFileRejectionSchema
  | typeof PayoutSchema
  | typeof StoredPayoutLineSchema
  | typeof StoredBankEntrySchema
  | typeof StoredBankStatementSchema
  | typeof ReconciliationRunSchema
  | typeof ReconciliationResultSchema
  | typeof PayoutBookingSchema
  | typeof ReconciliationCaseSchema
  | typeof CaseEntrySchema,
  { columnNamingStrategy: 'property' }
> {}
