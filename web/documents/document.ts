import type { InstallmentState } from '../../domain/installments.ts';
import type { ShownInvoiceStatus } from '../../domain/invoice.ts';
import type { TaxTotal } from '../../domain/invoice-totals.ts';
import type { Mode } from '../../domain/mode.ts';
import type { PlainDate } from '../../domain/plain-date.ts';
import type { Language } from '../language.ts';
import type { Logo } from './logo.ts';

/** The issuer of a document and its look. Texts may have several lines. */
export interface Branding {
  readonly companyName: string;
  readonly companyAddress: string | null;
  readonly contactDetails: string | null;
  readonly footerNote: string | null;
  /** `#rrggbb`; darkened if it would not be readable on white. */
  readonly accentColor: string;
  /** As `readLogo` returned it. */
  readonly logo: Logo | null;
}

export interface Customer {
  readonly reference: string | null;
  readonly name: string | null;
  readonly address: string | null;
}

/** The content of an invoice's PDF. The same content gives the same bytes. */
export interface InvoiceDocument {
  readonly language: Language;
  /** TEST shows a watermark. */
  readonly mode: Mode;
  readonly branding: Branding;
  /** As displayed, such as `INV-000042`. */
  readonly number: string;
  readonly status: ShownInvoiceStatus;
  /** Also the PDF's own date. Null: not issued yet. */
  readonly issueDate: PlainDate | null;
  readonly dueDate: PlainDate | null;
  readonly customer: Customer;
  readonly lines: readonly DocumentLine[];
  readonly subtotalMinor: bigint;
  readonly discountMinor: bigint;
  readonly taxes: readonly TaxTotal[];
  readonly totalMinor: bigint;
  readonly paidMinor: bigint;
  readonly dueMinor: bigint;
  readonly installments: readonly InstallmentState[];
  readonly notes: string | null;
  /** Shown as QR code and link. */
  readonly payableUrl: string | null;
  /** ISO 4217 code. */
  readonly currency: string;
}

export interface DocumentLine {
  readonly description: string;
  readonly qty: bigint;
  readonly unitAmountMinor: bigint;
  readonly lineTotalMinor: bigint;
  readonly discountMinor: bigint;
  readonly taxMinor: bigint;
}

/** The content of a receipt's PDF. The same content gives the same bytes. */
export interface ReceiptDocument {
  readonly language: Language;
  readonly mode: Mode;
  readonly branding: Branding;
  readonly number: string;
  readonly paidAt: Date;
  /** The IANA time zone in which `paidAt` is shown. */
  readonly timeZone: string;
  readonly customer: Customer;
  /** What was paid for. */
  readonly description: string | null;
  readonly paymentReference: string;
  /** As a payer knows it, such as `SSLCOMMERZ`. */
  readonly gatewayName: string;
  readonly gatewayTransactionId: string | null;
  readonly amountMinor: bigint;
  /** The refunded part of it. */
  readonly refundedMinor: bigint;
  /** The invoice that was paid, as it was right after this payment. */
  readonly invoice: ReceiptInvoice | null;
  /** Where the payment can be looked up; shown as QR code and link. */
  readonly url: string | null;
  readonly currency: string;
}

export interface ReceiptInvoice {
  readonly number: string;
  readonly totalMinor: bigint;
  readonly paidMinor: bigint;
  readonly dueMinor: bigint;
}
