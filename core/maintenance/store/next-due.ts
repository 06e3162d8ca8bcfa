import { now } from '../../../database/expressions.ts';
import type { Statements } from '../../../database/statements.ts';
import { statement } from '../../../database/typed-statements.ts';
import { OPEN_STATUSES } from '../../../domain/payment.ts';
import { OPEN_REFUND_STATUSES } from '../../../domain/refund.ts';

/** The earliest due time of each kind of row that the sweeper takes, by the conditions of its own statements: one entry of an index each. */
const NEXT_DUE = statement((db) =>
  db.selectNoFrom((eb) => [
    now.as('now'),
    eb
      .selectFrom('payments')
      .select('nextSweepAt')
      .where('status', 'in', OPEN_STATUSES)
      .orderBy('nextSweepAt')
      .limit(1)
      .as('payment'),
    eb
      .selectFrom('gateway_callbacks')
      .select('nextSweepAt')
      .where('consumedAt', 'is', null)
      .where('paymentId', 'is not', null)
      .orderBy('nextSweepAt')
      .limit(1)
      .as('callback'),
    eb
      .selectFrom('payment_attempts')
      .select('queryAgainAt')
      .where('queryAgainAt', 'is not', null)
      .orderBy('queryAgainAt')
      .limit(1)
      .as('lateQuery'),
    eb
      .selectFrom('refunds')
      .select('nextSweepAt')
      .where('status', 'in', OPEN_REFUND_STATUSES)
      .orderBy('nextSweepAt')
      .limit(1)
      .as('refund'),
    eb
      .selectFrom('unapplied_payments')
      .select('nextSweepAt')
      .where('status', '=', 'HELD')
      .where('nextSweepAt', 'is not', null)
      .orderBy('nextSweepAt')
      .limit(1)
      .as('heldMoney'),
    eb
      .selectFrom('decisions')
      .select('nextSweepAt')
      .where('consumedAt', 'is', null)
      .where((row) => row.or([row.not('needsSecond'), row('secondOperatorId', 'is not', null)]))
      .orderBy('nextSweepAt')
      .limit(1)
      .as('decision'),
    eb
      .selectFrom('invoices')
      .select('nextSweepAt')
      .where('nextSweepAt', 'is not', null)
      .orderBy('nextSweepAt')
      .limit(1)
      .as('invoice'),
    eb
      .selectFrom('webhook_events')
      .select('nextSweepAt')
      .where('deliveryStatus', '<>', 'DELIVERED')
      .where('nextSweepAt', 'is not', null)
      .orderBy('nextSweepAt')
      .limit(1)
      .as('event'),
    eb
      .selectFrom('disputes')
      .select('nextSweepAt')
      .where('nextSweepAt', 'is not', null)
      .orderBy('nextSweepAt')
      .limit(1)
      .as('dispute'),
    eb
      .selectFrom('dispute_searches')
      .select('nextSweepAt')
      .where('nextSweepAt', 'is not', null)
      .orderBy('nextSweepAt')
      .limit(1)
      .as('disputeSearch'),
    eb
      .selectFrom('payout_files')
      .select('nextSweepAt')
      .where('state', 'in', ['UPLOADING', 'UPLOADED', 'IMPORTING'])
      .orderBy('nextSweepAt')
      .limit(1)
      .as('payoutFile'),
  ]),
);

/** Returns the time until the sweeper has work, by the database's clock. Negative if it is late, Infinity if nothing waits. */
export async function nextDueInMs(statements: Statements): Promise<number> {
  const row = await NEXT_DUE.first(statements, {});
  if (row === undefined) {
    return Infinity;
  }
  const { now: readAt, ...due } = row;
  const times = Object.values(due).map((at) => at?.getTime() ?? Infinity);
  return Math.min(...times) - readAt.getTime();
}
