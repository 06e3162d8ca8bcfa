import { ScheduleAlreadyRunning, ScheduleOverlapPolicy, type Client } from '@temporalio/client';
import { SCHEDULE_IDS, TASK_QUEUES, WORKFLOW_TYPES } from '../workflows/messages/names.ts';

const EVERY = '30s';

/** Creates the schedules that run the sweeper and the ledger's sealing every 30 seconds. Every worker can call it at every start. */
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
      // A missed run is not repeated, because the next one does its work.
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
