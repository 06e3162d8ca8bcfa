import type { PaymentWorkflowInput } from './payment.ts';

export interface LatePaymentInput extends PaymentWorkflowInput {
  readonly attemptReference: string;
  /** Set by a run that goes on with an earlier run's questions: Unix time in milliseconds of the first of them. */
  readonly askingSinceMs?: number;
}

export type LatePaymentResult =
  /** The gateway confirms no charge beyond those that are booked. */
  | { readonly kind: 'nothing' }
  /** This much is in suspense for the attempt, each charge once. `amountMinor` is decimal text. */
  | { readonly kind: 'held'; readonly amountMinor: string; readonly currency: string };

export interface LateDecisionInput extends LatePaymentInput {
  /** The decisions that were signalled since the last look. */
  readonly decisionIds: readonly string[];
}

export interface LatePaymentActivities {
  /** Carries out what operators decided, as their rows say; a signal without a row is written down and changes nothing. */
  decideLatePayment(input: LateDecisionInput): Promise<LatePaymentResult>;
  /** Asks the gateway and books whatever it confirms to suspense, once per charge. */
  bookLatePayment(input: LatePaymentInput): Promise<LatePaymentResult>;
  /** Leaves the question to people: closes the callbacks that raised it and gives the alarm. */
  parkLatePayment(input: LatePaymentInput): Promise<void>;
}
