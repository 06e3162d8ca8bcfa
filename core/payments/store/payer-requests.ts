import { sqlList } from '../../../database/sql-list.ts';
import type { Statements } from '../../../database/statements.ts';
import { OPEN_STATUSES } from '../../../domain/payment.ts';

/** Stores that the payer wants to cancel an open payment. Returns false if nothing is left to cancel, or they have asked before. */
export async function noteCancelRequest(statements: Statements, paymentId: bigint): Promise<boolean> {
  const asked = await statements.execute<object[]>(
    `update payments set cancel_requested_at = now(), next_sweep_at = now(), updated_at = now()
     where id = ? and status in (${sqlList(OPEN_STATUSES)}) and cancel_requested_at is null and review_reason is null returning 1`,
    [paymentId],
  );
  return asked.length > 0;
}

/**
 * Returns the time of the newest callback about money of an attempt that did not finalize its payment and still awaits the gateway's answer, or null.
 */
export async function secondChargeQueriedSince(statements: Statements, paymentId: bigint): Promise<Date | null> {
  const [news] = await statements.execute<{ since: string }[]>(
    `select c.created_at as since from gateway_callbacks c join payment_attempts t on t.id = c.attempt_id
     where c.payment_id = ? and c.consumed_at is null and not c.claims_no_money and t.status <> 'CONFIRMED' order by c.id desc limit 1`,
    [paymentId],
  );
  return news === undefined ? null : new Date(news.since);
}
