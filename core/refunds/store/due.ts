import type { Statements } from '../../../database/statements.ts';
import type { Mode } from '../../../domain/mode.ts';
import { OPEN_REFUND_STATUSES, type RefundStatus } from '../../../domain/refund.ts';
import { refundHandleOf, type RefundHandle } from '../../dispatch.ts';
import { sqlList } from '../../../database/sql-list.ts';

export interface SweptRefundRow {
  reference: string;
  application_id: string;
  application_name: string;
  mode: Mode;
  amount_minor: string;
  currency: string;
  gateway: string;
  status: RefundStatus;
}

/** Columns of `refunds r` and `applications a` that `sweptRefundOf` reads. */
export const SWEPT_REFUND_COLUMNS = `r.reference, r.application_id, a.name as application_name, r.mode, r.amount_minor, r.currency, r.gateway, r.status`;

export function sweptRefundOf(row: SweptRefundRow): RefundHandle {
  const { reference, mode, currency, gateway, status } = row;
  const applicationId = BigInt(row.application_id);
  const amountMinor = BigInt(row.amount_minor);
  return refundHandleOf(
    { reference, applicationId, mode, amountMinor, currency, gateway, status },
    row.application_name,
  );
}

/** Takes open refunds that are due for a check, and postpones their next one by ten minutes. */
export async function takeDueRefunds(statements: Statements, max: number): Promise<RefundHandle[]> {
  const rows = await statements.execute<SweptRefundRow[]>(
    `with due as (
       select id from refunds where status in (${sqlList(OPEN_REFUND_STATUSES)}) and next_sweep_at <= now()
       order by next_sweep_at limit ${max} for update skip locked)
     update refunds r set next_sweep_at = now() + interval '10 minutes' from due, applications a
     where r.id = due.id and a.id = r.application_id returning ${SWEPT_REFUND_COLUMNS}`,
  );
  return rows.map(sweptRefundOf);
}

export async function isRefundOpen(statements: Statements, reference: string): Promise<boolean> {
  const open = await statements.execute<object[]>(
    `select 1 from refunds where reference = ? and status in (${sqlList(OPEN_REFUND_STATUSES)})`,
    [reference],
  );
  return open.length > 0;
}
