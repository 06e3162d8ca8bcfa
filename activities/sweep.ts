import { sweep, type SweepDependencies } from '../core/sweep/sweep.ts';
import type { SweepActivities } from '../workflows/messages/maintenance.ts';
import { guarded } from './failures.ts';

export function createSweepActivities(deps: SweepDependencies): SweepActivities {
  return {
    sweep: () =>
      guarded({ log: deps.log, activity: 'sweep' }, async () => {
        const { actions, nextInMs } = await sweep(deps);
        return { actions: Object.fromEntries(Object.entries(actions).filter(([, times]) => times > 0)), nextInMs };
      }),
  };
}
