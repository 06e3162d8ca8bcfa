import { instant, optional } from '../../database/read-row.ts';
import type { Statements } from '../../database/statements.ts';
import {
  SWEPT_PAYMENT_COLUMNS,
  sweptPaymentOf,
  type SweptPayment,
  type SweptPaymentRow,
} from '../payments/store/due.ts';

/** An attempt whose money may belong to no open payment. */
export interface SweptAttempt {
  readonly payment: SweptPayment;
  readonly attemptReference: string;
}

/** An attempt that may still be charged, although nothing will notify us. */
export interface LateAttempt extends SweptAttempt {
  readonly gateway: string;
  /** When its page was opened; null if it was not. */
  readonly openedAt: Date | null;
  /** How often it was queried since it ended. */
  readonly queries: number;
  /** The database's time. */
  readonly readAt: Date;
}

type AttemptRow = SweptPaymentRow & { attempt_reference: string };

interface LateAttemptRow extends AttemptRow {
  attempt_gateway: string;
  opened_at: string | null;
  queried_again: number;
  read_at: string;
}

/** Takes attempts that are due for another query, and postpones the next one by ten minutes. */
export async function takeLateAttempts(statements: Statements, max: number): Promise<LateAttempt[]> {
  const rows = await statements.execute<LateAttemptRow[]>(
    `with due as (
       select id from payment_attempts where query_again_at <= now() order by query_again_at limit ${max} for update skip locked),
     moved as (
       update payment_attempts t set query_again_at = now() + interval '10 minutes' from due where t.id = due.id
       returning t.payment_id, t.reference, t.gateway, t.opened_at, t.queried_again)
     select moved.reference as attempt_reference, moved.gateway as attempt_gateway, moved.opened_at, moved.queried_again,
       now() as read_at, ${SWEPT_PAYMENT_COLUMNS}
     from moved join payments p on p.id = moved.payment_id join applications a on a.id = p.application_id`,
  );
  return rows.map((row) => ({
    ...sweptAttemptOf(row),
    gateway: row.attempt_gateway,
    openedAt: optional(row.opened_at, instant),
    queries: row.queried_again,
    readAt: instant(row.read_at),
  }));
}

/** Records a query of an ended attempt and when the next one is due; null if there is none. */
export async function recordLateQuery(
  statements: Statements,
  { attemptReference, queries, nextAt }: { attemptReference: string; queries: number; nextAt: Date | null },
): Promise<void> {
  await statements.execute(
    `update payment_attempts set queried_again = ?, query_again_at = ?::timestamptz where reference = ?`,
    [queries, nextAt, attemptReference],
  );
}

/** Takes held money that is due for a check, and postpones its next one by ten minutes. */
export async function takeHeldMoney(statements: Statements, max: number): Promise<SweptAttempt[]> {
  const rows = await statements.execute<AttemptRow[]>(
    `with due as (
       select id from unapplied_payments where status = 'HELD' and next_sweep_at <= now()
       order by next_sweep_at limit ${max} for update skip locked),
     moved as (
       update unapplied_payments l set next_sweep_at = now() + interval '10 minutes' from due where l.id = due.id
       returning l.payment_id, l.attempt_id)
     select t.reference as attempt_reference, ${SWEPT_PAYMENT_COLUMNS}
     from moved join payment_attempts t on t.id = moved.attempt_id join payments p on p.id = moved.payment_id
       join applications a on a.id = p.application_id`,
  );
  return rows.map(sweptAttemptOf);
}

export async function readSweptAttempts(
  statements: Statements,
  attemptReferences: readonly string[],
): Promise<SweptAttempt[]> {
  const rows = await statements.execute<AttemptRow[]>(
    `select ${SWEPT_PAYMENT_COLUMNS}, t.reference as attempt_reference from payment_attempts t join payments p on p.id = t.payment_id
     join applications a on a.id = p.application_id where t.reference = any(string_to_array(?, ','))`,
    [attemptReferences.join(',')],
  );
  return rows.map(sweptAttemptOf);
}

function sweptAttemptOf(row: AttemptRow): SweptAttempt {
  return { payment: sweptPaymentOf(row), attemptReference: row.attempt_reference };
}
