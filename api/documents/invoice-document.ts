import type { InvoiceRecord } from '../../core/invoices/store/invoices.ts';
import type { Calendar } from '../../domain/calendar.ts';
import { stateOf } from '../../domain/installments.ts';
import { invoiceNumber } from '../../domain/invoice.ts';
import { dueMinorOf, shownStatus } from '../../domain/invoice-due.ts';
import { payableUrl } from '../../domain/invoice-view.ts';
import type { Branding, InvoiceDocument } from '../../web/documents/document.ts';

export interface InvoiceLooks {
  readonly branding: Branding;
  readonly webUrl: string;
  readonly calendar: Calendar;
}

/** Returns the content of an invoice's PDF as of today. */
export function invoiceDocument(invoice: InvoiceRecord, { branding, webUrl, calendar }: InvoiceLooks): InvoiceDocument {
  const today = calendar.today(invoice.readAt);
  const draft = invoice.number === null;
  return {
    language: invoice.language,
    mode: invoice.mode,
    branding,
    number: invoiceNumber(invoice) ?? '–',
    status: shownStatus(invoice, today),
    issueDate: invoice.issuedAt === null ? null : calendar.today(invoice.issuedAt),
    dueDate: invoice.dueDate,
    customer: {
      reference: invoice.customerReference,
      name: invoice.customerName,
      address: invoice.customerAddress,
    },
    lines: invoice.lines,
    subtotalMinor: invoice.subtotalMinor,
    discountMinor: invoice.discountMinor,
    taxes: invoice.taxTotals,
    totalMinor: invoice.totalMinor,
    paidMinor: invoice.paidMinor,
    dueMinor: dueMinorOf(invoice),
    installments: stateOf(invoice.installments, invoice.paidMinor, today),
    notes: invoice.notes,
    payableUrl: draft || invoice.status === 'VOID' ? null : payableUrl(invoice.reference, webUrl),
    currency: invoice.currency,
  };
}
