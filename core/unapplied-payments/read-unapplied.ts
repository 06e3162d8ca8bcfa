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
  const [money] = await database.withScope(
    scopeOf(input),
    (statements) => Promise.all([moneyOfAttempt(statements, input), recordWatched(statements, input)]),
    { oneTrip: true },
  );
  return money === null
    ? { kind: 'nothing' }
    : { kind: KIND_OF[money.status], amountMinor: money.amountMinor.toString(), currency: money.currency };
}

const KIND_OF = { HELD: 'held', REFUNDING: 'refunding', REFUNDED: 'refunded', KEPT: 'kept' } as const satisfies Record<
  UnappliedStatus,
  UnappliedPaymentResult['kind']
>;
