import { Client, Connection, WorkflowNotFoundError } from '@temporalio/client';
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js';
import type { WorkflowEvidence } from './evidence.ts';

export interface History {
  readonly evidence: WorkflowEvidence;
  readonly json: string;
}

/** Failures of a workflow task that mean that our code cannot go on with its own history. Others mean that a worker died. */
const CODE_FAILURES: ReadonlySet<string> = new Set([
  'WORKFLOW_TASK_FAILED_CAUSE_WORKFLOW_WORKER_UNHANDLED_FAILURE',
  'WORKFLOW_TASK_FAILED_CAUSE_NON_DETERMINISTIC_ERROR',
  'WORKFLOW_TASK_FAILED_CAUSE_PAYLOADS_TOO_LARGE',
]);

export interface Histories {
  /** Those of the ids that exist, as the server gives them. */
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

function taskFailuresIn(json: string): string[] {
  const causes = [...json.matchAll(/"cause": ?"(WORKFLOW_TASK_FAILED_CAUSE_[A-Z_]+)"/g)].map(([, cause = '']) => cause);
  return causes.filter((cause) => CODE_FAILURES.has(cause));
}
