import { constraintOf } from '../../../database/connection.ts';
import { MissingRow } from '../../../database/missing-row.ts';
import { now } from '../../../database/expressions.ts';
import type { Statements } from '../../../database/statements.ts';
import { statement, type Given } from '../../../database/typed-statements.ts';
import { OPEN_REFUND_STATUSES, refundStatusesBefore, type RefundReviewReason } from '../../../domain/refund.ts';
import { REFUND, type RefundRecord } from './refunds.ts';

const RECORD_REQUEST = statement((db, $: Given<{ reference: string }>) =>
  db
    .updateTable('refunds as r')
    .set((eb) => ({
      doubtful: eb
        .or([eb.ref('r.doubtful'), eb.and([eb('r.queriedAt', 'is not', null), eb('r.acceptedAt', 'is', null)])])
        .$castTo<boolean>(),
      queriedAt: now,
    }))
    .where('r.reference', '=', $('reference'))
    .where('r.status', '=', 'PENDING')
    .returning(REFUND),
);

/**
 * Records that the refund is about to be requested from the gateway. If an earlier request got no answer, the refund becomes doubtful from then on.
 * Returns null if it must not be requested.
 */
export async function recordRequest(statements: Statements, reference: string): Promise<RefundRecord | null> {
  return (await RECORD_REQUEST.first(statements, { reference })) ?? null;
}

const APPROVE = statement((db, $: Given<{ refundId: bigint; operatorId: bigint }>) =>
  db
    .updateTable('refunds as r')
    .set({ status: 'PENDING', approvedByOperatorId: $('operatorId'), approvalDueAt: null, updatedAt: now })
    .where('r.id', '=', $('refundId'))
    .where('r.status', 'in', refundStatusesBefore('PENDING'))
    .returning(REFUND),
);

/** Approves a refund that awaits approval, and returns it. The caller has locked its payment. */
export async function approveRefundRow(
  statements: Statements,
  { refundId, operatorId }: { readonly refundId: bigint; readonly operatorId: bigint },
): Promise<RefundRecord> {
  const refund = await APPROVE.first(statements, { refundId, operatorId });
  if (refund === undefined) {
    throw new Error('a locked refund that awaits approval was not approved');
  }
  return refund;
}

const CONTINUE = statement((db, $: Given<{ refundId: bigint; approvedBy: bigint | null }>) =>
  db
    .updateTable('refunds')
    .set((eb) => ({
      status: 'PENDING',
      approvedByOperatorId: eb.fn.coalesce('approvedByOperatorId', $('approvedBy')),
      approvalDueAt: null,
      reviewReason: null,
      reviewSince: null,
      updatedAt: now,
    }))
    .where('id', '=', $('refundId'))
    .where('status', 'in', OPEN_REFUND_STATUSES),
);

/** Lets an open refund continue, by an operator's decision: it is no longer under review and awaits nobody. */
export async function continueRefund(
  statements: Statements,
  { refundId, approvedBy }: { readonly refundId: bigint; readonly approvedBy: bigint | null },
): Promise<void> {
  await CONTINUE.all(statements, { refundId, approvedBy });
}

const UNDO_REQUEST = statement(
  (db, $: Given<{ reference: string; lastQueriedAt: Date | null; queriedBefore: boolean }>) =>
    db
      .updateTable('refunds')
      .set({ queriedAt: $('lastQueriedAt') })
      .where('reference', '=', $('reference'))
      .where('doubtful', '=', $('queriedBefore'))
      .where('acceptedAt', 'is', null)
      .where('gatewayRefundId', 'is', null),
);

/** Restores the time of the last request, because this one was not sent and so leaves no doubt. */
export async function undoRequest(
  statements: Statements,
  { reference, lastQueriedAt }: { readonly reference: string; readonly lastQueriedAt: Date | null },
): Promise<void> {
  await UNDO_REQUEST.all(statements, { reference, lastQueriedAt, queriedBefore: lastQueriedAt !== null });
}

interface Acceptance {
  readonly reference: string;
  readonly gatewayRefundId: string | null;
  readonly evidence: string;
}

const RECORD_ACCEPTANCE = statement((db, $: Given<Acceptance>) =>
  db
    .updateTable('refunds')
    .set((eb) => ({
      acceptedAt: eb.fn.coalesce('acceptedAt', now),
      gatewayRefundId: eb.fn.coalesce('gatewayRefundId', $('gatewayRefundId')),
      evidence: $('evidence'),
      updatedAt: now,
    }))
    .where('reference', '=', $('reference'))
    .where('status', '=', 'PENDING'),
);

/**
 * Records that the gateway has accepted the refund. Its id never changes once known.
 * @throws a unique violation (23505) if the id belongs to another refund (`isAnotherRefund`)
 */
export async function recordAcceptance(statements: Statements, acceptance: Acceptance): Promise<void> {
  await RECORD_ACCEPTANCE.all(statements, acceptance);
}

/** Reports whether the gateway answered with the id of another of our refunds. */
export function isAnotherRefund(error: unknown): boolean {
  return constraintOf(error) === 'refunds_gateway_refund_id_key';
}

const RECORD_EVIDENCE = statement((db, $: Given<{ reference: string; evidence: string }>) =>
  db
    .updateTable('refunds')
    .set({ evidence: $('evidence') })
    .where('reference', '=', $('reference'))
    .where('status', '=', 'PENDING'),
);

/** Stores the gateway's latest answer, whatever follows from it. */
export async function recordEvidence(statements: Statements, reference: string, evidence: string): Promise<void> {
  await RECORD_EVIDENCE.all(statements, { reference, evidence });
}

const RECORD_REOPENED_INVOICE = statement((db, $: Given<{ refundId: bigint }>) =>
  db.updateTable('refunds').set({ reopensInvoice: true }).where('id', '=', $('refundId')),
);

/** Records that the refunded amount is due again on the payment's invoice. */
export async function recordReopenedInvoice(statements: Statements, refundId: bigint): Promise<void> {
  await RECORD_REOPENED_INVOICE.all(statements, { refundId });
}

const BEGIN_REVIEW = statement((db, $: Given<{ reference: string; reason: RefundReviewReason }>) =>
  db
    .updateTable('refunds')
    .set({ reviewReason: $('reason'), reviewSince: now, updatedAt: now })
    .where('reference', '=', $('reference'))
    .where('status', '=', 'PENDING')
    .where('reviewReason', 'is', null)
    .returning('id'),
);

/**
 * Puts a refund under review. Returns true if this call did it.
 *
 * @throws MissingRow if the scope has no such refund
 */
export async function reviewRefund(
  statements: Statements,
  { reference, reason }: { reference: string; reason: RefundReviewReason },
): Promise<boolean> {
  const changed = await BEGIN_REVIEW.first(statements, { reference, reason });
  return changed !== undefined || unchanged(statements, reference);
}

const DOUBT_REJECTION = statement((db, $: Given<{ refundId: bigint }>) =>
  db
    .updateTable('refunds')
    .set({
      status: 'PENDING',
      approvalDueAt: null,
      reviewReason: 'REJECTED_AFTER_DOUBT',
      reviewSince: now,
      updatedAt: now,
    })
    .where('id', '=', $('refundId'))
    .where('status', '=', 'AWAITING_APPROVAL'),
);

/** Puts a refund under review that was to be rejected although the gateway may have it. Its amount stays reserved. */
export async function doubtRejection(statements: Statements, refundId: bigint): Promise<void> {
  await DOUBT_REJECTION.all(statements, { refundId });
}

const DOUBT_SUCCESS = statement((db, $: Given<{ reference: string; evidence: string }>) =>
  db
    .updateTable('refunds')
    .set({ reviewReason: 'FAILED_AFTER_SUCCESS', reviewSince: now, evidence: $('evidence'), updatedAt: now })
    .where('reference', '=', $('reference'))
    .where('status', '=', 'SUCCEEDED')
    .where('reviewReason', 'is', null)
    .returning('id'),
);

/**
 * Puts a successful refund under review because the gateway now reports it as failed. Nothing is reversed; operators decide. Returns true if this
 * call did it.
 * @throws MissingRow if the scope has no such refund
 */
export async function doubtSucceededRefund(
  statements: Statements,
  { reference, evidence }: { readonly reference: string; readonly evidence: string },
): Promise<boolean> {
  const changed = await DOUBT_SUCCESS.first(statements, { reference, evidence });
  return changed !== undefined || unchanged(statements, reference);
}

const FIND = statement((db, $: Given<{ reference: string }>) =>
  db.selectFrom('refunds').select('id').where('reference', '=', $('reference')),
);

/** Returns false for a refund that a statement did not change. Throws MissingRow if there is no such row. */
async function unchanged(statements: Statements, reference: string): Promise<false> {
  if ((await FIND.first(statements, { reference })) === undefined) {
    throw new MissingRow('refund', reference);
  }
  return false;
}

const KEEP_SUCCESS = statement((db, $: Given<{ refundId: bigint }>) =>
  db
    .updateTable('refunds')
    .set({ reviewReason: null, reviewSince: null, updatedAt: now })
    .where('id', '=', $('refundId'))
    .where('status', '=', 'SUCCEEDED'),
);

/** Ends the review of a refund after operators found that the payer did receive the money. */
export async function keepSucceededRefund(statements: Statements, refundId: bigint): Promise<void> {
  await KEEP_SUCCESS.all(statements, { refundId });
}
