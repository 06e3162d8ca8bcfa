import { WorkflowNotFoundError, type Client } from '@temporalio/client';
import type { Dispatch } from '../core/dispatch.ts';
import { wakeSignal } from '../workflows/messages/loop.ts';
import { LOOP_IDS, TASK_QUEUES, WORKFLOW_TYPES } from '../workflows/messages/names.ts';
import { reachesRunning } from './running.ts';

/** A workflow that runs for ever, once for the whole installation. */
export interface LoopToRun {
  readonly workflowId: string;
  readonly workflowType: string;
  readonly summary: string;
}

export const SWEEPER: LoopToRun = {
  workflowId: LOOP_IDS.sweep,
  workflowType: WORKFLOW_TYPES.sweep,
  summary: 'Sweeper: restarts whatever is stored but not picked up',
};
export const SEALER: LoopToRun = {
  workflowId: LOOP_IDS.sealLedger,
  workflowType: WORKFLOW_TYPES.sealLedger,
  summary: 'Sealer: seals what the ledger has gained',
};

/** Starts a loop that does not run: never started, terminated or failed. Returns false if it runs. Several workers may call this at the same time. */
export async function ensureLoop(client: Client, { workflowId, workflowType, summary }: LoopToRun): Promise<boolean> {
  // A look is cheaper than a start that finds a running workflow, and this is repeated every minute.
  if (await isRunning(client, workflowId)) {
    return false;
  }
  await client.workflow.start(workflowType, {
    workflowId,
    taskQueue: TASK_QUEUES.maintenance,
    workflowIdConflictPolicy: 'USE_EXISTING',
    workflowIdReusePolicy: 'ALLOW_DUPLICATE',
    args: [],
    staticSummary: summary,
  });
  return true;
}

async function isRunning(client: Client, workflowId: string): Promise<boolean> {
  try {
    const { status } = await client.workflow.getHandle(workflowId).describe();
    return status.name === 'RUNNING';
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) {
      return false;
    }
    throw error;
  }
}

export function loopDispatch(client: Client): Pick<Dispatch, 'wakeSweeper'> {
  return {
    wakeSweeper: () => reachesRunning(() => client.workflow.getHandle(LOOP_IDS.sweep).signal(wakeSignal)),
  };
}
