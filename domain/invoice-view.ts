import { stateOf } from './installments.ts';
import { invoiceNumber } from './invoice.ts';
import { dueMinorOf, shownStatus, type Billed } from './invoice-due.ts';
import type { Notice, Reminders } from './invoice-notices.ts';
import type { InvoiceRounding, Reduction, TaxTotal } from './invoice-totals.ts';
import { toJsonInteger } from './money.ts';
import type { Mode } from './mode.ts';
import { paymentView, type PaymentFacts } from './payment-view.ts';
import type { PlainDate } from './plain-date.ts';

/** The facts of an invoice that its public view shows. */
export interface InvoiceFacts extends Billed {
  readonly id: bigint;
  readonly applicationId: bigint;
  readonly mode: Mode;
  readonly reference: string;
  readonly number: bigint | null;
  readonly numberLabel: string | null;
  readonly currency: string;
  readonly customerReference: string;
  readonly customerEmail: string | null;
  readonly customerName: string | null;
  readonly customerAddress: string | null;
  readonly language: 'en' | 'bn';
  readonly notes: string | null;
  readonly rounding: InvoiceRounding;
  readonly taxTotals: readonly TaxTotal[];
  readonly subtotalMinor: bigint;
  readonly discountMinor: bigint;
  readonly taxMinor: bigint;
  readonly nextDueDate: PlainDate | null;
  readonly partialPayments: boolean;
  readonly reminders: Reminders;
  readonly pausedAt: Date | null;
  readonly issuedAt: Date | null;
  readonly paidAt: Date | null;
  readonly voidedAt: Date | null;
  readonly createdAt: Date;
  readonly updatedAt: Date;
  readonly lines: readonly InvoiceLineFacts[];
}

export interface InvoiceLineFacts {
  readonly id: bigint;
  readonly description: string;
  readonly qty: bigint;
  readonly unitAmountMinor: bigint;
  readonly discount: Reduction | null;
  readonly lineTotalMinor: bigint;
  readonly discountMinor: bigint;
  readonly taxMinor: bigint;
}

export interface InvoiceViewContext {
  readonly webUrl: string;
  /** The day by which a status is overdue or not. */
  readonly today: PlainDate;
  /** The payments made for the invoice. */
  readonly payments: readonly PaymentFacts[];
}

/** Placeholder for the invoice number before the statement that assigns it is sent. No text of an invoice can contain it. */
export const NUMBER_TO_COME = '\u0000';

/** InvoiceDto of the native API. Documented are `id` to `updatedAt`, except those after `payableUrl`; the rest are Lenden's own members. */
export type InvoiceView = ReturnType<typeof invoiceView>;

export function invoiceView(invoice: InvoiceFacts, { webUrl, today, payments }: InvoiceViewContext) {
  const draft = invoice.status === 'DRAFT';
  return {
    id: toJsonInteger(invoice.id),
    number: invoiceNumber(invoice),
    status: shownStatus(invoice, today),
    mode: invoice.mode,
    customerReference: invoice.customerReference,
    totalMinor: toJsonInteger(invoice.totalMinor),
    amountPaidMinor: toJsonInteger(invoice.paidMinor),
    amountDueMinor: toJsonInteger(dueMinorOf(invoice)),
    currency: invoice.currency,
    dueDate: invoice.dueDate,
    issuedAt: instantText(invoice.issuedAt),
    lineItems: invoice.lines.map(lineView),
    payments: payments.map((payment) => paymentView(payment, webUrl)),
    payableUrl: draft ? null : payableUrl(invoice.reference, webUrl),
    createdAt: invoice.createdAt.toISOString(),
    updatedAt: invoice.updatedAt.toISOString(),
    customerEmail: invoice.customerEmail,
    customerName: invoice.customerName,
    customerAddress: invoice.customerAddress,
    language: invoice.language,
    notes: invoice.notes,
    rounding: invoice.rounding,
    subtotalMinor: toJsonInteger(invoice.subtotalMinor),
    discountMinor: toJsonInteger(invoice.discountMinor),
    taxMinor: toJsonInteger(invoice.taxMinor),
    taxes: invoice.taxTotals.map(({ name, basisPoints, amountMinor }) => ({
      name,
      basisPoints: basisPoints === null ? null : toJsonInteger(basisPoints),
      amountMinor: toJsonInteger(amountMinor),
    })),
    installments: stateOf(invoice.installments, invoice.paidMinor, today).map((installment) => ({
      dueDate: installment.dueDate,
      amountMinor: toJsonInteger(installment.amountMinor),
      amountPaidMinor: toJsonInteger(installment.paidMinor),
      status: installment.status,
    })),
    nextDueDate: invoice.nextDueDate,
    partialPayments: invoice.partialPayments,
    reminders: { beforeDays: [...invoice.reminders.beforeDays], overdueDays: [...invoice.reminders.overdueDays] },
    pausedAt: instantText(invoice.pausedAt),
    paidAt: instantText(invoice.paidAt),
    voidedAt: instantText(invoice.voidedAt),
  };
}

function lineView(line: InvoiceLineFacts) {
  return {
    id: toJsonInteger(line.id),
    description: line.description,
    qty: toJsonInteger(line.qty),
    unitAmountMinor: toJsonInteger(line.unitAmountMinor),
    lineTotalMinor: toJsonInteger(line.lineTotalMinor),
    discountMinor: toJsonInteger(line.discountMinor),
    taxMinor: toJsonInteger(line.taxMinor),
  };
}

/** `data` of invoice events: the invoice without the customer's name, address and email. Events of payments have no such data either. */
export type InvoiceEventView = Omit<InvoiceView, 'customerEmail' | 'customerName' | 'customerAddress'>;

export function invoiceEventView(view: InvoiceView): InvoiceEventView {
  const { customerEmail: _email, customerName: _name, customerAddress: _address, ...shown } = view;
  return shown;
}

/** Returns `data` of `invoice.reminder` and `invoice.overdue`: the invoice and the due date that the notice is about. */
export function noticeView(view: InvoiceView, { dueDate, offsetDays }: Notice, requestedMinor: bigint) {
  return { ...invoiceEventView(view), notice: { dueDate, offsetDays, amountMinor: toJsonInteger(requestedMinor) } };
}

function instantText(at: Date | null): string | null {
  return at === null ? null : at.toISOString();
}

/** Returns the path of the invoice's page; in ShadhinPay's contract it is under `/i/`. */
export function payablePath(reference: string): string {
  return `/${reference.startsWith('sp_inv_') ? 'i' : 'pay'}/${reference}`;
}

export function payableUrl(reference: string, webUrl: string): string {
  return `${webUrl}${payablePath(reference)}`;
}
