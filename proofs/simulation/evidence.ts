import type { PaymentStatus } from '../../domain/payment.ts';
import type { RefundStatus } from '../../domain/refund.ts';
import type { DeliveryEvidence } from './delivery-watch.ts';
import type { Charge } from './gateway.ts';
import type { RecordedRefund } from './gateway-refunds.ts';
import type { InvoiceEvidence } from './invoice-evidence.ts';
import type { Values } from './postgres/values.ts';
import type { Received } from './receivers.ts';

/** The rows and the outside parties' own logs at the end of one story. */
export interface Evidence {
  readonly rows: Readonly<Record<string, readonly Values[]>>;
  readonly transitions: readonly {
    readonly paymentId: bigint;
    readonly from: PaymentStatus;
    readonly to: PaymentStatus;
  }[];
  readonly sessions: readonly string[];
  readonly charges: readonly Charge[];
  /** The gateway's records of refund requests. */
  readonly refunds: readonly RecordedRefund[];
  /** Refund references that the gateway plainly refused at least once. */
  readonly refusedRefunds: ReadonlySet<string>;
  readonly refundAnswers: readonly AnsweredRefund[];
  readonly acts: readonly Act[];
  /** Moments at which more was reserved or refunded than was captured. */
  readonly overReserved: readonly string[];
  /** Refunds that were refused as too much although the balance was sufficient. */
  readonly wronglyRefused: readonly string[];
  readonly refundTransitions: readonly {
    readonly refundId: bigint;
    readonly from: RefundStatus | null;
    readonly to: RefundStatus;
  }[];
  readonly invoices: InvoiceEvidence;
  readonly endedMs: number;
  readonly received: readonly Received[];
  readonly deliveries: DeliveryEvidence;
  readonly answers: readonly Answered[];
  readonly alerts: readonly string[];
  /** References of attempts for which an alarm reported that the gateway had given no plain answer for 72 hours. */
  readonly leftToPeople: readonly string[];
  /** Ids of callbacks that were signalled before their row could be read. */
  readonly unfounded: readonly string[];
  /** Callbacks that were acknowledged, so their sender will not repeat them. */
  readonly acknowledged: readonly Acknowledged[];
  readonly wrong: readonly string[];
  readonly atRest: boolean;
  /** Ids of workflows that have not ended. */
  readonly running: readonly string[];
  /** By workflow id: the number of events of its longest run. */
  readonly histories: readonly { readonly workflowId: string; readonly events: number }[];
  /** When faults ended. Time limits start here, or when the money became known if that is later. */
  readonly faultsEndedMs: number;
  readonly clockToleranceMs: number;
  /** When every running workflow was terminated. */
  readonly terminationsMs: readonly number[];
}

export interface Acknowledged {
  readonly kind: string;
  readonly body: string;
}

/** What an app or an operator was told about a refund that they had requested. */
export interface AnsweredRefund {
  readonly key: string | null;
  readonly amountMinor: number;
  readonly paymentId: bigint;
  readonly refundId: bigint;
}

/** What an operator did, whether or not it had an effect. */
export interface Act {
  readonly operatorId: number;
  readonly path: string;
  readonly body?: object;
  readonly atMs: number;
}

/** An answer to a client, verbatim: a promise that the rows must keep. */
export interface Answered {
  readonly app: number;
  readonly key: string;
  readonly amountMinor: number;
  readonly status: number;
  readonly code: string | null;
  readonly reference: string | null;
  readonly text: string;
  readonly atMs: number;
}
