import { expressionBuilder } from 'kysely';
import { jsonBuildObject } from 'kysely/helpers/postgres';
import { rowOf, timeOf } from '../../../database/expressions.ts';
import type { Statements } from '../../../database/statements.ts';
import { statement, type Given } from '../../../database/typed-statements.ts';
import { COMPLETE } from '../../decisions/store/complete.ts';
import { lockPayment } from '../../payments/store/locks.ts';
import { withNewestSubmission } from './newest-submission.ts';

/** Payers may mistype. This stops programs that submit forever. */
export const SUBMISSIONS_MAX = 20;

export interface NewSubmission {
  readonly paymentId: bigint;
  readonly transaction: string;
  readonly normalized: string;
  readonly sender: string | null;
}

export type SubmissionOutcome =
  | 'submitted'
  /** Nothing can be submitted: the payment has ended or expired, is being paid elsewhere, is under review, or operators have started to decide. */
  | 'closed'
  | 'too-often';

const READ_SUBMITTING = statement((db, $: Given<{ paymentId: bigint }>) =>
  db
    .selectFrom('payments as p')
    .leftJoin('payment_attempts as t', (join) =>
      join
        .onRef('t.paymentId', '=', 'p.id')
        .on('t.gateway', '=', 'manual')
        .on('t.status', '=', 'OPEN')
        .on('t.supersededAt', 'is', null),
    )
    .select((eb) => [
      eb
        .and([
          eb('p.status', '=', 'PENDING'),
          eb('p.reviewReason', 'is', null),
          eb('p.cancelRequestedAt', 'is', null),
          eb('p.expiresAt', '>', timeOf(eb.ref('p.clockOffset'))),
        ])
        .$castTo<boolean>()
        .as('open'),
      't.id as attemptId',
      eb
        .selectFrom('manual_submissions as s')
        .select((s) => s.cast<number>(s.fn.countAll(), 'integer').as('count'))
        .whereRef('s.attemptId', '=', 't.id')
        .as('submissions'),
      eb
        .selectFrom('manual_submissions as s')
        .select((s) =>
          jsonBuildObject({
            transaction: s.ref('s.transaction'),
            sender: s.ref('s.sender'),
            decision: s
              .selectFrom('decisions as d')
              .select((d) =>
                jsonBuildObject({ decision: d.ref('d.decision'), complete: COMPLETE.$castTo<boolean>() }).as(
                  'decision',
                ),
              )
              .whereRef('d.manualSubmissionId', '=', 's.id')
              .where((d) => d.or([d('d.consumedAt', 'is', null), COMPLETE]))
              .orderBy('d.id', 'desc')
              .limit(1)
              .$asScalar(),
          }).as('newest'),
        )
        .whereRef('s.attemptId', '=', 't.id')
        .orderBy('s.id', 'desc')
        .limit(1)
        .as('newest'),
    ])
    .where('p.id', '=', $('paymentId')),
);

const INSERT = statement((db, $: Given<Omit<NewSubmission, 'paymentId'> & { attemptId: bigint }>) => {
  const source = db.selectFrom('payment_attempts as t').where('t.id', '=', $('attemptId'));
  const eb = expressionBuilder(source);
  const row = rowOf('manual_submissions', {
    applicationId: eb.ref('t.applicationId'),
    mode: eb.ref('t.mode'),
    paymentId: eb.ref('t.paymentId'),
    attemptId: eb.ref('t.id'),
    storeApplicationId: eb.fn<bigint | null>('lenden_store_owner', [
      't.applicationId',
      't.mode',
      't.gateway',
      't.storeId',
    ]),
    transaction: $('transaction'),
    normalized: $('normalized'),
    sender: $('sender'),
  });
  return db.insertInto('manual_submissions').columns(row.columns).expression(source.select(row.values));
});

/**
 * Records what a payer submits about their transaction. Nothing follows from it until operators decide. The payment is locked, so that a correction
 * and a decision run one after the other. Must be called in a transaction.
 */
export async function submitTransaction(
  statements: Statements,
  { paymentId, transaction, normalized, sender }: NewSubmission,
): Promise<SubmissionOutcome> {
  await lockPayment(statements, paymentId);
  const row = await READ_SUBMITTING.first(statements, { paymentId });
  if (row === undefined || row.attemptId === null || !row.open) {
    return 'closed';
  }
  const { attemptId, newest } = row;
  const decision = newest?.decision ?? null;
  if (decision !== null && !(decision.complete && decision.decision === 'reject')) {
    return 'closed';
  }
  if (newest !== null && decision === null && newest.transaction === transaction && newest.sender === sender) {
    return 'submitted';
  }
  if ((row.submissions ?? 0) >= SUBMISSIONS_MAX) {
    return 'too-often';
  }
  await INSERT.all(statements, { attemptId, transaction, normalized, sender });
  return 'submitted';
}

export interface ShownSubmission {
  readonly transaction: string;
  readonly submittedAt: Date;
  /** Null while the operators' decision is missing or incomplete. */
  readonly decided: 'accept' | 'reject' | null;
  /** Whether an operator has started to decide, so that no correction is possible. */
  readonly begun: boolean;
  /** The operator's reason for a rejection. */
  readonly reason: string | null;
}

export interface ManualAttempt {
  readonly reference: string;
  readonly storeId: string;
  readonly sealedSecret: string | null;
  readonly submission: ShownSubmission | null;
}

const READ_ATTEMPT = statement((db, $: Given<{ paymentId: bigint }>) =>
  withNewestSubmission(db)
    .select((eb) => [
      't.reference',
      't.storeId',
      eb
        .fn<string | null>('lenden_store_secret', ['t.applicationId', 't.mode', 't.gateway', 't.storeId'])
        .as('sealedSecret'),
      's.transaction',
      's.createdAt as submittedAt',
      eb.ref('d.decision').$castTo<'accept' | 'reject' | null>().as('decided'),
      'd.reason',
      eb
        .exists(
          eb
            .selectFrom('decisions as begun')
            .select('begun.id')
            .whereRef('begun.manualSubmissionId', '=', 's.id')
            .where('begun.consumedAt', 'is', null),
        )
        .$castTo<boolean>()
        .as('begun'),
    ])
    .where('t.paymentId', '=', $('paymentId'))
    .where('t.gateway', '=', 'manual')
    .where('t.status', '=', 'OPEN')
    .where('t.supersededAt', 'is', null),
);

/** Returns the state of a payer's manual payment, or null if they are not paying by hand. */
export async function readManualAttempt(statements: Statements, paymentId: bigint): Promise<ManualAttempt | null> {
  const row = await READ_ATTEMPT.first(statements, { paymentId });
  if (row === undefined) {
    return null;
  }
  const { reference, storeId, sealedSecret, transaction, submittedAt, decided, begun, reason } = row;
  return {
    reference,
    storeId,
    sealedSecret,
    submission:
      transaction === null || submittedAt === null ? null : { transaction, submittedAt, decided, begun, reason },
  };
}
