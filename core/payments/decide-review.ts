import { auditSignalWithoutDecision, closeReviewDecision, takeDecision } from '../decisions/store/taken-decisions.ts';
import { MissingRow } from '../../database/missing-row.ts';
import { readPaymentByReference } from './store/payments.ts';
import { attemptsWithMoney } from './store/reviews.ts';
import { isOpen } from '../../domain/payment.ts';
import type {
  DeclinedDecisionInput,
  PaymentWorkflowInput,
  ReviewDecision,
  ReviewDecisionInput,
} from '../../workflows/messages/payment.ts';
import type { CoreDependencies } from '../dependencies.ts';
import { paymentHandleOf } from '../dispatch.ts';
import { endOf } from './end-of.ts';
import { scopeOf } from '../scope.ts';

/**
 * Returns the decision on a payment under review. The row is authoritative; a signal is only a reason to read it. Reading does not close the
 * decision, only its outcome does. If the outcome was written but the workflow lost it with its task, the payment's row shows the end.
 */
export async function readReviewDecision(deps: CoreDependencies, input: ReviewDecisionInput): Promise<ReviewDecision> {
  const scope = scopeOf(input);
  return deps.database.withScope(scope, async (statements) => {
    const payment = await readPaymentByReference(statements, scope, input.reference);
    if (payment === null) {
      throw new MissingRow('payment', input.reference);
    }
    const { id: paymentId } = payment;
    if (!isOpen(payment.status)) {
      const { failureCode } = payment;
      return { kind: 'ended', status: endOf(payment), ...(typeof failureCode === 'string' ? { failureCode } : {}) };
    }
    const decision = await takeDecision(statements, { kind: 'review', paymentId });
    if (decision === null) {
      const target = { targetType: 'payment', targetId: paymentId, paymentId, claimed: input.decisionIds } as const;
      if (await auditSignalWithoutDecision(statements, { scope, ...target })) {
        deps.log.error(
          { payment: input.reference, alert: 'signal-without-decision' },
          'a payment under review was signalled without a stored decision; nothing changed',
        );
      }
      return { kind: 'none' };
    }
    const kind = decision.decision === 'accept' ? 'accept' : 'reject';
    return { kind, decisionId: decision.id.toString() };
  });
}

export async function declineDecision(
  deps: CoreDependencies,
  { decisionId, outcome, ...input }: DeclinedDecisionInput,
): Promise<void> {
  await deps.database.withScope(
    scopeOf(input),
    (statements) =>
      closeReviewDecision(statements, { payment: input.reference, decisionId, outcome: `DECLINED_${outcome}` }),
    { oneTrip: true },
  );
  deps.log.error(
    { payment: input.reference, outcome, alert: 'decision-declined' },
    'the gateway does not confirm an accepted payment; it stays under review',
  );
}

/**
 * Starts an unapplied-payment workflow for every attempt that may hold money: all that have not ended without a charge, including one that was
 * confirmed while the payment was under review. A workflow that is already running is not started again.
 */
export async function lookForUnappliedMoney(deps: CoreDependencies, input: PaymentWorkflowInput): Promise<void> {
  const scope = scopeOf(input);
  const { payment, attempts } = await deps.database.withScope(scope, async (statements) => ({
    payment: await readPaymentByReference(statements, scope, input.reference),
    attempts: await attemptsWithMoney(statements, input.reference),
  }));
  if (payment === null) {
    throw new MissingRow('payment', input.reference);
  }
  for (const { attemptReference, applicationName } of attempts) {
    const handle = paymentHandleOf(payment, applicationName);
    await deps.dispatch.startUnappliedPayment(handle, { attemptReference, callbackId: 0n });
  }
}
