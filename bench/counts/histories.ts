import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from '@temporalio/client';
import { WORKFLOW_TYPES } from '../../workflows/messages/names.ts';

/** What the workflows of one kind cost Temporal, all together. */
export interface HistoryCounts {
  readonly runs: number;
  readonly events: number;
  readonly workflowTasks: number;
  readonly regularActivities: number;
  readonly localActivities: number;
}

export interface StartedWorkflow {
  readonly workflowId: string;
  readonly runId: string;
  readonly kind: string;
  readonly running: boolean;
}

const MAINTENANCE: ReadonlySet<string> = new Set([WORKFLOW_TYPES.sweep, WORKFLOW_TYPES.sealLedger]);
const ENDED_TIMEOUT_MS = 20_000;
const LOOK_AGAIN_MS = 50;

/** Returns every workflow except those of maintenance. */
export async function listWorkflows(temporal: Client): Promise<StartedWorkflow[]> {
  const listed: StartedWorkflow[] = [];
  for await (const { workflowId, runId, type, status } of temporal.workflow.list()) {
    if (!MAINTENANCE.has(type)) {
      listed.push({ workflowId, runId, kind: type.replace(/Workflow$/, ''), running: status.name === 'RUNNING' });
    }
  }
  return listed;
}

/** Waits until no workflow of this kind runs, or none at all, and returns all that have run. */
export async function untilEnded(temporal: Client, kind?: string): Promise<StartedWorkflow[]> {
  const deadline = Date.now() + ENDED_TIMEOUT_MS;
  for (;;) {
    const listed = await listWorkflows(temporal);
    const running = listed.filter((workflow) => workflow.running && (kind === undefined || workflow.kind === kind));
    if (running.length === 0) {
      return listed;
    }
    if (Date.now() > deadline) {
      throw new Error(`still running: ${running.map(({ workflowId }) => workflowId).join(', ')}`);
    }
    await sleep(LOOK_AGAIN_MS);
  }
}

/** Adds up the histories by kind of workflow. */
export async function countHistories(
  temporal: Client,
  workflows: readonly StartedWorkflow[],
): Promise<Record<string, HistoryCounts>> {
  const counts: Record<string, HistoryCounts> = {};
  for (const { workflowId, runId, kind } of workflows) {
    const { events } = await temporal.workflow.getHandle(workflowId, runId).fetchHistory();
    const one = historyCounts(events ?? []);
    const sum = counts[kind];
    counts[kind] = sum === undefined ? one : addUp(sum, one);
  }
  return counts;
}

function addUp(a: HistoryCounts, b: HistoryCounts): HistoryCounts {
  return {
    runs: a.runs + b.runs,
    events: a.events + b.events,
    workflowTasks: a.workflowTasks + b.workflowTasks,
    regularActivities: a.regularActivities + b.regularActivities,
    localActivities: a.localActivities + b.localActivities,
  };
}

function historyCounts(events: readonly object[]): HistoryCounts {
  const having = (attributes: string): number =>
    events.filter((event) => Object.entries(event).some(([name, value]) => name === attributes && value !== null))
      .length;
  return {
    runs: 1,
    events: events.length,
    workflowTasks: having('workflowTaskCompletedEventAttributes'),
    regularActivities: having('activityTaskScheduledEventAttributes'),
    localActivities: having('markerRecordedEventAttributes'),
  };
}
