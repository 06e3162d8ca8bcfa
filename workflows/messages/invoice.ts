import { defineQuery, defineSignal, defineUpdate } from '@temporalio/workflow';
import type { ShownInvoiceStatus } from '../../domain/invoice.ts';
import type { ScopeInput } from './names.ts';

export interface InvoiceWorkflowInput extends ScopeInput {
  readonly reference: string;
}

/** What has become of an invoice's row. The row is the authority: whatever a signal says, the workflow reads it. */
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

/** The due dates were changed in the row: answers when the workflow goes by the new ones. */
export const dueDatesChangedUpdate = defineUpdate<InvoiceProgress, []>('due-dates-changed');

/** What a person or a program sees of a running invoice, without asking the database. */
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
  /** Unix time in milliseconds, of the workflow. It decides nothing: it shows when Temporal's clock and the database's are apart. */
  readonly nowMs: number;
}

/** How an invoice stands after everything that was due is done. Codes, days and amounts only. */
export interface InvoiceState {
  readonly ended: boolean;
  readonly status: ShownInvoiceStatus;
  readonly paused: boolean;
  /** What time it was for the invoice when this was found, by the database: Unix time in milliseconds, as the two below. */
  readonly nowMs: number;
  /** Null when no notice will go out any more. */
  readonly nextNoticeAtMs: number | null;
  /** The next look whether it has expired; left out when there will be none. */
  readonly expiryAtMs?: number;
  /** Letters wait to be sent. */
  readonly emailWaits: boolean;
  readonly paidInstallments: number;
  readonly installments: number;
  /** Decimal text with its currency, such as `250.00 BDT`. */
  readonly due: string;
  readonly total: string;
  /** `2026-12-01`; null when nothing is due on a day. */
  readonly nextDueDate: string | null;
}

export interface EmailsSent {
  /** Milliseconds until a letter that could not be sent is tried again; null when none is left. */
  readonly againInMs: number | null;
}

/** What the invoice workflow asks of the world. */
export interface InvoiceActivities {
  /** Tells what is due to be told, once, and answers how the invoice stands. */
  driveInvoice(input: DriveInvoiceInput): Promise<InvoiceState>;
  /** Sends the letters that wait. Rejects only when our own database cannot be used. */
  sendInvoiceEmails(input: InvoiceWorkflowInput): Promise<EmailsSent>;
}
