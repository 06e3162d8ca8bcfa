import { defineSearchAttributeKey } from '@temporalio/common';
import type { Mode } from '../../domain/mode.ts';

/** Names that Temporal stores. Never rename them: running workflows and recorded histories contain them. */
export const TASK_QUEUES = {
  /** Payment, unapplied-payment, refund and invoice workflows with their activities. */
  payments: 'lenden-payments',
  /** Webhook deliveries. They have their own queue so that slow receivers never delay a payment. */
  webhooks: 'lenden-webhooks',
  /** Sweeper, ledger sealing, imports of payout files and reconciliation. */
  maintenance: 'lenden-maintenance',
} as const;

export const WORKFLOW_TYPES = {
  payment: 'paymentWorkflow',
  unappliedPayment: 'unappliedPaymentWorkflow',
  refund: 'refundWorkflow',
  invoice: 'invoiceWorkflow',
  webhook: 'webhookWorkflow',
  payoutImport: 'payoutImportWorkflow',
  sweep: 'sweepWorkflow',
  sealLedger: 'sealLedgerWorkflow',
  reconciliation: 'reconciliationWorkflow',
  scheduledReconciliation: 'scheduledReconciliationWorkflow',
} as const;

/** Workflow ids contain random references, never a serial id, so that a guessed number never names another application's workflow. */
export const workflowIds = {
  payment: (paymentReference: string): string => `payment:${paymentReference}`,
  unappliedPayment: (attemptReference: string): string => `unapplied:${attemptReference}`,
  refund: (refundReference: string): string => `refund:${refundReference}`,
  invoice: (invoiceReference: string): string => `invoice:${invoiceReference}`,
  webhook: (eventId: string): string => `webhook:${eventId}`,
  reconciliation: ({ mode, gateway, period }: { mode: Mode; gateway: string; period: string }): string =>
    `reconciliation:${mode}:${gateway}:${period}`,
  payoutImport: (fileReference: string): string => `payout-import:${fileReference}`,
} as const;

/** The memo key for an invoice's number as its customer sees it. */
export const INVOICE_NUMBER_MEMO = 'invoiceNumber';

/** The memo key for what is known of a payout file when its row is lost: its store and the SHA-256 of its bytes. */
export const PAYOUT_FILE_MEMO = 'payoutFile';

/** The ids of the loops: one of each runs for the whole installation. */
export const LOOP_IDS = { sweep: 'lenden-sweep', sealLedger: 'lenden-seal-ledger' } as const;

export const SEARCH_ATTRIBUTES = {
  app: defineSearchAttributeKey('LendenApp', 'KEYWORD'),
  mode: defineSearchAttributeKey('LendenMode', 'KEYWORD'),
  /** The reference that the application knows. */
  reference: defineSearchAttributeKey('LendenReference', 'KEYWORD'),
  gateway: defineSearchAttributeKey('LendenGateway', 'KEYWORD'),
  amountMinor: defineSearchAttributeKey('LendenAmountMinor', 'INT'),
  /** The status that the API answers. */
  status: defineSearchAttributeKey('LendenStatus', 'KEYWORD'),
  waitsFor: defineSearchAttributeKey('LendenWaitsFor', 'KEYWORD'),
} as const;

/**
 * What a payment, a refund or an unapplied payment waits for: the payer, an answer of the gateway, a second person's approval, or a decision of an
 * operator.
 */
export type WaitsFor = 'payer' | 'gateway' | 'approval' | 'review';

/** The failure type of a workflow or activity that finds no row for its reference, which means that the database was restored to an older state. */
export const ROW_MISSING = 'ROW_MISSING';

/** The failure type of an activity whose gateway refused a request because there were too many. */
export const GATEWAY_RATE_LIMITED = 'GATEWAY_RATE_LIMITED';

/** The ids of a workflow's scope. Histories store workflow inputs, so they contain only ids and codes, never payer data or gateway text. */
export interface ScopeInput {
  /**
   * The application's id as decimal text, since JSON has no bigint. Everything else is named by its public reference, because a serial id can be
   * reused after a restore.
   */
  readonly applicationId: string;
  readonly mode: Mode;
}
