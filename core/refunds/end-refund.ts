import { endRefundRow, type RefundEnd } from './store/refund-ends.ts';
import { reviewRefund } from './store/refund-steps.ts';
import { MissingRow } from '../../database/missing-row.ts';
import { readRefund, readRefundByReference, type RefundRecord } from './store/refunds.ts';
import { postTransaction } from '../ledger/store.ts';
import type { Statements } from '../../database/statements.ts';
import { readWatched, type WatchedMoney } from '../unapplied-payments/store/unapplied-payments.ts';
import { refundPosting } from '../../domain/ledger.ts';
import { paymentView } from '../../domain/payment-view.ts';
import { isFinalRefund, type FinalRefundStatus, type RefundStatus } from '../../domain/refund.ts';
import { refundView } from '../../domain/refund-view.ts';
import type { EventType } from '../../domain/webhook.ts';
import { describeError } from '../../runtime/logger.ts';
import type { RefundEndInput, RefundReviewInput, RefundWorkflowInput } from '../../workflows/messages/refund.ts';
import type { CoreDependencies } from '../dependencies.ts';
import { paymentHandleOf } from '../dispatch.ts';
import { recordPaymentEvent } from '../payments/payment-event.ts';
import { findInvoiceHandle, lockInvoiceOfPayment, reopenInvoice } from '../invoices/reopen.ts';
import { followUp, type FollowUp } from '../follow-up.ts';
import { scopeOf } from '../scope.ts';
import { recordUnappliedEvent } from '../unapplied-payments/unapplied-event.ts';
import { deliveryFollowUps } from '../webhooks/deliveries.ts';

const EVENT_OF: Readonly<Record<FinalRefundStatus, EventType>> = {
  SUCCEEDED: 'refund.succeeded',
  FAILED: 'refund.failed',
  REJECTED: 'refund.rejected',
};

/**
 * Ends a refund in one transaction: its status, the payment's status, ledger and events. Repeated, it changes nothing more and returns the stored
 * status.
 */
export async function endRefund(deps: CoreDependencies, input: RefundEndInput): Promise<FinalRefundStatus> {
  const scope = scopeOf(input);
  const { status, followUps } = await deps.database.withScope(scope, async (statements) => {
    const refund = await findRefund(statements, input);
    if (isFinalRefund(refund.status)) {
      return { status: refund.status, followUps: [] };
    }
    const { status: wanted, failureCode = null } = input;
    return writeEnd(deps, statements, { refund, status: wanted, failureCode, from: 'PENDING' });
  });
  await followUp(deps, input, followUps);
  await wakeOthers(deps, input);
  return status;
}

export interface EndedRefund {
  readonly status: FinalRefundStatus;
  /** The deliveries of its events. */
  readonly followUps: readonly FollowUp[];
}

export interface WrittenEnd {
  readonly refund: RefundRecord;
  readonly status: FinalRefundStatus;
  readonly failureCode: string | null;
  readonly from: 'PENDING' | 'AWAITING_APPROVAL';
}

/** Writes the end of a refund with everything that belongs to it, in the caller's transaction. */
export async function writeEnd(
  deps: CoreDependencies,
  statements: Statements,
  { refund, status, failureCode, from }: WrittenEnd,
): Promise<EndedRefund> {
  const scope = { applicationId: refund.applicationId, mode: refund.mode };
  const { id: refundId, paymentId } = refund;
  const refundsPayment = status === 'SUCCEEDED' && refund.unappliedPaymentId === null;
  const invoice = refundsPayment ? await lockInvoiceOfPayment(statements, scope, paymentId) : null;
  const ended = await endRefundRow(statements, { refundId, paymentId, status, failureCode, from });
  if (ended === null) {
    const now = await readRefund(statements, scope, refundId);
    if (now === null || !isFinalRefund(now.status)) {
      throw new Error('the refund is open, but not in the status it should end from');
    }
    return { status: now.status, followUps: [] };
  }
  const followUps = await recordEnd(deps, statements, ended);
  if (invoice !== null) {
    await reopenInvoice(deps, statements, { invoice, refund: ended.refund });
  }
  deps.log.info({ refund: refund.reference, application: refund.applicationId.toString(), status }, 'refund ended');
  return { status, followUps };
}

async function recordEnd(
  deps: CoreDependencies,
  statements: Statements,
  { refund, payment }: RefundEnd,
): Promise<FollowUp[]> {
  const { applicationId, mode, currency, gateway, reference, amountMinor } = refund;
  const ofUnapplied = refund.unappliedPaymentId !== null;
  const succeeded = refund.status === 'SUCCEEDED';
  const changesPayment = succeeded && !ofUnapplied;
  if (succeeded) {
    await postTransaction(
      statements,
      refundPosting({ applicationId, mode, currency, gateway, reference, amountMinor, late: ofUnapplied }),
    );
  }
  if (!isFinalRefund(refund.status)) {
    throw new RangeError(`a refund cannot end as ${refund.status}`);
  }
  const event = { applicationId, mode, reference: payment.reference };
  const type = EVENT_OF[refund.status];
  const sequence = payment.eventSequence - (succeeded || ofUnapplied ? 1 : 0);
  const own = await recordPaymentEvent(statements, payment, { type, sequence, data: refundView(refund), refund });
  const followUps = deliveryFollowUps(deps, { ...event, type }, own);
  if (refund.unappliedPaymentId !== null) {
    const { unappliedPaymentId } = refund;
    // If the refund failed, the money is held again and needs another decision.
    const about = {
      unappliedPaymentId,
      sequence: payment.eventSequence,
      type: succeeded ? 'unapplied_payment.refunded' : 'unapplied_payment.received',
    } as const;
    const ofMoney = await recordUnappliedEvent(statements, payment, about);
    followUps.push(...deliveryFollowUps(deps, { ...event, type: about.type }, ofMoney));
  }
  if (changesPayment) {
    const about = { type: 'payment.refunded', sequence: payment.eventSequence } as const;
    const data = paymentView(payment, deps.webUrl);
    const ofPayment = await recordPaymentEvent(statements, payment, { ...about, data, refund });
    followUps.push(...deliveryFollowUps(deps, { ...event, type: about.type }, ofPayment));
  }
  return followUps;
}

/** Wakes the workflows that follow the end of a refund, whether this run ended it or one that died after its commit. */
export async function wakeOthers(deps: CoreDependencies, input: RefundWorkflowInput): Promise<void> {
  const { applicationId, mode } = scopeOf(input);
  try {
    const {
      status: ended,
      watched,
      reopened,
    } = await deps.database.withScope({ applicationId, mode }, async (statements) => {
      const { paymentId, reopensInvoice, unappliedPaymentId, status } = await findRefund(statements, input);
      return {
        status,
        watched: unappliedPaymentId === null ? null : await readWatched(statements, unappliedPaymentId),
        reopened: reopensInvoice ? await findInvoiceHandle(statements, { applicationId, mode }, paymentId) : null,
      };
    });
    if (reopened !== null) {
      await deps.dispatch.notifyInvoice(reopened, 'reopened');
    }
    if (watched !== null) {
      await wakeWatch(deps, watched, ended);
    }
  } catch (error) {
    deps.log.warn(
      { refund: input.reference, error: describeError(error) },
      'follow-up not started; the sweeper retries',
    );
  }
}

/**
 * Wakes the workflow of unapplied money when its refund ends. If the refund failed and no such workflow is running, starts one, since the money is
 * held again.
 */
async function wakeWatch(
  { dispatch }: CoreDependencies,
  { payment, attemptReference, applicationName }: WatchedMoney,
  ended: RefundStatus,
): Promise<void> {
  if ((await dispatch.signalRefundEnded(attemptReference)) || ended === 'SUCCEEDED') {
    return;
  }
  await dispatch.startUnappliedPayment(paymentHandleOf(payment, applicationName), { attemptReference, callbackId: 0n });
}

/** @throws MissingRow if the scope has no such refund */
export async function findRefund(statements: Statements, input: RefundWorkflowInput): Promise<RefundRecord> {
  const refund = await readRefundByReference(statements, scopeOf(input), input.reference);
  if (refund === null) {
    throw new MissingRow('refund', input.reference);
  }
  return refund;
}

/** Puts a refund under review and raises an alert, once. */
export async function markRefundForReview(deps: CoreDependencies, input: RefundReviewInput): Promise<void> {
  const marked = await deps.database.withScope(scopeOf(input), (statements) =>
    reviewRefund(statements, { reference: input.reference, reason: input.reason }),
  );
  if (marked) {
    deps.log.error(
      { refund: input.reference, reason: input.reason, alert: 'refund-review' },
      'refund under review; an operator must decide',
    );
  }
}
