import type { Database } from '../../database/connection.ts';
import { notFound } from '../../domain/errors.ts';
import type { ActingOperator } from '../operators/acting-operator.ts';
import { recordAudit } from '../operators/store/audit.ts';
import { readCustomerContact, type CustomerContact } from './store/customer-contact.ts';

/**
 * Shows an operator the contact of one payment's customer, and writes to the audit log that it was shown.
 * @throws DomainError RESOURCE_NOT_FOUND
 */
export function showCustomer(
  { database }: { readonly database: Database },
  { view, actor }: Pick<ActingOperator, 'view' | 'actor'>,
  paymentId: bigint,
): Promise<CustomerContact> {
  return database.withOperator(view, async (em) => {
    const found = await readCustomerContact(em, paymentId);
    if (found === null) {
      throw notFound('payment');
    }
    await recordAudit(em, {
      actor,
      action: 'payment.customer-shown',
      target: { type: 'payment', id: paymentId },
      application: found.application,
    });
    return found.contact;
  });
}
