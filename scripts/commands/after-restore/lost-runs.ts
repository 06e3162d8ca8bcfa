import type { Client } from '@temporalio/client';
import { runsNamed } from '../../../core/maintenance/store/after-restore.ts';
import type { Database } from '../../../database/connection.ts';
import { WORKFLOW_TYPES } from '../../../workflows/messages/names.ts';
import { resultsIn } from './history-results.ts';

/** A day that was reconciled after the dump was taken: its run has no row. */
export interface LostRun {
  /** Such as `reconciliation:LIVE:stripe:2026-11-23`. */
  readonly workflowId: string;
  readonly startedAt: Date;
}

const RUN = /^rec_[0-9A-Za-z]{22}$/;

/**
 * Returns the runs of reconciliation that are running or were closed since the given time and have no row, one for each day.
 *
 * @param inProgress - the ids of workflows whose rows have not ended: they go on
 */
export async function lostRuns(
  { client, database }: { readonly client: Client; readonly database: Database },
  { since, inProgress }: { readonly since: Date; readonly inProgress: ReadonlySet<string> },
): Promise<LostRun[]> {
  const closed = `CloseTime >= '${since.toISOString()}'`;
  const query = `WorkflowType = '${WORKFLOW_TYPES.reconciliation}' and (ExecutionStatus = 'Running' or ${closed})`;
  const lost = new Map<string, LostRun>();
  for await (const { workflowId, runId, startTime: startedAt } of client.workflow.list({ query })) {
    const [reference] = (await resultsIn(client, { workflowId, runId })).filter(isRun);
    const found = reference === undefined ? [] : await database.withSystem((em) => runsNamed(em, [reference]));
    const isKnown = reference === undefined ? inProgress.has(workflowId) : found.length > 0;
    if (!isKnown && startedAt >= (lost.get(workflowId)?.startedAt ?? startedAt)) {
      lost.set(workflowId, { workflowId, startedAt });
    }
  }
  return [...lost.values()].sort((a, b) => (a.workflowId < b.workflowId ? -1 : 1));
}

function isRun(value: unknown): value is string {
  return typeof value === 'string' && RUN.test(value);
}
