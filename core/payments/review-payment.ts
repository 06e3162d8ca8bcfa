import { awaitOutcome } from '../decisions/await-outcome.ts';
import { takeOperatorDecision } from '../decisions/operator-decision.ts';
import type { Statements } from '../../database/statements.ts';
import { DomainError, notFound } from '../../domain/errors.ts';
import { isOpen } from '../../domain/payment.ts';
import type { CoreDependencies } from '../dependencies.ts';
import { paymentHandleOf } from '../dispatch.ts';
import type { ActingOperator } from '../operators/acting-operator.ts';
import { locatePayment, type FoundPayment } from '../operators/store/money.ts';
import { findPayment } from './find-payment.ts';
import { lockPayment } from './store/locks.ts';
import { readPayment, type PaymentRecord } from './store/payments.ts';

export interface ReviewOfPayment {
  readonly paymentId: bigint;
  readonly decision: 'accept' | 'reject';
  readonly reason: string;
}

export interface ReviewedPayment {
  readonly payment: PaymentRecord;
  readonly decision: 'awaiting-second-approval' | 'in-progress' | 'executed';
}

/**
 * Accepts or rejects a payment under review.
 * @throws DomainError INVALID_OPERATION_STATE for a payment that is not under review, the errors of `takeOperatorDecision`
 */
export async function reviewPayment(
  deps: Pick<CoreDependencies, 'database' | 'dispatch' | 'log'>,
  caller: ActingOperator,
  { paymentId, decision: word, reason }: ReviewOfPayment,
): Promise<ReviewedPayment> {
  const { found, target, decision } = await takeOperatorDecision(deps, caller, {
    what: 'payment',
    locate: (em) => locatePayment(em, paymentId),
    lock: (statements, { scope }: FoundPayment) => lockReviewed(statements, { scope, paymentId }),
    rule: (payment) => ({
      kind: 'review',
      paymentId,
      decision: word,
      reason,
      weight: { amount: { amountMinor: payment.amountMinor, currency: payment.currency } },
      audit: {
        action: `payment.review-${word}`,
        target: { type: 'payment', id: paymentId },
        before: { status: payment.status, reviewReason: payment.reviewReason ?? null },
      },
    }),
    signal: ({ found: { applicationName }, target: payment, decision: { id } }) => ({
      about: { payment: payment.reference },
      send: () => deps.dispatch.signalReviewDecision(paymentHandleOf(payment, applicationName), id),
    }),
  });
  if (!decision.complete) {
    return { payment: target, decision: 'awaiting-second-approval' };
  }
  const payment = await awaitOutcome(
    deps.dispatch,
    () => findPayment(deps, found.scope, paymentId),
    ({ status }) => !isOpen(status),
  );
  return { payment, decision: isOpen(payment.status) ? 'in-progress' : 'executed' };
}

async function lockReviewed(
  statements: Statements,
  { scope, paymentId }: Pick<FoundPayment, 'scope'> & { readonly paymentId: bigint },
): Promise<PaymentRecord> {
  await lockPayment(statements, paymentId);
  const payment = await readPayment(statements, scope, paymentId);
  if (payment === null) {
    throw notFound('payment');
  }
  if (payment.reviewReason === null || !isOpen(payment.status)) {
    throw new DomainError('INVALID_OPERATION_STATE', 'the payment is not under review');
  }
  return payment;
}
