import type { Scope } from '../../database/connection.ts';
import { readInvoice, type InvoiceRecord } from './store/invoices.ts';
import { notFound } from '../../domain/errors.ts';
import type { CoreDependencies } from '../dependencies.ts';

/** Returns an invoice of the caller. Invoices of another app, of the other mode and absent ones look the same. Throws RESOURCE_NOT_FOUND. */
export async function findInvoice(
  { database }: Pick<CoreDependencies, 'database'>,
  scope: Scope,
  id: bigint | null,
): Promise<InvoiceRecord> {
  const invoice =
    id === null
      ? null
      : await database.withScope(scope, (statements) => readInvoice(statements, scope, id), { oneTrip: true });
  if (invoice === null) {
    throw notFound('invoice');
  }
  return invoice;
}
