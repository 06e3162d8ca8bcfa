import { sweep, type SweepDependencies } from '../core/sweep/sweep.ts';
import type { SweepActivities } from '../workflows/messages/maintenance.ts';

export function createSweepActivities(deps: SweepDependencies): SweepActivities {
  return { sweep: () => sweep(deps) };
}
