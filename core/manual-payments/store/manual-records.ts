import type { Database } from '../../../database/connection.ts';
import { statement, type Given, type RowOf } from '../../../database/typed-statements.ts';
import type { ManualRecord, ReadManual, Submission } from '../../../gateways/manual/book.ts';
import { findAttempt } from '../../gateway-callbacks/store/found-attempt.ts';
import { withNewestSubmission } from './newest-submission.ts';

const READ = statement((db, $: Given<{ attemptId: bigint }>) =>
  withNewestSubmission(db)
    .innerJoin('payments as p', 'p.id', 't.paymentId')
    .select((eb) => [
      'p.amountMinor',
      'p.currency',
      's.id as submissionId',
      's.transaction',
      's.normalized',
      's.createdAt as submittedAt',
      'd.id as decisionId',
      eb.ref('d.decision').$castTo<'accept' | 'reject' | null>().as('word'),
      'd.operatorId',
      'd.secondOperatorId',
    ])
    .where('t.id', '=', $('attemptId')),
);

/** Returns what the manual gateway reads instead of querying a remote one: the submission for an attempt and the decision on it. */
export function manualRecords(database: Database): ReadManual {
  return async (attemptReference) => {
    const found = await findAttempt(database, 'manual', attemptReference);
    if (found === null) {
      return null;
    }
    const row = await database.inOneTrip(found.scope, (statements) =>
      READ.first(statements, { attemptId: found.attemptId }),
    );
    if (row === undefined) {
      return null;
    }
    const { amountMinor, currency } = row;
    return { amount: { amountMinor, currency }, submission: submissionOf(row) };
  };
}

function submissionOf(row: RowOf<typeof READ>): Submission | null {
  const { submissionId, transaction, normalized, submittedAt } = row;
  if (submissionId === null || transaction === null || normalized === null || submittedAt === null) {
    return null;
  }
  return { id: submissionId.toString(), transaction, normalized, submittedAt, decision: decisionOf(row) };
}

function decisionOf({ decisionId, word, operatorId, secondOperatorId }: RowOf<typeof READ>): Submission['decision'] {
  if (decisionId === null || word === null) {
    return null;
  }
  const operatorIds = [operatorId, secondOperatorId].flatMap((id) => (id === null ? [] : [id.toString()]));
  return { id: decisionId.toString(), word, operatorIds };
}
