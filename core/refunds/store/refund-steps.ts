import { statusesBefore } from '../../../domain/payment.ts';
import {
  canRefundBecome,
  OPEN_REFUND_STATUSES,
  refundStatusesBefore,
  type FinalRefundStatus,
  type RefundReviewReason,
} from '../../../domain/refund.ts';
import { unappliedStatusesBefore } from '../../../domain/unapplied-payment.ts';
import { lockPayment } from '../../payments/store/locks.ts';
import { sqlList } from '../../../database/sql-list.ts';
import type { Scope } from '../../../database/connection.ts';
import { MissingRow } from '../../../database/missing-row.ts';
import { PAYMENT_COLUMNS, paymentOf, type PaymentRecord, type PaymentRow } from '../../payments/store/payments.ts';
import { REFUND_COLUMNS, refundOf, type RefundRecord, type RefundRow } from './refunds.ts';
import type { Statements } from '../../../database/statements.ts';

/** Records that the gateway is about to be asked for the refund. If an earlier request got no answer, the refund becomes doubtful from then on. */
export async function noteAsked(statements: Statements, reference: string): Promise<RefundRecord | null> {
  const [row] = await statements.execute<RefundRow[]>(
    `update refunds r set doubtful = doubtful or (queried_at is not null and accepted_at is null), queried_at = now()
     where r.reference = ? and status = 'PENDING' returning ${REFUND_COLUMNS}`,
    [reference],
  );
  return row === undefined ? null : refundOf(row);
}

/** Approves a refund that awaits approval, and returns it. The caller has locked its payment. */
export async function approveRefundRow(
  statements: Statements,
  { refundId, operatorId }: { readonly refundId: bigint; readonly operatorId: bigint },
): Promise<RefundRecord> {
  const [row] = await statements.execute<RefundRow[]>(
    `update refunds r set status = 'PENDING', approved_by_operator_id = ?, approval_due_at = null, updated_at = now()
     where id = ? and status in (${sqlList(refundStatusesBefore('PENDING'))}) returning ${REFUND_COLUMNS}`,
    [operatorId, refundId],
  );
  if (row === undefined) {
    throw new Error('a locked refund that awaits approval was not approved');
  }
  return refundOf(row);
}

/** Lets an open refund continue, by an operator's decision: it is no longer under review and awaits nobody. */
export async function continueRefund(
  statements: Statements,
  { refundId, approvedBy }: { readonly refundId: bigint; readonly approvedBy: bigint | null },
): Promise<void> {
  await statements.execute(
    `update refunds set status = 'PENDING', approved_by_operator_id = coalesce(approved_by_operator_id, ?), approval_due_at = null,
       review_reason = null, review_since = null, updated_at = now() where id = ? and status in (${sqlList(OPEN_REFUND_STATUSES)})`,
    [approvedBy, refundId],
  );
}

/** Restores the time of the last request, because this one was not sent and so leaves no doubt. */
export async function noteNotAsked(
  statements: Statements,
  { reference, lastQueriedAt }: { readonly reference: string; readonly lastQueriedAt: Date | null },
): Promise<void> {
  await statements.execute(
    `update refunds set queried_at = ?::timestamptz
     where reference = ? and doubtful = ?::boolean and accepted_at is null and gateway_refund_id is null`,
    [lastQueriedAt, reference, lastQueriedAt !== null],
  );
}

/**
 * Records that the gateway has accepted the refund. Its id never changes once known.
 * @throws a unique violation (23505) if the id belongs to another refund (`isAnotherRefund`)
 */
export async function noteAccepted(
  statements: Statements,
  { reference, gatewayRefundId, evidence }: { reference: string; gatewayRefundId: string | null; evidence: string },
): Promise<void> {
  await statements.execute(
    `update refunds set accepted_at = coalesce(accepted_at, now()), gateway_refund_id = coalesce(gateway_refund_id, ?), evidence = ?, updated_at = now()
     where reference = ? and status = 'PENDING'`,
    [gatewayRefundId, evidence, reference],
  );
}

/** Reports whether the gateway answered with the id of another of our refunds. */
export function isAnotherRefund(error: unknown): boolean {
  return Error.isError(error) && 'constraint' in error && error.constraint === 'refunds_gateway_refund_id_key';
}

/** Stores the gateway's latest answer, whatever follows from it. */
export async function noteEvidence(statements: Statements, reference: string, evidence: string): Promise<void> {
  await statements.execute(`update refunds set evidence = ? where reference = ? and status = 'PENDING'`, [
    evidence,
    reference,
  ]);
}

/** By then a workflow runs for money that is held again, or the sweeper starts one. */
const WATCHED_BY = `now() + interval '1 minute'`;

export interface RefundEnd {
  readonly refund: RefundRecord;
  /** The payment after the refund's end, with the sequence of the last event of this end. */
  readonly payment: PaymentRecord;
}

export interface EndingRefund {
  readonly scope: Scope;
  readonly refundId: bigint;
  readonly paymentId: bigint;
  readonly status: FinalRefundStatus;
  readonly failureCode: string | null;
  /** The status from which it may end. */
  readonly from: 'PENDING' | 'AWAITING_APPROVAL';
}

/**
 * Ends a refund and updates its payment, in the caller's transaction: the payment is locked first, then the refund is updated if its status allows
 * it. Only one caller gets a result; the others get null.
 */
export async function endRefundRow(
  statements: Statements,
  { refundId, paymentId, status, failureCode, from }: EndingRefund,
): Promise<RefundEnd | null> {
  if (!canRefundBecome(from, status)) {
    throw new RangeError(`a refund that is ${from} cannot end as ${status}`);
  }
  await lockPayment(statements, paymentId);
  const [row] = await statements.execute<RefundRow[]>(
    `update refunds r set status = ?, failure_code = ?, ended_at = now(), updated_at = now(), review_reason = null, review_since = null
     where id = ? and payment_id = ? and status = ? returning ${REFUND_COLUMNS}`,
    [status, failureCode, refundId, paymentId, from],
  );
  if (row === undefined) {
    return null;
  }
  const refund = refundOf(row);
  // Decisions that were not carried out yet are void.
  await statements.execute(
    'update decisions set consumed_at = now(), outcome = ? where refund_id = ? and consumed_at is null',
    [status, refundId],
  );
  if (refund.unappliedPaymentId !== null) {
    await statements.execute(
      status === 'SUCCEEDED'
        ? `update unapplied_payments set status = 'REFUNDED', updated_at = now() where id = ? and status in (${sqlList(unappliedStatusesBefore('REFUNDED'))})`
        : `update unapplied_payments set status = 'HELD', next_sweep_at = ${WATCHED_BY}, updated_at = now() where id = ? and status = 'REFUNDING'`,
      [refund.unappliedPaymentId],
    );
  }
  const counts = status === 'SUCCEEDED' && refund.unappliedPaymentId === null;
  const [payment] = await statements.execute<PaymentRow[]>(counts ? GIVE_BACK : NUMBER_EVENTS, [
    counts ? paymentId : refund.unappliedPaymentId === null ? 1 : 2,
    paymentId,
  ]);
  if (payment === undefined) {
    throw new Error('the refund’s payment does not exist or was never paid');
  }
  return { refund, payment: paymentOf(payment) };
}

/** Reserves two event sequences: the refund's and the payment's. The refunded sum includes the rows of this transaction. */
const GIVE_BACK = `
update payments p set event_sequence = p.event_sequence + 2, updated_at = now(),
  status = case when back.minor >= c.gross_minor - p.overpayment_minor then 'REFUNDED' else 'PARTIALLY_REFUNDED' end
from payment_attempts c,
  (select coalesce(sum(amount_minor), 0) as minor from refunds
    where payment_id = ? and unapplied_payment_id is null and status = 'SUCCEEDED') back
where p.id = ? and p.status in (${sqlList(statusesBefore('REFUNDED'))}) and c.payment_id = p.id and c.status = 'CONFIRMED'
  and c.gateway_txn_id = p.gateway_txn_id
returning ${PAYMENT_COLUMNS}`;

/** Reserves sequences for the refund's event and for that of unapplied money that is refunded or held again. */
const NUMBER_EVENTS = `update payments p set event_sequence = event_sequence + ?::integer, updated_at = now() where id = ? returning ${PAYMENT_COLUMNS}`;

/** Records that the refunded amount is due again on the payment's invoice. */
export async function noteReopened(statements: Statements, refundId: bigint): Promise<void> {
  await statements.execute('update refunds set reopens_invoice = true where id = ?', [refundId]);
}

/**
 * Puts a refund under review. Returns true if this call did it.
 *
 * @throws MissingRow if the scope has no such refund
 */
export async function reviewRefund(
  statements: Statements,
  { reference, reason }: { reference: string; reason: RefundReviewReason },
): Promise<boolean> {
  const rows = await statements.execute<object[]>(
    `update refunds set review_reason = ?, review_since = now(), updated_at = now()
     where reference = ? and status = 'PENDING' and review_reason is null returning 1`,
    [reason, reference],
  );
  return changedOrKnown(statements, rows, reference);
}

/** Returns the successful refund of a payment with the gateway's id, or null if there is none. */
export async function findSucceededRefund(
  statements: Statements,
  { paymentReference, gatewayRefundId }: { readonly paymentReference: string; readonly gatewayRefundId: string },
): Promise<RefundRecord | null> {
  const [row] = await statements.execute<RefundRow[]>(
    `select ${REFUND_COLUMNS} from refunds r join payments p on p.id = r.payment_id
     where p.reference = ? and r.gateway_refund_id = ? and r.status = 'SUCCEEDED' and r.review_reason is null`,
    [paymentReference, gatewayRefundId],
  );
  return row === undefined ? null : refundOf(row);
}

/**
 * Puts a successful refund under review because the gateway now reports it as failed. Nothing is reversed; operators decide. Returns true if this
 * call did it.
 * @throws MissingRow if the scope has no such refund
 */
export async function doubtSucceededRefund(
  statements: Statements,
  { reference, evidence }: { readonly reference: string; readonly evidence: string },
): Promise<boolean> {
  const rows = await statements.execute<object[]>(
    `update refunds set review_reason = 'FAILED_AFTER_SUCCESS', review_since = now(), evidence = ?, updated_at = now()
     where reference = ? and status = 'SUCCEEDED' and review_reason is null returning 1`,
    [evidence, reference],
  );
  return changedOrKnown(statements, rows, reference);
}

/** Reports whether a statement changed the refund's row. Throws MissingRow if there is no such row. */
async function changedOrKnown(statements: Statements, changed: readonly object[], reference: string): Promise<boolean> {
  if (changed.length > 0) {
    return true;
  }
  const known = await statements.execute<object[]>('select 1 from refunds where reference = ?', [reference]);
  if (known.length === 0) {
    throw new MissingRow('refund', reference);
  }
  return false;
}

/** Ends the review of a refund after operators found that the payer did receive the money. */
export async function keepSucceededRefund(statements: Statements, refundId: bigint): Promise<void> {
  await statements.execute(
    `update refunds set review_reason = null, review_since = null, updated_at = now() where id = ? and status = 'SUCCEEDED'`,
    [refundId],
  );
}

/**
 * Marks a successful refund as failed and updates the unapplied money or payment that it came from. The payment is locked. Returns null if the refund
 * no longer counts as successful.
 */
export async function undoRefundRow(
  statements: Statements,
  { id: refundId, paymentId, unappliedPaymentId }: RefundRecord,
): Promise<RefundEnd | null> {
  const [row] = await statements.execute<RefundRow[]>(
    `update refunds r set status = 'FAILED', failure_code = 'FAILED_AFTER_SUCCESS', ended_at = now(), updated_at = now(), review_reason = null,
       review_since = null, reopens_invoice = false
     where id = ? and status = 'SUCCEEDED' returning ${REFUND_COLUMNS}`,
    [refundId],
  );
  if (row === undefined) {
    return null;
  }
  if (unappliedPaymentId !== null) {
    await statements.execute(
      `update unapplied_payments set status = 'HELD', next_sweep_at = ${WATCHED_BY}, updated_at = now() where id = ? and status = 'REFUNDED'`,
      [unappliedPaymentId],
    );
  }
  const [payment] = await statements.execute<PaymentRow[]>(unappliedPaymentId === null ? TAKE_BACK : NUMBER_EVENTS, [
    unappliedPaymentId === null ? paymentId : 2,
    paymentId,
  ]);
  if (payment === undefined) {
    throw new Error('the refund’s payment does not exist or was never refunded');
  }
  return { refund: refundOf(row), payment: paymentOf(payment) };
}

/** The failed refund is already updated in this transaction. */
const TAKE_BACK = `
update payments p set event_sequence = p.event_sequence + 1, updated_at = now(),
  status = case when back.minor = 0 then 'SUCCEEDED' when back.minor >= c.gross_minor - p.overpayment_minor then 'REFUNDED' else 'PARTIALLY_REFUNDED' end
from payment_attempts c,
  (select coalesce(sum(amount_minor), 0) as minor from refunds
    where payment_id = ? and unapplied_payment_id is null and status = 'SUCCEEDED') back
where p.id = ? and p.status in ('PARTIALLY_REFUNDED', 'REFUNDED') and c.payment_id = p.id and c.status = 'CONFIRMED'
  and c.gateway_txn_id = p.gateway_txn_id
returning ${PAYMENT_COLUMNS}`;

export interface WaitingEvent {
  readonly eventId: string;
  readonly type: string;
  /** The payment's reference, which the application knows. */
  readonly reference: string;
}

/** Returns the events of a payment's refunds whose delivery has not started. */
export async function waitingRefundEvents(statements: Statements, paymentId: bigint): Promise<WaitingEvent[]> {
  const rows = await statements.execute<{ event_id: string; type: string; reference: string }[]>(
    `select e.event_id, e.type, p.reference from webhook_events e join payments p on p.id = e.payment_id
     where e.payment_id = ? and e.delivery_status = 'PENDING' and e.attempts = 0
       and (e.type like 'refund.%' or e.type in ('payment.refunded', 'unapplied_payment.refunded', 'unapplied_payment.received')) order by e.sequence limit 20`,
    [paymentId],
  );
  return rows.map(({ event_id: eventId, type, reference }) => ({ eventId, type, reference }));
}
