import type { EntityManager, Scope } from '../../../database/connection.ts';
import { listRows, type ListPage, type ListSlice } from '../../../database/lists.ts';
import { instant, optional } from '../../../database/read-row.ts';
import type { Statements } from '../../../database/statements.ts';
import type { Mode } from '../../../domain/mode.ts';
import type { RefundReviewReason, RefundStatus } from '../../../domain/refund.ts';
import type { RefundRecord } from './refunds.ts';

/** A row of `refunds` as node-postgres returns it: 64-bit integers and timestamps are text. */
export interface RefundRow {
  id: string;
  application_id: string;
  mode: Mode;
  payment_id: string;
  unapplied_payment_id: string | null;
  reference: string;
  status: RefundStatus;
  amount_minor: string;
  currency: string;
  reason: string | null;
  gateway: string;
  store_id: string;
  gateway_txn_id: string;
  gateway_refund_id: string | null;
  merchant_reference: string | null;
  queried_at: string | null;
  accepted_at: string | null;
  doubtful: boolean;
  failure_code: string | null;
  review_reason: RefundReviewReason | null;
  review_since: string | null;
  created_by_type: 'APP' | 'USER' | 'SYSTEM';
  created_by_operator_id: string | null;
  approved_by_operator_id: string | null;
  approval_due_at: string | null;
  reopens_invoice: boolean;
  ended_at: string | null;
  created_at: string;
  updated_at: string;
  read_at: string;
}
/** Columns of `refunds r` that `refundOf` reads. */
export const REFUND_COLUMNS = 'r.*, lenden_now(r.clock_offset) as read_at';

export function refundOf(row: RefundRow): RefundRecord {
  return {
    id: BigInt(row.id),
    applicationId: BigInt(row.application_id),
    mode: row.mode,
    paymentId: BigInt(row.payment_id),
    unappliedPaymentId: optional(row.unapplied_payment_id, BigInt),
    reference: row.reference,
    status: row.status,
    amountMinor: BigInt(row.amount_minor),
    currency: row.currency,
    reason: row.reason,
    gateway: row.gateway,
    storeId: row.store_id,
    gatewayTxnId: row.gateway_txn_id,
    gatewayRefundId: row.gateway_refund_id,
    merchantReference: row.merchant_reference,
    queriedAt: optional(row.queried_at, instant),
    acceptedAt: optional(row.accepted_at, instant),
    doubtful: row.doubtful,
    failureCode: row.failure_code,
    reviewReason: row.review_reason,
    reviewSince: optional(row.review_since, instant),
    createdByType: row.created_by_type,
    createdByOperatorId: optional(row.created_by_operator_id, BigInt),
    approvedByOperatorId: optional(row.approved_by_operator_id, BigInt),
    approvalDueAt: optional(row.approval_due_at, instant),
    reopensInvoice: row.reopens_invoice,
    endedAt: optional(row.ended_at, instant),
    createdAt: instant(row.created_at),
    updatedAt: instant(row.updated_at),
    readAt: instant(row.read_at),
  };
}

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

export interface RefundsFilter {
  readonly statuses?: readonly RefundStatus[] | undefined;
  /** The payment's public reference. */
  readonly payment?: string | undefined;
  /** Excludes refunds of unapplied money. */
  readonly ofPayments?: true | undefined;
  readonly from: Date | null;
  /** Exclusive. */
  readonly before: Date | null;
}

/** Returns a page of the refunds that match a filter, ordered by id, each with its payment's public reference. */
export async function pageOfRefunds(
  statements: Statements,
  { applicationId, mode }: Scope,
  { filter, slice }: { readonly filter: RefundsFilter; readonly slice: ListSlice },
): Promise<ListPage<{ readonly refund: RefundRecord; readonly payment: string }>> {
  const { rows, ...page } = await listRows<RefundRow & { payment_reference: string }>(statements, {
    columns: `${REFUND_COLUMNS}, p.reference as payment_reference`,
    from: 'refunds r join payments p on p.id = r.payment_id',
    conditions: [
      ['r.application_id = ?', applicationId],
      ['r.mode = ?', mode],
      [`r.status = any(string_to_array(?, ','))`, filter.statuses?.join(',')],
      ['p.reference = ?', filter.payment],
      ['(r.unapplied_payment_id is null) = ?::boolean', filter.ofPayments],
      ['r.created_at >= ?::timestamptz', filter.from],
      ['r.created_at < ?::timestamptz', filter.before],
    ],
    orderBy: ['r.id'],
    slice,
  });
  return { ...page, rows: rows.map((row) => ({ refund: refundOf(row), payment: row.payment_reference })) };
}
