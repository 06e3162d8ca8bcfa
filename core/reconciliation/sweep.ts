import type { CoreDependencies } from '../dependencies.ts';
import { attempt, BATCH_MAX, type Sweep } from '../sweep/engine.ts';
import { takeStillRuns, type StillRun } from './store/runs.ts';

/**
 * Starts the workflow of runs that have begun and make no progress: it was terminated, or the row was written late, by a try that its workflow had given
 * up. Starting one that runs has no effect.
 */
export function stillRuns(deps: CoreDependencies): Sweep<StillRun> {
  return {
    due: (em) => takeStillRuns(em, BATCH_MAX),
    drive: ({ reference, mode, gateway, period, startedByOperatorId: operatorId }) =>
      attempt(deps, { run: reference, what: 'reconciliation not started' }, () =>
        deps.dispatch.startReconciliation({ mode, gateway, period, operatorId }),
      ),
  };
}
