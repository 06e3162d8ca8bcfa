import { ScheduleAlreadyRunning, ScheduleOverlapPolicy, type Client } from '@temporalio/client';
import { SCHEDULE_IDS, TASK_QUEUES, WORKFLOW_TYPES } from '../workflows/messages/names.ts';

const EVERY = '30s';

/** Makes sure that the sweeper and the ledger's sealing run every 30 seconds. Safe to call from every worker at every start. */
export async function ensureSchedules(client: Client): Promise<void> {
  await ensureSchedule(client, { scheduleId: SCHEDULE_IDS.sweep, workflowType: WORKFLOW_TYPES.sweep });
  await ensureSchedule(client, { scheduleId: SCHEDULE_IDS.sealLedger, workflowType: WORKFLOW_TYPES.sealLedger });
}

async function ensureSchedule(
  client: Client,
  { scheduleId, workflowType }: { scheduleId: string; workflowType: string },
): Promise<void> {
  try {
    await client.schedule.create({
      scheduleId,
      spec: { intervals: [{ every: EVERY }] },
      // A pass that is missed is not made up for: the next one does its work.
      policies: { overlap: ScheduleOverlapPolicy.SKIP, catchupWindow: '1m' },
      action: {
        type: 'startWorkflow',
        workflowType,
        workflowId: scheduleId,
        taskQueue: TASK_QUEUES.maintenance,
        args: [],
        workflowExecutionTimeout: '10m',
      },
    });
  } catch (error) {
    if (!(error instanceof ScheduleAlreadyRunning)) {
      throw error;
    }
  }
}
