import { DomainError, notFound } from '../../../domain/errors.ts';
import type { Mode } from '../../../domain/mode.ts';
import { isPaid, type PaymentStatus } from '../../../domain/payment.ts';
import {
  APPROVAL_HOURS,
  RESERVING_STATUSES,
  type RefundBoundsOf,
  type RefundReviewReason,
  type RefundStatus,
} from '../../../domain/refund.ts';
import type { RefundFacts } from '../../../domain/refund-view.ts';
import { needsSecondPerson } from '../../decisions/store/approval.ts';
import type { Scope } from '../../../database/connection.ts';
import { lateRefundRuledOut, refundRuledOut } from './refund-bounds.ts';
import { listRows, type ListPage, type ListSlice } from '../../../database/lists.ts';
import { instant, optional } from '../../../database/read-row.ts';
import type { Statements } from '../../../database/statements.ts';
import { sqlList } from '../../../database/sql-list.ts';
import { unappliedStatusesBefore } from '../../../domain/unapplied-payment.ts';

/** A refund's row as plain data. */
export interface RefundRecord extends RefundFacts {
  readonly applicationId: bigint;
  readonly unappliedPaymentId: bigint | null;
  readonly reference: string;
  readonly gateway: string;
  readonly storeId: string;
  readonly gatewayTxnId: string;
  /** The merchant's own reference of the refund, if the contract has one. */
  readonly merchantReference: string | null;
  readonly queriedAt: Date | null;
  readonly acceptedAt: Date | null;
  readonly doubtful: boolean;
  readonly approvalDueAt: Date | null;
  /** Whether the refunded amount is due again on the payment's invoice. */
  readonly reopensInvoice: boolean;
  readonly endedAt: Date | null;
  /** The refund's time by the database when its row was read. It decides whether the approval is overdue. */
  readonly readAt: Date;
}

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

/** Who requests a refund. */
export type RefundCreator =
  { readonly type: 'APP' | 'SYSTEM' } | { readonly type: 'USER'; readonly operatorId: bigint };

export interface NewRefund {
  readonly scope: Scope;
  readonly paymentId: bigint;
  readonly reference: string;
  /** Null: everything that is left. */
  readonly amountMinor: bigint | null;
  readonly reason: string | null;
  readonly merchantReference?: string | null;
  readonly creator: RefundCreator;
  readonly boundsOf: RefundBoundsOf;
}

const RESERVING = RESERVING_STATUSES.map((status) => `'${status}'`).join(', ');

interface ChargeRow {
  status: PaymentStatus;
  currency: string;
  gateway: string;
  store_id: string | null;
  gateway_txn_id: string | null;
  gross_minor: string | null;
  overpayment_minor: string;
  reserved: string;
}

/**
 * Reserves a part of the captured amount and inserts the refund, in the caller's transaction. The payment's row is locked first and the balance is
 * read in a separate statement, so that concurrent refunds are counted one after the other.
 * @throws DomainError RESOURCE_NOT_FOUND, INVALID_OPERATION_STATE if nothing was captured or the gateway's bounds rule it out, REFUND_EXCEEDS_BALANCE
 */
export async function reserveRefund(
  statements: Statements,
  {
    scope,
    paymentId,
    reference,
    amountMinor: wantedMinor,
    reason,
    merchantReference = null,
    creator,
    boundsOf,
  }: NewRefund,
): Promise<RefundRecord> {
  const [locked] = await statements.execute<object[]>(
    'select 1 from payments where id = ? and application_id = ? and mode = ? for update',
    [paymentId, scope.applicationId, scope.mode],
  );
  if (locked === undefined) {
    throw notFound('payment');
  }
  const [charge] = await statements.execute<ChargeRow[]>(
    `select p.status, p.currency, p.gateway, c.store_id, c.gateway_txn_id, c.gross_minor, p.overpayment_minor,
       (select coalesce(sum(r.amount_minor), 0)::text from refunds r
         where r.payment_id = p.id and r.unapplied_payment_id is null and r.status in (${RESERVING})) as reserved
     from payments p
       left join payment_attempts c on c.payment_id = p.id and c.status = 'CONFIRMED' and c.gateway_txn_id = p.gateway_txn_id
     where p.id = ?`,
    [paymentId],
  );
  if (charge === undefined || !isPaid(charge.status)) {
    throw new DomainError('INVALID_OPERATION_STATE', 'only a payment that succeeded can be refunded');
  }
  const { gross_minor: gross, gateway_txn_id: gatewayTxnId, store_id: storeId } = charge;
  if (gross === null || gatewayTxnId === null || storeId === null) {
    throw new Error('a payment succeeded without a confirmed charge');
  }
  const ruledOut = await refundRuledOut(statements, boundsOf(charge.gateway), { paymentId, gatewayTxnId });
  if (ruledOut !== null) {
    throw new DomainError('INVALID_OPERATION_STATE', ruledOut);
  }
  // Overpayment is held as unapplied money and refunded as such.
  const refundable = BigInt(gross) - BigInt(charge.overpayment_minor) - BigInt(charge.reserved);
  const amountMinor = wantedMinor ?? refundable;
  if (amountMinor > refundable) {
    throw new DomainError('REFUND_EXCEEDS_BALANCE', `at most ${refundable} can be refunded`, {
      fields: { amountMinor: `must be at most ${refundable}` },
    });
  }
  if (amountMinor === 0n) {
    throw new DomainError('REFUND_EXCEEDS_BALANCE', 'nothing is left to refund');
  }
  const amount = { amountMinor, currency: charge.currency };
  // Only an operator's refund may need a second operator. Refunds by an application or a policy do not.
  const awaits =
    creator.type === 'USER' &&
    (await needsSecondPerson(statements, { scope, operatorId: creator.operatorId, paymentId, amount }));
  return insertRefund(statements, {
    scope,
    paymentId,
    unappliedPaymentId: null,
    reference,
    amountMinor,
    currency: charge.currency,
    reason,
    merchantReference,
    gateway: charge.gateway,
    storeId,
    gatewayTxnId,
    creator,
    awaits,
  });
}

export interface LateRefund {
  readonly scope: Scope;
  readonly unappliedPaymentId: bigint;
  readonly reference: string;
  readonly reason: string | null;
  readonly creator: RefundCreator;
  readonly boundsOf: RefundBoundsOf;
}

/**
 * Refunds unapplied money in full, in the caller's transaction. Returns null if it is no longer held, or if the gateway's bounds rule it out. It
 * needs no approval here, since a policy or enough operators have already decided on it.
 */
export async function refundUnappliedMoney(
  statements: Statements,
  { scope, unappliedPaymentId, reference, reason, creator, boundsOf }: LateRefund,
): Promise<RefundRecord | null> {
  if ((await lateRefundRuledOut(statements, unappliedPaymentId, boundsOf)) !== null) {
    return null;
  }
  const [late] = await statements.execute<LateRow[]>(
    `update unapplied_payments l set status = 'REFUNDING', updated_at = now()
     from payment_attempts t where l.id = ? and l.status in (${sqlList(unappliedStatusesBefore('REFUNDING'))}) and t.id = l.attempt_id
     returning l.payment_id, l.gross_minor, l.currency, l.gateway, l.gateway_txn_id, t.store_id`,
    [unappliedPaymentId],
  );
  if (late === undefined) {
    return null;
  }
  return insertRefund(statements, {
    scope,
    paymentId: BigInt(late.payment_id),
    unappliedPaymentId,
    reference,
    amountMinor: BigInt(late.gross_minor),
    currency: late.currency,
    reason,
    gateway: late.gateway,
    storeId: late.store_id,
    gatewayTxnId: late.gateway_txn_id,
    creator,
    awaits: false,
  });
}

interface LateRow {
  payment_id: string;
  gross_minor: string;
  currency: string;
  gateway: string;
  gateway_txn_id: string;
  store_id: string;
}

interface InsertedRefund extends Omit<NewRefund, 'boundsOf'> {
  readonly amountMinor: bigint;
  readonly unappliedPaymentId: bigint | null;
  readonly currency: string;
  readonly gateway: string;
  readonly storeId: string;
  readonly gatewayTxnId: string;
  readonly awaits: boolean;
}

async function insertRefund(statements: Statements, refund: InsertedRefund): Promise<RefundRecord> {
  const [row] = await statements.execute<RefundRow[]>(
    `insert into refunds as r (application_id, mode, payment_id, unapplied_payment_id, reference, status, amount_minor, currency, reason, gateway, store_id,
       gateway_txn_id, merchant_reference, created_by_type, created_by_operator_id, approval_due_at)
     values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, case when ?::boolean then now() + interval '${APPROVAL_HOURS} hours' end)
     returning ${REFUND_COLUMNS}`,
    [
      refund.scope.applicationId,
      refund.scope.mode,
      refund.paymentId,
      refund.unappliedPaymentId,
      refund.reference,
      refund.awaits ? 'AWAITING_APPROVAL' : 'PENDING',
      refund.amountMinor,
      refund.currency,
      refund.reason,
      refund.gateway,
      refund.storeId,
      refund.gatewayTxnId,
      refund.merchantReference ?? null,
      refund.creator.type,
      refund.creator.type === 'USER' ? refund.creator.operatorId : null,
      refund.awaits,
    ],
  );
  if (row === undefined) {
    throw new Error('a refund was not stored');
  }
  return refundOf(row);
}

/** Reports whether the reference of the new refund is already taken, in any application. */
export function isRefundReferenceTaken(error: unknown): boolean {
  return Error.isError(error) && 'constraint' in error && error.constraint === 'refunds_reference_key';
}

/** Returns null if the scope has no refund with this reference. */
export async function readRefundByReference(
  statements: Statements,
  { applicationId, mode }: Scope,
  reference: string,
): Promise<RefundRecord | null> {
  const [row] = await statements.execute<RefundRow[]>(
    `select ${REFUND_COLUMNS} from refunds r where reference = ? and application_id = ? and mode = ?`,
    [reference, applicationId, mode],
  );
  return row === undefined ? null : refundOf(row);
}

/** Returns null if the scope has no such refund. */
export async function readRefund(
  statements: Statements,
  { applicationId, mode }: Scope,
  refundId: bigint,
): Promise<RefundRecord | null> {
  const [row] = await statements.execute<RefundRow[]>(
    `select ${REFUND_COLUMNS} from refunds r where id = ? and application_id = ? and mode = ?`,
    [refundId, applicationId, mode],
  );
  return row === undefined ? null : refundOf(row);
}

/** Returns the amount of a payment that was refunded. */
export async function refundedOf(statements: Statements, paymentId: bigint): Promise<bigint> {
  const [row] = await statements.execute<{ minor: string }[]>(
    `select coalesce(sum(amount_minor), 0)::text as minor from refunds
     where payment_id = ? and unapplied_payment_id is null and status = 'SUCCEEDED'`,
    [paymentId],
  );
  return BigInt(row?.minor ?? 0);
}

/** Returns the refunded amount of several payments, by the payment's id. Payments without a refund are absent. */
export async function refundedOfAll(
  statements: Statements,
  payments: readonly { readonly id: bigint }[],
): Promise<ReadonlyMap<bigint, bigint>> {
  const rows = await statements.execute<{ payment_id: string; minor: string }[]>(
    `select payment_id, sum(amount_minor)::text as minor from refunds
     where payment_id = any(string_to_array(?, ',')::bigint[]) and unapplied_payment_id is null and status = 'SUCCEEDED' group by payment_id`,
    [payments.map(({ id }) => id).join(',')],
  );
  return new Map(rows.map(({ payment_id: id, minor }) => [BigInt(id), BigInt(minor)]));
}

/** Returns the refunds of one payment, oldest first. */
export async function listRefunds(
  statements: Statements,
  { applicationId, mode }: Scope,
  { paymentId, limit }: { paymentId: bigint; limit: number },
): Promise<RefundRecord[]> {
  const rows = await statements.execute<RefundRow[]>(
    `select ${REFUND_COLUMNS} from refunds r where application_id = ? and mode = ? and payment_id = ? order by id limit ?`,
    [applicationId, mode, paymentId, limit],
  );
  return rows.map(refundOf);
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
