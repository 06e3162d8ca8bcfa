/** Runs one pass of the sweeper, started by a schedule. See `core/sweep/sweep.ts` for what it resumes. */
import { proxyActivities } from '@temporalio/workflow';
import type { SweepActivities, SweepResult } from './messages/maintenance.ts';
import { SWEEP } from './options.ts';

const { sweep } = proxyActivities<SweepActivities>(SWEEP);

export function sweepWorkflow(): Promise<SweepResult> {
  return sweep();
}
