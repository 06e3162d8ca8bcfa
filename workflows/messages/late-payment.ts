import type { PaymentWorkflowInput } from './payment.ts';

export interface LatePaymentInput extends PaymentWorkflowInput {
  readonly attemptReference: string;
}

export type LatePaymentResult =
  /** The gateway confirms no charge beyond those that are booked. */
  | { readonly kind: 'nothing' }
  /** This much is in suspense for the attempt, each charge once. `amountMinor` is decimal text. */
  | { readonly kind: 'held'; readonly amountMinor: string; readonly currency: string };

export interface LatePaymentActivities {
  /** Asks the gateway and books whatever it confirms to suspense, once per charge. */
  bookLatePayment(input: LatePaymentInput): Promise<LatePaymentResult>;
}
