import { defineQuery, defineSignal, defineUpdate } from '@temporalio/workflow';
import type { ShownInvoiceStatus } from '../../domain/invoice.ts';
import type { ScopeInput } from './names.ts';

export interface InvoiceWorkflowInput extends ScopeInput {
  readonly reference: string;
}

/** The changes of an invoice's row that are signalled. The row is authoritative: the workflow reads it after every signal. */
export const INVOICE_CHANGES = [
  'issued',
  'payment',
  'paid',
  'reopened',
  'voided',
  'paused',
  'resumed',
  'swept',
] as const;
export type InvoiceChange = (typeof INVOICE_CHANGES)[number];

export const invoiceChangedSignal = defineSignal<[change: InvoiceChange]>('changed');

/** The due dates in the row were changed. The update completes when the workflow uses the new ones. */
export const dueDatesChangedUpdate = defineUpdate<InvoiceProgress, []>('due-dates-changed');

/** The progress of a running invoice, readable without the database. */
export interface InvoiceProgress {
  readonly status: ShownInvoiceStatus;
  readonly paused: boolean;
  /** RFC 3339, UTC: when the next notice goes out; null when none will. */
  readonly nextNoticeAt: string | null;
  readonly paidInstallments: number;
  readonly installments: number;
}
export const invoiceProgressQuery = defineQuery<InvoiceProgress>('progress');

export interface DriveInvoiceInput extends InvoiceWorkflowInput {
  /** Unix time in milliseconds by the workflow's clock. It is only logged, to show a difference between Temporal's clock and the database's. */
  readonly nowMs: number;
}

/** The state of an invoice after everything that was due is done. Contains only codes, dates and amounts. */
export interface InvoiceState {
  readonly ended: boolean;
  readonly status: ShownInvoiceStatus;
  readonly paused: boolean;
  /** The database's time of this reading. Unix time in milliseconds, like the next two fields. */
  readonly nowMs: number;
  /** Null when there are no more notices. */
  readonly nextNoticeAtMs: number | null;
  /** When to check again whether the invoice has expired; absent when no check is needed. */
  readonly expiryAtMs?: number;
  /** Whether emails are queued. */
  readonly emailWaits: boolean;
  readonly paidInstallments: number;
  readonly installments: number;
  /** Decimal text with its currency, such as `250.00 BDT`. */
  readonly due: string;
  readonly total: string;
  /** Such as `2026-12-01`; null when no open amount has a due date. */
  readonly nextDueDate: string | null;
}

export interface EmailsSent {
  /** Milliseconds until an email that could not be sent is tried again; null when none is left. */
  readonly againInMs: number | null;
}

/** The activities of the invoice workflow. */
export interface InvoiceActivities {
  /** Records each due notice once with its event and email, ends an expired invoice, and returns the invoice's state. */
  driveInvoice(input: DriveInvoiceInput): Promise<InvoiceState>;
  /** Sends the queued emails. Rejects only when Lenden's database cannot be used. */
  sendInvoiceEmails(input: InvoiceWorkflowInput): Promise<EmailsSent>;
}
