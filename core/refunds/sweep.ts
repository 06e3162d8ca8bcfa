import type { CoreDependencies } from '../dependencies.ts';
import type { RefundHandle } from '../dispatch.ts';
import { attempt, BATCH_MAX, type Sweep } from '../sweep/engine.ts';
import { isRefundOpen, takeDueRefunds } from './store/due.ts';

/** Starts the workflows of open refunds: never started, lost, or still waiting. Starting a workflow that is already running has no effect. */
export function dueRefunds(deps: CoreDependencies): Sweep<RefundHandle> {
  return {
    due: (em) => takeDueRefunds(em, BATCH_MAX),
    drive: (refund) => resumeRefund(deps, refund),
  };
}

/** Starts the refund's workflow if it does not run, and signals the decision, if any. Returns false if that failed. */
export function resumeRefund(deps: CoreDependencies, refund: RefundHandle, decisionId?: bigint): Promise<boolean> {
  const { reference } = refund;
  return attempt(deps, { refund: reference, what: 'refund not resumed' }, async () => {
    if ((await deps.dispatch.startRefund(refund, decisionId)) !== 'completed') {
      return;
    }
    if (await deps.database.withSystem((em) => isRefundOpen(em, reference))) {
      deps.log.error({ refund: reference, alert: 'refund-behind-workflow' }, 'an open refund has a completed workflow');
    }
  });
}
