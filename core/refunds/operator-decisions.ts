import { awaitOutcome } from '../decisions/await-outcome.ts';
import { takeOperatorDecision, type DecisionSignal, type DecisionSteps } from '../decisions/operator-decision.ts';
import { operatorMay, type StoredDecision } from '../decisions/store/decisions.ts';
import type { Statements } from '../../database/statements.ts';
import { DomainError, notFound } from '../../domain/errors.ts';
import type { CoreDependencies } from '../dependencies.ts';
import { refundHandleOf } from '../dispatch.ts';
import type { ActingOperator } from '../operators/acting-operator.ts';
import { recordAudit, type Actor, type AuditEntry } from '../operators/store/audit.ts';
import { locateRefund, type FoundRefund } from '../operators/store/money.ts';
import { lockPayment } from '../payments/store/locks.ts';
import { approveRefundRow } from './store/refund-steps.ts';
import { readRefund, type RefundRecord } from './store/refunds.ts';

type Dependencies = Pick<CoreDependencies, 'database' | 'dispatch' | 'log'>;

/** The amount of a refund counts towards the operator who started it. */
const ALONE = { needsSecond: false } as const;

/**
 * Approves a refund that another operator started. It is approved once this commits, and its workflow reads the approval from the row.
 * @throws DomainError FORBIDDEN for the operator's own refund, INVALID_OPERATION_STATE, the errors of `takeOperatorDecision`
 */
export async function approveRefund(
  deps: Dependencies,
  caller: ActingOperator,
  refundId: bigint,
): Promise<RefundRecord> {
  const { outcome } = await takeOperatorDecision(deps, caller, {
    ...located(refundId),
    lock: async (statements, found) => {
      const refund = await lockWaiting(statements, { found, caller });
      await requireStarter(statements, refund);
      return refund;
    },
    rule: (refund) => ({
      ...aboutRefund(refund),
      decision: 'approve',
      reason: null,
      weight: ALONE,
      audit: auditOf(refund, 'refund.approved'),
    }),
    write: (statements, { target }) =>
      approveRefundRow(statements, { refundId: target.id, operatorId: caller.operator.id }),
    signal: ({ found, target, decision, outcome: approved }) =>
      signalOf(deps, found, { refund: approved ?? target, decision }),
  });
  if (outcome === null) {
    throw new Error('an approval does not need another one');
  }
  return outcome;
}

/**
 * Rejects a refund that another operator started. If the gateway may have it, which happens only after a restore, it goes under review instead.
 * @throws DomainError as `approveRefund`
 */
export async function rejectRefund(
  deps: Dependencies,
  caller: ActingOperator,
  { refundId, reason }: { readonly refundId: bigint; readonly reason: string },
): Promise<RefundRecord> {
  const { found } = await takeOperatorDecision(deps, caller, {
    ...located(refundId),
    lock: (statements, waiting) => lockWaiting(statements, { found: waiting, caller }),
    rule: (refund) => ({
      ...aboutRefund(refund),
      decision: 'reject',
      reason,
      weight: ALONE,
      audit: auditOf(refund, 'refund.rejected'),
    }),
    signal: ({ found: waiting, target: refund, decision }) => signalOf(deps, waiting, { refund, decision }),
  });
  return afterDecision(deps, found, ({ status, reviewReason }) => status === 'REJECTED' || reviewReason !== null);
}

/** What operators may find about a refund whose outcome is unknown, and the decision that it is. */
const FINDINGS = { retry: 'approve', refunded: 'accept', 'not-refunded': 'reject' } as const;

export interface RefundFinding {
  readonly refundId: bigint;
  readonly finding: keyof typeof FINDINGS;
  readonly reason: string;
}

export interface ResolvedRefund {
  readonly refund: RefundRecord;
  readonly decision: 'awaiting-second-approval' | 'in-progress' | 'executed';
}

/**
 * Resolves a refund under review: it is tried again, or two operators state how it ended.
 * @throws DomainError INVALID_OPERATION_STATE, the errors of `takeOperatorDecision`
 */
export async function resolveRefund(
  deps: Dependencies,
  caller: ActingOperator,
  { refundId, finding, reason }: RefundFinding,
): Promise<ResolvedRefund> {
  const { found, target, decision } = await takeOperatorDecision(deps, caller, {
    ...located(refundId),
    lock: async (statements, reviewed) => {
      const refund = await lock(statements, reviewed);
      requireResolvable(refund, finding);
      return refund;
    },
    rule: (refund) => ({
      ...aboutRefund(refund),
      decision: FINDINGS[finding],
      reason,
      weight: { needsSecond: finding !== 'retry' },
      audit: auditOf(refund, `refund.review-${finding}`),
    }),
    signal: ({ found: reviewed, target: refund, decision: stored }) =>
      signalOf(deps, reviewed, { refund, decision: stored }),
  });
  if (!decision.complete) {
    return { refund: target, decision: 'awaiting-second-approval' };
  }
  const refund = await afterDecision(deps, found, ({ reviewReason }) => reviewReason === null);
  return { refund, decision: refund.reviewReason === null ? 'executed' : 'in-progress' };
}

function requireResolvable({ reviewReason }: RefundRecord, finding: RefundFinding['finding']): void {
  if (reviewReason === null) {
    throw new DomainError('INVALID_OPERATION_STATE', 'the refund is not under review');
  }
  if (reviewReason === 'REJECTED_AFTER_DOUBT' && finding === 'retry') {
    throw new DomainError(
      'INVALID_OPERATION_STATE',
      'the refund was not approved; decide refunded or not-refunded, then start another refund if it is still needed',
    );
  }
  if (reviewReason === 'FAILED_AFTER_SUCCESS' && finding === 'retry') {
    throw new DomainError(
      'INVALID_OPERATION_STATE',
      'the gateway reported that the refund failed; decide refunded or not-refunded, then start another refund',
    );
  }
}

function located(refundId: bigint): Pick<DecisionSteps<FoundRefund, RefundRecord, never>, 'what' | 'locate'> {
  return { what: 'refund', locate: (em) => locateRefund(em, refundId) };
}

function aboutRefund({ id: refundId, paymentId }: RefundRecord) {
  return { kind: 'refund', paymentId, refundId } as const;
}

function auditOf(refund: RefundRecord, action: string): Pick<AuditEntry, 'action' | 'target' | 'before' | 'after'> {
  const { id, paymentId, amountMinor, currency, status } = refund;
  return { action, target: { type: 'refund', id }, before: { status }, after: { paymentId, amountMinor, currency } };
}

function signalOf(
  { dispatch }: Dependencies,
  { applicationName }: Pick<FoundRefund, 'applicationName'>,
  { refund, decision }: { readonly refund: RefundRecord; readonly decision: StoredDecision },
): DecisionSignal {
  return {
    about: { refund: refund.reference },
    send: () => dispatch.startRefund(refundHandleOf(refund, applicationName), decision.id),
  };
}

/** Writes that an operator started a refund, in its transaction. */
export async function auditStarted(
  statements: Statements,
  {
    actor,
    refund,
    reason,
  }: { readonly actor: Actor; readonly refund: RefundRecord; readonly reason: string | undefined },
): Promise<void> {
  const { applicationId, mode } = refund;
  await recordAudit(statements, {
    actor,
    ...auditOf(refund, 'refund.created'),
    application: { id: applicationId, mode },
    ...(reason === undefined ? {} : { reason }),
  });
}

/** Locks the payment before the refund, in the same order as everywhere else. */
async function lock(statements: Statements, { scope, refund }: FoundRefund): Promise<RefundRecord> {
  await lockPayment(statements, refund.paymentId);
  const locked = await readRefund(statements, scope, refund.id);
  if (locked === null) {
    throw notFound('refund');
  }
  return locked;
}

async function lockWaiting(
  statements: Statements,
  { found, caller }: { readonly found: FoundRefund; readonly caller: ActingOperator },
): Promise<RefundRecord> {
  const refund = await lock(statements, found);
  if (refund.status !== 'AWAITING_APPROVAL') {
    throw new DomainError('INVALID_OPERATION_STATE', `the refund is ${refund.status}`);
  }
  if (refund.createdByOperatorId === caller.operator.id) {
    throw new DomainError('FORBIDDEN', 'you cannot approve or reject your own refund');
  }
  return refund;
}

/** Checks that the operator who started the refund may still do so: starting it is one of the two decisions that a refund needs. */
async function requireStarter(statements: Statements, refund: RefundRecord): Promise<void> {
  const { createdByOperatorId: operatorId } = refund;
  if (
    operatorId !== null &&
    !(await operatorMay(statements, { operatorId, permission: 'refund:create', scope: refund }))
  ) {
    throw new DomainError(
      'INVALID_OPERATION_STATE',
      'the operator who started this refund can no longer start refunds: reject it, and start another one if it is still needed',
    );
  }
}

function afterDecision(
  deps: Dependencies,
  { scope, refund }: FoundRefund,
  isDone: (refund: RefundRecord) => boolean,
): Promise<RefundRecord> {
  return awaitOutcome(
    deps.dispatch,
    async () => {
      const now = await deps.database.withScope(scope, (statements) => readRefund(statements, scope, refund.id), {
        oneTrip: true,
      });
      if (now === null) {
        throw notFound('refund');
      }
      return now;
    },
    isDone,
  );
}
