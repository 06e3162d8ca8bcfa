import { defineSignal } from '@temporalio/workflow';
import type { PaymentWorkflowInput } from './payment.ts';

/** A refund of the attempt's money has ended. The row holds its result. */
export const refundEndedSignal = defineSignal('refundEnded');

export interface UnappliedPaymentInput extends PaymentWorkflowInput {
  readonly attemptReference: string;
  /** Unix time in milliseconds of the first query. Set when a run continues as new during the queries. */
  readonly queryingSinceMs?: number;
  /** How many queries have failed since then, so that the next run keeps to the long pauses. */
  readonly tries?: number;
  /** How many times the row was read without a signal. Set when a run continues as new while it waits for a refund. */
  readonly looks?: number;
}

export type UnappliedPaymentResult =
  /** The gateway confirms no charge other than the one that finalized the payment. */
  | { readonly kind: 'nothing' }
  /**
   * The amount of the attempt's money that is held in suspense, being refunded, refunded or kept, each charge counted once. If charges differ, the
   * kind that still needs action comes first. `amountMinor` is decimal text.
   */
  | {
      readonly kind: 'held' | 'refunding' | 'refunded' | 'kept';
      readonly amountMinor: string;
      readonly currency: string;
    };

export interface UnappliedDecisionInput extends UnappliedPaymentInput {
  /** The decisions that were signalled since the last read. */
  readonly decisionIds: readonly string[];
}

export interface UnappliedPaymentActivities {
  /** Carries out the operators' decisions from their rows. A signal without a row is recorded in the audit log and changes nothing. */
  decideUnappliedPayment(input: UnappliedDecisionInput): Promise<UnappliedPaymentResult>;
  /** Queries the gateway and posts each confirmed charge to suspense once. */
  recordUnappliedPayment(input: UnappliedPaymentInput): Promise<UnappliedPaymentResult>;
  /** Returns the state of the attempt's money from its rows, without a query to the gateway. */
  readUnappliedPayment(input: UnappliedPaymentInput): Promise<UnappliedPaymentResult>;
  /** Leaves the attempt to operators: closes the callbacks that started the query and raises the alarm. */
  parkUnappliedPayment(input: UnappliedPaymentInput): Promise<void>;
}
