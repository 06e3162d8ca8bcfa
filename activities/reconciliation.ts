import { Context } from '@temporalio/activity';
import { advanceRun, cancelRun } from '../core/reconciliation/advance-run.ts';
import type { RunDependencies } from '../core/reconciliation/judging.ts';
import { dayToReconcile, openRunOf } from '../core/reconciliation/open-run.ts';
import type { CoreDependencies } from '../core/dependencies.ts';
import { fetchDay, noteUnfetched } from '../core/reconciliation/fetch-day.ts';
import type { ReconciliationActivities, ReconciliationProgress } from '../workflows/messages/reconciliation.ts';
import { guarded } from './failures.ts';

/** How long one activity goes on with a run. A shorter one would fill the history, a longer one would lose more to a restart of the worker. */
const ADVANCE_FOR_MS = 20_000;

export function createReconciliationActivities(
  deps: RunDependencies & Pick<CoreDependencies, 'gateways' | 'log'>,
): ReconciliationActivities {
  const run = <T>(activity: string, work: () => Promise<T>): Promise<T> => guarded({ log: deps.log, activity }, work);
  return {
    openReconciliation: (input) => run('openReconciliation', () => openRunOf(deps, input)),
    cancelReconciliation: (reference) => run('cancelReconciliation', () => cancelRun(deps, reference)),
    dayToReconcile: () => run('dayToReconcile', () => dayToReconcile(deps)),
    noteUnfetched: (reference) => run('noteUnfetched', () => noteUnfetched(deps, reference)),
    fetchPayouts: (reference) =>
      run('fetchPayouts', async () => {
        const { cancellationSignal, heartbeat } = Context.current();
        const { lines } = await fetchDay(deps, reference, (sofar) => {
          heartbeat({ lines: sofar });
          cancellationSignal.throwIfAborted();
        });
        return lines;
      }),
    advanceReconciliation: (reference) => run('advanceReconciliation', () => advanceForAWhile(deps, reference)),
  };
}

async function advanceForAWhile(deps: RunDependencies, reference: string): Promise<ReconciliationProgress> {
  const { cancellationSignal, heartbeat } = Context.current();
  const stopAtMs = Date.now() + ADVANCE_FOR_MS;
  for (;;) {
    const progress = await advanceRun(deps, reference);
    heartbeat(progress);
    cancellationSignal.throwIfAborted();
    // A run that begins again reads the gateway's API first, which is another activity.
    if (!progress.goesOn || progress.step === 'fetching' || Date.now() >= stopAtMs) {
      return progress;
    }
  }
}
