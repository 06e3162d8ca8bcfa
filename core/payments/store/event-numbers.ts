import { now } from '../../../database/expressions.ts';
import type { Statements } from '../../../database/statements.ts';
import { statement, type Given } from '../../../database/typed-statements.ts';
import { PAYMENT, type PaymentRecord } from './payments.ts';

const NUMBER_EVENTS = statement((db, $: Given<{ paymentId: bigint; count: number }>) =>
  db
    .updateTable('payments as p')
    .set((eb) => ({
      eventSequence: eb('p.eventSequence', '+', eb.cast<number>($('count'), 'integer')),
      updatedAt: now,
    }))
    .where('p.id', '=', $('paymentId'))
    .returning(PAYMENT),
);

/** Takes the next sequences of a payment's events, which also locks the payment. Returns it with the last of them. */
export async function numberEvents(
  statements: Statements,
  { paymentId, count }: { readonly paymentId: bigint; readonly count: number },
): Promise<PaymentRecord> {
  const payment = await NUMBER_EVENTS.first(statements, { paymentId, count });
  if (payment === undefined) {
    throw new Error('the payment does not exist in this scope');
  }
  return payment;
}
