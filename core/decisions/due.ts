import type { Statements } from '../../database/statements.ts';
import type { RefundHandle } from '../dispatch.ts';
import {
  SWEPT_PAYMENT_COLUMNS,
  sweptPaymentOf,
  type SweptPayment,
  type SweptPaymentRow,
} from '../payments/store/due.ts';
import { SWEPT_REFUND_COLUMNS, sweptRefundOf, type SweptRefundRow } from '../refunds/store/due.ts';

/** A decision that no workflow has read. */
export interface UnreadDecision {
  readonly decisionId: bigint;
  readonly payment: SweptPayment;
  /** The refund that was decided, if any. */
  readonly refund: RefundHandle | null;
  /** The attempt whose unapplied payment was decided, if any. */
  readonly attemptReference: string | null;
}

interface UnreadDecisionRow {
  decision_id: string;
  refund: SweptRefundRow | null;
  payment: SweptPaymentRow;
  attempt_reference: string | null;
}

/** Takes decisions that are due for a check, and postpones their next one by five minutes. */
export async function takeUnreadDecisions(statements: Statements, max: number): Promise<UnreadDecision[]> {
  const rows = await statements.execute<UnreadDecisionRow[]>(
    `with due as (
       select id from decisions where consumed_at is null and (not needs_second or second_operator_id is not null)
         and next_sweep_at <= now() order by next_sweep_at limit ${max} for update skip locked),
     moved as (
       update decisions d set next_sweep_at = now() + interval '5 minutes' from due where d.id = due.id
       returning d.id, d.payment_id, d.refund_id, d.unapplied_payment_id)
     select moved.id as decision_id,
       (select to_json(x) from (select ${SWEPT_REFUND_COLUMNS} from refunds r where r.id = moved.refund_id) x) as refund,
       (select to_json(x) from (select ${SWEPT_PAYMENT_COLUMNS}) x) as payment,
       (select t.reference from unapplied_payments l join payment_attempts t on t.id = l.attempt_id
         where l.id = moved.unapplied_payment_id) as attempt_reference
     from moved join payments p on p.id = moved.payment_id join applications a on a.id = p.application_id`,
  );
  return rows.map((row) => ({
    decisionId: BigInt(row.decision_id),
    payment: sweptPaymentOf(row.payment),
    refund: row.refund === null ? null : sweptRefundOf(row.refund),
    attemptReference: row.attempt_reference,
  }));
}
