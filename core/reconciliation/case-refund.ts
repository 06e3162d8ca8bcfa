import { DomainError, notFound } from '../../domain/errors.ts';
import type { Money } from '../../domain/money.ts';
import { viewFor } from '../../domain/permissions.ts';
import type { CoreDependencies } from '../dependencies.ts';
import type { ActingOperator } from '../operators/acting-operator.ts';
import { operatorMay } from '../decisions/store/decisions.ts';
import type { Actor } from '../operators/store/audit.ts';
import { type FoundPayment, locatePayment } from '../operators/store/money.ts';
import { makeRefund } from '../refunds/make-refund.ts';
import { auditStarted } from '../refunds/operator-decisions.ts';
import { sha256 } from '../../runtime/secrets.ts';
import { makeRoom } from './case-actions.ts';
import { audit, lockUnresolved, type OfCase } from './cases.ts';
import { attempt, BATCH_MAX, type Sweep } from '../sweep/engine.ts';
import { addEntry, endAction, type EndOfAction } from './store/case-actions.ts';
import { isActionOpen, type LeftRefund, leftRefunds, refundMadeBy } from './store/case-refunds.ts';
import { readShownResult } from './store/near-movements.ts';

type Dependencies = Pick<CoreDependencies, 'database' | 'dispatch' | 'gateways' | 'log'>;

/** The name under which the key of a case's refund is stored. */
const CASE_REFUND = 'case-refund';

interface RefundOfCase extends OfCase, Pick<Money, 'amountMinor'> {
  readonly reason: string;
}

/**
 * Creates the refund that a payer is still owed, such as for a charge that came twice, by the rules for refunds of operators. The case stays open until evidence closes it.
 * If this dies midway, the sweeper goes on: the entry of the case is the key of the refund, so there is one.
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
    const { id: caseId, applicationId, mode } = found;
    // That of the case is the line's, if the gateway has converted the payment.
    const currency = result.paymentCurrency ?? found.currency;
    const entryId = await addEntry(em, {
      caseId,
      applicationId,
      mode,
      kind: 'action',
      action: 'create-refund',
      text: reason,
      operatorId,
      currency,
      amountMinor,
      resultRevision: result.revision,
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
    const payment = await permittedPayment(deps, caller, begun.paymentId);
    const { entryId, paymentId } = begun;
    const wanted = { entryId, paymentId, amountMinor, reason, operatorId, actor: caller.actor };
    await end('DONE', await refundOnce(deps, payment, wanted));
  } catch (error) {
    // Anything else may have happened after the refund was stored: the sweeper finds out.
    if (error instanceof DomainError && error.code !== 'IDEMPOTENCY_IN_PROGRESS') {
      await end('FAILED', error.code);
    }
    throw error;
  }
}

async function permittedPayment(deps: Dependencies, caller: ActingOperator, paymentId: bigint): Promise<FoundPayment> {
  const mayRefund = viewFor(caller.grants, 'refund:create');
  const payment = await deps.database.withOperator(caller.view, (em) => locatePayment(em, paymentId));
  if (payment === null) {
    throw notFound('payment');
  }
  if (mayRefund !== 'every-app' && !mayRefund.includes(payment.scope.applicationId)) {
    throw new DomainError('FORBIDDEN', 'this takes the permission refund:create');
  }
  return payment;
}

interface RefundOnce {
  readonly entryId: bigint;
  readonly paymentId: bigint;
  readonly amountMinor: bigint;
  readonly reason: string | null;
  readonly operatorId: bigint;
  readonly actor: Actor;
}

/** Creates the refund of an entry, or returns the one that it has created. Returns its reference. */
async function refundOnce(
  deps: Dependencies,
  payment: FoundPayment,
  { entryId, paymentId, amountMinor, reason, operatorId, actor }: RefundOnce,
): Promise<string> {
  const outcome = await makeRefund(deps, {
    ...payment,
    paymentId,
    amountMinor,
    reason,
    creator: { type: 'USER', operatorId },
    key: { scope: payment.scope, operation: CASE_REFUND, key: entryId.toString() },
    lease: { fingerprint: sha256(`${paymentId} ${amountMinor}`) },
    note: async (statements, refund) => {
      if (!(await isActionOpen(statements, entryId))) {
        throw new DomainError('INVALID_OPERATION_STATE', 'The action has ended.');
      }
      await auditStarted(statements, { actor, refund, reason: reason ?? undefined });
    },
  });
  if (outcome.kind === 'replay') {
    throw new Error('no answer is stored for a refund of a case');
  }
  return outcome.made.reference;
}

/** Refunds of cases whose request has died before it ended. */
export function dueCaseRefunds(deps: CoreDependencies): Sweep<LeftRefund> {
  return {
    due: (em) => leftRefunds(em, BATCH_MAX),
    drive: (left) =>
      attempt(deps, { case: left.caseReference, what: 'a refund of a case was not carried out' }, () =>
        carryOutRefund(deps, left),
      ),
  };
}

/** Ends what a request has left: with the refund that it made, or with one made now, unless something has changed since. */
export async function carryOutRefund(deps: Dependencies, left: LeftRefund): Promise<void> {
  const end = (action: EndOfAction): Promise<void> => deps.database.withSystem((em) => endAction(em, left.id, action));
  const made = await deps.database.withSystem((em) => refundMadeBy(em, { operation: CASE_REFUND, entryId: left.id }));
  if (made !== null) {
    return end({ outcome: 'DONE', text: made });
  }
  const { paymentId, amountMinor, operatorId, operatorEmail, text: reason } = left;
  if (paymentId === null || amountMinor === null || operatorId === null || !left.unchanged) {
    return end({
      outcome: 'LAPSED',
      text: 'The case was closed, or the difference has changed since this was decided.',
    });
  }
  const payment = await deps.database.withSystem((em) => locatePayment(em, paymentId));
  if (payment === null) {
    throw notFound('payment');
  }
  const may = await deps.database.withScope(payment.scope, (statements) =>
    operatorMay(statements, { operatorId, permission: 'refund:create', scope: payment.scope }),
  );
  if (!may) {
    return end({ outcome: 'LAPSED', text: 'Its operator may no longer create refunds.' });
  }
  const actor = { type: 'USER', id: operatorId, name: operatorEmail ?? '' } as const;
  try {
    const wanted = { entryId: left.id, paymentId, amountMinor, reason, operatorId, actor };
    await end({ outcome: 'DONE', text: await refundOnce(deps, payment, wanted) });
  } catch (error) {
    if (!(error instanceof DomainError) || error.code === 'IDEMPOTENCY_IN_PROGRESS') {
      throw error;
    }
    await end({ outcome: 'FAILED', text: error.code });
  }
}
