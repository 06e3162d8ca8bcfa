import type { Scope } from '../../../database/connection.ts';
import { newestPaymentOf } from '../../../core/invoices/store/payments-of-invoice.ts';
import type { InvoiceRecord } from '../../../core/invoices/store/invoices.ts';
import { readTemplate } from '../../../core/invoices/store/invoice-templates.ts';
import { findPublicInvoice } from '../../../core/payments/store/public-references.ts';
import { notFound } from '../../../domain/errors.ts';
import { requestedMinorOf, dueMinorOf } from '../../../domain/invoice-due.ts';
import { invoiceView, payableUrl } from '../../../domain/invoice-view.ts';
import { toDecimalText, toJsonInteger } from '../../../domain/money.ts';
import { isOpen } from '../../../domain/payment.ts';
import { checkoutUrl } from '../../../domain/payment-view.ts';
import type { ApiDependencies } from '../../dependencies.ts';
import { templateView } from './template.ts';

export interface PayableOfLink {
  readonly scope: Scope;
  readonly invoice: InvoiceRecord;
  readonly applicationName: string;
}

/** Returns the invoice of a payable link. Throws RESOURCE_NOT_FOUND. */
export async function findPayable({ database }: ApiDependencies, reference: string): Promise<PayableOfLink> {
  const found = await findPublicInvoice(database, reference);
  if (found === null) {
    throw notFound('invoice');
  }
  return found;
}

/** Returns the public view of an invoice, without the customer's name, address and reference. */
export async function payableView(deps: ApiDependencies, { scope, invoice }: PayableOfLink) {
  const { template, newest } = await deps.database.inTransaction(scope, async (statements) => ({
    template: await readTemplate(statements, scope.applicationId),
    newest: await newestPaymentOf(statements, invoice.id),
  }));
  const today = deps.calendar.today(invoice.readAt);
  const { currency, reference } = invoice;
  const view = invoiceView(invoice, { webUrl: deps.webUrl, today, payments: [] });
  const dueMinor = dueMinorOf(invoice);
  return {
    invoiceNumber: view.number ?? '',
    status: view.status,
    currency,
    totalMinor: view.totalMinor,
    amountPaidMinor: view.amountPaidMinor,
    amountDueMinor: view.amountDueMinor,
    amountDueDisplay: toDecimalText({ amountMinor: dueMinor, currency }),
    dueDate: view.dueDate,
    lineItems: view.lineItems,
    branding: templateView(template),
    paymentStatus: newest?.status ?? null,
    checkoutUrl:
      newest !== null && isOpen(newest.status)
        ? checkoutUrl(newest.reference, deps.webUrl)
        : dueMinor > 0n
          ? payableUrl(reference, deps.webUrl)
          : null,
    requestedMinor: toJsonInteger(requestedMinorOf(invoice, today)),
    nextDueDate: view.nextDueDate,
  };
}
