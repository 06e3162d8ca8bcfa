import { paymentsOf } from '../../core/invoices/store/payments-of-invoice.ts';
import { readInvoiceByReference, type InvoiceRecord } from '../../core/invoices/store/invoices.ts';
import { DomainError } from '../../domain/errors.ts';
import type { ApiDependencies } from '../dependencies.ts';
import type { ShadhinpayCaller } from './authenticate.ts';
import { invoiceView } from './invoice-view.ts';

/** Returns an invoice by its reference, whichever API created it. Invoices of another business, of the other mode and absent ones look the same. */
export async function findInvoice(
  { database }: Pick<ApiDependencies, 'database'>,
  { scope }: ShadhinpayCaller,
  id: string,
): Promise<InvoiceRecord> {
  const known = /^(pay|sp_inv)_[0-9A-Za-z]{22}$/.test(id);
  const invoice = known
    ? await database.inOneTrip(scope, (statements) => readInvoiceByReference(statements, scope, id))
    : null;
  if (invoice === null) {
    throw new DomainError('RESOURCE_NOT_FOUND', 'Invoice not found');
  }
  return invoice;
}

export async function showInvoice({ database, webUrl }: ApiDependencies, invoice: InvoiceRecord) {
  const payments = await database.inOneTrip(invoice, (statements) => paymentsOf(statements, invoice.id));
  return invoiceView(invoice, { payments, webUrl });
}
