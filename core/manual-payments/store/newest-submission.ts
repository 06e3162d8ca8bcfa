import { expressionBuilder, type QueryCreator } from 'kysely';
import type { Statements } from '../../../database/statements.ts';
import type { Tables } from '../../../database/tables.ts';
import { statement, type Given } from '../../../database/typed-statements.ts';
import type { SubmissionStatus } from '../../../domain/manual-payment.ts';
import { COMPLETE } from '../../decisions/store/complete.ts';

const of = expressionBuilder<Tables & { s: Tables['manual_submissions'] }, 's'>();

/** Whether the payer has written again for the same attempt since the submission `manual_submissions s`. */
export const IS_CORRECTED = of.exists(
  of
    .selectFrom('manual_submissions as n')
    .select('n.id')
    .whereRef('n.attemptId', '=', 's.attemptId')
    .whereRef('n.id', '>', 's.id'),
);

/** `payment_attempts t` with the payer's newest submission `s` and the complete decision on it `d`, if any. */
export function withNewestSubmission(q: QueryCreator<Tables>) {
  return q
    .selectFrom('payment_attempts as t')
    .leftJoin('manual_submissions as s', (join) =>
      join.on('s.id', '=', (eb) =>
        eb
          .selectFrom('manual_submissions as n')
          .select((n) => n.fn.max('n.id').as('id'))
          .whereRef('n.attemptId', '=', 't.id'),
      ),
    )
    .leftJoin('decisions as d', (join) =>
      join.on('d.id', '=', (eb) =>
        eb
          .selectFrom('decisions as d')
          .select((d) => d.fn.max('d.id').as('id'))
          .whereRef('d.manualSubmissionId', '=', 's.id')
          .where(COMPLETE),
      ),
    );
}

const OF_PAYMENT = statement((db, $: Given<{ paymentId: bigint }>) =>
  withNewestSubmission(db)
    .select('d.decision')
    .where('t.paymentId', '=', $('paymentId'))
    .where('s.id', 'is not', null)
    .orderBy('s.id', 'desc')
    .limit(1),
);

/** Returns what became of the transfer that a payment's payer submitted last; null if they submitted none. */
export async function newestSubmission(
  statements: Statements,
  paymentId: bigint,
): Promise<Exclude<SubmissionStatus, 'CORRECTED'> | null> {
  const newest = await OF_PAYMENT.first(statements, { paymentId });
  if (newest === undefined) {
    return null;
  }
  if (newest.decision === null) {
    return 'WAITING';
  }
  return newest.decision === 'accept' ? 'CONFIRMED' : 'REJECTED';
}
