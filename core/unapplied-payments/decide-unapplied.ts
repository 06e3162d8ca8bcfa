import type { Scope } from '../../database/connection.ts';
import { MissingRow } from '../../database/missing-row.ts';
import type { Statements } from '../../database/statements.ts';
import { unappliedPaymentKept } from '../../domain/ledger.ts';
import { refundReference } from '../../domain/references.ts';
import { refundBoundsIn } from '../../gateways/refund-bounds.ts';
import type { UnappliedDecisionInput, UnappliedPaymentResult } from '../../workflows/messages/unapplied-payment.ts';
import {
  auditSignalWithoutDecision,
  consumeDecision,
  takeUnappliedDecisions,
  type DecisionRecord,
} from '../decisions/store/taken-decisions.ts';
import type { CoreDependencies } from '../dependencies.ts';
import { followUp, type FollowUp } from '../follow-up.ts';
import { applyKept } from '../invoices/apply-payment.ts';
import { lockInvoicePaidBy } from '../invoices/store/invoices.ts';
import { postTransaction } from '../ledger/store.ts';
import { lockPayment } from '../payments/store/locks.ts';
import { refundUnappliedMoney } from '../refunds/store/new-refunds.ts';
import type { RefundRecord } from '../refunds/store/refunds.ts';
import { scopeOf } from '../scope.ts';
import { readUnappliedPayment } from './read-unapplied.ts';
import { startRefunds } from './start-refunds.ts';
import { findAttemptOfPayment, keepHeld } from './store/unapplied-payments.ts';
import { recordUnapplied } from './unapplied-event.ts';

/** Carries out the operators' decisions on an attempt's unapplied money: refund it, or let the application keep it. The rows are authoritative. */
export async function decideUnappliedPayment(
  deps: CoreDependencies,
  input: UnappliedDecisionInput,
): Promise<UnappliedPaymentResult> {
  const scope = scopeOf(input);
  const { refunds, applicationName, followUps } = await deps.database.withScope(scope, async (statements) => {
    const invoice = await lockInvoicePaidBy(statements, scope, input.reference);
    const attempt = await findAttemptOfPayment(statements, input);
    if (attempt === null) {
      throw new MissingRow('attempt', input.attemptReference);
    }
    const { paymentId } = attempt;
    await lockPayment(statements, paymentId);
    const decisions = await takeUnappliedDecisions(statements, attempt.id);
    if (decisions.length === 0) {
      const target = { targetType: 'payment', targetId: paymentId, paymentId, claimed: input.decisionIds } as const;
      await auditSignalWithoutDecision(statements, { scope, ...target });
    }
    const started: RefundRecord[] = [];
    const following: FollowUp[] = [];
    for (const decision of decisions) {
      const refund =
        decision.decision === 'refund' ? await refundUnapplied(deps, statements, { scope, decision }) : null;
      if (refund !== null) {
        started.push(refund);
      }
      const kept = decision.decision === 'keep' && (await keep(statements, decision));
      if (kept && invoice !== null) {
        following.push(
          ...(await applyKept(deps, statements, { invoice, unappliedPaymentId: decision.unappliedPaymentId })),
        );
      }
      if (kept && decision.unappliedPaymentId !== null) {
        const { unappliedPaymentId } = decision;
        const event = { paymentId, unappliedPaymentId, type: 'unapplied_payment.kept' } as const;
        following.push(...(await recordUnapplied(deps, statements, event)));
      }
      await consumeDecision(statements, decision.id, refund !== null ? 'REFUNDING' : kept ? 'KEPT' : 'NOT_POSSIBLE');
    }
    return { refunds: started, applicationName: attempt.applicationName, followUps: following };
  });
  await startRefunds(deps, refunds, applicationName);
  await followUp(deps, input, followUps);
  return readUnappliedPayment(deps, input);
}

function refundUnapplied(
  deps: CoreDependencies,
  statements: Statements,
  { scope, decision }: { readonly scope: Scope; readonly decision: DecisionRecord },
): Promise<RefundRecord | null> {
  if (decision.unappliedPaymentId === null) {
    throw new Error('a decision about an unapplied payment does not refer to one');
  }
  return refundUnappliedMoney(statements, {
    scope,
    unappliedPaymentId: decision.unappliedPaymentId,
    reference: refundReference(),
    reason: decision.reason,
    creator: { type: 'USER', operatorId: decision.operatorId },
    boundsOf: refundBoundsIn(deps.gateways),
  });
}

/** Moves the money from suspense to `app:payable`. Returns false if it is no longer held. */
async function keep(statements: Statements, { unappliedPaymentId }: DecisionRecord): Promise<boolean> {
  const kept = unappliedPaymentId === null ? null : await keepHeld(statements, unappliedPaymentId);
  if (kept === null) {
    return false;
  }
  await postTransaction(statements, unappliedPaymentKept(kept));
  return true;
}
