import type { RecordedCharge, RecordedRefund, RecordedSession } from './booked.ts';
import type { Bill } from './bill-plan.ts';
import type { Answer } from './journal.ts';
import type { Errand } from './plan.ts';
import type { Unsettled } from './settle.ts';
import type { RestoreEvidence } from './restore.ts';

/** What an application's webhook endpoint wrote down. */
export interface Delivery {
  readonly receiver: number;
  readonly atMs: number;
  readonly id: string;
  readonly type: string;
  readonly signatureValid: boolean;
  readonly paymentId: number | null;
  /** Null in events about payments. */
  readonly refundId: number | null;
  /** The payment's; empty in events about refunds. */
  readonly reference: string;
  readonly status: string;
  readonly body: string;
  /** Of events about payments that were made over OwnPay's API: names and states are its own there. */
  readonly contract?: 'ownpay';
  /** Place in the order of its payment's, or its invoice's, events. */
  readonly sequence?: number;
  /** Of events about invoices only, with the day and offset of a notice. */
  readonly invoiceId?: number;
  readonly noticed?: string | null;
}

/** An event about an invoice, as an endpoint wrote it down. */
export interface InvoiceDelivery {
  readonly id: string;
  readonly type: string;
  readonly invoiceId: number;
  readonly sequence: number;
  /** Day and offset of a notice; null in other events. */
  readonly noticed: string | null;
  readonly signatureValid: boolean;
  readonly body: string;
}

/** What the rows call a refund that the api shows by its number: names, nothing that is judged. */
export interface RefundName {
  readonly id: number;
  /** Its key at the gateway. */
  readonly reference: string;
  /** Where it is given back. */
  readonly gateway: string;
  readonly mark: string;
  /** The unapplied money that it gives back; null when it gives back the payment's own. */
  readonly unappliedPaymentId: number | null;
}

/** An attempt as our rows have it: names, nothing that is judged but that there is one. */
export interface AttemptName {
  readonly reference: string;
  readonly gateway: string;
  readonly mark: string;
}

/** One ledger transaction with the sum that it put on the clearing account, or took from there when it is a refund's. */
export interface Posting {
  readonly causeType: string;
  readonly causeId: string;
  readonly kind: string;
  /** The payment it is about. */
  readonly mark: string;
  readonly grossMinor: string;
  /** Whose clearing account that is; null where none is touched. */
  readonly gateway: string | null;
}

export interface Account {
  readonly account: string;
  readonly currency: string;
  readonly debitsMinor: string;
  readonly creditsMinor: string;
  /** What the product's own function says. */
  readonly statedMinor: string;
  readonly normalSide: string;
}

export interface WorkflowEvidence {
  readonly id: string;
  readonly status: string;
  /** Workflow tasks that failed because of the code, not because a worker died. */
  readonly taskFailures: readonly string[];
}

export interface ForeignRead {
  readonly by: string;
  readonly of: string;
  readonly status: number | null;
}

/** Everything that the judges are given about one round: collected outside the processes under test, and plain JSON. */
export interface Evidence {
  readonly errands: readonly Errand[];
  /** By index: whether events go to a receiver, and to which. */
  readonly apps: readonly {
    readonly index: number;
    readonly receiver: number | null;
    readonly store: string;
    readonly thresholdMinor: number | null;
  }[];
  /** The client's journal. */
  readonly answers: readonly Answer[];
  readonly sessions: readonly RecordedSession[];
  readonly charges: readonly RecordedCharge[];
  /** Charges at any gateway, of all rounds so far, whose order no row of ours knows. */
  readonly strays: readonly RecordedCharge[];
  readonly attempts: readonly AttemptName[];
  readonly refunded: readonly RecordedRefund[];
  readonly refundNames: readonly RefundName[];
  readonly bills: readonly Bill[];
  readonly invoiceDeliveries: readonly InvoiceDelivery[];
  /** What settlements of the round put into suspense, by errand: more than its invoice asked for. */
  readonly overpayments: readonly { readonly mark: string; readonly minor: string }[];
  /** Every number that an application's invoices have, of all rounds so far. */
  readonly numbers: readonly { readonly app: number; readonly numbers: readonly number[] }[];
  /** SHA-256 of every notice that is stored as evidence, as hexadecimal digits. */
  readonly keptNotices: readonly string[];
  readonly deliveries: readonly Delivery[];
  /** Those in OwnPay's words. */
  readonly ownpayDeliveries: readonly Delivery[];
  readonly postings: readonly Posting[];
  readonly accounts: readonly Account[];
  readonly unsettled: readonly Unsettled[];
  readonly workflows: readonly WorkflowEvidence[];
  readonly foreignReads: readonly ForeignRead[];
  /** Secrets and marks of payers, with the logs and histories that hold one. */
  readonly canaries: readonly { readonly name: string; readonly seenIn: readonly string[] }[];
  /** How many texts were searched for canaries. */
  readonly searched: number;
  /** Null where no older database was restored. */
  readonly restored: RestoreEvidence | null;
  readonly findings: readonly string[];
  /** Rows that the ledger's verification proved. */
  readonly proved: number;
}
