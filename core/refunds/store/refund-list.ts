import type { EntityManager } from '../../../database/connection.ts';
import { listRows, type ListPage, type ListSlice } from '../../../database/lists.ts';
import type { Mode } from '../../../domain/mode.ts';
import type { RefundStatus } from '../../../domain/refund.ts';
import { REFUND_COLUMNS, refundOf, type RefundRecord, type RefundRow } from './refunds.ts';

export interface RefundFilter {
  readonly applicationId?: bigint | undefined;
  readonly mode?: Mode | undefined;
  readonly status?: RefundStatus | undefined;
  readonly paymentId?: bigint | undefined;
  readonly from: Date | null;
  /** Exclusive. */
  readonly before: Date | null;
}

/** Returns a page of the refunds in an operator's view. */
export async function listAllRefunds(
  em: EntityManager,
  { filter, sortBy, slice }: { filter: RefundFilter; sortBy: 'createdAt' | 'amountMinor'; slice: ListSlice },
): Promise<ListPage<RefundRecord>> {
  const { rows, ...page } = await listRows<RefundRow>(em, {
    columns: REFUND_COLUMNS,
    from: 'refunds r',
    conditions: [
      ['r.application_id = ?', filter.applicationId],
      ['r.mode = ?', filter.mode],
      ['r.status = ?', filter.status],
      ['r.payment_id = ?', filter.paymentId],
      ['r.created_at >= ?::timestamptz', filter.from],
      ['r.created_at < ?::timestamptz', filter.before],
    ],
    orderBy: sortBy === 'amountMinor' ? ['r.amount_minor', 'r.id'] : ['r.created_at', 'r.id'],
    slice,
  });
  return { ...page, rows: rows.map(refundOf) };
}
