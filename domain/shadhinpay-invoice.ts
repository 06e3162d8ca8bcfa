import { invoiceNumber, type InvoiceStatus, type Numbered } from './invoice.ts';
import { toDecimalText } from './money.ts';
import { shadhinpayEventBody, vendorOf, type ShadhinpayEvent } from './shadhinpay.ts';
import type { EventType } from './webhook.ts';

/** ShadhinPay's invoice statuses. `SENT` and `VIEWED` can be paid; the last three are final. */
export const SHADHINPAY_INVOICE_STATUSES = ['DRAFT', 'SENT', 'VIEWED', 'PAID', 'CANCELLED', 'EXPIRED'] as const;
export type ShadhinpayInvoiceStatus = (typeof SHADHINPAY_INVOICE_STATUSES)[number];

/** The columns of an invoice that determine its status. */
export interface InvoiceStatusFacts {
  readonly status: InvoiceStatus;
  readonly viewedAt: Date | null;
  readonly expiredAt: Date | null;
}

/** Returns the status of an invoice. A partly paid invoice, which is possible only in other contracts, stays payable. */
export function shadhinpayInvoiceStatus({ status, viewedAt, expiredAt }: InvoiceStatusFacts): ShadhinpayInvoiceStatus {
  switch (status) {
    case 'DRAFT':
    case 'PAID':
      return status;
    case 'ISSUED':
    case 'PARTIALLY_PAID':
      return viewedAt === null ? 'SENT' : 'VIEWED';
    case 'VOID':
      return expiredAt === null ? 'CANCELLED' : 'EXPIRED';
  }
}

export interface StandingFilter {
  readonly statuses: readonly InvoiceStatus[];
  readonly viewed?: boolean;
  readonly expired?: boolean;
}

const STANDINGS = {
  DRAFT: { statuses: ['DRAFT'] },
  SENT: { statuses: ['ISSUED', 'PARTIALLY_PAID'], viewed: false },
  VIEWED: { statuses: ['ISSUED', 'PARTIALLY_PAID'], viewed: true },
  PAID: { statuses: ['PAID'] },
  CANCELLED: { statuses: ['VOID'], expired: false },
  EXPIRED: { statuses: ['VOID'], expired: true },
} as const satisfies Record<ShadhinpayInvoiceStatus, StandingFilter>;

/** Returns the filter for invoices with one of ShadhinPay's statuses. */
export function invoicesWith(status: ShadhinpayInvoiceStatus): StandingFilter {
  return STANDINGS[status];
}

/** Returns the part of a business id that appears in its invoice numbers: `HB_71c4` of `HB_71c4a09e`. */
export function numberLabelOf(businessId: string): string {
  return businessId.slice(0, 7);
}

/** Parses a displayed invoice number. Returns null for any other text. */
export function numberShown(text: string): { readonly number: bigint; readonly numberLabel: string | null } | null {
  const [, label, digits] = /^INV-(?:(HB_[0-9a-f]{4})-)?(\d{5,15})$/.exec(text) ?? [];
  const numbered = digits === undefined ? null : { number: BigInt(digits), numberLabel: label ?? null };
  return numbered !== null && invoiceNumber(numbered) === text ? numbered : null;
}

/** Returns the contract's event, or null if it has none. */
export function invoiceEventNamed(
  type: EventType,
  { expiredAt }: Pick<InvoiceStatusFacts, 'expiredAt'>,
): ShadhinpayEvent | null {
  switch (type) {
    case 'invoice.paid':
      return 'invoice.paid';
    case 'invoice.voided':
      return expiredAt === null ? 'invoice.cancelled' : 'invoice.expired';
    default:
      return null;
  }
}

export interface RecordedInvoiceEvent {
  /** A UUID, the same over every attempt. */
  readonly eventId: string;
  readonly event: ShadhinpayEvent;
  readonly occurredAt: Date;
  readonly invoice: InvoiceStatusFacts &
    Numbered & {
      readonly applicationId: bigint;
      readonly reference: string;
      readonly totalMinor: bigint;
      readonly currency: string;
    };
  /** The payment that paid the invoice; null if none did. */
  readonly payment: { readonly reference: string; readonly gateway?: string | null | undefined } | null;
}

/** Returns the body of an invoice event as it is signed and sent. */
export function shadhinpayInvoiceEvent({ invoice, payment, ...published }: RecordedInvoiceEvent): string {
  const { applicationId, reference, totalMinor: amountMinor, currency } = invoice;
  return shadhinpayEventBody({
    ...published,
    applicationId,
    payload: {
      invoiceId: reference,
      invoiceNumber: invoiceNumber(invoice),
      amount: toDecimalText({ amountMinor, currency }),
      currency,
      status: shadhinpayInvoiceStatus(invoice),
      paymentId: payment?.reference ?? null,
      vendor: payment === null ? null : vendorOf(payment),
    },
  });
}
