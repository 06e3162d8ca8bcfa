import type { PaymentRecord } from '../../core/payments/store/payments.ts';
import type { RefundRecord } from '../../core/refunds/store/refunds.ts';
import { numberText } from '../../domain/exact-json.ts';
import { toJsonInteger } from '../../domain/money.ts';
import { ownpayAmount, ownpayInstant, ownpayStatus } from '../../domain/ownpay.ts';
import { checkoutUrl } from '../../domain/payment-view.ts';
import { REFUND_STATUSES, type RefundStatus } from '../../domain/refund.ts';

/** Returns the view of a created payment. Its status is always `pending`: a checkout that has already ended would be no useful answer. */
export function createdView(payment: PaymentRecord, webUrl: string) {
  return {
    success: true as const,
    transaction_id: payment.reference,
    payment_url: checkoutUrl(payment.reference, webUrl),
    status: 'pending' as const,
    expires_at: ownpayInstant(payment.expiresAt),
  };
}

export function intentView(payment: PaymentRecord, webUrl: string) {
  return {
    ...createdView(payment, webUrl),
    status: ownpayStatus(payment),
    gateway: payment.gateway ?? null,
    gateway_trx_id: payment.gatewayTxnId ?? null,
    amount: ownpayAmount(payment),
    currency: payment.currency,
    order_id: payment.merchantReference ?? null,
    customer_name: payment.customerName ?? null,
    customer_email: payment.customerEmail ?? null,
    customer_phone: payment.customerPhone ?? null,
    description: payment.productName ?? null,
    return_url: payment.returnUrl ?? null,
    cancel_url: payment.cancelUrl ?? null,
    // JSON text of an object, written verbatim like the text of a number.
    metadata: numberText(payment.metadata ?? 'null'),
    ...instants(payment),
  };
}

export function transactionView(payment: PaymentRecord, refundedMinor: bigint) {
  const { amountMinor, currency, feeMinor } = payment;
  const money = (minor: bigint) => ownpayAmount({ amountMinor: minor, currency });
  const charged = typeof feeMinor === 'bigint' ? feeMinor : null;
  return {
    transaction_id: payment.reference,
    gateway_trx_id: payment.gatewayTxnId ?? null,
    order_id: payment.merchantReference ?? null,
    amount: money(amountMinor),
    currency,
    fee: charged === null ? null : money(charged),
    net_amount: charged === null ? null : money(amountMinor - charged),
    refunded_amount: money(refundedMinor),
    status: ownpayStatus(payment),
    gateway: payment.gateway ?? null,
    method: typeof payment.invoiceId === 'bigint' ? ('invoice' as const) : ('api' as const),
    ...instants(payment),
  };
}

function instants({ createdAt, updatedAt, paidAt }: PaymentRecord) {
  return {
    created_at: ownpayInstant(createdAt),
    updated_at: ownpayInstant(updatedAt),
    paid_at: paidAt instanceof Date ? ownpayInstant(paidAt) : null,
  };
}

export const SHOWN_REFUND_STATUSES = ['pending', 'completed', 'failed'] as const;

const REFUND_STATUS = {
  AWAITING_APPROVAL: 'pending',
  PENDING: 'pending',
  SUCCEEDED: 'completed',
  FAILED: 'failed',
  REJECTED: 'failed',
} as const satisfies Record<RefundStatus, (typeof SHOWN_REFUND_STATUSES)[number]>;

/** Returns our statuses that map to one of OwnPay's. */
export function refundStatusesOf(shown: (typeof SHOWN_REFUND_STATUSES)[number]): RefundStatus[] {
  return REFUND_STATUSES.filter((status) => REFUND_STATUS[status] === shown);
}

export function refundView(refund: RefundRecord, transactionId: string) {
  return {
    id: toJsonInteger(refund.id),
    refund_id: refund.reference,
    transaction_id: transactionId,
    gateway_trx_id: refund.gatewayTxnId,
    amount: ownpayAmount(refund),
    currency: refund.currency,
    reason: refund.reason,
    status: REFUND_STATUS[refund.status],
    processed_at: refund.endedAt === null ? null : ownpayInstant(refund.endedAt),
    created_at: ownpayInstant(refund.createdAt),
  };
}
