import {
  CancellationScope,
  isCancellation,
  ParentClosePolicy,
  sleep,
  startChild,
  type ChildWorkflowHandle,
} from '@temporalio/workflow';
import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import { TASK_QUEUES, WORKFLOW_TYPES, workflowIds } from './messages/names.ts';
import type { ReconciliationInput } from './messages/reconciliation.ts';
import { RUN_PAUSES } from './options.ts';

/** The signature of `reconciliationWorkflow`, whose file imports this one. */
type Reconciliation = (day: ReconciliationInput) => Promise<string>;
type Run = ChildWorkflowHandle<Reconciliation>;

/** Starts the run of a day. Returns null if one is running. A run outlives whoever has started it. */
export async function startRun(day: ReconciliationInput): Promise<Run | null> {
  try {
    return await startChild<Reconciliation>(WORKFLOW_TYPES.reconciliation, {
      workflowId: workflowIds.reconciliation(day),
      taskQueue: TASK_QUEUES.maintenance,
      parentClosePolicy: ParentClosePolicy.ABANDON,
      args: [day],
      staticSummary: `Reconciliation of ${day.gateway} on ${day.period} (${day.mode})`,
    });
  } catch (error) {
    if (error instanceof WorkflowExecutionAlreadyStartedError) {
      return null;
    }
    throw error;
  }
}

/**
 * Reconciles days one after the other, so that runs of one gateway do not wait for each other's locks. What fails or is cancelled is seen at the run,
 * and the next day follows.
 */
export async function reconcileDays(days: readonly ReconciliationInput[]): Promise<void> {
  for (const day of days) {
    try {
      await (await startedRun(day))?.result();
    } catch (error) {
      // A run that somebody has cancelled fails like one that was cancelled with us.
      if (isCancellation(error) && CancellationScope.current().consideredCancelled) {
        throw error;
      }
    }
  }
}

/** A run that is running may have passed the place where it would see what is new. After the last pause, the next scheduled run takes it up. */
async function startedRun(day: ReconciliationInput): Promise<Run | null> {
  for (const pause of RUN_PAUSES) {
    const run = await startRun(day);
    if (run !== null) {
      return run;
    }
    await sleep(pause);
  }
  return null;
}
