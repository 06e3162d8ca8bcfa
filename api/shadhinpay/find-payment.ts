import { readPaymentByReference, type PaymentRecord } from '../../core/payments/store/payments.ts';
import { refundedOf } from '../../core/refunds/store/refunds.ts';
import { DomainError } from '../../domain/errors.ts';
import { isPaid } from '../../domain/payment.ts';
import { isReference } from '../../domain/references.ts';
import type { ApiDependencies } from '../dependencies.ts';
import type { ShadhinpayCaller } from './authenticate.ts';
import { paymentView } from './views.ts';

/**
 * Returns a payment by its public reference, whichever API created it. Payments of another business, of the other mode and absent ones look the same.
 */
export async function findPayment(
  { database }: Pick<ApiDependencies, 'database'>,
  { scope }: ShadhinpayCaller,
  id: string,
): Promise<PaymentRecord> {
  const payment = isReference(id)
    ? await database.withScope(scope, (statements) => readPaymentByReference(statements, scope, id), { oneTrip: true })
    : null;
  if (payment === null) {
    throw new DomainError('RESOURCE_NOT_FOUND', 'Payment not found');
  }
  return payment;
}

export async function showPayment(
  { database, webUrl }: ApiDependencies,
  { scope }: ShadhinpayCaller,
  payment: PaymentRecord,
) {
  // Only what was paid can be refunded, so a payment that was just created costs no statement more.
  const refundedMinor = isPaid(payment.status)
    ? await database.withScope(scope, (statements) => refundedOf(statements, payment.id), { oneTrip: true })
    : 0n;
  return paymentView(payment, { refundedMinor, webUrl });
}
