import type { InvoiceRecord } from '../../core/invoices/store/invoices.ts';
import type { PaymentRecord } from '../../core/payments/store/payments.ts';
import { invoiceNumber } from '../../domain/invoice.ts';
import { payableUrl } from '../../domain/invoice-view.ts';
import { toDecimalText, toJsonInteger } from '../../domain/money.ts';
import { shadhinpayInstant } from '../../domain/shadhinpay.ts';
import { shadhinpayInvoiceStatus } from '../../domain/shadhinpay-invoice.ts';
import { optionalField } from './views.ts';

/** Returns an invoice as the contract shows it, whichever API created it. */
export function invoiceView(
  invoice: InvoiceRecord,
  { payments, webUrl }: { readonly payments: readonly PaymentRecord[]; readonly webUrl: string },
) {
  const { currency } = invoice;
  const money = (amountMinor: bigint): string => toDecimalText({ amountMinor, currency });
  const instant = (at: Date | null): string | null => (at === null ? null : shadhinpayInstant(at));
  return {
    invoiceId: invoice.reference,
    invoiceNumber: invoiceNumber(invoice),
    status: shadhinpayInvoiceStatus(invoice),
    currency,
    items: invoice.lines.map(({ description, qty, unitAmountMinor, lineTotalMinor }) => ({
      description,
      quantity: toJsonInteger(qty),
      unitPrice: money(unitAmountMinor),
      amount: money(lineTotalMinor),
    })),
    subtotal: money(invoice.subtotalMinor),
    discount: money(invoice.discountMinor),
    tax: money(invoice.taxMinor),
    total: money(invoice.totalMinor),
    amountPaid: money(invoice.paidMinor),
    ...optionalField('customerName', invoice.customerName),
    ...optionalField('customerEmail', invoice.customerEmail),
    ...optionalField('customerPhone', invoice.customerPhone),
    ...optionalField('note', invoice.notes),
    ...optionalField('redirectUrl', invoice.returnUrl),
    publicUrl: invoice.issuedAt === null ? null : payableUrl(invoice.reference, webUrl),
    paymentId: payments.at(-1)?.reference ?? null,
    createdAt: shadhinpayInstant(invoice.createdAt),
    sentAt: instant(invoice.issuedAt),
    paidAt: instant(invoice.paidAt),
    expiresAt: instant(invoice.expiresAt),
  };
}
