import type { PaymentRecord } from '../../core/payments/store/payments.ts';
import type { RefundRecord } from '../../core/refunds/store/refunds.ts';
import { toDecimalText } from '../../domain/money.ts';
import { checkoutUrl } from '../../domain/payment-view.ts';
import {
  shadhinpayInstant,
  shadhinpayRefundStatus,
  shadhinpayStatus,
  valuesOf,
  vendorOf,
} from '../../domain/shadhinpay.ts';

/** Returns a successful body. The message is optional: ShadhinPay's sample of a refund has none. */
export function answered<Data>(data: Data, message?: string) {
  return { status: 'success' as const, ...(message === undefined ? {} : { message }), data };
}

export function paymentView(
  payment: PaymentRecord,
  { refundedMinor, webUrl }: { refundedMinor: bigint; webUrl: string },
) {
  const { currency } = payment;
  return {
    paymentId: payment.reference,
    merchantTxnId: payment.merchantReference ?? null,
    amount: toDecimalText(payment),
    currency,
    status: shadhinpayStatus(payment.status),
    vendor: vendorOf(payment),
    paymentUrl: checkoutUrl(payment.reference, webUrl),
    ...optionalField('description', payment.productName),
    refundTotal: toDecimalText({ amountMinor: refundedMinor, currency }),
    initiatedAt: shadhinpayInstant(payment.createdAt),
    completedAt: payment.paidAt instanceof Date ? shadhinpayInstant(payment.paidAt) : null,
    expiresAt: shadhinpayInstant(payment.expiresAt),
    ...valuesOf(payment),
  };
}

export function refundView(refund: RefundRecord, paymentId: string) {
  return {
    refundId: refund.reference,
    paymentId,
    amount: toDecimalText(refund),
    currency: refund.currency,
    status: shadhinpayRefundStatus(refund),
    ...optionalField('reason', refund.reason),
    ...optionalField('merchantRef', refund.merchantReference),
    initiatedAt: shadhinpayInstant(refund.createdAt),
    completedAt: refund.endedAt === null ? null : shadhinpayInstant(refund.endedAt),
  };
}

/** Returns the position of a page in a list. */
export function pageOf({ page, limit }: { readonly page: number; readonly limit: number }, totalElements: number) {
  return { page, size: limit, totalElements, totalPages: Math.ceil(totalElements / limit) };
}

/** Returns the member, or nothing if it was not sent. */
export function optionalField<Name extends string>(
  name: Name,
  value: string | null | undefined,
): { readonly [name in Name]?: string } {
  return typeof value === 'string' ? ({ [name]: value } as { [name in Name]: string }) : {};
}
