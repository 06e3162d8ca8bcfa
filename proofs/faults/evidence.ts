import type { RecordedCharge, RecordedRefund, RecordedSession } from './booked.ts';
import type { Bill } from './bill-plan.ts';
import type { Answer } from './journal.ts';
import type { PayoutEvidence } from './payout-evidence.ts';
import type { Errand } from './plan.ts';
import type { Unsettled } from './settle.ts';
import type { RestoreEvidence } from './restore.ts';

/** What an application's webhook endpoint recorded. */
export interface Delivery {
  readonly receiver: number;
  readonly atMs: number;
  readonly id: string;
  readonly type: string;
  readonly signatureValid: boolean;
  readonly paymentId: number | null;
  /** Null in events about payments. */
  readonly refundId: number | null;
  /** The payment's reference; empty in events about refunds. */
  readonly reference: string;
  readonly status: string;
  readonly body: string;
  /** Set in events about payments made through OwnPay's API, which has its own names and states. */
  readonly contract?: 'ownpay';
  /** Position among the events of its payment or invoice. */
  readonly sequence?: number;
  /** Only in events about invoices, with the day and offset of a notice. */
  readonly invoiceId?: number;
  readonly noticed?: string | null;
}

/** An event about an invoice, as an endpoint recorded it. */
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

/** The rows' names for a refund that the API shows by its number. They serve only to match records. */
export interface RefundName {
  readonly id: number;
  /** Its reference at the gateway. */
  readonly reference: string;
  /** The gateway that refunds it. */
  readonly gateway: string;
  readonly mark: string;
  /** The unapplied payment that it refunds; null if it refunds the payment itself. */
  readonly unappliedPaymentId: number | null;
}

/** An attempt as the rows name it. Only its existence is judged; the names serve to match records. */
export interface AttemptName {
  readonly reference: string;
  readonly gateway: string;
  readonly mark: string;
}

/** One ledger transaction with the sum that it posted to the clearing account, or took from there for a refund. */
export interface Posting {
  readonly causeType: string;
  readonly causeId: string;
  readonly kind: string;
  /** The mark of the payment that it concerns. */
  readonly mark: string;
  readonly grossMinor: string;
  /** The gateway of that clearing account; null if none is affected. */
  readonly gateway: string | null;
}

export interface Account {
  readonly account: string;
  readonly currency: string;
  readonly debitsMinor: string;
  readonly creditsMinor: string;
  /** The balance according to the product's own function. */
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

/** Everything that the judges get about one round, as plain JSON. It is collected outside the processes under test. */
export interface Evidence {
  readonly errands: readonly Errand[];
  /** By index: the receiver of the application's events, if any. */
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
  /** Charges at any gateway, of all rounds so far, whose order has no row in the database. */
  readonly strays: readonly RecordedCharge[];
  readonly attempts: readonly AttemptName[];
  readonly refunded: readonly RecordedRefund[];
  readonly refundNames: readonly RefundName[];
  readonly bills: readonly Bill[];
  readonly invoiceDeliveries: readonly InvoiceDelivery[];
  /** Overpayments posted to suspense when payments of the round were finalized, by errand. */
  readonly overpayments: readonly { readonly mark: string; readonly minor: string }[];
  /** All numbers of each application's invoices, of all rounds so far. */
  readonly numbers: readonly { readonly app: number; readonly numbers: readonly number[] }[];
  /** SHA-256 of every notice stored as evidence, in hexadecimal. */
  readonly keptNotices: readonly string[];
  readonly deliveries: readonly Delivery[];
  /** Deliveries in OwnPay's format. */
  readonly ownpayDeliveries: readonly Delivery[];
  readonly postings: readonly Posting[];
  readonly accounts: readonly Account[];
  readonly unsettled: readonly Unsettled[];
  readonly workflows: readonly WorkflowEvidence[];
  readonly foreignReads: readonly ForeignRead[];
  /** Secrets and marks of payers, with the logs and histories that contain them. */
  readonly canaries: readonly { readonly name: string; readonly seenIn: readonly string[] }[];
  /** How many texts were searched for canaries. */
  readonly searched: number;
  /** Null if no older database was restored. */
  readonly restored: RestoreEvidence | null;
  readonly findings: readonly string[];
  /** Rows that the ledger's verification checked. */
  readonly proved: number;
  readonly payouts: PayoutEvidence;
}
