import { expressionBuilder, sql, type Expression, type SqlBool } from 'kysely';
import { z } from 'zod';
import type { Money } from '../../../domain/money.ts';
import {
  APPROVAL_SUM_HOURS,
  needsApproval,
  RESERVING_STATUSES,
  strictestLimit,
  type ApprovalThresholds,
} from '../../../domain/refund.ts';
import { ADVISORY_LOCK_SEEDS } from '../../../database/advisory-locks.ts';
import type { Scope } from '../../../database/connection.ts';
import { constantSpan, earlier, now } from '../../../database/expressions.ts';
import type { Statements } from '../../../database/statements.ts';
import type { Tables } from '../../../database/tables.ts';
import { statement, type Given, type RowOf } from '../../../database/typed-statements.ts';

const OF_APPLICATION = statement((db, $: Given<{ applicationId: bigint }>) =>
  db
    .selectFrom('applications')
    .select(['refundApprovalThresholdMinor as threshold', 'refundApprovalThresholds as thresholds'])
    .where('id', '=', $('applicationId')),
);

const Others = z.record(z.string(), z.int().min(0).transform(BigInt));

function thresholdsOf({ threshold, thresholds }: RowOf<typeof OF_APPLICATION>): ApprovalThresholds {
  return { bdtMinor: threshold, othersMinor: Others.parse(thresholds) };
}

/** @throws Error if the scope has no such application */
async function readThresholds(statements: Statements, applicationId: bigint): Promise<ApprovalThresholds> {
  const row = await OF_APPLICATION.first(statements, { applicationId });
  if (row === undefined) {
    throw new Error('the application does not exist in this scope');
  }
  return thresholdsOf(row);
}

export interface Acting {
  readonly scope: Scope;
  readonly operatorId: bigint;
  readonly paymentId: bigint;
  readonly amount: Money;
  /** The payer's submission, if only that says to which payment the money belongs. */
  readonly manualSubmissionId?: bigint | null;
}

/**
 * Returns the sum above which an operator needs a second one; null: there is none. For money in an account that several applications share, the
 * lowest of their thresholds applies: the money could be claimed for any of them, even for one registered for that purpose.
 */
export async function limitOf(
  statements: Statements,
  { scope, amount, manualSubmissionId = null }: Acting,
): Promise<bigint | null> {
  const thresholds =
    manualSubmissionId === null
      ? [await readThresholds(statements, scope.applicationId)]
      : await readAccountThresholds(statements, manualSubmissionId);
  return strictestLimit(thresholds, amount.currency);
}

const OF_ACCOUNT = statement((db, $: Given<{ submissionId: bigint }>) =>
  db
    .selectFrom(sql<RowOf<typeof OF_APPLICATION>>`lenden_account_thresholds(${$('submissionId')})`.as('account'))
    .select(['account.threshold', 'account.thresholds']),
);

async function readAccountThresholds(statements: Statements, submissionId: bigint): Promise<ApprovalThresholds[]> {
  return (await OF_ACCOUNT.all(statements, { submissionId })).map(thresholdsOf);
}

/**
 * Reports whether an operator needs a second one for another action on money. Counted are the operator's open and succeeded refunds and their
 * decisions on money: all on this payment, and those of the last 24 hours in the application and mode, with what they accepted in cases, plus what they
 * confirmed for other applications that share the account. Must be called in the transaction that writes the action, with the payment locked. It locks the operator's
 * row, so that concurrent actions are counted one after the other.
 */
export async function needsSecondPerson(statements: Statements, acting: Acting): Promise<boolean> {
  const limitMinor = await limitOf(statements, acting);
  if (limitMinor === null) {
    return false;
  }
  return needsApproval({
    amountMinor: acting.amount.amountMinor,
    actedMinor: await actedMinor(statements, acting),
    limitMinor,
  });
}

interface Operating extends Scope {
  readonly operatorId: bigint;
}

const LOCK_OPERATOR = statement((db, $: Given<Operating>) =>
  db
    .insertInto('acting_operators')
    .values({ applicationId: $('applicationId'), mode: $('mode'), operatorId: $('operatorId') })
    .onConflict((conflict) => conflict.columns(['applicationId', 'mode', 'operatorId']).doUpdateSet({ actedAt: now })),
);

interface Summed extends Operating {
  readonly currency: string;
  readonly paymentId: bigint;
}

interface SummedRow {
  readonly amountMinor: Expression<bigint | null>;
  readonly paymentId: Expression<bigint>;
  readonly createdAt: Expression<Date>;
}

const of = expressionBuilder<Tables, never>();
const SINCE = earlier(`${APPROVAL_SUM_HOURS} hours`);

function isCounted({ createdAt, paymentId }: Pick<SummedRow, 'createdAt' | 'paymentId'>, $: Given<Summed>) {
  return of.or([of(createdAt, '>', SINCE), of(paymentId, '=', $('paymentId'))]);
}

/** What an operator moved within the period, and on one payment. */
function sumsOf({ createdAt, paymentId, amountMinor }: SummedRow, $: Given<Summed>) {
  const sum = (counted: Expression<SqlBool>) =>
    of.cast<bigint | null>(of.fn.sum(of.case().when(counted).then(amountMinor).end()), 'bigint');
  return [sum(of(createdAt, '>', SINCE)).as('lately'), sum(of(paymentId, '=', $('paymentId'))).as('here')] as const;
}

/** A refund of unapplied money is counted through its decision. */
const SUM_REFUNDS = statement((db, $: Given<Summed>) =>
  db
    .selectFrom('refunds')
    .select((eb) =>
      sumsOf({ amountMinor: eb.ref('amountMinor'), paymentId: eb.ref('paymentId'), createdAt: eb.ref('createdAt') }, $),
    )
    .where('applicationId', '=', $('applicationId'))
    .where('mode', '=', $('mode'))
    .where('createdByOperatorId', '=', $('operatorId'))
    .where('currency', '=', $('currency'))
    .where((eb) => isCounted({ paymentId: eb.ref('paymentId'), createdAt: eb.ref('createdAt') }, $))
    .where('unappliedPaymentId', 'is', null)
    .where('status', 'in', RESERVING_STATUSES),
);

const SUM_DECISIONS = statement((db, $: Given<Summed>) =>
  db
    .selectFrom('decisions')
    .select((eb) =>
      sumsOf({ amountMinor: eb.ref('amountMinor'), paymentId: eb.ref('paymentId'), createdAt: eb.ref('createdAt') }, $),
    )
    .where('applicationId', '=', $('applicationId'))
    .where('mode', '=', $('mode'))
    .where('operatorId', '=', $('operatorId'))
    .where('currency', '=', $('currency'))
    .where((eb) => isCounted({ paymentId: eb.ref('paymentId'), createdAt: eb.ref('createdAt') }, $))
    .where('amountMinor', 'is not', null)
    .where('decision', '<>', 'reject')
    .where((eb) => eb(eb.fn.coalesce('outcome', sql.lit('')), 'not in', ['TAKEN_BACK', 'LAPSED'])),
);

/** What the operator has accepted or corrected in cases of reconciliation. */
const SUM_ACCEPTED = statement((db, $: Given<Omit<Summed, 'paymentId'>>) =>
  db
    .selectFrom('reconciliation_case_entries')
    .select((eb) =>
      eb.cast<bigint | null>(eb.fn.sum(eb.fn.coalesce('atRiskMinor', 'amountMinor')), 'bigint').as('lately'),
    )
    .where('applicationId', '=', $('applicationId'))
    .where('mode', '=', $('mode'))
    .where('operatorId', '=', $('operatorId'))
    .where('currency', '=', $('currency'))
    .where('createdAt', '>', SINCE)
    .where('action', 'in', ['accept', 'post-correction'])
    .where((eb) => eb(eb.fn.coalesce('outcome', sql.lit('DONE')), '=', 'DONE')),
);

async function actedMinor(
  statements: Statements,
  { scope: { applicationId, mode }, operatorId, paymentId, amount: { currency }, manualSubmissionId = null }: Acting,
): Promise<bigint> {
  await LOCK_OPERATOR.all(statements, { applicationId, mode, operatorId });
  const whose = { applicationId, mode, operatorId, currency, paymentId };
  const refunds = await SUM_REFUNDS.first(statements, whose);
  const decisions = await SUM_DECISIONS.first(statements, whose);
  const accepted = await SUM_ACCEPTED.first(statements, { applicationId, mode, operatorId, currency });
  const sum = (of: 'lately' | 'here'): bigint => (refunds?.[of] ?? 0n) + (decisions?.[of] ?? 0n);
  const here = sum('here');
  const lately =
    sum('lately') +
    (accepted?.lately ?? 0n) +
    (await confirmedElsewhereMinor(statements, { operatorId, currency, manualSubmissionId }));
  return lately > here ? lately : here;
}

interface Confirming {
  readonly operatorId: bigint;
  readonly currency: string;
  readonly manualSubmissionId: bigint;
}

const CONFIRMED_ELSEWHERE = statement((db, $: Given<Confirming>) =>
  db.selectNoFrom((eb) =>
    eb
      .cast<bigint>(
        eb.fn('lenden_confirmed_elsewhere', [
          $('manualSubmissionId'),
          $('operatorId'),
          $('currency'),
          constantSpan(`${APPROVAL_SUM_HOURS} hours`),
        ]),
        'bigint',
      )
      .as('minor'),
  ),
);

/**
 * Sums what the operator confirmed for other applications that share the account. The payment's lock does not cover their rows, so this takes a lock
 * on the operator.
 */
async function confirmedElsewhereMinor(
  statements: Statements,
  {
    operatorId,
    currency,
    manualSubmissionId,
  }: Omit<Confirming, 'manualSubmissionId'> & { manualSubmissionId: bigint | null },
): Promise<bigint> {
  if (manualSubmissionId === null) {
    return 0n;
  }
  // SQL text, since an advisory lock reads no row.
  await statements.execute(
    `select pg_advisory_xact_lock(hashtextextended(?, ${ADVISORY_LOCK_SEEDS.confirmingOperator}))`,
    [`confirming operator ${operatorId}`],
  );
  return (await CONFIRMED_ELSEWHERE.first(statements, { operatorId, currency, manualSubmissionId }))?.minor ?? 0n;
}
