import type { QueryCreator } from 'kysely';
import type { Tables } from '../../../database/tables.ts';
import { COMPLETE } from '../../decisions/store/complete.ts';

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
