import { numberText, writeJson, type NumberText } from './exact-json.ts';
import { toDecimalText, type Money } from './money.ts';
import { PAYMENT_STATUSES, type PaymentStatus, type ReviewReason } from './payment.ts';
import { withQuery } from './return-url.ts';
import type { EventType } from './webhook.ts';

/** OwnPay's payment statuses. It documents no partly refunded status: such a payment stays `completed`. */
export const OWNPAY_STATUSES = [
  'pending',
  'processing',
  'completed',
  'failed',
  'cancelled',
  'expired',
  'refunded',
] as const;
export type OwnpayStatus = (typeof OWNPAY_STATUSES)[number];

const STATUS_OF = {
  CREATED: 'pending',
  PENDING: 'pending',
  SUCCEEDED: 'completed',
  PARTIALLY_REFUNDED: 'completed',
  REFUNDED: 'refunded',
  FAILED: 'failed',
  CANCELLED: 'cancelled',
  EXPIRED: 'expired',
} as const satisfies Record<PaymentStatus, OwnpayStatus>;

export interface OwnpayFacts extends Money {
  readonly reference: string;
  readonly status: PaymentStatus;
  readonly reviewReason?: ReviewReason | null | undefined;
  readonly gateway?: string | null | undefined;
  readonly merchantReference?: string | null | undefined;
  readonly returnUrl?: string | null | undefined;
  readonly cancelUrl?: string | null | undefined;
  readonly paidAt?: Date | null | undefined;
}

/** Returns OwnPay's status. A payment under review is `processing`: it neither expires nor can be paid again. */
export function ownpayStatus({ status, reviewReason }: Pick<OwnpayFacts, 'status' | 'reviewReason'>): OwnpayStatus {
  return status === 'PENDING' && typeof reviewReason === 'string' ? 'processing' : STATUS_OF[status];
}

/** Returns the filter for payments with one of OwnPay's statuses. */
export function paymentsWith(status: OwnpayStatus): {
  readonly statuses: PaymentStatus[];
  readonly inReview?: boolean;
} {
  return status === 'processing'
    ? { statuses: ['PENDING'], inReview: true }
    : {
        statuses: PAYMENT_STATUSES.filter((own) => STATUS_OF[own] === status),
        ...(status === 'pending' ? { inReview: false } : {}),
      };
}

/** Returns a decimal number with all digits of the currency, such as `99.90`. */
export function ownpayAmount(money: Money): NumberText {
  return numberText(toDecimalText(money));
}

/** Formats a time as ISO 8601 in UTC with seconds, such as `2024-06-15T14:30:00Z`. */
export function ownpayInstant(at: Date): string {
  return `${at.toISOString().slice(0, 19)}Z`;
}

const EVENT_NAMES: { readonly [type in EventType]?: string } = {
  'payment.succeeded': 'payment.completed',
  'payment.failed': 'payment.failed',
  'payment.expired': 'payment.failed',
  // OwnPay documents no event for a cancelled payment. Without one, a shop would keep its goods reserved.
  'payment.cancelled': 'payment.failed',
};

/** Returns the body of an event as it is signed and sent, or null if OwnPay documents no such event. */
export function ownpayEvent(payment: OwnpayFacts, type: EventType): string | null {
  const event = EVENT_NAMES[type];
  return event === undefined
    ? null
    : writeJson({
        event,
        transaction_id: payment.reference,
        order_id: payment.merchantReference ?? null,
        amount: ownpayAmount(payment),
        currency: payment.currency,
        status: ownpayStatus(payment),
        paid_at: payment.paidAt instanceof Date ? ownpayInstant(payment.paidAt) : null,
        gateway: payment.gateway ?? null,
      });
}

/**
 * Returns the URL to which the payer of an ended payment is sent, with the payment's id and status. The shop must still query the status, since a
 * browser can send anything.
 */
export function ownpayReturnUrl(payment: OwnpayFacts): string | null {
  const status = ownpayStatus(payment);
  const paid = status === 'completed' || status === 'refunded';
  const target = (paid ? null : payment.cancelUrl) ?? payment.returnUrl ?? null;
  if (target === null) {
    return null;
  }
  return withQuery(target, `payment_id=${payment.reference}&status=${status}`);
}
