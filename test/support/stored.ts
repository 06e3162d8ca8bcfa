import type { PaymentWorkflowInput } from '../../workflows/messages/payment.ts';
import type { RefundWorkflowInput } from '../../workflows/messages/refund.ts';

/** The input of a payment's workflow, and the id of its row, which only the tests use. */
export interface StoredPayment extends PaymentWorkflowInput {
  readonly paymentId: string;
}

/** The input of a refund's workflow, and the id of its row. */
export interface StoredRefund extends RefundWorkflowInput {
  readonly refundId: string;
}
