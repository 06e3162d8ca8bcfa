import type { BookedCharge, BookedRefund, BookedSession } from './gateway-books.ts';
import type { Answer } from './journal.ts';
import type { Errand } from './plan.ts';
import type { Unsettled } from './settle.ts';

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
}

/** What the rows call a refund that the api shows by its number: names, nothing that is judged. */
export interface RefundName {
  readonly id: number;
  /** Its key at the gateway. */
  readonly reference: string;
  readonly mark: string;
  /** The late money that it gives back; null when it gives back the payment's own. */
  readonly latePaymentId: number | null;
}

/** One ledger transaction with the sum that it put on the clearing account, or took from there when it is a refund's. */
export interface Posting {
  readonly causeType: string;
  readonly causeId: string;
  readonly kind: string;
  /** The payment it is about. */
  readonly mark: string;
  readonly grossMinor: string;
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
  readonly sessions: readonly BookedSession[];
  readonly charges: readonly BookedCharge[];
  readonly givenBack: readonly BookedRefund[];
  readonly refundNames: readonly RefundName[];
  /** SHA-256 of every notice that is stored as evidence, as hexadecimal digits. */
  readonly keptNotices: readonly string[];
  readonly deliveries: readonly Delivery[];
  readonly postings: readonly Posting[];
  readonly accounts: readonly Account[];
  readonly unsettled: readonly Unsettled[];
  readonly workflows: readonly WorkflowEvidence[];
  readonly foreignReads: readonly ForeignRead[];
  /** Secrets and marks of payers, with the logs and histories that hold one. */
  readonly canaries: readonly { readonly name: string; readonly seenIn: readonly string[] }[];
  /** How many texts were searched for canaries. */
  readonly searched: number;
  readonly findings: readonly string[];
  /** Rows that the ledger's verification proved. */
  readonly proved: number;
}
