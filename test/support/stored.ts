import type { PaymentWorkflowInput } from '../../workflows/messages/payment.ts';
import type { RefundWorkflowInput } from '../../workflows/messages/refund.ts';

/** What a payment's workflow is started with, and the number of its row, by which only the test looks it up. */
export interface StoredPayment extends PaymentWorkflowInput {
  readonly paymentId: string;
}

/** The same of a refund. */
export interface StoredRefund extends RefundWorkflowInput {
  readonly refundId: string;
}
