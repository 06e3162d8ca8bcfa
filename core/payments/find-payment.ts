import type { Scope } from '../../database/connection.ts';
import { readPayment, type PaymentRecord } from './store/payments.ts';
import { notFound } from '../../domain/errors.ts';
import type { CoreDependencies } from '../dependencies.ts';

/** Returns a payment of the caller. Payments of another app, of the other mode and absent ones look the same. Throws RESOURCE_NOT_FOUND. */
export async function findPayment(
  { database }: Pick<CoreDependencies, 'database'>,
  scope: Scope,
  id: bigint,
): Promise<PaymentRecord> {
  const payment = await database.withScope(scope, (statements) => readPayment(statements, scope, id), {
    oneTrip: true,
  });
  if (payment === null) {
    throw notFound('payment');
  }
  return payment;
}
