import { defineSignal } from '@temporalio/workflow';
import type { PaymentWorkflowInput } from './payment.ts';

/** A refund of the attempt's money has ended; the row says how. */
export const refundEndedSignal = defineSignal('refundEnded');

export interface LatePaymentInput extends PaymentWorkflowInput {
  readonly attemptReference: string;
  /** Set by a run that goes on with an earlier run's questions: Unix time in milliseconds of the first of them. */
  readonly askingSinceMs?: number;
  /** Set by a run that goes on with an earlier one's wait for a refund: how often the row was looked at without being told to. */
  readonly looks?: number;
}

export type LatePaymentResult =
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

export interface LateDecisionInput extends LatePaymentInput {
  /** The decisions that were signalled since the last look. */
  readonly decisionIds: readonly string[];
}

export interface LatePaymentActivities {
  /** Carries out what operators decided, as their rows say; a signal without a row is written down and changes nothing. */
  decideLatePayment(input: LateDecisionInput): Promise<LatePaymentResult>;
  /** Asks the gateway and books whatever it confirms to suspense, once per charge. */
  bookLatePayment(input: LatePaymentInput): Promise<LatePaymentResult>;
  /** How the attempt's money stands in its rows; asks nobody. */
  readLatePayment(input: LatePaymentInput): Promise<LatePaymentResult>;
  /** Leaves the question to people: closes the callbacks that raised it and gives the alarm. */
  parkLatePayment(input: LatePaymentInput): Promise<void>;
}
