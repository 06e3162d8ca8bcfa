import { defineSearchAttributeKey } from '@temporalio/common';
import type { Mode } from '../../domain/mode.ts';

/** Wire names: what Temporal stores. They are never renamed, since running workflows and recorded histories hold them. */
export const TASK_QUEUES = {
  /** Payment, unapplied-payment, refund and invoice workflows with their activities. */
  payments: 'lenden-payments',
  /** Webhook deliveries: on their own queue, so that slow receivers never hold up a payment. */
  webhooks: 'lenden-webhooks',
  /** Sweeper and ledger sealing. */
  maintenance: 'lenden-maintenance',
} as const;

export const WORKFLOW_TYPES = {
  payment: 'paymentWorkflow',
  unappliedPayment: 'unappliedPaymentWorkflow',
  refund: 'refundWorkflow',
  invoice: 'invoiceWorkflow',
  webhook: 'webhookWorkflow',
  sweep: 'sweepWorkflow',
  sealLedger: 'sealLedgerWorkflow',
} as const;

/** Workflow ids carry random references, never a bare serial id: a guessed number must not name another app's workflow. */
export const workflowIds = {
  payment: (paymentReference: string): string => `payment:${paymentReference}`,
  unappliedPayment: (attemptReference: string): string => `unapplied:${attemptReference}`,
  refund: (refundReference: string): string => `refund:${refundReference}`,
  invoice: (invoiceReference: string): string => `invoice:${invoiceReference}`,
  webhook: (eventId: string): string => `webhook:${eventId}`,
} as const;

/** An invoice's number as its customer is shown it, in the memo of its workflow. */
export const INVOICE_NUMBER_MEMO = 'invoiceNumber';

export const SCHEDULE_IDS = { sweep: 'lenden-sweep', sealLedger: 'lenden-seal-ledger' } as const;

export const SEARCH_ATTRIBUTES = {
  app: defineSearchAttributeKey('LendenApp', 'KEYWORD'),
  mode: defineSearchAttributeKey('LendenMode', 'KEYWORD'),
  /** The reference that the app knows. */
  reference: defineSearchAttributeKey('LendenReference', 'KEYWORD'),
  gateway: defineSearchAttributeKey('LendenGateway', 'KEYWORD'),
  amountMinor: defineSearchAttributeKey('LendenAmountMinor', 'INT'),
  status: defineSearchAttributeKey('LendenStatus', 'KEYWORD'),
} as const;

/** The failure type of a workflow, and of an activity, that finds no row of its reference: the database was set back to an older state. */
export const ROW_MISSING = 'ROW_MISSING';

/** Ids and codes only: what a workflow carries is stored in histories, so no payer's data and no gateway text. */
export interface ScopeInput {
  /** Decimal text of the application's id: JSON has no bigint. Everything else is named by its public reference: a number may be given out again after a restore. */
  readonly applicationId: string;
  readonly mode: Mode;
}
