import { DomainError, notFound } from '../../domain/errors.ts';
import type { Money } from '../../domain/money.ts';
import { viewFor } from '../../domain/permissions.ts';
import type { CoreDependencies } from '../dependencies.ts';
import type { ActingOperator } from '../operators/acting-operator.ts';
import { locatePayment } from '../operators/store/money.ts';
import { makeRefund } from '../refunds/make-refund.ts';
import { auditStarted } from '../refunds/operator-decisions.ts';
import { sha256 } from '../../runtime/secrets.ts';
import { makeRoom } from './case-actions.ts';
import { audit, lockUnresolved, type OfCase } from './cases.ts';
import { addEntry, endAction } from './store/case-actions.ts';
import { readShownResult } from './store/near-movements.ts';

type Dependencies = Pick<CoreDependencies, 'database' | 'dispatch' | 'gateways' | 'log'>;

interface RefundOfCase extends OfCase, Pick<Money, 'amountMinor'> {
  readonly reason: string;
}

/**
 * Creates the refund that a payer is still owed, such as for a charge that came twice, by the rules for refunds of operators. The case stays open until evidence closes it.
 * @throws DomainError FORBIDDEN without `refund:create` for the payment, INVALID_OPERATION_STATE if the case is about no payment or the gateway says that it has
 * refunded, and the errors of `makeRefund`
 */
export async function refundInCase(
  deps: Dependencies,
  caller: ActingOperator,
  { reference, amountMinor, reason }: RefundOfCase,
): Promise<void> {
  const { database } = deps;
  const operatorId = caller.operator.id;
  const begun = await database.withOperator(caller.view, async (em) => {
    const found = await lockUnresolved(em, reference);
    await makeRoom(em, found);
    const result = found.resultId === null ? null : await readShownResult(em, found.resultId);
    if (result === null || result.paymentId === null) {
      throw new DomainError('INVALID_OPERATION_STATE', 'The case is about no payment of ours.');
    }
    // Another refund would return the money twice.
    if (result.lineKind === 'REFUND' || result.refundId !== null) {
      throw new DomainError('INVALID_OPERATION_STATE', 'The gateway says that it has refunded already.');
    }
    const { id: caseId, applicationId, currency } = found;
    const entryId = await addEntry(em, {
      caseId,
      applicationId,
      kind: 'action',
      action: 'create-refund',
      text: reason,
      operatorId,
      currency,
      amountMinor,
    });
    await audit(em, caller, found, {
      action: 'reconciliation-case.create-refund',
      after: { entry: entryId, amountMinor, currency },
      reason,
    });
    return { entryId, paymentId: result.paymentId };
  });
  const end = (outcome: 'DONE' | 'FAILED', text: string): Promise<void> =>
    database.withOperator(caller.view, (em) => endAction(em, begun.entryId, { outcome, text }));
  try {
    const refund = await refundOf(deps, caller, { ...begun, amountMinor, reason });
    await end('DONE', refund);
  } catch (error) {
    await end('FAILED', error instanceof DomainError ? error.code : 'INTERNAL_ERROR');
    throw error;
  }
}

/** Returns the reference of the refund. */
async function refundOf(
  deps: Dependencies,
  caller: ActingOperator,
  refunded: { readonly paymentId: bigint; readonly amountMinor: bigint; readonly reason: string },
): Promise<string> {
  const mayRefund = viewFor(caller.grants, 'refund:create');
  const { paymentId, amountMinor, reason } = refunded;
  const payment = await deps.database.withOperator(caller.view, (em) => locatePayment(em, paymentId));
  if (payment === null) {
    throw notFound('payment');
  }
  if (mayRefund !== 'every-app' && !mayRefund.includes(payment.scope.applicationId)) {
    throw new DomainError('FORBIDDEN', 'this takes the permission refund:create');
  }
  const outcome = await makeRefund(deps, {
    ...payment,
    paymentId,
    amountMinor,
    reason,
    creator: { type: 'USER', operatorId: caller.operator.id },
    key: null,
    lease: { fingerprint: sha256('') },
    note: (statements, refund) => auditStarted(statements, { caller, refund, reason }),
  });
  if (outcome.kind === 'replay') {
    throw new Error('a refund without a key was replayed');
  }
  return outcome.made.reference;
}
