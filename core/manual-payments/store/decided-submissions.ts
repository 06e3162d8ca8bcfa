import { expressionBuilder } from 'kysely';
import { rowOf } from '../../../database/expressions.ts';
import type { Statements } from '../../../database/statements.ts';
import { statement, type Given } from '../../../database/typed-statements.ts';
import type { Money } from '../../../domain/money.ts';
import type { PaymentStatus } from '../../../domain/payment.ts';
import { COMPLETE } from '../../decisions/store/complete.ts';
import { IS_CORRECTED } from './newest-submission.ts';
import { lockPayment } from '../../payments/store/locks.ts';

export interface SubmissionToDecide {
  readonly attemptId: bigint;
  readonly attemptReference: string;
  readonly storeId: string;
  readonly transaction: string;
  readonly normalized: string;
  readonly paymentStatus: PaymentStatus;
  readonly amount: Money;
  /** Whether the payer has made another submission since. */
  readonly corrected: boolean;
  readonly decided: 'accept' | 'reject' | null;
}

const READ_TO_DECIDE = statement((db, $: Given<{ submissionId: bigint }>) =>
  db
    .selectFrom('manual_submissions as s')
    .innerJoin('payments as p', 'p.id', 's.paymentId')
    .innerJoin('payment_attempts as t', 't.id', 's.attemptId')
    .select((eb) => [
      's.attemptId',
      't.reference as attemptReference',
      't.storeId',
      's.transaction',
      's.normalized',
      'p.status as paymentStatus',
      'p.amountMinor',
      'p.currency',
      IS_CORRECTED.$castTo<boolean>().as('corrected'),
      eb
        .selectFrom('decisions as d')
        .select((d) => d.ref('d.decision').$castTo<'accept' | 'reject'>().as('decided'))
        .whereRef('d.manualSubmissionId', '=', 's.id')
        .where(COMPLETE)
        .as('decided'),
    ])
    .where('s.id', '=', $('submissionId')),
);

/** Returns a submission with everything that a decision on it depends on, or null. Locks its payment until the end of the transaction. */
export async function lockSubmission(
  statements: Statements,
  { paymentId, submissionId }: { readonly paymentId: bigint; readonly submissionId: bigint },
): Promise<SubmissionToDecide | null> {
  await lockPayment(statements, paymentId);
  const row = await READ_TO_DECIDE.first(statements, { submissionId });
  if (row === undefined) {
    return null;
  }
  const { amountMinor, currency, ...submission } = row;
  return { ...submission, amount: { amountMinor, currency } };
}

const INSERT_CONFIRMATION = statement((db, $: Given<{ submissionId: bigint; decisionId: bigint }>) => {
  const source = db
    .selectFrom('manual_submissions as s')
    .innerJoin('payment_attempts as t', 't.id', 's.attemptId')
    .where('s.id', '=', $('submissionId'));
  const eb = expressionBuilder(source);
  const row = rowOf('manual_confirmations', {
    applicationId: eb.ref('s.applicationId'),
    mode: eb.ref('s.mode'),
    storeApplicationId: eb.ref('s.storeApplicationId'),
    storeId: eb.ref('t.storeId'),
    normalized: eb.ref('s.normalized'),
    submissionId: eb.ref('s.id'),
    decisionId: eb.cast<bigint>($('decisionId'), 'bigint'),
  });
  return db.insertInto('manual_confirmations').columns(row.columns).expression(source.select(row.values));
});

/** @throws a unique violation (23505) if the same transaction into the same account has already confirmed a payment */
export async function recordConfirmation(
  statements: Statements,
  confirmed: { readonly submissionId: bigint; readonly decisionId: bigint },
): Promise<void> {
  await INSERT_CONFIRMATION.all(statements, confirmed);
}
