import { Client, Connection, WorkflowNotFoundError } from '@temporalio/client';
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js';
import { z } from 'zod';
import type { WorkflowEvidence } from './evidence.ts';

export interface History {
  readonly evidence: WorkflowEvidence;
  readonly json: string;
}

/** Failures of a workflow task that mean that the code cannot continue with its own history. Other failures mean that a worker died. */
const CODE_FAILURES: ReadonlySet<string> = new Set([
  'WORKFLOW_TASK_FAILED_CAUSE_WORKFLOW_WORKER_UNHANDLED_FAILURE',
  'WORKFLOW_TASK_FAILED_CAUSE_NON_DETERMINISTIC_ERROR',
  'WORKFLOW_TASK_FAILED_CAUSE_PAYLOADS_TOO_LARGE',
]);

export interface Histories {
  /** Returns the histories of those workflows that exist, as the server stores them. */
  read(workflowIds: readonly string[]): Promise<History[]>;
  close(): Promise<void>;
}

export async function openHistories({
  address,
  namespace,
}: {
  address: string;
  namespace: string;
}): Promise<Histories> {
  const connection = await Connection.connect({ address });
  const client = new Client({ connection, namespace });
  return {
    async read(workflowIds) {
      const read = await Promise.all(workflowIds.map((id) => readOne(client, id)));
      return read.flatMap((history) => (history === null ? [] : [history]));
    },
    close: () => connection.close(),
  };
}

async function readOne(client: Client, id: string): Promise<History | null> {
  try {
    const handle = client.workflow.getHandle(id);
    const { status } = await handle.describe();
    const json = historyToJSON(await handle.fetchHistory());
    return { json, evidence: { id, status: status.name, taskFailures: taskFailuresIn(json) } };
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) {
      return null;
    }
    throw error;
  }
}

/** Returns a history's failed tasks that the code caused. The input is the output of `historyToJSON`. */
export function taskFailuresIn(json: string): string[] {
  const { events } = TaskEvents.parse(JSON.parse(json));
  return events.flatMap(({ workflowTaskFailedEventAttributes: failed }, index) => {
    if (failed === undefined || !CODE_FAILURES.has(failed.cause)) {
      return [];
    }
    const goesOn = events.slice(index).some(({ eventType }) => eventType === 'EVENT_TYPE_WORKFLOW_TASK_COMPLETED');
    const message = failed.failure?.message ?? '';
    return goesOn && OF_THE_SDK.some((begin) => message.startsWith(begin)) ? [] : [failed.cause];
  });
}

/**
 * What a worker says whose cache contains a workflow task that was lost meanwhile. It then drops its cache and reads the whole history. If that
 * succeeds, Lenden's code is not at fault.
 *
 * `History is out of order`: a task's second attempt is not written to the history until it completes, so a signal in between changes its number
 * (the server's docs/architecture/speculative-workflow-task.md).
 *
 * `Invalid transition while handling update response`: the update came again with the next task, after the worker had answered it in the lost one
 * (github.com/temporalio/sdk-typescript/issues/1966).
 */
const OF_THE_SDK = [
  'Fatal error in workflow machines: History is out of order.',
  '[TMPRL1100] Nondeterminism error: Invalid transition while handling update response',
] as const;

const TaskEvents = z.object({
  events: z.array(
    z.object({
      eventType: z.string(),
      workflowTaskFailedEventAttributes: z
        .object({ cause: z.string(), failure: z.object({ message: z.string().default('') }).optional() })
        .optional(),
    }),
  ),
});
