import { ScheduleAlreadyRunning, ScheduleOverlapPolicy, type Client } from '@temporalio/client';
import { TypedSearchAttributes } from '@temporalio/common';
import type { Dispatch } from '../core/dispatch.ts';
import { BUSINESS_TIME_ZONE } from '../domain/calendar.ts';
import { SEARCH_ATTRIBUTES, TASK_QUEUES, WORKFLOW_TYPES, workflowIds } from '../workflows/messages/names.ts';
import type { ReconciliationInput, ScheduledReconciliationInput } from '../workflows/messages/reconciliation.ts';
import { reachesRunning } from './running.ts';

export function reconciliationDispatch(client: Client): Pick<Dispatch, 'startReconciliation' | 'cancelReconciliation'> {
  return {
    async startReconciliation({ mode, gateway, period, operatorId }) {
      const by = operatorId === null ? {} : { operatorId: operatorId.toString() };
      const input: ReconciliationInput = { mode, gateway, period, ...by };
      await client.workflow.start(WORKFLOW_TYPES.reconciliation, {
        workflowId: workflowIds.reconciliation(input),
        taskQueue: TASK_QUEUES.maintenance,
        workflowIdConflictPolicy: 'USE_EXISTING',
        // A day is matched again whenever something has changed.
        workflowIdReusePolicy: 'ALLOW_DUPLICATE',
        args: [input],
        typedSearchAttributes: new TypedSearchAttributes([
          { key: SEARCH_ATTRIBUTES.mode, value: mode },
          { key: SEARCH_ATTRIBUTES.gateway, value: gateway },
        ]),
        staticSummary: `Reconciliation of ${gateway} on ${period} (${mode})`,
      });
    },
    cancelReconciliation: (run) =>
      reachesRunning(async () => {
        await client.workflow.getHandle(workflowIds.reconciliation(run)).cancel();
      }),
  };
}

/** After midnight, when the day's last callbacks have come. */
const HOUR = 3;

/** Makes sure that each gateway's LIVE days are matched, each on the day after. An operator's changes of a schedule stay. */
export async function ensureReconciliationSchedules(client: Client, gateways: readonly string[]): Promise<void> {
  for (const gateway of gateways) {
    const input: ScheduledReconciliationInput = { mode: 'LIVE', gateway };
    try {
      await client.schedule.create({
        scheduleId: `reconciliation:LIVE:${gateway}`,
        spec: { calendars: [{ hour: HOUR, comment: 'the day before' }], timezone: BUSINESS_TIME_ZONE },
        action: {
          type: 'startWorkflow',
          workflowType: WORKFLOW_TYPES.scheduledReconciliation,
          taskQueue: TASK_QUEUES.maintenance,
          args: [input],
          staticSummary: `Reconciliation of ${gateway}, each day`,
        },
        policies: { overlap: ScheduleOverlapPolicy.BUFFER_ONE, catchupWindow: '7 days' },
      });
    } catch (error) {
      if (!(error instanceof ScheduleAlreadyRunning)) {
        throw error;
      }
    }
  }
}
