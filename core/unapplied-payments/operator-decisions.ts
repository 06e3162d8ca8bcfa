import { awaitOutcome } from '../decisions/await-outcome.ts';
import { takeOperatorDecision } from '../decisions/operator-decision.ts';
import type { Statements } from '../../database/statements.ts';
import { DomainError, notFound } from '../../domain/errors.ts';
import type { UnappliedFacts } from '../../domain/unapplied-payment.ts';
import { refundBoundsIn } from '../../gateways/refund-bounds.ts';
import type { CoreDependencies } from '../dependencies.ts';
import { paymentHandleOf } from '../dispatch.ts';
import type { ActingOperator } from '../operators/acting-operator.ts';
import { locateUnappliedPayment, type FoundUnappliedPayment } from '../operators/store/money.ts';
import { lockPayment } from '../payments/store/locks.ts';
import { readPayment, type PaymentRecord } from '../payments/store/payments.ts';
import { unappliedRefundRuledOut } from '../refunds/store/refund-bounds.ts';
import { readUnappliedDetail, type UnappliedDetail } from './store/unapplied-list.ts';
import { findUnapplied } from './store/unapplied-payments.ts';

type Dependencies = Pick<CoreDependencies, 'database' | 'dispatch' | 'gateways' | 'log'>;

export interface UnappliedRuling {
  readonly unappliedPaymentId: bigint;
  readonly decision: 'refund' | 'keep';
  readonly reason: string;
}

/**
 * Refunds an unapplied payment or lets the application keep it.
 * @throws DomainError INVALID_OPERATION_STATE if it is not held, or the gateway would not refund it; the errors of `takeOperatorDecision`
 */
export async function refundOrKeep(
  deps: Dependencies,
  caller: ActingOperator,
  { unappliedPaymentId, decision: word, reason }: UnappliedRuling,
): Promise<UnappliedDetail> {
  const { decision } = await takeOperatorDecision(deps, caller, {
    what: 'unapplied payment',
    locate: (em) => locateUnappliedPayment(em, unappliedPaymentId),
    lock: (statements, found: FoundUnappliedPayment) =>
      lockHeld(deps, statements, { found, unappliedPaymentId, refunds: word === 'refund' }),
    rule: ({ payment, unapplied: { amountMinor, currency, status } }) => ({
      kind: 'unapplied-payment',
      paymentId: payment.id,
      unappliedPaymentId,
      decision: word,
      reason,
      weight: { amount: { amountMinor, currency } },
      audit: {
        action: `unapplied-payment.${word}`,
        target: { type: 'unapplied-payment', id: unappliedPaymentId },
        before: { status },
        after: { amountMinor },
      },
    }),
    signal: ({ found: { applicationName, attemptReference }, target: { payment }, decision: { id: decisionId } }) => ({
      about: { payment: payment.reference },
      send: () =>
        deps.dispatch.decideUnappliedPayment(paymentHandleOf(payment, applicationName), {
          attemptReference,
          decisionId,
        }),
    }),
  });
  return awaitOutcome(
    deps.dispatch,
    () => findUnappliedDetail(deps, caller, unappliedPaymentId),
    ({ status }) => !decision.complete || status !== 'HELD',
  );
}

interface HeldMoney {
  readonly payment: PaymentRecord;
  readonly unapplied: UnappliedFacts;
}

async function lockHeld(
  { gateways }: Dependencies,
  statements: Statements,
  {
    found: { scope, paymentId },
    unappliedPaymentId,
    refunds,
  }: { readonly found: FoundUnappliedPayment; readonly unappliedPaymentId: bigint; readonly refunds: boolean },
): Promise<HeldMoney> {
  await lockPayment(statements, paymentId);
  const unapplied = await findUnapplied(statements, unappliedPaymentId);
  const payment = await readPayment(statements, scope, paymentId);
  if (unapplied === null || payment === null) {
    throw notFound('unapplied payment');
  }
  if (unapplied.status !== 'HELD') {
    throw new DomainError('INVALID_OPERATION_STATE', `the unapplied payment is ${unapplied.status}`);
  }
  const ruledOut = refunds
    ? await unappliedRefundRuledOut(statements, unappliedPaymentId, refundBoundsIn(gateways))
    : null;
  if (ruledOut !== null) {
    throw new DomainError('INVALID_OPERATION_STATE', ruledOut);
  }
  return { payment, unapplied };
}

async function findUnappliedDetail(
  { database }: Dependencies,
  { view }: ActingOperator,
  id: bigint,
): Promise<UnappliedDetail> {
  const row = await database.withOperator(view, (em) => readUnappliedDetail(em, id));
  if (row === null) {
    throw notFound('unapplied payment');
  }
  return row;
}
