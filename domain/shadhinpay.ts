import { toDecimalText, type Money } from './money.ts';
import { PAYMENT_STATUSES, type PaymentStatus } from './payment.ts';
import type { RefundStatus } from './refund.ts';
import { withQuery } from './return-url.ts';
import type { EventType } from './webhook.ts';

/** ShadhinPay's payment statuses. A partly refunded payment stays `COMPLETED`. */
export const SHADHINPAY_STATUSES = [
  'INITIATED',
  'PENDING',
  'COMPLETED',
  'FAILED',
  'CANCELLED',
  'EXPIRED',
  'REFUNDED',
] as const;
export type ShadhinpayStatus = (typeof SHADHINPAY_STATUSES)[number];

const STATUS_OF = {
  CREATED: 'INITIATED',
  PENDING: 'PENDING',
  SUCCEEDED: 'COMPLETED',
  PARTIALLY_REFUNDED: 'COMPLETED',
  REFUNDED: 'REFUNDED',
  FAILED: 'FAILED',
  CANCELLED: 'CANCELLED',
  EXPIRED: 'EXPIRED',
} as const satisfies Record<PaymentStatus, ShadhinpayStatus>;

export interface ShadhinpayFacts extends Money {
  readonly applicationId: bigint;
  readonly reference: string;
  readonly status: PaymentStatus;
  /** Null until the payer has chosen. */
  readonly gateway?: string | null | undefined;
  readonly merchantReference?: string | null | undefined;
  readonly returnUrl?: string | null | undefined;
  readonly metadata?: string | null | undefined;
}

export function shadhinpayStatus(status: PaymentStatus): ShadhinpayStatus {
  return STATUS_OF[status];
}

/** Returns the statuses that one of ShadhinPay's statuses stands for. */
export function paymentsWith(status: ShadhinpayStatus): PaymentStatus[] {
  return PAYMENT_STATUSES.filter((own) => STATUS_OF[own] === status);
}

/** The payment methods that the contract offers. */
export const VENDORS = ['BKASH', 'NAGAD'] as const;
export type Vendor = (typeof VENDORS)[number];

export function gatewayOf(vendor: Vendor): string {
  return vendor.toLowerCase();
}

/** Returns the gateway in upper case. A payment from another contract may have one that ShadhinPay does not know. */
export function vendorOf({ gateway }: Pick<ShadhinpayFacts, 'gateway'>): string | null {
  return gateway?.toUpperCase() ?? null;
}

/** The default time for a checkout. */
export const CHECKOUT_MINUTES = 15;

/** ShadhinPay's refund statuses. */
export const SHADHINPAY_REFUND_STATUSES = ['INITIATED', 'PROCESSING', 'COMPLETED', 'FAILED'] as const;

const REFUND_STATUS_OF = {
  AWAITING_APPROVAL: 'INITIATED',
  PENDING: 'INITIATED',
  SUCCEEDED: 'COMPLETED',
  FAILED: 'FAILED',
  REJECTED: 'FAILED',
} as const satisfies Record<RefundStatus, (typeof SHADHINPAY_REFUND_STATUSES)[number]>;

/** Returns the status of a refund: `PROCESSING` once the gateway has accepted it. */
export function shadhinpayRefundStatus({
  status,
  acceptedAt,
}: {
  readonly status: RefundStatus;
  readonly acceptedAt: Date | null;
}): (typeof SHADHINPAY_REFUND_STATUSES)[number] {
  return status === 'PENDING' && acceptedAt !== null ? 'PROCESSING' : REFUND_STATUS_OF[status];
}

/** Formats a time as ISO 8601 in UTC with seconds, such as `2026-05-17T10:00:00Z`. */
export function shadhinpayInstant(at: Date): string {
  return `${at.toISOString().slice(0, 19)}Z`;
}

/** Returns the start of the next second. A filter's `to` includes everything that is displayed as that second. */
export function afterShadhinpayInstant(at: Date): Date {
  return new Date((Math.floor(at.getTime() / 1_000) + 1) * 1_000);
}

/** Fields for the merchant's own data. */
export const VALUE_NAMES = ['valueA', 'valueB', 'valueC', 'valueD'] as const;
export type Values = { readonly [name in (typeof VALUE_NAMES)[number]]?: string };

/** Returns the values as JSON, or null if there are none. */
export function keptValues(values: { readonly [name in keyof Values]?: string | null | undefined }): string | null {
  const given = VALUE_NAMES.flatMap((name) => (typeof values[name] === 'string' ? [[name, values[name]]] : []));
  return given.length === 0 ? null : JSON.stringify(Object.fromEntries(given));
}

/** Returns only these names: in another contract the metadata may be any object. */
export function valuesOf({ metadata }: Pick<ShadhinpayFacts, 'metadata'>): Values {
  const kept: unknown = JSON.parse(metadata ?? '{}');
  const members = typeof kept === 'object' && kept !== null ? Object.entries(kept) : [];
  return Object.fromEntries(
    members.filter(([name, value]) => VALUE_NAMES.some((known) => known === name) && typeof value === 'string'),
  );
}

/** The contract's events, and whether they are sent by default. */
export const SHADHINPAY_EVENTS = {
  'payment.completed': true,
  'payment.failed': true,
  'payment.refunded': true,
  'payment.refund_failed': true,
  'invoice.paid': true,
  'invoice.expired': true,
  'payout.settled': true,
  'payout.failed': true,
  'payment.cancelled': false,
  'payment.expired': false,
  'invoice.cancelled': false,
} as const;
export type ShadhinpayEvent = keyof typeof SHADHINPAY_EVENTS;
export const SHADHINPAY_EVENT_NAMES = Object.keys(SHADHINPAY_EVENTS) as [ShadhinpayEvent, ...ShadhinpayEvent[]];

const EVENT_NAMES: { readonly [type in EventType]?: ShadhinpayEvent } = {
  'payment.succeeded': 'payment.completed',
  'payment.failed': 'payment.failed',
  'payment.cancelled': 'payment.cancelled',
  'payment.expired': 'payment.expired',
  'payment.refunded': 'payment.refunded',
  'refund.failed': 'payment.refund_failed',
  'refund.rejected': 'payment.refund_failed',
};

/** Returns the contract's event, or null if it has none. */
export function eventNamed(type: EventType): ShadhinpayEvent | null {
  return EVENT_NAMES[type] ?? null;
}

/** @param subscribed - the events that the business has chosen; null for the defaults */
export function isNotified(event: ShadhinpayEvent, subscribed: readonly string[] | null): boolean {
  return subscribed === null ? SHADHINPAY_EVENTS[event] : subscribed.includes(event);
}

/** The delay before each attempt of a delivery in seconds. The contract documents six attempts. */
export const SHADHINPAY_DELAYS_SECONDS = [0, 60, 300, 900, 3_600, 21_600] as const;

export interface RecordedEvent {
  /** A UUID, the same over every attempt. */
  readonly eventId: string;
  readonly event: ShadhinpayEvent;
  readonly occurredAt: Date;
  readonly payment: ShadhinpayFacts;
  /** Only for an event about a refund. */
  readonly refund?: RefundOfEvent | undefined;
}

export interface RefundOfEvent {
  readonly reference: string;
  readonly amountMinor: bigint;
  readonly reason: string | null;
  readonly merchantReference: string | null;
  /** The total refunded amount of the payment. */
  readonly refundedMinor: bigint;
}

/** Returns the body of any event as it is signed and sent. */
export function shadhinpayEventBody({
  eventId,
  event,
  occurredAt,
  applicationId,
  payload,
}: Pick<RecordedEvent, 'eventId' | 'event' | 'occurredAt'> & {
  readonly applicationId: bigint;
  readonly payload: object;
}): string {
  return JSON.stringify({
    eventId,
    eventType: event,
    // The contract requires a number here. A business is an application.
    businessId: Number(applicationId),
    occurredAt: shadhinpayInstant(occurredAt),
    payload,
  });
}

/** Returns the body of a payment event as it is signed and sent. */
export function shadhinpayEvent({ payment, refund, ...published }: RecordedEvent): string {
  const { currency } = payment;
  const money = (amountMinor: bigint) => toDecimalText({ amountMinor, currency });
  return shadhinpayEventBody({
    ...published,
    applicationId: payment.applicationId,
    payload: {
      paymentId: payment.reference,
      merchantTxnId: payment.merchantReference ?? null,
      amount: money(payment.amountMinor),
      currency,
      status: shadhinpayStatus(payment.status),
      vendor: vendorOf(payment),
      ...valuesOf(payment),
      ...(refund === undefined
        ? {}
        : {
            refundId: refund.reference,
            refundAmount: money(refund.amountMinor),
            refundTotal: money(refund.refundedMinor),
            reason: refund.reason,
            merchantRef: refund.merchantReference,
          }),
    },
  });
}

/**
 * Returns the URL to which the payer of an ended payment is sent, with the payment's id and status. The shop must still query the status, since a
 * browser can send anything.
 */
export function shadhinpayReturnUrl(payment: ShadhinpayFacts): string | null {
  if (typeof payment.returnUrl !== 'string') {
    return null;
  }
  const said = new URLSearchParams({
    paymentId: payment.reference,
    // A payment of an invoice has no merchant reference.
    ...(typeof payment.merchantReference === 'string' ? { merchantTxnId: payment.merchantReference } : {}),
    status: shadhinpayStatus(payment.status),
  });
  return withQuery(payment.returnUrl, said.toString());
}
