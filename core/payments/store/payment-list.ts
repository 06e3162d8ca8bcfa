import type { Mode } from '../../../domain/mode.ts';
import type { PaymentStatus, ReviewReason } from '../../../domain/payment.ts';
import type { EntityManager } from '../../../database/connection.ts';
import { listRows, type Condition, type ListPage, type ListSlice } from '../../../database/lists.ts';

export interface PaymentFilter {
  readonly applicationId?: bigint | undefined;
  readonly mode?: Mode | undefined;
  readonly status?: PaymentStatus | undefined;
  readonly reference?: string | undefined;
  readonly customerReference?: string | undefined;
  readonly from: Date | null;
  /** Exclusive. */
  readonly before: Date | null;
}

/** A payment as lists and exports show it. */
export interface PaymentSummaryRow {
  id: string;
  reference: string;
  application_id: string;
  application_name: string;
  mode: Mode;
  status: PaymentStatus;
  amount_minor: string;
  refunded_minor: string;
  currency: string;
  customer_reference: string;
  /** Null until the payer has chosen one. */
  gateway: string | null;
  gateway_txn_id: string | null;
  review_reason: ReviewReason | null;
  created_at: Date;
  ended_at: Date | null;
}

const COLUMNS = `p.id, p.reference, p.application_id, a.name as application_name, p.mode, p.status, p.amount_minor, p.currency,
  p.customer_reference, p.gateway, p.gateway_txn_id, p.review_reason, p.created_at, p.ended_at,
  (select coalesce(sum(r.amount_minor), 0) from refunds r
    where r.payment_id = p.id and r.unapplied_payment_id is null and r.status = 'SUCCEEDED') as refunded_minor`;

export function listAllPayments(
  em: EntityManager,
  { filter, sortBy, slice }: { filter: PaymentFilter; sortBy: 'createdAt' | 'amountMinor'; slice: ListSlice },
): Promise<ListPage<PaymentSummaryRow>> {
  const conditions: Condition[] = [
    ['p.application_id = ?', filter.applicationId],
    ['p.mode = ?', filter.mode],
    ['p.status = ?', filter.status],
    ['p.reference = ?', filter.reference],
    ['p.customer_reference = ?', filter.customerReference],
    ['p.created_at >= ?::timestamptz', filter.from],
    ['p.created_at < ?::timestamptz', filter.before],
  ];
  return listRows(em, {
    columns: COLUMNS,
    from: 'payments p join applications a on a.id = p.application_id',
    conditions,
    orderBy: sortBy === 'amountMinor' ? ['p.amount_minor', 'p.id'] : ['p.created_at', 'p.id'],
    slice,
  });
}
