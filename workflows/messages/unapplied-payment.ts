import { defineSignal } from '@temporalio/workflow';
import type { PaymentWorkflowInput } from './payment.ts';

/** A refund of the attempt's money has ended; the row says how. */
export const refundEndedSignal = defineSignal('refundEnded');

export interface UnappliedPaymentInput extends PaymentWorkflowInput {
  readonly attemptReference: string;
  /** Set by a run that goes on with an earlier run's questions: Unix time in milliseconds of the first of them. */
  readonly queryingSinceMs?: number;
  /** Set by a run that goes on with an earlier one's wait for a refund: how often the row was looked at without being told to. */
  readonly looks?: number;
}

export type UnappliedPaymentResult =
  /** The gateway confirms no charge beyond the one that settled the payment. */
  | { readonly kind: 'nothing' }
  /**
   * This much of the attempt's money is in suspense, on its way back, given back or left to the application, each charge once. What still waits
   * for somebody goes before what is over. `amountMinor` is decimal text.
   */
  | {
      readonly kind: 'held' | 'refunding' | 'refunded' | 'kept';
      readonly amountMinor: string;
      readonly currency: string;
    };

export interface UnappliedDecisionInput extends UnappliedPaymentInput {
  /** The decisions that were signalled since the last look. */
  readonly decisionIds: readonly string[];
}

export interface UnappliedPaymentActivities {
  /** Carries out what operators decided, as their rows say; a signal without a row is written down and changes nothing. */
  decideUnappliedPayment(input: UnappliedDecisionInput): Promise<UnappliedPaymentResult>;
  /** Asks the gateway and books whatever it confirms to suspense, once per charge. */
  recordUnappliedPayment(input: UnappliedPaymentInput): Promise<UnappliedPaymentResult>;
  /** How the attempt's money stands in its rows; asks nobody. */
  readUnappliedPayment(input: UnappliedPaymentInput): Promise<UnappliedPaymentResult>;
  /** Leaves the question to people: closes the callbacks that raised it and gives the alarm. */
  parkUnappliedPayment(input: UnappliedPaymentInput): Promise<void>;
}
