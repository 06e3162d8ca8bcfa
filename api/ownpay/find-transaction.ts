import { readPaymentByReference, type PaymentRecord } from '../../core/payments/store/payments.ts';
import { isReference } from '../../domain/references.ts';
import type { ApiDependencies } from '../dependencies.ts';
import type { OwnpayCaller } from './authenticate.ts';
import { OwnpayError } from './errors.ts';

interface Sought {
  readonly id: string;
  readonly code: 'PAYMENT_NOT_FOUND' | 'TRANSACTION_NOT_FOUND';
}

/** Returns a payment by its public reference, whichever API created it. Payments of another app, of the other mode and absent ones look the same. */
export async function findTransaction(
  { database }: Pick<ApiDependencies, 'database'>,
  { scope }: OwnpayCaller,
  { id, code }: Sought,
): Promise<PaymentRecord> {
  const payment = isReference(id)
    ? await database.withScope(scope, (statements) => readPaymentByReference(statements, scope, id), { oneTrip: true })
    : null;
  if (payment === null) {
    throw new OwnpayError(code, code === 'PAYMENT_NOT_FOUND' ? 'Payment not found.' : 'Transaction not found.');
  }
  return payment;
}
