import type { Statements } from '../../../database/statements.ts';
import { OPEN_STATUSES, type ReviewReason } from '../../../domain/payment.ts';
import { sqlList } from '../../../database/sql-list.ts';

/** Puts an open payment under review. Returns false if it was already, or has ended. */
export async function noteReview(
  statements: Statements,
  { reference, reason }: { readonly reference: string; readonly reason: ReviewReason },
): Promise<boolean> {
  const updated = await statements.execute<object[]>(
    `update payments set review_reason = ?, review_since = now(), status = 'PENDING', updated_at = now()
     where reference = ? and status in (${sqlList(OPEN_STATUSES)}) and review_reason is null returning 1`,
    [reason, reference],
  );
  return updated.length > 0;
}

export async function paymentExists(statements: Statements, reference: string): Promise<boolean> {
  return (await statements.execute<object[]>('select 1 from payments where reference = ?', [reference])).length > 0;
}

export interface AttemptWithMoney {
  readonly attemptReference: string;
  readonly applicationName: string;
}

/** Returns the attempts of a payment that may hold money: all that have not ended without a charge, oldest first. */
export async function attemptsWithMoney(statements: Statements, paymentReference: string): Promise<AttemptWithMoney[]> {
  const rows = await statements.execute<{ reference: string; name: string }[]>(
    `select t.reference, a.name from payment_attempts t join applications a on a.id = t.application_id
     where t.payment_id = (select id from payments where reference = ?) and t.status in ('CREATED', 'OPEN', 'UNKNOWN', 'CONFIRMED') order by t.number`,
    [paymentReference],
  );
  return rows.map(({ reference: attemptReference, name: applicationName }) => ({ attemptReference, applicationName }));
}
