import { Context } from '@temporalio/activity';
import { advanceRun, cancelRun, type RunDependencies } from '../core/reconciliation/advance-run.ts';
import { dayToReconcile, openRunOf } from '../core/reconciliation/open-run.ts';
import type { CoreDependencies } from '../core/dependencies.ts';
import { fetchDay, noteUnfetched } from '../core/reconciliation/fetch-day.ts';
import { describeError } from '../runtime/logger.ts';
import type { ReconciliationActivities, ReconciliationProgress } from '../workflows/messages/reconciliation.ts';
import { asApplicationFailure } from './failures.ts';

/** How long one activity goes on with a run. A shorter one would fill the history, a longer one would lose more to a restart of the worker. */
const ADVANCE_FOR_MS = 20_000;

export function createReconciliationActivities(
  deps: RunDependencies & Pick<CoreDependencies, 'gateways' | 'log'>,
): ReconciliationActivities {
  const guarded = async <T>(activity: string, work: () => Promise<T>): Promise<T> => {
    try {
      return await work();
    } catch (error) {
      deps.log.warn({ activity, error: describeError(error) }, 'activity failed');
      throw asApplicationFailure(error);
    }
  };
  return {
    openReconciliation: (input) => guarded('openReconciliation', () => openRunOf(deps, input)),
    cancelReconciliation: (reference) => guarded('cancelReconciliation', () => cancelRun(deps, reference)),
    dayToReconcile: () => guarded('dayToReconcile', () => dayToReconcile(deps)),
    noteUnfetched: (reference) => guarded('noteUnfetched', () => noteUnfetched(deps, reference)),
    fetchPayouts: (reference) =>
      guarded('fetchPayouts', async () => {
        const { cancellationSignal, heartbeat } = Context.current();
        const { lines } = await fetchDay(deps, reference, (sofar) => {
          heartbeat({ lines: sofar });
          cancellationSignal.throwIfAborted();
        });
        return lines;
      }),
    advanceReconciliation: (reference) => guarded('advanceReconciliation', () => advanceForAWhile(deps, reference)),
  };
}

async function advanceForAWhile(deps: RunDependencies, reference: string): Promise<ReconciliationProgress> {
  const { cancellationSignal, heartbeat } = Context.current();
  const stopAtMs = Date.now() + ADVANCE_FOR_MS;
  for (;;) {
    const progress = await advanceRun(deps, reference);
    heartbeat(progress);
    cancellationSignal.throwIfAborted();
    if (!progress.goesOn || Date.now() >= stopAtMs) {
      return progress;
    }
  }
}
