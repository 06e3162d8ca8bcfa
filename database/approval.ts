import { z } from 'zod';
import type { Money } from '../domain/money.ts';
import {
  APPROVAL_SUM_HOURS,
  needsApproval,
  RESERVING_STATUSES,
  strictestLimit,
  type ApprovalThresholds,
} from '../domain/refund.ts';
import type { Scope } from './connection.ts';
import type { Statements } from './statements.ts';

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

/** @throws Error when the scope has no such application */
export async function readThresholds(statements: Statements, applicationId: bigint): Promise<ApprovalThresholds> {
  const [row] = await statements.execute<ThresholdRow[]>(
    `select ${THRESHOLD_COLUMNS} from applications a where a.id = ?`,
    [applicationId],
  );
  if (row === undefined) {
    throw new Error('the scope has no application');
  }
  return thresholdsOf(row);
}

export interface Acting {
  readonly scope: Scope;
  readonly operatorId: bigint;
  readonly paymentId: bigint;
  readonly amount: Money;
  /** What a payer wrote, where the action is on money of which only that says whose it is. */
  readonly manualSubmissionId?: bigint | null;
}

/**
 * Above which sum one person is not enough; null: there is no such sum. Money in an account that applications share is bound by all of their
 * thresholds: it could be claimed for each of them, one that somebody has registered for that purpose included.
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
 * Whether an operator needs a second person for one more action on money. Counted are their refunds that are open or succeeded and their
 * decisions on money: all on this payment, and those of the last 24 hours in the application and mode, with what they have confirmed for others
 * in an account that these share. Call it in the transaction that writes
 * the action, with the payment locked: the operator's row is locked here, after the payment, so two actions at once are counted one after
 * the other.
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
const OPEN_OR_SUCCEEDED = RESERVING_STATUSES.map((status) => `'${status}'`).join(', ');

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
  // Unapplied money that goes back is counted by the decision that sent it.
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

/** For other applications that share the account. Their rows are not locked by the payment, so whoever confirms is. */
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
