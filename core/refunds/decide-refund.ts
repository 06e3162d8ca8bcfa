import {
  auditSignalWithoutDecision,
  consumeDecision,
  takeDecision,
  type DecisionRecord,
} from '../decisions/store/taken-decisions.ts';
import type { InvoiceRecord } from '../invoices/store/invoices.ts';
import { continueRefund, doubtRejection, keepSucceededRefund } from './store/refund-steps.ts';
import type { RefundRecord } from './store/refunds.ts';
import { lockPayment } from '../payments/store/locks.ts';
import { openWordCase } from '../reconciliation/store/word-cases.ts';
import type { Statements } from '../../database/statements.ts';
import { APPROVAL_HOURS, APPROVAL_REMINDER_HOURS, type FinalRefundStatus, isFinalRefund } from '../../domain/refund.ts';
import type { RefundDecisionInput, RefundState, RefundWorkflowInput } from '../../workflows/messages/refund.ts';
import type { CoreDependencies } from '../dependencies.ts';
import { followUp, type FollowUp } from '../follow-up.ts';
import { lockInvoiceOfPayment } from '../invoices/reopen.ts';
import { scopeOf } from '../scope.ts';
import { findRefund, wakeOthers, writeEnd } from './end-refund.ts';
import { undoRefund } from './undo-refund.ts';

/** Returns the state of a refund to a workflow that starts or restarts. */
export async function readRefundState(deps: CoreDependencies, input: RefundWorkflowInput): Promise<RefundState> {
  return deps.database.withScope(scopeOf(input), async (statements) => stateOf(await findRefund(statements, input)));
}

/**
 * Carries out the recorded decision on a refund, or rejects the refund if the time for a decision is over. A signal is only a reason to read the row:
 * without a decision nothing changes, and the signal is written to the audit log.
 */
export async function decideRefund(deps: CoreDependencies, input: RefundDecisionInput): Promise<RefundState> {
  const scope = scopeOf(input);
  const followUps: FollowUp[] = [];
  const state = await deps.database.withScope(scope, async (statements) => {
    followUps.length = 0;
    // Lock order: invoice, payment, refund.
    const { paymentId } = await findRefund(statements, input);
    const invoice = await lockInvoiceOfPayment(statements, scope, paymentId);
    await lockPayment(statements, paymentId);
    const refund = await findRefund(statements, input);
    const stands = stateOf(refund);
    if (stands.kind === 'ended') {
      return stands;
    }
    const decision = await takeDecision(statements, { kind: 'refund', refundId: refund.id });
    if (decision !== null && refund.status === 'SUCCEEDED') {
      return carryOutDoubted(deps, statements, { refund, decision, invoice, followUps });
    }
    if (decision !== null) {
      return carryOut(deps, statements, { refund, decision, followUps });
    }
    const target = { targetType: 'refund', targetId: refund.id, paymentId, claimed: input.decisionIds } as const;
    if (await auditSignalWithoutDecision(statements, { scope, ...target })) {
      deps.log.error(
        { refund: input.reference, alert: 'signal-without-decision' },
        'a refund was signalled without a stored decision; nothing changed',
      );
    }
    return input.expired ? expire(deps, statements, { refund, followUps }) : stateOf(refund);
  });
  if (state.kind === 'ended') {
    await wakeOthers(deps, input);
  }
  await followUp(deps, input, followUps);
  return state;
}

/**
 * Carries out a decision on a refund that failed after it had succeeded. It stays SUCCEEDED if the payer has the money, and becomes FAILED otherwise.
 */
async function carryOutDoubted(
  deps: CoreDependencies,
  statements: Statements,
  { refund, decision, invoice, followUps }: Decided & { readonly invoice: InvoiceRecord | null },
): Promise<RefundState> {
  if (decision.decision === 'accept') {
    await keepSucceededRefund(statements, refund.id);
    await openWordCase(statements, { refundId: refund.id, status: 'SUCCEEDED' });
    await consumeDecision(statements, decision.id, 'SUCCEEDED');
    return { kind: 'ended', status: 'SUCCEEDED' };
  }
  const undone = decision.decision === 'reject' ? await undoRefund(deps, statements, { refund, invoice }) : null;
  if (undone === null) {
    await consumeDecision(statements, decision.id, 'NOT_POSSIBLE');
    return stateOf(refund);
  }
  followUps.push(...undone);
  await openWordCase(statements, { refundId: refund.id, status: 'FAILED' });
  await consumeDecision(statements, decision.id, 'FAILED');
  return { kind: 'ended', status: 'FAILED' };
}

interface Decided {
  readonly refund: RefundRecord;
  readonly decision: DecisionRecord;
  /** Takes what follows after the commit. */
  readonly followUps: FollowUp[];
}

async function carryOut(
  deps: CoreDependencies,
  statements: Statements,
  { refund, decision, followUps }: Decided,
): Promise<RefundState> {
  const doubted = refund.status === 'PENDING' && refund.reviewReason !== null;
  if (decision.decision !== 'approve' && refund.status === 'PENDING' && !doubted) {
    // Too late: the gateway may have received the refund already, and its outcome is not in doubt.
    await consumeDecision(statements, decision.id, 'TOO_LATE');
    return { kind: 'pending' };
  }
  if (decision.decision === 'accept' && doubted) {
    const end = { status: 'SUCCEEDED', failureCode: null, from: 'PENDING' } as const;
    const { status, followUps: ended } = await writeEnd(deps, statements, { refund, ...end });
    followUps.push(...ended);
    await askLines(statements, refund, status);
    await consumeDecision(statements, decision.id, status);
    return { kind: 'ended', status };
  }
  if (decision.decision === 'reject' && isDoubtedBeforeApproval(refund)) {
    await consumeDecision(statements, decision.id, 'UNDER_REVIEW');
    return reviewRejection(deps, statements, refund);
  }
  if (decision.decision === 'reject') {
    const from = refund.status === 'AWAITING_APPROVAL' ? 'AWAITING_APPROVAL' : 'PENDING';
    const end = from === 'PENDING' ? 'FAILED' : 'REJECTED';
    const failureCode = from === 'PENDING' ? 'OPERATOR_FOUND_NOT_REFUNDED' : 'APPROVER_REJECTED';
    const { status, followUps: ended } = await writeEnd(deps, statements, { refund, status: end, failureCode, from });
    followUps.push(...ended);
    if (from === 'PENDING') {
      await askLines(statements, refund, status);
    }
    await consumeDecision(statements, decision.id, status);
    return { kind: 'ended', status };
  }
  const approvedBy = refund.status === 'AWAITING_APPROVAL' ? decision.operatorId : null;
  await continueRefund(statements, { refundId: refund.id, approvedBy });
  await consumeDecision(statements, decision.id, 'PENDING');
  return { kind: 'pending' };
}

/** What people say of a gateway's refund is a case until a payout line says it too. No gateway makes refunds by hand, so no line will speak of them. */
async function askLines(
  statements: Statements,
  { id: refundId, reviewReason }: RefundRecord,
  status: FinalRefundStatus,
): Promise<void> {
  if (reviewReason !== 'PAID_BACK_BY_HAND' && status !== 'REJECTED') {
    await openWordCase(statements, { refundId, status });
  }
}

async function expire(
  deps: CoreDependencies,
  statements: Statements,
  { refund, followUps }: Omit<Decided, 'decision'>,
): Promise<RefundState> {
  const isDue = refund.approvalDueAt !== null && refund.approvalDueAt <= refund.readAt;
  if (refund.status !== 'AWAITING_APPROVAL' || !isDue) {
    return stateOf(refund);
  }
  if (isDoubtedBeforeApproval(refund)) {
    return reviewRejection(deps, statements, refund);
  }
  const end = { status: 'REJECTED', failureCode: 'APPROVAL_EXPIRED', from: 'AWAITING_APPROVAL' } as const;
  const { status, followUps: ended } = await writeEnd(deps, statements, { refund, ...end });
  followUps.push(...ended);
  return { kind: 'ended', status };
}

/** After a restore, the approval may have been lost with the request that followed it. */
function isDoubtedBeforeApproval({ status, doubtful }: RefundRecord): boolean {
  return status === 'AWAITING_APPROVAL' && doubtful;
}

async function reviewRejection(
  deps: CoreDependencies,
  statements: Statements,
  { id, reference }: RefundRecord,
): Promise<RefundState> {
  const reason = 'REJECTED_AFTER_DOUBT';
  await doubtRejection(statements, id);
  deps.log.error(
    { refund: reference, reason, alert: 'refund-review' },
    'a refund that the gateway may have was rejected; operators must check it in the gateway’s panel',
  );
  return { kind: 'review', reason };
}

function stateOf(refund: RefundRecord): RefundState {
  if (isFinalRefund(refund.status) && refund.reviewReason === null) {
    return { kind: 'ended', status: refund.status };
  }
  if (refund.status === 'AWAITING_APPROVAL') {
    if (refund.approvalDueAt === null) {
      throw new Error('a refund awaits approval without a due date');
    }
    return {
      kind: 'awaiting',
      dueAtMs: refund.approvalDueAt.getTime(),
      remindAtMs: refund.approvalDueAt.getTime() - (APPROVAL_HOURS - APPROVAL_REMINDER_HOURS) * 3_600_000,
      nowMs: refund.readAt.getTime(),
    };
  }
  return refund.reviewReason === null ? { kind: 'pending' } : { kind: 'review', reason: refund.reviewReason };
}

/** Raises an alert so that a second operator looks at the refund. */
export async function remindOfApproval(deps: CoreDependencies, input: RefundWorkflowInput): Promise<void> {
  const { kind } = await readRefundState(deps, input);
  if (kind === 'awaiting') {
    deps.log.error(
      { refund: input.reference, alert: 'refund-awaits-approval' },
      'a refund has waited for approval for a day',
    );
  }
}
