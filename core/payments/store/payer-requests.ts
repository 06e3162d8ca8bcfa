import { now } from '../../../database/expressions.ts';
import type { Statements } from '../../../database/statements.ts';
import { statement, type Given } from '../../../database/typed-statements.ts';
import { OPEN_STATUSES } from '../../../domain/payment.ts';

const REQUEST_CANCEL = statement((db, $: Given<{ paymentId: bigint }>) =>
  db
    .updateTable('payments')
    .set({ cancelRequestedAt: now, nextSweepAt: now, updatedAt: now })
    .where('id', '=', $('paymentId'))
    .where('status', 'in', OPEN_STATUSES)
    .where('cancelRequestedAt', 'is', null)
    .where('reviewReason', 'is', null)
    .returning('id'),
);

/** Stores that the payer wants to cancel an open payment. Returns false if nothing is left to cancel, or they have asked before. */
export async function noteCancelRequest(statements: Statements, paymentId: bigint): Promise<boolean> {
  return (await REQUEST_CANCEL.first(statements, { paymentId })) !== undefined;
}

const SECOND_CHARGE_SINCE = statement((db, $: Given<{ paymentId: bigint }>) =>
  db
    .selectFrom('gateway_callbacks as c')
    .innerJoin('payment_attempts as t', 't.id', 'c.attemptId')
    .select('c.createdAt as since')
    .where('c.paymentId', '=', $('paymentId'))
    .where('c.consumedAt', 'is', null)
    .where((eb) => eb.not('c.claimsNoMoney'))
    .where('t.status', '<>', 'CONFIRMED')
    .orderBy('c.id', 'desc')
    .limit(1),
);

/**
 * Returns the time of the newest callback about money of an attempt that did not finalize its payment and still awaits the gateway's answer, or null.
 */
export async function secondChargeQueriedSince(statements: Statements, paymentId: bigint): Promise<Date | null> {
  return (await SECOND_CHARGE_SINCE.first(statements, { paymentId }))?.since ?? null;
}
