import { z } from 'zod';
import type { Money } from '../domain/money.ts';
import {
  APPROVAL_SUM_HOURS,
  approvalLimit,
  needsApproval,
  RESERVING_STATUSES,
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
}

/**
 * Whether an operator needs a second person for one more action on money. Counted are their refunds that are open or succeeded and their
 * decisions on money: all on this payment, and those of the last 24 hours in the application and mode. Call it in the transaction that writes
 * the action, with the payment locked: the operator's row is locked here, after the payment, so two actions at once are counted one after
 * the other.
 */
export async function needsSecondPerson(statements: Statements, acting: Acting): Promise<boolean> {
  const { scope, amount } = acting;
  const limitMinor = approvalLimit(await readThresholds(statements, scope.applicationId), amount.currency);
  if (limitMinor === null) {
    return false;
  }
  return needsApproval({
    amountMinor: amount.amountMinor,
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
  { scope: { applicationId, mode }, operatorId, paymentId, amount: { currency } }: Acting,
): Promise<bigint> {
  await statements.execute(
    `insert into acting_operators (application_id, mode, operator_id) values (?, ?, ?)
     on conflict (application_id, mode, operator_id) do update set acted_at = now()`,
    [applicationId, mode, operatorId],
  );
  const whose = [paymentId, applicationId, mode, operatorId, currency, paymentId];
  const window = `(created_at > now() - interval '${APPROVAL_SUM_HOURS} hours' or payment_id = ?)`;
  // Late money that goes back is counted by the decision that sent it.
  const [refunds] = await statements.execute<SumRow[]>(
    `select ${SUMS} from refunds where application_id = ? and mode = ? and created_by_operator_id = ? and currency = ? and ${window}
       and late_payment_id is null and status in (${OPEN_OR_SUCCEEDED})`,
    whose,
  );
  const [decisions] = await statements.execute<SumRow[]>(
    `select ${SUMS} from decisions where application_id = ? and mode = ? and operator_id = ? and currency = ? and ${window}
       and amount_minor is not null and decision <> 'reject' and coalesce(outcome, '') <> 'TAKEN_BACK'`,
    whose,
  );
  const sum = (column: keyof SumRow): bigint => BigInt(refunds?.[column] ?? 0) + BigInt(decisions?.[column] ?? 0);
  const [lately, here] = [sum('lately'), sum('here')];
  return lately > here ? lately : here;
}
