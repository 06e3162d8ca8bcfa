import { MissingRow } from '../../database/missing-row.ts';
import type { EntityManager } from '../../database/connection.ts';
import { Payment, PaymentAttempt } from '../../database/entities/payment.ts';
import type { UnappliedStatus } from '../../domain/unapplied-payment.ts';
import type { UnappliedPaymentInput, UnappliedPaymentResult } from '../../workflows/messages/unapplied-payment.ts';
import type { CoreDependencies } from '../dependencies.ts';
import { scopeOf } from '../scope.ts';
import { moneyOfAttempt, recordWatched } from './store/unapplied-payments.ts';

/** Returns the state of an attempt's money from its rows, and records that its workflow is running. */
export async function readUnappliedPayment(
  { database }: CoreDependencies,
  input: UnappliedPaymentInput,
): Promise<UnappliedPaymentResult> {
  const [money] = await database.inOneTrip(scopeOf(input), (statements) =>
    Promise.all([moneyOfAttempt(statements, input), recordWatched(statements, input)]),
  );
  return money === null
    ? { kind: 'nothing' }
    : { kind: KIND_OF[money.status], amountMinor: money.amountMinor.toString(), currency: money.currency };
}

const KIND_OF = { HELD: 'held', REFUNDING: 'refunding', REFUNDED: 'refunded', KEPT: 'kept' } as const satisfies Record<
  UnappliedStatus,
  UnappliedPaymentResult['kind']
>;

/**
 * Reads the attempt by its reference. Every transaction reads it again, because an older database may have been restored while the gateway was
 * queried.
 *
 * @throws MissingRow if the scope has no such attempt of that payment
 */
export async function findAttempt(
  em: EntityManager,
  { reference, attemptReference }: UnappliedPaymentInput,
): Promise<PaymentAttempt> {
  const payment = await em.findOne(Payment, { reference });
  if (payment === null) {
    throw new MissingRow('payment', reference);
  }
  const attempt = await em.findOne(PaymentAttempt, { reference: attemptReference, paymentId: payment.id });
  if (attempt === null) {
    throw new MissingRow('attempt', attemptReference);
  }
  return attempt;
}
