import { paymentsOf } from '../../../core/invoices/store/payments-of-invoice.ts';
import type { InvoiceRecord } from '../../../core/invoices/store/invoices.ts';
import { invoiceView, type InvoiceView } from '../../../domain/invoice-view.ts';
import type { ApiDependencies } from '../../dependencies.ts';

/** Returns the invoice's view as of today. */
export async function viewOf(deps: ApiDependencies, invoice: InvoiceRecord): Promise<InvoiceView> {
  const payments =
    invoice.status === 'DRAFT'
      ? []
      : await deps.database.inOneTrip(invoice, (statements) => paymentsOf(statements, invoice.id));
  return invoiceView(invoice, { webUrl: deps.webUrl, today: deps.calendar.today(invoice.readAt), payments });
}
