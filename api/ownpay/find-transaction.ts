import { readPaymentByReference, type PaymentRecord } from '../../database/payments.ts';
import { isReference } from '../../domain/references.ts';
import type { ApiDependencies } from '../dependencies.ts';
import type { OwnpayCaller } from './authenticate.ts';
import { OwnpayError } from './errors.ts';

const NOT_FOUND = {
  PAYMENT_NOT_FOUND: 'Payment not found.',
  TRANSACTION_NOT_FOUND: 'Transaction not found.',
  REFUND_NOT_FOUND: 'Refund not found.',
} as const;

interface Sought {
  readonly id: string;
  /** As what it is missed. */
  readonly code: keyof typeof NOT_FOUND;
}

/** By its public reference, in whatever API it was made. Another app's, the other mode's and an absent one look the same. */
export async function findTransaction(
  { database }: Pick<ApiDependencies, 'database'>,
  { scope }: OwnpayCaller,
  { id, code }: Sought,
): Promise<PaymentRecord> {
  const payment = isReference(id)
    ? await database.inOneTrip(scope, (statements) => readPaymentByReference(statements, scope, id))
    : null;
  if (payment === null) {
    throw missing(code);
  }
  return payment;
}

export function missing(code: keyof typeof NOT_FOUND): OwnpayError {
  return new OwnpayError(code, NOT_FOUND[code]);
}
