import type { CoreDependencies } from '../dependencies.ts';
import { resumeRefund } from '../refunds/sweep.ts';
import { attempt, BATCH_MAX, type Sweep } from '../sweep/engine.ts';
import { takeUnreadDecisions, type UnreadDecision } from './due.ts';

/** Signals decisions that no workflow has read because their signal was lost. */
export function unreadDecisions(deps: CoreDependencies): Sweep<UnreadDecision> {
  return {
    due: (em) => takeUnreadDecisions(em, BATCH_MAX),
    drive: (decision) => signalDecision(deps, decision),
  };
}

function signalDecision(
  deps: CoreDependencies,
  { decisionId, payment: { handle }, refund, attemptReference }: UnreadDecision,
): Promise<boolean> {
  if (refund !== null) {
    return resumeRefund(deps, refund, decisionId);
  }
  return attempt(deps, { payment: handle.reference, what: 'decision not signalled' }, () =>
    attemptReference === null
      ? deps.dispatch.signalReviewDecision(handle, decisionId)
      : deps.dispatch.decideUnappliedPayment(handle, { attemptReference, decisionId }),
  );
}
