import { z } from 'zod';
import type { Money } from '../../../domain/money.ts';
import {
  APPROVAL_SUM_HOURS,
  needsApproval,
  RESERVING_STATUSES,
  strictestLimit,
  type ApprovalThresholds,
} from '../../../domain/refund.ts';
import type { Scope } from '../../../database/connection.ts';
import type { Statements } from '../../../database/statements.ts';
import { sqlList } from '../../../database/sql-list.ts';

/** Columns of `applications a` that `thresholdsOf` reads. */
export const THRESHOLD_COLUMNS = `a.refund_approval_threshold_minor as threshold, a.refund_approval_thresholds::text as thresholds`;

export interface ThresholdRow {
  threshold: string | null;
  thresholds: string;
}

const Others = z.record(z.string(), z.int().min(0).transform(BigInt));

export function thresholdsOf({ threshold, thresholds }: ThresholdRow): ApprovalThresholds {
  return { bdtMinor: threshold === null ? null : BigInt(threshold), othersMinor: Others.parse(JSON.parse(thresholds)) };
}

/** @throws Error if the scope has no such application */
export async function readThresholds(statements: Statements, applicationId: bigint): Promise<ApprovalThresholds> {
  const [row] = await statements.execute<ThresholdRow[]>(
    `select ${THRESHOLD_COLUMNS} from applications a where a.id = ?`,
    [applicationId],
  );
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

async function readAccountThresholds(statements: Statements, submissionId: bigint): Promise<ApprovalThresholds[]> {
  const rows = await statements.execute<ThresholdRow[]>(
    'select threshold::text, thresholds::text from lenden_account_thresholds(?::bigint)',
    [submissionId],
  );
  return rows.map(thresholdsOf);
}

/**
 * Reports whether an operator needs a second one for another action on money. Counted are the operator's open and succeeded refunds and their
 * decisions on money: all on this payment, and those of the last 24 hours in the application and mode, plus what they confirmed for other
 * applications that share the account. Must be called in the transaction that writes the action, with the payment locked. It locks the operator's
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

interface SumRow {
  lately: string;
  here: string;
}

const SUMS = `coalesce(sum(case when created_at > now() - interval '${APPROVAL_SUM_HOURS} hours' then amount_minor end), 0)::text as lately,
  coalesce(sum(case when payment_id = ? then amount_minor end), 0)::text as here`;
const OPEN_OR_SUCCEEDED = sqlList(RESERVING_STATUSES);

async function actedMinor(
  statements: Statements,
  { scope: { applicationId, mode }, operatorId, paymentId, amount: { currency }, manualSubmissionId = null }: Acting,
): Promise<bigint> {
  await statements.execute(
    `insert into acting_operators (application_id, mode, operator_id) values (?, ?, ?)
     on conflict (application_id, mode, operator_id) do update set acted_at = now()`,
    [applicationId, mode, operatorId],
  );
  const whose = [paymentId, applicationId, mode, operatorId, currency, paymentId];
  const window = `(created_at > now() - interval '${APPROVAL_SUM_HOURS} hours' or payment_id = ?)`;
  // A refund of unapplied money is counted through its decision.
  const [refunds] = await statements.execute<SumRow[]>(
    `select ${SUMS} from refunds where application_id = ? and mode = ? and created_by_operator_id = ? and currency = ? and ${window}
       and unapplied_payment_id is null and status in (${OPEN_OR_SUCCEEDED})`,
    whose,
  );
  const [decisions] = await statements.execute<SumRow[]>(
    `select ${SUMS} from decisions where application_id = ? and mode = ? and operator_id = ? and currency = ? and ${window}
       and amount_minor is not null and decision <> 'reject' and coalesce(outcome, '') not in ('TAKEN_BACK', 'LAPSED')`,
    whose,
  );
  const sum = (column: keyof SumRow): bigint => BigInt(refunds?.[column] ?? 0) + BigInt(decisions?.[column] ?? 0);
  const here = sum('here');
  const lately =
    sum('lately') + (await confirmedElsewhereMinor(statements, { operatorId, currency, manualSubmissionId }));
  return lately > here ? lately : here;
}

interface Confirming {
  readonly operatorId: bigint;
  readonly currency: string;
  readonly manualSubmissionId: bigint | null;
}

/**
 * Sums what the operator confirmed for other applications that share the account. The payment's lock does not cover their rows, so this takes a lock
 * on the operator.
 */
async function confirmedElsewhereMinor(
  statements: Statements,
  { operatorId, currency, manualSubmissionId }: Confirming,
): Promise<bigint> {
  if (manualSubmissionId === null) {
    return 0n;
  }
  await statements.execute('select pg_advisory_xact_lock(hashtextextended(?, 7016404))', [
    `confirming operator ${operatorId}`,
  ]);
  const [row] = await statements.execute<{ minor: string }[]>(
    `select lenden_confirmed_elsewhere(?::bigint, ?::bigint, ?, interval '${APPROVAL_SUM_HOURS} hours')::text as minor`,
    [manualSubmissionId, operatorId, currency],
  );
  return BigInt(row?.minor ?? 0);
}
