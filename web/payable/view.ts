import type { InstallmentState } from '../../domain/installments.ts';
import type { ShownInvoiceStatus } from '../../domain/invoice.ts';
import type { TaxTotal } from '../../domain/invoice-totals.ts';
import type { Mode } from '../../domain/mode.ts';
import type { PlainDate } from '../../domain/plain-date.ts';
import type { UnappliedMoney } from '../checkout/view.ts';
import type { Language } from '../language.ts';

/**
 * The content of an invoice's page. It contains nothing about the recipient, because anyone with the link can read the page. Texts are plain text,
 * some with several lines; paths are on the page's own origin; amounts are in minor units of the invoice's currency.
 */
export interface PayableView {
  readonly language: Language;
  readonly mode: Mode;
  /** Path of this page without query, such as `/pay/pay_…`. The brand's stylesheet is at `brand.css` below it. */
  readonly pagePath: string;
  readonly pdfPath: string;
  /** The time of rendering: the page never reads a clock. */
  readonly now: Date;
  /** The IANA time zone of all displayed times. */
  readonly timeZone: string;
  readonly branding: PayableBranding;
  readonly invoice: PayableInvoice;
  /** Null if nothing can be paid now: paid, void, or not payable online. */
  readonly paying: Paying | null;
  /** Unapplied money of its payments, oldest first. `unpaid`: whether the payment ended unpaid. */
  readonly unapplied: readonly (UnappliedMoney & { readonly unpaid?: boolean })[];
  /** A payment of this invoice that has not ended, or null. */
  readonly inProgress: InProgress | null;
}

export interface PayableBranding {
  readonly companyName: string;
  readonly companyAddress: string | null;
  readonly contactDetails: string | null;
  readonly footerNote: string | null;
  readonly logoPath: string | null;
}

export interface PayableInvoice {
  /** As displayed, such as `INV-000042`. */
  readonly number: string;
  readonly status: Exclude<ShownInvoiceStatus, 'DRAFT'> | 'EXPIRED';
  readonly issueDate: PlainDate | null;
  readonly dueDate: PlainDate | null;
  /** The time from which no payment can be started; null if that is the end of the due date, or never. */
  readonly payBefore: Date | null;
  /** ISO 4217 code. */
  readonly currency: string;
  readonly lines: readonly PayableLine[];
  readonly subtotalMinor: bigint;
  readonly discountMinor: bigint;
  readonly taxes: readonly TaxTotal[];
  readonly totalMinor: bigint;
  readonly paidMinor: bigint;
  readonly dueMinor: bigint;
  readonly installments: readonly InstallmentState[];
  readonly notes: string | null;
  /** Successful payments, oldest first. */
  readonly payments: readonly FinalizedPayment[];
}

export interface PayableLine {
  readonly description: string;
  readonly qty: bigint;
  readonly unitAmountMinor: bigint;
  readonly lineTotalMinor: bigint;
  readonly discountMinor: bigint;
  readonly taxMinor: bigint;
}

export interface FinalizedPayment {
  readonly paidAt: Date;
  readonly amountMinor: bigint;
  /** The refunded part of it. */
  readonly refundedMinor: bigint;
  /** As a payer knows it, such as `SSLCOMMERZ`. */
  readonly gatewayName: string;
  readonly gatewayTransactionId: string | null;
}

export interface Paying {
  /** Where the forms are posted; `readPayForm` reads them. */
  readonly action: string;
  /** The amount requested first; everything due if there is no schedule. */
  readonly requestedMinor: bigint;
  /** Whether everything due can be paid at once. */
  readonly wholeAtOnce: boolean;
  /** Bounds of an amount of the payer's own, or null if the application does not allow one. */
  readonly anyAmount: AmountBounds | null;
  /** The problem with the form that was just sent. */
  readonly problem: PayProblem | null;
  /** What the payer typed, shown again next to the problem. */
  readonly typed: string | null;
}

export interface AmountBounds {
  readonly minMinor: bigint;
  readonly maxMinor: bigint;
}

export const AMOUNT_PROBLEMS = ['not_an_amount', 'too_little', 'too_much'] as const;
export type AmountProblem = (typeof AMOUNT_PROBLEMS)[number];
/** `changed`: the due amount differs from what the form showed. `unavailable`: no gateway is available now. */
export type PayProblem = AmountProblem | 'changed' | 'unavailable';

export interface InProgress {
  readonly checkoutPath: string;
  readonly amountMinor: bigint;
  readonly since: Date;
}
