import { sql, type QueryCreator } from 'kysely';
import { now } from '../../../database/expressions.ts';
import type { Tables } from '../../../database/tables.ts';

/** What evidence writes to the row of a case that it closes. */
export const CLOSED_BY_EVIDENCE = {
  state: 'RESOLVED',
  resolution: 'EVIDENCE',
  resolvedAt: now,
  updatedAt: now,
} as const;

/** What a statement that closes cases returns of each, under the name `closed`. */
export const CLOSED_CASE = ['c.id', 'c.applicationId', 'c.mode'] as const;

type Closed = Tables & { closed: Pick<Tables['reconciliation_cases'], 'id' | 'applicationId' | 'mode'> };

/** Writes why they were closed to the history of the cases in `closed`. */
export function noteClosing(db: QueryCreator<Closed>, why: string) {
  return db
    .insertInto('reconciliation_case_entries')
    .columns(['caseId', 'applicationId', 'mode', 'kind', 'text'])
    .expression((insert) =>
      insert
        .selectFrom('closed')
        .select([
          'closed.id',
          'closed.applicationId',
          'closed.mode',
          sql<'resolved'>`${sql.lit('resolved')}`.as('kind'),
          sql<string>`${sql.lit(why)}`.as('text'),
        ]),
    )
    .returning('id');
}
