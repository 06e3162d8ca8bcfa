import type { EntityManager } from '../../database/connection.ts';
import { GatewayCallback, PaymentAttempt } from '../../database/entities/payment.ts';
import type { PaymentRecord } from '../../database/payments.ts';
import type { AttemptStatus, PaymentStatus } from '../../domain/payment.ts';
import type { CheckoutState } from '../../web/checkout/view.ts';

/** Until a later issue lets an operator choose: the payers of SSLCOMMERZ, bKash and Nagad read Dhaka time. */
export const PAGE_TIME_ZONE = 'Asia/Dhaka';

/** The gateway has said how an attempt went. */
const DECIDED: readonly AttemptStatus[] = ['CONFIRMED', 'REFUSED', 'FAILED', 'CANCELLED', 'CLOSED'];

/** What the page shows of a payment. It is built from rows only, so it is right whatever runs or does not. */
export async function checkoutState(em: EntityManager, payment: PaymentRecord): Promise<CheckoutState> {
  const at = payment.endedAt ?? payment.updatedAt;
  const status: PaymentStatus = payment.status;
  switch (status) {
    case 'CREATED':
      return { kind: 'opening', since: payment.createdAt };
    case 'PENDING':
      return pendingState(em, payment);
    case 'FAILED':
      return { kind: 'failed', at };
    case 'CANCELLED':
      return { kind: 'cancelled', at };
    case 'EXPIRED':
      return { kind: 'expired', at };
    case 'SUCCEEDED':
      return { kind: 'succeeded', receipt: receiptOf(payment) };
    case 'PARTIALLY_REFUNDED':
      return { kind: 'partially_refunded', receipt: receiptOf(payment), refundedMinor: 0n };
    case 'REFUNDED':
      return { kind: 'refunded', receipt: receiptOf(payment), refundedMinor: payment.amountMinor };
  }
}

async function pendingState(em: EntityManager, payment: PaymentRecord): Promise<CheckoutState> {
  if (payment.reviewSince instanceof Date) {
    return { kind: 'review', since: payment.reviewSince };
  }
  const [newest] = await em.find(GatewayCallback, { paymentId: payment.id }, { orderBy: { id: 'desc' }, limit: 1 });
  if (newest !== undefined && !(newest.consumedAt instanceof Date)) {
    return { kind: 'confirming', since: newest.createdAt, cause: 'payment' };
  }
  // What the gateway said is written a moment before the end is booked; in between there is nothing left to offer the payer.
  if ((await em.count(PaymentAttempt, { paymentId: payment.id, status: { $in: [...DECIDED] } })) > 0) {
    return { kind: 'confirming', since: newest?.createdAt ?? payment.updatedAt, cause: 'payment' };
  }
  if (payment.cancelRequestedAt instanceof Date) {
    return { kind: 'confirming', since: payment.cancelRequestedAt, cause: 'cancellation' };
  }
  if (payment.expiresAt.getTime() <= Date.now()) {
    return { kind: 'confirming', since: payment.expiresAt, cause: 'payment' };
  }
  return {
    kind: 'open',
    expiresAt: payment.expiresAt,
    continueAction: `/checkout/${payment.reference}/continue`,
    cancelAction: `/checkout/${payment.reference}/cancel`,
    returnedUnpaid: newest !== undefined,
  };
}

function receiptOf(payment: PaymentRecord) {
  return {
    paidAt: payment.paidAt ?? payment.updatedAt,
    receiptNumber: null,
    gatewayTransactionId: payment.gatewayTxnId ?? null,
  };
}
